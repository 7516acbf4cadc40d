"""Reads the log's files, ``ticketbot-YYYY-MM-DD.jsonl`` for each UTC day, and the file of the key that seals them."""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

import filelock

from ..core.errors import AuditUnwritable, CannotRun, state_unusable, why_unusable
from ..core.files import check_is_file, make_folder
from .lines import KEYS_VARIABLE, Keyring, Line, LineCipher, is_encrypted, read

NAME = "ticketbot-{day}"
SEGMENT = "segment"
"""The event of the header line that begins a file and links to the file before it."""
_HEADER = b'{"event":"segment"'
MAX_LINE = 64 * 1024 * 1024
"""Maximum bytes of a line. Those that ticketbot writes have some thousands."""
_PATTERN = re.compile(r"ticketbot-(\d{4}-\d{2}-\d{2})\.jsonl(\.gz)?")


class TooLarge(OSError):
    """A file holds more than ticketbot ever writes; reading stops, since the rest could take all memory or time."""


class StoredLine(NamedTuple):
    """A line as stored in its file, decrypted, and parsed; ``line`` is ``None`` if it cannot be parsed.

    ``cipher`` decrypts it, if its key is available; ``closed`` is true if it could not be decrypted.
    """

    stored: bytes
    raw: bytes
    line: Line | None
    cipher: LineCipher | None = None
    closed: bool = False


@dataclass(frozen=True, order=True)
class LogFile:
    """One day's file."""

    day: str
    path: Path

    @classmethod
    def at(cls, path: Path) -> LogFile:
        """The file at ``path``; its day is empty if the name is not one of a log's file.

        Raises :class:`AuditUnwritable` for a file that an earlier version packed: no run may write beside it.
        """
        match = _PATTERN.fullmatch(path.name)
        if match and match[2]:
            what = (
                "delete it, since it lies unpacked beside" if path.with_suffix("").exists() else "unpack it with gunzip"
            )
            raise AuditUnwritable(f"the log {path} is packed, as earlier versions did: {what}, once")
        return cls(match[1] if match else "", path)

    def raw_lines(self) -> Iterator[bytes]:
        """Its lines as stored; only one is in memory at a time.

        Raises :class:`CannotRun` if it cannot be read, because of :class:`TooLarge` or another ``OSError``, or if it is
        something other than a file: reading a pipe would wait.
        """
        try:
            check_is_file(self.path)
            with self.path.open("rb") as file:
                for number, line in enumerate(iter(partial(file.readline, MAX_LINE + 1), b""), start=1):
                    if len(line) > MAX_LINE:
                        what = f"line {number} is longer than {MAX_LINE >> 20} MB, and nothing behind it was read"
                        raise TooLarge(errno.EFBIG, what)
                    yield line
        except OSError as error:
            raise _unreadable(self.path, error) from error


def log_files(folder: Path, *, first_day: str = "", last_day: str = "9999") -> list[LogFile]:
    """The files of these days (``YYYY-MM-DD``, both included), oldest first; none if the folder does not exist.

    Raises :class:`CannotRun` if the folder cannot be read, and :class:`AuditUnwritable`, a subclass, as
    :meth:`LogFile.at` does.
    """
    try:
        names = sorted(folder.iterdir()) if folder.is_dir() else []
    except OSError as error:
        raise _unreadable(folder, error) from error
    days = ((_PATTERN.fullmatch(path.name), path) for path in names)
    return [LogFile.at(path) for match, path in days if match and first_day <= match[1] <= last_day]


def read_lines(file: LogFile, keys: Keyring | None = None, *, first: int = 0) -> Iterator[StoredLine]:
    """The lines of a file from number ``first`` (from 0) on. Raises :class:`CannotRun`."""
    key: LineCipher | None = None
    for number, stored in enumerate(file.raw_lines()):
        if number < first and not stored.startswith(_HEADER):
            continue
        line = read(stored)
        if line is not None and line.get("event") == SEGMENT:
            key = keys.cipher_of(line) if keys else None
        if number >= first:
            yield opened(stored, line, key, file.day)


def opened(stored: bytes, line: Line | None, key: LineCipher | None, day: str) -> StoredLine:
    """Decrypt a stored line, which was parsed as ``line``, with ``key`` if it is encrypted."""
    if line is None or not is_encrypted(line):
        return StoredLine(stored, stored, line)
    place = line.get("seq")
    raw = key.opened(line, day, place) if key and isinstance(place, int) else None
    inner = None if raw is None else read(raw)
    if raw is None or inner is None:
        return StoredLine(stored, stored, None, key, closed=True)
    return StoredLine(stored, raw, inner, key)


