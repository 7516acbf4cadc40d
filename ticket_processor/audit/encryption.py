"""Encryption of the log at rest: each line as a whole by AES-256-GCM, under the first of the keys.

Older keys behind it read what they wrote. A line's place (day and number) is authenticated with it, so that lines
cannot be moved. Needs the extra ``encryption`` (cryptography).
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping, Sequence
from typing import Any

from ..core.errors import ConfigError, how_to_install
from .lines import encode, key_id

KEYS_VARIABLE = "TICKETBOT_AUDIT_ENCRYPTION_KEYS"
NAME = "AES-256-GCM"
BEGIN_ANEW = "to begin a log without the old keys, or in the clear, set log_dir to a new folder"
NEW_KEY = 'python -c "import base64, os; print(base64.b64encode(os.urandom(32)).decode())"'
_NONCE = 12


class Keyring:
    """The keys, the one to write with first. Threads may share it.

    Raises :class:`ConfigError` when a key is none, or ``cryptography`` is missing.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys: dict[str, Any] = {}
        for text in keys:
            key = _bytes(text)
            if len(key) != 32:
                raise ConfigError(f"{KEYS_VARIABLE} must hold keys of 32 bytes in base64; make one with: {NEW_KEY}")
            self._keys[key_id(key)] = _aes(key)

    def newest(self) -> tuple[dict[str, str], LineCipher]:
        """What a new header has to say of the first key, and what closes the lines below it."""
        name, aes = next(iter(self._keys.items()))
        return {"name": NAME, "key_id": name}, LineCipher(aes)

    def cipher_of(self, header: Mapping[str, Any]) -> LineCipher | None:
        """What opens the lines below ``header``; ``None`` when they are not encrypted, or the key is not here."""
        cipher = header.get("cipher")
        if not isinstance(cipher, dict):
            return None
        aes = self._keys.get(str(cipher.get("key_id", cipher.get("master"))))
        if aes is not None and "key" in cipher:  # earlier versions made a key for each file, and kept it there wrapped
            key = _decrypted(aes, _bytes(cipher["key"]), str(header.get("segment")).encode())
            return None if key is None else LineCipher(_aes(key))
        return None if aes is None else LineCipher(aes)


class LineCipher:
    """Closes and opens lines. Safe for threads."""

    def __init__(self, aes: Any) -> None:
        self._aes = aes

    def closed(self, data: bytes, day: str, number: int) -> bytes:
        """The line that is stored instead of ``data``, its end of line included."""
        nonce = os.urandom(_NONCE)  # 96 random bits, and a key closes far fewer than 2**32 lines
        return encode({"seq": number, "sealed": _text(nonce + self._aes.encrypt(nonce, data, _place(day, number)))})

    def opened(self, line: Mapping[str, Any], day: str, number: int) -> bytes | None:
        """The decrypted line; ``None`` if it was changed, or was not written in this place."""
        return _decrypted(self._aes, _bytes(line.get("sealed")), _place(day, number))


def is_encrypted(line: Mapping[str, Any]) -> bool:
    """Whether this is what :meth:`LineCipher.closed` writes."""
    return "sealed" in line and "event" not in line


def is_as_closed(stored: bytes, line: Mapping[str, Any]) -> bool:
    """Whether an encrypted line stands there byte for byte as :meth:`LineCipher.closed` wrote it."""
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
