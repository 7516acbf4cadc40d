"""Erases the personal part of tickets from the log for good, while the chain still verifies.

A line keeps its numbers and labels. The summary, the quotes, the entities and the note are deleted, together with the
salt, so that no guess of them can be tested. Files are replaced one by one, each whole or not at all.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from ..core.errors import CannotRun, RunLocked, StateUnusable
from ..core.files import make_file, make_folder
from .files import LogFile, StoredLine, log_files, read_lines, replace_file
from .lines import Keyring, encode, erased
from .receipts import AuditLog, leftovers

ERASING, ERASED = "erasing", "erased"
"""The alerts before and after an erasure, which tell verification why words are missing."""
LOCK_NAME = "erase.lock"
_TORN = b"{"
"""Replaces a torn line: unreadable as before, but without words."""


@dataclass
class TicketTraces:
    """What the log, and the state folder beside it, hold of some tickets.

    ``lines`` counts lines with personal data, by file; ``upto`` is the last line of each day (the first is 1) that has
    or had personal data of them; ``known`` are the tickets that any line is about; ``leftovers`` are files that crashes
    left, which may hold words of any ticket. ``learnt`` are the tickets of which the store of corrections holds data.
    """

    lines: dict[Path, int] = field(default_factory=dict)
    upto: dict[str, int] = field(default_factory=dict)
    known: set[int] = field(default_factory=set)
    leftovers: list[Path] = field(default_factory=list)
    learnt: int = 0
    troubles: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.lines.values())


@contextmanager
def beside_others(folder: Path) -> Iterator[None]:
    """Prevent erasures while a dry run is active: it does not lock the state folder, but writes words to the log.

    Any number of dry runs may hold this at once; it ends with the process. Raises :class:`RunLocked` during an erasure.
    A folder that cannot be written to is not locked.
    """
    with ExitStack() as held:
        with suppress(StateUnusable):
            _hold(held, folder, "BEGIN", f"words are being erased on {folder}, and nothing was done; try again later")
        yield


@contextmanager
def without_dry_runs(folder: Path) -> Iterator[None]:
    """Prevent dry runs during an erasure, see :func:`beside_others`. Raises :class:`RunLocked` while one is active, and
    :class:`StateUnusable`."""
    busy = f"a dry run is active on {folder}, and nothing was erased; try again when it is over"
    with ExitStack() as held:
        _hold(held, folder, "BEGIN EXCLUSIVE", busy)
        yield


def _hold(held: ExitStack, folder: Path, begin: str, busy: str) -> None:
    """Take a lock of SQLite, which many readers or one writer may hold; raises what the two functions above raise."""
    path = folder / LOCK_NAME
    try:
        make_folder(folder)
        make_file(path)
        lock = held.enter_context(closing(sqlite3.connect(path, timeout=0, isolation_level=None)))
        lock.execute(begin)
        lock.execute("SELECT 1 FROM sqlite_master").fetchall()
    except (OSError, sqlite3.Error) as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
            raise RunLocked(busy) from error
        raise StateUnusable(f"{path} cannot be used: {error}") from error


def _is_about(item: StoredLine, tickets: Collection[int]) -> bool:
    return item.line is not None and item.line.get("ticket_id") in tickets


def _has_words_of(item: StoredLine, tickets: Collection[int]) -> bool:
    """True if the line may hold personal data of these tickets. A torn line names its ticket before any words."""
    if item.line is not None:
        return _is_about(item, tickets) and erased(item.line) is not item.line
    if item.closed or len(item.stored) <= len(_TORN) + 1:
        return False
    named = re.search(rb'"ticket_id":(\d+)', item.stored)
    return item.stored.startswith(b'{"seq"') or (named is not None and int(named[1]) in tickets)


def _without_words(item: StoredLine, day: str) -> bytes:
    if item.line is None:
        return _TORN + (b"\n" if item.stored.endswith(b"\n") else b"")
    raw = encode(erased(item.line))
    return raw if item.cipher is None else item.cipher.closed(raw, day, item.line["seq"])


def find(folder: Path, tickets: Collection[int], keys: Keyring | None) -> TicketTraces:
    """Look for these tickets in the log. Raises :class:`CannotRun` if the folder cannot be read.

    The result's ``troubles`` are sentences on files that cannot be read, also because a key is missing.
    """
    found, wanted = TicketTraces(), frozenset(tickets)
    for file in log_files(folder):
        count = last = closed = 0
        try:
            for number, item in enumerate(read_lines(file, keys), start=1):
                closed += item.closed
                if _has_words_of(item, wanted):
                    count += 1
                    found.known |= wanted if item.line is None else set()  # it may be about any of them
                if item.line is not None and _is_about(item, wanted):
                    found.known.add(item.line["ticket_id"])
                    last = number if "personal" in item.line else last
        except CannotRun as error:
            found.troubles.append(str(error))
            count = last = closed = 0
        if closed:
            found.troubles.append(f"{closed} lines of {file.path.name} cannot be decrypted with the keys that are here")
        if count:
            found.lines[file.path] = count
        if last:
            found.upto[file.day] = last
    found.leftovers = _leftovers(folder)
    return found


def erase(audit: AuditLog, tickets: Collection[int], keys: Keyring | None, found: TicketTraces) -> TicketTraces:
    """Erase what was found; returns what was erased. No other run may be active. Repeating it does no harm.

    The result's ``troubles`` say what could not be done, including files that could not be read. Raises
    :class:`AuditUnwritable` before anything is erased if the log cannot record the erasure.
    """
    gone = TicketTraces(upto=dict(found.upto), known=found.known, troubles=list(found.troubles))
    wanted = frozenset(tickets)
    # The alerts must be kept as long as the lines that they explain, even if the clock is behind.
    audit.not_before = max(found.upto, default="")
    audit.alert(ERASING, sync=True, tickets=sorted(wanted), upto=found.upto)
    for path in found.lines:
        try:
            with audit.alone():
                file = LogFile.at(path)
                gone.lines[path], last = _rewrite(file, wanted, keys)
                gone.upto[file.day] = max(last, gone.upto.get(file.day, 0))
        except (OSError, CannotRun) as error:
            gone.troubles.append(f"{path.name} could not be rewritten: {_why(error)}")
    for path in _leftovers(audit.folder):  # of earlier versions, and of processes that died
        try:
            with audit.alone():
                path.unlink(missing_ok=True)
            gone.leftovers.append(path)
        except OSError as error:
            gone.troubles.append(f"{path.name} could not be removed: {_why(error)}")
    audit.alert(ERASED, sync=True, tickets=sorted(wanted), upto=gone.upto, lines=gone.total, files=len(gone.lines))
    return gone


def _leftovers(folder: Path) -> list[Path]:
    """Files that crashes or earlier versions left in the log's folder; they may hold words of any ticket."""
    left = [*folder.glob("ticketbot-????-??-??.*tmp"), *folder.glob("ticketbot-????-??-??.*torn*")]
    return sorted(left) + leftovers(folder)


def _rewrite(file: LogFile, wanted: Collection[int], keys: Keyring | None) -> tuple[int, int]:
    """Replace the file; returns how many lines lost data, and the number of the last one, also if it is new."""
    count = last = 0

    def write(target: IO[bytes]) -> None:
        nonlocal count, last
        for number, item in enumerate(read_lines(file, keys), start=1):
            has_words = _has_words_of(item, wanted)
            count += has_words
            last = number if has_words else last
            target.write(_without_words(item, file.day) if has_words else item.stored)

    replace_file(file.path, write)
    return count, last


def _why(error: OSError | CannotRun) -> str:
    return str(error) if isinstance(error, CannotRun) else error.strerror or type(error).__name__
