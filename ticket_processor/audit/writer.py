"""Appends lines to the log's chain, one writer at a time, and removes incomplete lines that a crash left.

Each day's file begins with a header (event ``segment``) that links to the file before it: its day, its number of
lines, and the MAC of its last line. If the chain of the lines above cannot be continued, because they were sealed with
another key or changed, another header begins a new chain.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock

from ..core.errors import CannotRun
from ..core.files import make_folder
from .files import MAX_LINE, NAME, SEGMENT, LogFile, TooLarge, headers, log_files, opened, read_lines
from .lines import NO_MAC, Keyring, LineCipher, encode, flaw, key_id, read, sealed

LOCK_NAME = ".ticketbot-log.lock"
SCHEMA = 1
LOCK_PATIENCE_S = 10.0
_BLOCK = 64 * 1024


@dataclass(frozen=True)
class Head:
    """The end of the log: a day, how many lines its file has, and the MAC of the last one."""

    day: str
    lines: int
    mac: str

    def __str__(self) -> str:
        return f"{self.day}:{self.lines}:{self.mac}"

    @classmethod
    def parse(cls, text: str) -> Head:
        """Parse the text that ``str(head)`` gives. Raises ``ValueError``."""
        day, lines, mac = text.strip().split(":")
        return cls(day, int(lines), mac)


@dataclass
class _Open:
    """The open file: its end after our last line, and the cipher of its lines."""

    day: str
    descriptor: int
    size: int = -1
    number: int = 0
    mac: str = NO_MAC
    cipher: LineCipher | None = None


class LogWriter:
    """Appends sealed lines to the day's file. Thread-safe, and safe beside other processes.

    Every method raises ``OSError`` if it could not write, or if another process held the log for too long.
    """

    def __init__(self, folder: Path, key: bytes = b"", keys: Keyring | None = None) -> None:
        """``key`` seals the lines, ``keys`` encrypt them."""
        self._folder = folder
        self._key = key
        self._keys = keys
        self._lock = threading.Lock()
        self._open: _Open | None = None
        self._guard = filelock.FileLock(folder / LOCK_NAME, mode=0o600, thread_local=False)
        self.repaired: int | None = None
        """Length of an incomplete line that was removed; the caller resets it after reporting."""

    @property
    def head(self) -> Head | None:
        """The last line that this writer has written."""
        with self._lock:
            log = self._open
            return Head(log.day, log.number, log.mac) if log and log.number else None

    def append(self, day: str, lines: Sequence[Mapping[str, Any]], text: str = "", *, sync: bool = False) -> None:
        """Append lines to the file of ``day``, all or none, and ``text`` to the plain one beside it.

        With ``sync`` they are on disk when this returns. An encrypted log has no plain text beside it.
        """
        with self._lock, self._alone():
            log = self._at(day)
            data, mac, number = bytearray(), log.mac, log.number
            for line in lines:
                whole = sealed(line, self._key, mac, number)
                raw = encode(whole)
                data += log.cipher.closed(raw, day, number) if log.cipher else raw
                mac, number = whole["mac"], number + 1
            size, log.size = log.size, -1
            _write(log.descriptor, bytes(data))
            if sync:
                os.fsync(log.descriptor)
            log.mac, log.number, log.size = mac, number, size + len(data)
            if text and log.cipher is None:
                descriptor = _open_to_append(self._folder / (NAME.format(day=day) + ".log"))
                try:
                    _write(descriptor, text.encode("utf-8", "replace"))
                finally:
                    _close(descriptor)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Lock out all writers, this one included, so that files may be replaced."""
        with self._lock, self._alone():
            self._close()
            yield

    def close(self) -> None:
        """Close the files. Idempotent."""
        with self._lock:
            self._close()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._folder.is_dir():
            make_folder(self._folder)
        try:
            self._guard.acquire(timeout=LOCK_PATIENCE_S)
        except filelock.Timeout:
            raise OSError("another process is holding it") from None
        try:
            yield
        finally:
            self._guard.release()

    def _at(self, day: str) -> _Open:
        """Open the day's file, ready to append the next line of the chain."""
        log = self._open
        path = self._folder / (NAME.format(day=day) + ".jsonl")
        if log is None or log.day != day or not _is_at(path, log.descriptor):
            self._close()
            log = self._open = _Open(day, _open_to_append(path))
        if os.fstat(log.descriptor).st_size != log.size:
            file = LogFile(day, path)
            end = self._mended(log, file)
            if end and (log.cipher is not None) == (self._keys is not None):
                log.number, log.mac = end
            else:  # the chain cannot be continued there
                self._begin(log, file)
            log.size = os.fstat(log.descriptor).st_size
        return log

    def _mended(self, log: _Open, file: LogFile) -> tuple[int, str] | None:
        """Make the file end with a whole line; returns the next line's number and the MAC before it, if known."""
        raws, torn = _last_lines(log.descriptor)
        if torn and read(torn) is not None:  # only the end of the line is missing
            _write(log.descriptor, b"\n")
            raws = [*raws, torn + b"\n"][-2:]
        elif torn:  # what an incomplete line was to announce has not been done
            os.ftruncate(log.descriptor, os.fstat(log.descriptor).st_size - len(torn))
            self.repaired = len(torn)
        log.cipher = None
        if raws and self._keys is not None:
            for header in headers(file):
                log.cipher = self._keys.cipher_of(header)
        # The chain is continued if the last line is sealed with our key and unchanged.
        lines = [opened(raw, read(raw), log.cipher, log.day) for raw in raws]
        last = lines[-1].line if lines else None
        if last is None or not isinstance(number := last.get("seq"), int):
            return None
        before = NO_MAC
        if last.get("event") != SEGMENT:
            if len(lines) < 2 or (earlier := lines[-2].line) is None:
                return None
            before = str(earlier.get("mac"))
        return (number + 1, last["mac"]) if flaw(lines[-1].raw, last, self._key, before, number) is None else None

    def _begin(self, log: _Open, file: LogFile) -> None:
        """Write a header that links to the lines above in this file, or else to the file before."""
        number = sum(1 for _ in read_lines(file))
        facts: dict[str, Any] = {"event": SEGMENT, "segment": log.day, "schema": SCHEMA, "key_id": key_id(self._key)}
        if number:
            facts["after"] = {**_link(file, self._keys), "lines": number}
        else:
            others = log_files(self._folder)
            earlier = [other for other in others if other.day < log.day]
            later = [other for other in others if other.day > log.day]  # a clock was set back
            for name, files in (("after", earlier), ("later", later)):
                links = (_link(other, self._keys) for other in reversed(files))
                link = next((link for link in links if link["lines"]), None)
                facts |= {name: link} if link else {}
        log.cipher = None
        if self._keys is not None:
            facts["cipher"], log.cipher = self._keys.newest()
        header = sealed(facts, self._key, NO_MAC, number)
        _write(log.descriptor, encode(header))
        log.number, log.mac = number + 1, header["mac"]

    def _close(self) -> None:
        log, self._open = self._open, None
        if log is not None:
            _close(log.descriptor)


