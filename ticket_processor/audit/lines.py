"""Encodes, seals, erases and encrypts single lines of the log.

A line's ``mac`` is an HMAC-SHA256 over the MAC before it and its own bytes without the personal part. For that part the
line holds a ``digest`` made with a random ``salt``. So the personal part can be erased later, together with its salt,
and the chain still holds; until then every change of it is noticed.

Encryption at rest: AES-256-GCM encrypts each whole line under the first of the keys; the others decrypt older lines. A
line's place (day and number) is authenticated with it, so that lines cannot be moved. It needs the extra ``encryption``
(cryptography).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from ..core.errors import ConfigError, how_to_install

PERSONAL = (
    *(("analysis", name) for name in ("summary", "evidence", "urgent_words", "entities", "root_cause", "steps")),
    ("change", "note"),
)
"""The parts of a line that come from a customer's words; they are redacted, but still personal."""
NO_MAC = ""
_MAC_BYTES = 16
Line = dict[str, Any]


def encode(line: Mapping[str, object]) -> bytes:
    """One JSON line. What orjson refuses (half an emoji, huge integers), ``json`` encodes, so that nothing is lost.

    Decoding it and encoding the result gives the same bytes.
    """
    try:
        data = orjson.dumps(line, option=orjson.OPT_NON_STR_KEYS)
    except (TypeError, ValueError, RecursionError):
        text = json.dumps(line, default=str)
        try:
            data = orjson.dumps(orjson.loads(text))
        except ValueError:
            data = json.dumps(json.loads(text), separators=(",", ":")).encode("ascii")
    if not data.isascii():
        # Legal in JSON, but many programs take them for line ends.
        for raw, escaped in ((b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"), (b"\xc2\x85", b"\\u0085")):
            data = data.replace(raw, escaped)
    return data + b"\n"


def read(raw: bytes) -> Line | None:
    """The line as an object; ``None`` for anything else, such as a torn line."""
    try:
        line = orjson.loads(raw)
    except orjson.JSONDecodeError:
        try:
            line = json.loads(raw)  # orjson does not read what json wrote in encode()
        except (ValueError, RecursionError):
            return None
    return line if isinstance(line, dict) else None


def sealed(line: Mapping[str, Any], key: bytes, before: str, number: int) -> Line:
    """Seal a line as number ``number`` of its file, after the line with the MAC ``before``."""
    public, personal = _split(line)
    public["seq"] = number
    whole = {**line, "seq": number}
    if personal:
        salt = secrets.token_hex(8)
        digest = _digest(personal, salt, key)
        public["personal"] = {"digest": digest}
        whole["personal"] = {"digest": digest, "salt": salt}
    whole["mac"] = _mac(public, key, before)
    return whole


def flaw(raw: bytes, line: Line, key: bytes, before: str, number: int) -> str | None:
    """What is wrong with a line that was parsed from ``raw``, as a sentence; ``None`` if nothing is."""
    if encode(line) != raw:
        return "it is not written as ticketbot writes"
    if line.get("seq") != number:
        return "it is not the line that belongs here"
    public, personal = _split(line)
    given = public.pop("mac", None)
    seal = public.get("personal")
    if isinstance(seal, dict):
        seal = public["personal"] = dict(seal)
        salt = seal.pop("salt", None)
        if salt is None:
            if personal:
                return "its personal part was put back after it had been erased"
        elif not _same(seal.get("digest"), _digest(personal, str(salt), key)):
            return "its personal part is not what was written"
    elif personal:
        return "its personal part has no seal"
    return None if _same(given, _mac(public, key, before)) else "it was changed, or a line before it is missing"


def erased(line: Line) -> Line:
    """The line without its personal part, also if it is unsealed; the same object if there is none."""
    seal = line.get("personal")
    sealed_part = isinstance(seal, dict)
    public, personal = _split(line)
    if not personal and not (sealed_part and "salt" in line["personal"]):
        return line
    if sealed_part:
        public["personal"] = {"digest": line["personal"].get("digest")}
    return public


def key_id(key: bytes) -> str:
    """A name for a key that reveals nothing of it."""
    return hmac.digest(key, b"ticketbot key id", "sha256")[:4].hex()


def _split(line: Mapping[str, Any]) -> tuple[Line, dict[str, Any]]:
    """Split a line into its other part and its personal part."""
    public = dict(line)
    personal: dict[str, Any] = {}
    for part, name in PERSONAL:
        inside = public.get(part)
        if isinstance(inside, dict) and name in inside:
            public[part] = {key: value for key, value in inside.items() if key != name}
            personal[f"{part}.{name}"] = inside[name]
    return public, personal


def _digest(personal: Mapping[str, Any], salt: str, key: bytes) -> str:
    return hmac.digest(key, salt.encode("ascii", "replace") + encode(personal), "sha256")[:_MAC_BYTES].hex()


def _mac(public: Mapping[str, Any], key: bytes, before: str) -> str:
    return hmac.digest(key, before.encode("ascii", "replace") + b"\n" + encode(public), "sha256")[:_MAC_BYTES].hex()


def _same(given: object, made: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode("utf-8", "replace"), made.encode())


KEYS_VARIABLE = "TICKETBOT_AUDIT_ENCRYPTION_KEYS"
NAME = "AES-256-GCM"
BEGIN_ANEW = "to begin a log without the old keys, or in the clear, set log_dir to a new folder"
NEW_KEY = 'python -c "import base64, os; print(base64.b64encode(os.urandom(32)).decode())"'
_NONCE = 12


class Keyring:
    """The encryption keys, the one to write with first. Thread-safe.

    Raises :class:`ConfigError` if a key is invalid or ``cryptography`` is missing.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys: dict[str, Any] = {}
        for text in keys:
            key = _bytes(text)
            if len(key) != 32:
                raise ConfigError(f"{KEYS_VARIABLE} must hold keys of 32 bytes in base64; make one with: {NEW_KEY}")
            self._keys[key_id(key)] = _aes(key)

    def newest(self) -> tuple[dict[str, str], LineCipher]:
        """The entry of a new header about the first key, and the cipher for the lines below it."""
        name, aes = next(iter(self._keys.items()))
        return {"name": NAME, "key_id": name}, LineCipher(aes)

    def cipher_of(self, header: Mapping[str, Any]) -> LineCipher | None:
        """The cipher of the lines below ``header``; ``None`` if they are not encrypted, or the key is missing."""
        cipher = header.get("cipher")
        if not isinstance(cipher, dict):
            return None
        aes = self._keys.get(str(cipher.get("key_id", cipher.get("master"))))
        if aes is not None and "key" in cipher:  # earlier versions stored a wrapped key in each file
            key = _decrypted(aes, _bytes(cipher["key"]), str(header.get("segment")).encode())
            return None if key is None else LineCipher(_aes(key))
        return None if aes is None else LineCipher(aes)


class LineCipher:
    """Encrypts and decrypts lines. Thread-safe."""

    def __init__(self, aes: Any) -> None:
        self._aes = aes

    def closed(self, data: bytes, day: str, number: int) -> bytes:
        """The encrypted line that is stored in place of ``data``, with its line end."""
        nonce = os.urandom(_NONCE)  # 96 random bits; a key encrypts far fewer than 2**32 lines
        return encode({"seq": number, "sealed": _text(nonce + self._aes.encrypt(nonce, data, _place(day, number)))})

    def opened(self, line: Mapping[str, Any], day: str, number: int) -> bytes | None:
        """The decrypted line; ``None`` if it was changed, or was not written in this place."""
        return _decrypted(self._aes, _bytes(line.get("sealed")), _place(day, number))


def is_encrypted(line: Mapping[str, Any]) -> bool:
    """True if :meth:`LineCipher.closed` wrote the line."""
    return "sealed" in line and "event" not in line


def is_as_closed(stored: bytes, line: Mapping[str, Any]) -> bool:
    """True if an encrypted line has exactly the bytes that :meth:`LineCipher.closed` writes."""
    return encode({"seq": line.get("seq"), "sealed": _text(_bytes(line.get("sealed")))}) == stored


def _place(day: str, number: int) -> bytes:
    return f"{day}:{number}".encode()


def _aes(key: bytes) -> Any:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise ConfigError(
            f"the encrypted log needs cryptography: {how_to_install('encryption')} (or unset {KEYS_VARIABLE})"
        ) from None
    return AESGCM(key)


def _decrypted(aes: Any, data: bytes, place: bytes) -> bytes | None:
    from cryptography.exceptions import InvalidTag

    try:
        opened: bytes = aes.decrypt(data[:_NONCE], data[_NONCE:], place)
    except (InvalidTag, ValueError):
        return None
    return opened


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: object) -> bytes:
    try:
        return base64.b64decode(str(text), validate=True)
    except (binascii.Error, ValueError):
        return b""
