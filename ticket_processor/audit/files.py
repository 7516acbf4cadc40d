"""The log's files: ``ticketbot-YYYY-MM-DD.jsonl``, a UTC day each.

Everything that reads the log reads it through here, whether it is encrypted or torn.
"""

from __future__ import annotations

import errno
import itertools
import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

from ..core.errors import AuditUnwritable, CannotRun, why_unusable
from ..core.files import check_is_file
from .lines import KEYS_VARIABLE, Keyring, LineCipher, is_encrypted, read

NAME = "ticketbot-{day}"
SEGMENT = "segment"
"""The event of the line that begins a file, and holds on to the one before."""
_HEADER = b'{"event":"segment"'
MAX_LINE = 64 * 1024 * 1024
"""Bytes of a line. Ticketbot's own have some thousands."""
_OLD_INDEX = ".index"
"""Where earlier versions kept copies of the log's columns for reports."""
_PATTERN = re.compile(r"ticketbot-(\d{4}-\d{2}-\d{2})\.jsonl(\.gz)?")


class TooLarge(OSError):
    """A file holds what ticketbot never writes, and is not read further, since that would take all memory or time."""

    def __init__(self, what: str) -> None:
        super().__init__(errno.EFBIG, what)


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

    def open(self) -> IO[bytes]:
        """Open it for reading; read it by :func:`lines_of`.

        Raises ``OSError``, also where it is no file: a pipe would be waited for.
        """
        check_is_file(self.path)
        return self.path.open("rb")


def lines_of(file: IO[bytes]) -> Iterator[bytes]:
    """The lines of an open file, one held at a time. Raises :class:`TooLarge`, and what reading raises."""
    for number, line in enumerate(iter(partial(file.readline, MAX_LINE + 1), b""), start=1):
        if len(line) > MAX_LINE:
            raise TooLarge(f"line {number} is longer than {MAX_LINE >> 20} MB, and nothing behind it was read")
        yield line


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


def read_lines(
    file: LogFile, keys: Keyring | None = None, *, first: int = 0
) -> Iterator[tuple[bytes, dict[str, Any] | None]]:
    """Each line of a file, as it stands there (decrypted, where it is encrypted) and read; ``None`` is a torn one.

    Those before number ``first`` (from 0) are passed over. An encrypted line that ``keys`` cannot open is given as it
    stands, with ``None``.
    Raises :class:`CannotRun` when the file cannot be read.
    """
    key: LineCipher | None = None
    for number, stored in enumerate(_raw_lines(file)):
        if number < first and not stored.startswith(_HEADER):
            continue
        raw, line = stored, read(stored)
        if line is not None and is_encrypted(line):
            opened = None if key is None else key.opened(line, file.day, number)
            raw, line = (stored, None) if opened is None else (opened, read(opened))
        elif line is not None and line.get("event") == SEGMENT:
            key = keys.cipher_of(line) if keys else None
        if number >= first:
            yield raw, line


def line_at(file: LogFile, number: int, keys: Keyring | None = None) -> dict[str, Any] | None:
    """One line of a file, the first being 0; ``None`` where there is none to be read.

    An encrypted line is given as it stands when ``keys`` are not those of its file.
    Raises :class:`CannotRun` when the file cannot be read.
    """
    for raw, line in itertools.islice(read_lines(file, keys, first=number), 1):
        return line if line is not None else read(raw)
    return None


def headers(file: LogFile) -> Iterator[dict[str, Any]]:
    """The headers of a file; an empty one stands for one that cannot be read. Raises :class:`CannotRun`."""
    return (read(raw) or {} for raw in _raw_lines(file) if raw.startswith(_HEADER))


def encrypts(file: LogFile) -> bool:
    """Whether any header of the file says that its lines are encrypted. Raises :class:`CannotRun`."""
    return any("cipher" in header for header in headers(file))


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
    for raw, line in read_lines(LogFile.at(path), keys):
        if line is None:
            check_opened(raw, path)
        elif isinstance(line.get("event"), str) and line["event"] != SEGMENT:
            yield line


def check_opened(raw: bytes, path: Path) -> None:
    """Raise :class:`CannotRun` for a line that is still encrypted."""
    if is_encrypted(read(raw) or {}):
        raise CannotRun(f"the log {path} is encrypted: {KEYS_VARIABLE} must hold the key that it was written with")


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
    except OSError:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)  # on a full disk it would take the room that is left
        raise


def _raw_lines(file: LogFile) -> Iterator[bytes]:
    try:
        with file.open() as lines:
            yield from lines_of(lines)
    except OSError as error:
        raise _unreadable(file.path, error) from error


def _unreadable(path: Path, error: OSError) -> CannotRun:
    why = why_unusable(path, error) if isinstance(error, PermissionError) else error.strerror or type(error).__name__
    return CannotRun(f"the log {path} cannot be read: {why}")


def leftovers(log: Path) -> list[Path]:
    """Files that reports of earlier versions kept beside this log."""
    return [path for path in sorted((log / _OLD_INDEX).glob("*")) if path.is_file()]
