"""Erases the personal part of tickets from the log for good, while the chain still verifies.

A line keeps its numbers and labels; the summary, the quotes, what was found in the text and the note go, together with
the salt, without which a guess cannot be tested. Files are replaced one by one, each whole or not at all.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from ..core.errors import RunLocked, StateUnusable
from ..core.private_files import make_folder
from .encryption import Keyring, LineCipher, is_encrypted
from .files import SEGMENT, LogFile, leftovers, lines_of, log_files, replace_file
from .lines import Line, encode, erased, read
from .receipts import AuditLog

ERASING, ERASED = "erasing", "erased"
"""The alerts before and after an erasure; by them verification explains the missing words."""
LOCK_NAME = "erase.lock"
_TORN = b"{"
"""Replaces a torn line: still unreadable, and without words."""
_LEFTOVERS = re.compile(r"ticketbot-\d{4}-\d{2}-\d{2}\..*(torn|torn\.gz|tmp)")


@dataclass
class TicketTraces:
    """What the log, and the state folder beside it, hold of some tickets.

    ``lines`` are those with something personal, by file; ``upto`` is the last line of each day that has, or once had,
    something personal of them (the first is 1); ``known`` are those of the tickets that any line is about;
    ``leftovers`` are files that crashes left; whose words they hold is unknown. ``learnt`` are
    those of the tickets of which people's changes are kept.
    """

    lines: dict[Path, int] = field(default_factory=dict)
    upto: dict[str, int] = field(default_factory=dict)
    known: set[int] = field(default_factory=set)
    leftovers: list[Path] = field(default_factory=list)
    learnt: int = 0
    troubles: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many lines have something personal."""
        return sum(self.lines.values())


@dataclass(frozen=True)
class _Stored:
    """A line as it lies in its file, read, and what it is encrypted with, if it is."""

    stored: bytes
    line: Line | None
    key: LineCipher | None = None
    place: int = 0
    is_closed: bool = False


@contextmanager
def beside_others(folder: Path) -> Iterator[None]:
    """Keep erasures off a state folder meanwhile: for dry runs, which do not hold it, and write words all the same.

    Any number may do so at once; the lock dies with the process. Raises :class:`RunLocked` during an erasure.
    A folder that cannot be written to is not locked.
    """
    with ExitStack() as stack:
        with suppress(OSError, sqlite3.Error):
            if not stack.enter_context(_locked(folder, "BEGIN")):
                raise RunLocked(
                    f"words are being erased on {folder}, and nothing was done; try again when that is over"
                )
        yield


@contextmanager
def nobody_beside(folder: Path) -> Iterator[None]:
    """Keep dry runs off, see :func:`beside_others`. Raises :class:`RunLocked` while one is active, and
    :class:`StateUnusable`."""
    with ExitStack() as stack:
        try:
            alone = stack.enter_context(_locked(folder, "BEGIN EXCLUSIVE"))
        except (OSError, sqlite3.Error) as error:
            raise StateUnusable(f"{folder / LOCK_NAME} cannot be used: {error}") from error
        if not alone:
            raise RunLocked(f"a dry run is active on {folder}, and nothing was erased; try again when it is over")
        yield


@contextmanager
def _locked(folder: Path, begin: str) -> Iterator[bool]:
    """Whether the lock could be had at once: SQLite's, which many readers or one writer may hold, on every system."""
    path = folder / LOCK_NAME
    make_folder(folder)
    with suppress(FileExistsError):  # opening one that is there, and closing it, would drop this process's own locks
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as lock:
        try:
            lock.execute(begin)
            lock.execute("SELECT 1 FROM sqlite_master").fetchall()
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_BUSY:
                raise
            yield False
        else:
            yield True


def find(
    folder: Path, tickets: Collection[int], keys: Keyring | None, *, done: Callable[[int], None] = lambda _files: None
) -> TicketTraces:
    """Look for these tickets in the log; ``done`` is called after each file. Raises :class:`CannotRun` for the folder.

    ``troubles`` are sentences on files that cannot be read, also for want of a key.
    """
    found, wanted = TicketTraces(), _Wanted(tickets)
    for file in log_files(folder):
        try:
            count, last, closed = _counted(_lines(file, keys), wanted, found.known)
        except OSError as error:
            found.troubles.append(f"{file.path.name} cannot be read: {_why(error)}")
            count = last = closed = 0
        if closed:
            found.troubles.append(f"{closed} lines of {file.path.name} cannot be decrypted with the keys that are here")
        if count:
            found.lines[file.path] = count
        if last:
            found.upto[file.day] = max(last, found.upto.get(file.day, 0))
        done(1)
    found.leftovers = _leftovers(folder)
    return found


