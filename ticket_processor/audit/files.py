"""The log's files: ``ticketbot-YYYY-MM-DD.jsonl``, a UTC day each, and how they are read; the file of their key."""

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
"""The event of the line that begins a file, and holds on to the one before."""
_HEADER = b'{"event":"segment"'
MAX_LINE = 64 * 1024 * 1024
"""Bytes of a line. Ticketbot's own have some thousands."""
_PATTERN = re.compile(r"ticketbot-(\d{4}-\d{2}-\d{2})\.jsonl(\.gz)?")


class TooLarge(OSError):
    """A file holds what ticketbot never writes, and is not read further, since that would take all memory or time."""


class StoredLine(NamedTuple):
    """A line as it lies in its file, decrypted, and read; ``line`` is ``None`` where that is impossible.

    ``cipher`` is what it is encrypted with, if that is here; ``closed`` says that it is encrypted still.
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
        """The file at ``path``; its day is empty where that is no name of one.

        Raises :class:`AuditUnwritable` for a day that an earlier version packed: no run may write beside it.
        """
        match = _PATTERN.fullmatch(path.name)
        if match and match[2]:
            what = (
                "delete it, since it lies unpacked beside" if path.with_suffix("").exists() else "unpack it with gunzip"
            )
            raise AuditUnwritable(f"the log {path} is packed, as earlier versions did: {what}, once")
        return cls(match[1] if match else "", path)

    def raw_lines(self) -> Iterator[bytes]:
        """Its lines as they stand there, one held at a time.

        Raises :class:`CannotRun` where it cannot be read, because of :class:`TooLarge` or another ``OSError``; also
        where it is no file: a pipe would be waited for.
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
    """The files of these days (``YYYY-MM-DD``, both included), oldest first; none when there is no such folder.

    Raises :class:`CannotRun` when the folder cannot be read, and :class:`AuditUnwritable`, which is one, as
    :meth:`LogFile.at` does.
    """
    try:
        names = sorted(folder.iterdir()) if folder.is_dir() else []
    except OSError as error:
        raise _unreadable(folder, error) from error
    days = ((_PATTERN.fullmatch(path.name), path) for path in names)
    return [LogFile.at(path) for match, path in days if match and first_day <= match[1] <= last_day]


def read_lines(file: LogFile, keys: Keyring | None = None, *, first: int = 0) -> Iterator[StoredLine]:
    """Each line of a file, but for those before number ``first`` (from 0). Raises :class:`CannotRun`."""
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
    """A stored line, which was read as ``line``, decrypted with ``key`` where it is encrypted."""
    if line is None or not is_encrypted(line):
        return StoredLine(stored, stored, line)
    place = line.get("seq")
    raw = key.opened(line, day, place) if key and isinstance(place, int) else None
    inner = None if raw is None else read(raw)
    if raw is None or inner is None:
        return StoredLine(stored, stored, None, key, closed=True)
    return StoredLine(stored, raw, inner, key)


def headers(file: LogFile) -> Iterator[dict[str, Any]]:
    """The headers of a file; an empty one stands for one that cannot be read. Raises :class:`CannotRun`."""
    return (read(raw) or {} for raw in file.raw_lines() if raw.startswith(_HEADER))


def events(
    folder: Path, *, first_day: str = "", last_day: str = "9999", keys: Keyring | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every event of these days, oldest first, with its file's day. Torn lines are passed over, structure too.

    One line is held at a time. Raises :class:`CannotRun` when a file cannot be read, for want of its key as well.
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
"""The key that seals the log, where the environment gives none: it is made once, in the state folder."""
KEY_LOCK = "audit.key.lock"
KEY_VARIABLE = "TICKETBOT_AUDIT_KEY"
KEY_PATIENCE_S = 10.0
_KEY = re.compile(r"[!-~]{16,}")


def log_keys(given: Sequence[str], folder: Path) -> tuple[bytes, ...]:
    """The keys, the one to write with first. ``given`` ones win over the file in ``folder``, which may still be there.

    Raises :class:`CannotRun` when the file is damaged or cannot be read, and :class:`StateUnusable` when there is no
    key and none can be made.
    """
    return known_keys(given, folder) or _made(folder / KEY_FILE)


def known_keys(given: Sequence[str], folder: Path) -> tuple[bytes, ...]:
    """The same for readers: no key is made. Raises :class:`CannotRun` as :func:`log_keys` does."""
    return tuple(dict.fromkeys((*(text.encode() for text in given), *_stored(folder / KEY_FILE))))


def _stored(path: Path) -> tuple[bytes, ...]:
    """The key of the file; none where there is no file, or an empty one, with which no line was ever sealed."""
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
            stored = _stored(path)  # another may have been quicker
            if not stored:
                key = secrets.token_hex(32).encode()
                replace_file(path, lambda target: target.writelines((key, b"\n")))
                stored = (key,)
    except OSError as error:  # the lock's patience is one too
        raise state_unusable(path.parent, error, path) from error
    with suppress(OSError):
        lock.unlink()  # a process that holds it now finds the key
    return stored