def last_head(files: Sequence[LogFile], keys: Keyring | None = None) -> Head | None:
    """The end of the last of these files (oldest first) that has lines; a damaged file ends where it is damaged."""
    links = (_link(file, keys) for file in reversed(files))
    return next((Head(link["day"], link["lines"], link["mac"]) for link in links if link["lines"]), None)


def _link(file: LogFile, keys: Keyring | None) -> dict[str, Any]:
    """The link in a header to another file: its end, and the name of the key that sealed it, if any."""
    link: dict[str, Any] = {"day": file.day, "lines": 0, "mac": NO_MAC}
    with suppress(CannotRun):  # a damaged file must not prevent writing the next one, or its own deletion
        for item in read_lines(file, keys):
            line = item.line or {}
            link["lines"] += 1
            if isinstance(line.get("mac"), str):
                link["mac"] = line["mac"]
            if line.get("event") == SEGMENT:
                link["key_id"] = str(line.get("key_id"))
    return link


def _last_lines(descriptor: int) -> tuple[list[bytes], bytes]:
    """The last two whole lines of a file, and the incomplete one after them."""
    size = os.fstat(descriptor).st_size
    blocks, ends, at = list[bytes](), 0, size
    with open(descriptor, "rb", buffering=0, closefd=False) as file:
        while at and ends < 3:
            if size - at > 3 * MAX_LINE:
                raise TooLarge(f"a line at its end is longer than {MAX_LINE >> 20} MB: move the file away")
            step = min(_BLOCK, at)
            at -= step
            file.seek(at)
            blocks.append(file.read(step))
            ends += blocks[-1].count(b"\n")
    tail = b"".join(reversed(blocks))
    whole, newline, torn = tail.rpartition(b"\n")
    if not newline:
        return [], tail
    return [line + b"\n" for line in whole.split(b"\n")[-2:]], torn


def _write(descriptor: int, data: bytes) -> None:
    if os.write(descriptor, data) != len(data):
        raise OSError("the line was cut short, as on a full disk")


def _close(descriptor: int) -> None:
    with suppress(OSError):  # everything important was synced before
        os.close(descriptor)


def _is_at(path: Path, descriptor: int) -> bool:
    """True if the open file is still the one at this path."""
    with suppress(OSError):
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    return False


def _open_to_append(path: Path) -> int:
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, flags, stat.S_IRUSR | stat.S_IWUSR)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path.name} is no file")
    return descriptor
