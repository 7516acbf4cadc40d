"""Encryption of the log at rest: AES-256-GCM, a key for each file, wrapped by a master key that is kept elsewhere.

A new master key is put in front of the old ones, and files need not be written anew. A line's place (day and number)
is authenticated with it, so that lines cannot be moved. Needs the extra ``encryption`` (cryptography).
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
OFF, LOST = "off", "lost"
"""Words among the keys. ``off`` in front: new lines are in the clear. ``lost`` at the end: the key of the existing log
is lost."""
NEW_KEY = 'python -c "import base64, os; print(base64.b64encode(os.urandom(32)).decode())"'
_NONCE = 12


class Keyring:
    """Master keys, the newest first, perhaps :data:`OFF` before or :data:`LOST` behind them. Threads may share it.

    ``closes``: whether new lines are encrypted. ``given_up``: whether the settings say that the existing log need not
    be opened. Raises :class:`ConfigError` when a key is none, or ``cryptography`` is missing.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys: dict[str, Any] = {}
        words = [text.lower() for text in keys]
        self.closes = words[:1] != [OFF]
        lost = words[-1:] == [LOST]
        self.given_up = lost or not self.closes
        for text in keys[0 if self.closes else 1 : len(keys) - lost]:
            try:
                key = base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError):
                key = b""
            if len(key) != 32:
                raise ConfigError(f"{KEYS_VARIABLE} must hold keys of 32 bytes in base64; make one with: {NEW_KEY}")
            self._keys[key_id(key)] = _aes(key)
        if self.closes and not self._keys:
            raise ConfigError(f"{KEYS_VARIABLE}: the word '{LOST}' stands behind a new key; make one with: {NEW_KEY}")
        self._newest = next(iter(self._keys), "")

    def new_key(self, day: str) -> tuple[dict[str, str], DataKey]:
        """A key for a new file, and what its header has to say of it."""
        key = os.urandom(32)
        nonce = os.urandom(_NONCE)
        wrapped = nonce + self._keys[self._newest].encrypt(nonce, key, day.encode())
        return {"name": NAME, "master": self._newest, "key": _text(wrapped)}, DataKey(key)

    def key_of(self, header: Mapping[str, Any]) -> DataKey | None:
        """The key of the file that ``header`` begins; ``None`` when it has none, or its master key is not here."""
        cipher = header.get("cipher")
        if not isinstance(cipher, dict):
            return None
        master = self._keys.get(str(cipher.get("master")))
        wrapped = _bytes(cipher.get("key"))
        opened = _decrypted(master, wrapped, str(header.get("segment")).encode()) if master and wrapped else None
        return None if opened is None else DataKey(opened)


class DataKey:
    """Closes and opens the lines of one file. Safe for threads."""

    def __init__(self, key: bytes) -> None:
        self._aes = _aes(key)

    def closed(self, data: bytes, day: str, number: int) -> bytes:
        """The line that is stored instead of ``data``, its end of line included."""
        nonce = os.urandom(_NONCE)  # 96 random bits, and a file has far fewer than 2**32 lines
        return encode({"seq": number, "sealed": _text(nonce + self._aes.encrypt(nonce, data, _place(day, number)))})

    def opened(self, line: Mapping[str, Any], day: str, number: int) -> bytes | None:
        """The decrypted line; ``None`` if it was changed, or was not written in this place."""
        return _decrypted(self._aes, _bytes(line.get("sealed")), _place(day, number))


def is_encrypted(line: Mapping[str, Any]) -> bool:
    """Whether this is what :meth:`DataKey.closed` writes."""
    return "sealed" in line and "event" not in line


def is_as_closed(stored: bytes, line: Mapping[str, Any]) -> bool:
    """Whether an encrypted line stands there byte for byte as :meth:`DataKey.closed` wrote it."""
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