def headers(file: LogFile) -> Iterator[dict[str, Any]]:
    """The headers of a file; an unreadable one is an empty dictionary. Raises :class:`CannotRun`."""
    return (read(raw) or {} for raw in file.raw_lines() if raw.startswith(_HEADER))


def events(
    folder: Path, *, first_day: str = "", last_day: str = "9999", keys: Keyring | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every event of these days, oldest first, with its file's day; torn lines and headers are skipped.

    Only one line is in memory at a time. Raises :class:`CannotRun` if a file cannot be read or its key is missing.
    """
    for file in log_files(folder, first_day=first_day, last_day=last_day):
        for line in read_events(file.path, keys):
            yield file.day, line


def read_events(path: Path, keys: Keyring | None = None) -> Iterator[dict[str, Any]]:
    """The events of one file, as :func:`events` gives them."""
    for item in readable(LogFile.at(path), keys):
        if item.line and isinstance(item.line.get("event"), str) and item.line["event"] != SEGMENT:
            yield item.line


def readable(file: LogFile, keys: Keyring | None, *, first: int = 0) -> Iterator[StoredLine]:
    """As :func:`read_lines`; raises :class:`CannotRun` for a line that none of the keys opens, too."""
    for item in read_lines(file, keys, first=first):
        if item.closed:
            what = f"the log {file.path} is encrypted: {KEYS_VARIABLE} must hold the key that it was written with"
            raise CannotRun(what)
        yield item


def replace_file(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Replace ``path`` as a whole by what ``write`` writes, for its owner only. Raises ``OSError``."""
    unfinished = path.with_name(path.name + ".tmp")
    unfinished.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(unfinished, flags, 0o600), "wb") as target:
            write(target)
            target.flush()
            os.fsync(target.fileno())
        unfinished.replace(path)
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)  # on a full disk it would take the room that is left


def _unreadable(path: Path, error: OSError) -> CannotRun:
    why = why_unusable(path, error) if isinstance(error, PermissionError) else error.strerror or type(error).__name__
    return CannotRun(f"the log {path} cannot be read: {why}")


KEY_FILE = "audit.key"
"""File of the key that seals the log if the environment gives none: it is created once, in the state folder."""
KEY_LOCK = "audit.key.lock"
KEY_VARIABLE = "TICKETBOT_AUDIT_KEY"
KEY_PATIENCE_S = 10.0
_KEY = re.compile(r"[!-~]{16,}")


def log_keys(given: Sequence[str], folder: Path) -> tuple[bytes, ...]:
    """The keys, the one to write with first: ``given`` ones before that of the file in ``folder``.

    Without any, a key is created. Raises :class:`CannotRun` if the file is damaged or unreadable, and
    :class:`StateUnusable` if no key can be created.
    """
    return known_keys(given, folder) or _made(folder / KEY_FILE)


def known_keys(given: Sequence[str], folder: Path) -> tuple[bytes, ...]:
    """The same for readers, which create no key. Raises :class:`CannotRun` as :func:`log_keys` does."""
    return tuple(dict.fromkeys((*(text.encode() for text in given), *_stored(folder / KEY_FILE))))


def _stored(path: Path) -> tuple[bytes, ...]:
    """The key of the file; none if the file is missing, or empty, since no line was ever sealed with that."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except PermissionError as error:
        raise state_unusable(path.parent, error, path) from error
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(path, error.strerror if isinstance(error, OSError) else None) from error
    if text and not _KEY.fullmatch(text):
        raise _damaged(path)
    return (text.encode(),) if text else ()


def _damaged(path: Path, why: str | None = None) -> CannotRun:
    return CannotRun(f"the key of the log, {path}, cannot be read: {why or 'it is damaged'}; or set {KEY_VARIABLE}")


def _made(path: Path) -> tuple[bytes, ...]:
    try:
        make_folder(path.parent)
        lock = path.with_name(KEY_LOCK)
        with filelock.FileLock(lock, mode=0o600, timeout=KEY_PATIENCE_S):
            stored = _stored(path)  # another process may have created it first
            if not stored:
                key = secrets.token_hex(32).encode()
                replace_file(path, lambda target: target.writelines((key, b"\n")))
                stored = (key,)
    except OSError as error:  # a timeout of the lock is an OSError too
        raise state_unusable(path.parent, error, path) from error
    with suppress(OSError):
        lock.unlink()  # a process that waits for it will find the key
    return stored