def erase(
    audit: AuditLog,
    tickets: Collection[int],
    keys: Keyring | None,
    found: TicketTraces,
    *,
    done: Callable[[int], None] = lambda _files: None,
) -> TicketTraces:
    """Erase what was found, and what was added since; return what was erased. No other run may be active.

    ``troubles`` are what could not be done, the files that could not be looked into included. Twice does nothing more.
    Raises :class:`AuditUnwritable` when it cannot be written down, before anything is taken out.
    """
    wanted, gone = (
        _Wanted(tickets),
        TicketTraces(upto=dict(found.upto), known=found.known, troubles=list(found.troubles)),
    )
    names = sorted(wanted.tickets)
    # What is said of it has to stay as long as the lines that it explains, also under a clock that is behind.
    audit.not_before = max(found.upto, default="")
    audit.alert(ERASING, sync=True, tickets=names, upto=found.upto)
    for path in found.lines:
        file = LogFile.at(path)
        try:
            with audit.alone():
                count, last = _rewrite(file, wanted, keys)
        except OSError as error:
            gone.troubles.append(f"{path.name} could not be written anew: {_why(error)}")
            continue
        gone.lines[path] = count
        gone.upto[file.day] = max(last, gone.upto.get(file.day, 0))
        done(1)
    for path in _leftovers(audit.folder):  # of earlier versions, and of processes that died
        try:
            with audit.alone():
                path.unlink(missing_ok=True)
        except OSError as error:
            gone.troubles.append(f"{path.name} could not be removed: {_why(error)}")
        else:
            gone.leftovers.append(path)
    audit.alert(ERASED, sync=True, tickets=names, upto=gone.upto, lines=gone.total, files=len(gone.lines))
    return gone


def _leftovers(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [path for path in sorted(folder.iterdir()) if _LEFTOVERS.fullmatch(path.name)] + leftovers(folder)


class _Wanted:
    """The tickets, and how to know a line of theirs."""

    def __init__(self, tickets: Collection[int]) -> None:
        self.tickets = frozenset(tickets)
        self._in_bytes = re.compile(rb'"ticket_id":(' + b"|".join(b"%d" % number for number in tickets) + rb")\b")

    def has(self, item: _Stored) -> bool:
        """Whether something personal of theirs may be in it."""
        if item.line is None:
            return not item.is_closed and len(item.stored) > len(_TORN) + 1 and self._may_be_in(item.stored)
        return self.is_about(item.line) and erased(item.line) is not item.line

    def is_about(self, line: Line) -> bool:
        ticket_id = line.get("ticket_id")
        return isinstance(ticket_id, int) and ticket_id in self.tickets

    def _may_be_in(self, torn: bytes) -> bool:
        """A torn line names its ticket before any words; an encrypted one may be about any ticket."""
        return torn.startswith(b'{"seq"') or self._in_bytes.search(torn) is not None


def _counted(items: Iterator[_Stored], wanted: _Wanted, known: set[int]) -> tuple[int, int, int]:
    """Lines with something personal of these tickets, the last that has or had it, and how many cannot be opened.

    The tickets that any line is about are added to ``known``.
    """
    count = last = closed = 0
    for number, item in enumerate(items, start=1):
        closed += item.is_closed
        count += wanted.has(item)
        if item.line is None and wanted.has(item):
            known |= wanted.tickets  # it may be about any of them
        if item.line is not None and wanted.is_about(item.line):
            known.add(item.line["ticket_id"])
            last = number if "personal" in item.line else last
    return count, last, closed


def _rewrite(file: LogFile, wanted: _Wanted, keys: Keyring | None) -> tuple[int, int]:
    """Replace the file; gives how many lines lost something, and the last that has lost it now or before."""
    count, last, _ = _counted(_lines(file, keys), wanted, set())

    def write(target: IO[bytes]) -> None:
        for item in _lines(file, keys):
            target.write(_without(item, file.day) if wanted.has(item) else item.stored)

    replace_file(file.path, write)
    return count, last


def _without(item: _Stored, day: str) -> bytes:
    if item.line is None:
        return _TORN + (b"\n" if item.stored.endswith(b"\n") else b"")
    raw = encode(erased(item.line))
    return raw if item.key is None else item.key.closed(raw, day, item.place)


def _lines(file: LogFile, keys: Keyring | None) -> Iterator[_Stored]:
    key: LineCipher | None = None
    with file.open() as lines:
        for stored in lines_of(lines):
            line = read(stored)
            if line is None or not is_encrypted(line):
                if line is not None and line.get("event") == SEGMENT:
                    key = keys.cipher_of(line) if keys else None
                yield _Stored(stored, line)
                continue
            place = line.get("seq")
            opened = key.opened(line, file.day, place) if key and isinstance(place, int) else None
            inner = None if opened is None else read(opened)
            yield _Stored(stored, inner, key, cast(int, place), is_closed=inner is None)


def _why(error: OSError) -> str:
    return error.strerror or type(error).__name__
