"""The results of a walk over history: a file of JSON lines that a person can read before applying it.

The first line says what the file is about, each other one what was made of one ticket. Of a ticket's text it holds what
a receipt holds, and nothing besides. Every line is sealed with the key of the log, those of tickets together with the
first: a line may be taken out, but not changed, and not put into another file.
"""

from __future__ import annotations

import hmac
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Literal

import filelock
import orjson
from pydantic import Field, ValidationError

from ...audit.files import MAX_LINE, TooLarge, lines_of
from ...audit.keys import VARIABLE
from ...audit.lines import decode, encode
from ...core.errors import CannotRun, ConfigError, RunLocked
from ...core.id_set import IdSet
from ...core.models import Analysis, Decision, Frozen, Usage
from ...core.private_files import make_folder
from ...state.records import Verdict

FORMAT: Final = 1
_BEGINNING = b'{"ticketbot_backfill":'
SEAL = "seal"
ANEW = (
    "make it anew, with 'ticketbot run --backfill' and another --out; what models have answered is known and costs "
    "nothing again"
)
"""Advice for a file that cannot be applied."""
DECIDED = "decided"
"""The kind of an entry that holds a decision; the kind of any other is the reason why it was left alone."""


class Header(Frozen):
    """The first line: which account, made when and by what, and by which settings it was decided.

    ``policy`` is a digest of these settings. ``as_new`` says that decisions are whole, as for new tickets; otherwise
    they hold tags and ticket fields only. ``since`` is the beginning, ``since_asked`` how it was asked for: ``2d`` is
    another moment each time.
    """

    ticketbot_backfill: Literal[1] = FORMAT
    version: str
    account: str
    since: str
    created: str
    policy: str
    marker: str
    as_new: bool = False
    since_asked: str = ""


class Entry(Frozen):
    """One ticket: its status in the helpdesk when it was read, and what was made of it.

    Without ``decision`` it was left alone, for ``reason``.
    """

    ticket_id: int
    status: str
    reason: str
    analysis: Analysis | None = None
    decision: Decision | None = None
    key: str = Field("", pattern=r"^([0-9a-f]{32})?$")
    clean_stamp: str = ""
    analyse_ms: int = 0

    @property
    def kind(self) -> str:
        """:data:`DECIDED`, or why the ticket was left alone."""
        return self.reason if self.decision is None else DECIDED

    def verdict(self) -> Verdict | None:
        """The verdict for a write-back; ``None`` without a decision. It carries no cost: the file has counted that."""
        if self.analysis is None or self.decision is None:
            return None
        told = {"usage": Usage(), "cost_usd": None, "attempts": 0}
        return Verdict(
            ticket_id=self.ticket_id,
            key=self.key,
            analysis=self.analysis.model_copy(update=told),
            decision=self.decision,
            clean_stamp=self.clean_stamp,
        )

    def as_line(self) -> dict[str, Any]:
        """The entry as an object of the file, without its seal."""
        # Of a decision, what the entry says already and what says nothing is left out.
        decision = self.decision and self.decision.model_dump(
            mode="json", exclude={"ticket_id", "reason"}, exclude_defaults=True
        )
        return {**self.model_dump(mode="json", exclude={"decision"}), "decision": decision}

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> Entry:
        """From a line's object. Raises ``ValueError`` for what no backfill writes."""
        decision = line.get("decision")
        if decision is None:
            return cls.model_validate(line)
        whole = Decision.model_validate({**decision, "ticket_id": line.get("ticket_id"), "reason": line.get("reason")})
        entry = cls.model_validate({**line, "decision": whole})
        if whole.tags_removed:
            raise ValueError("nothing is taken off by a backfill")
        if entry.analysis is None or not entry.key:
            raise ValueError("a decision needs an analysis and a key")
        return entry


class Seals:
    """Seals lines with the first of ``keys``, and knows those that were sealed with any of them."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = keys

    def put_on(self, line: Mapping[str, Any], header: str) -> dict[str, Any]:
        """The line with its seal; ``header`` is the seal of the first line, empty for the first line itself."""
        return {**line, SEAL: self._made(self._keys[0], line, header)}

    def taken_off(self, line: Mapping[str, Any], header: str) -> dict[str, Any] | None:
        """The line as it was sealed; ``None`` when it was changed, or sealed with a key that is not here."""
        bare = {name: value for name, value in line.items() if name != SEAL}
        given = str(line.get(SEAL)).encode("utf-8", "replace")
        made = (self._made(key, bare, header).encode() for key in self._keys)
        return bare if any(hmac.compare_digest(given, each) for each in made) else None

    def _made(self, key: bytes, line: Mapping[str, Any], header: str) -> str:
        message = b"ticketbot backfill " + header.encode("utf-8", "replace") + b"\n" + encode(line)
        return hmac.digest(key, message, "sha256")[:16].hex()


class BackfillFile:
    """The file while it is being written, by one process and thread. Use as a context manager.

    Opening one that is there goes on with it: a last line that a crash tore is cut off (``repaired``), and ``header``
    is the one that is there. ``counts`` say what is in it by :attr:`Entry.kind`, and ``closed`` how many decisions are
    about closed tickets.
    ``keys`` are those of the log, the one to seal with first.
    Raises :class:`ConfigError` for a file of another account, other settings or another key, or that is none of ours,
    :class:`RunLocked` while another process has it, and :class:`CannotRun` when it cannot be written.
    """

    def __init__(self, path: Path, header: Header, keys: Sequence[bytes] = (b"",)) -> None:
        self.path = path
        self._seals = Seals(keys)
        self._sealed_by = ""
        self.header = header
        self.counts: Counter[str] = Counter()
        self.closed = 0
        self.repaired = False
        self._ids = IdSet()
        self._descriptor: int | None = None
        self._held = ExitStack()

    def __enter__(self) -> BackfillFile:
        with ExitStack() as stack:
            stack.enter_context(locked(self.path))
            try:
                self._open()
            except OSError as error:
                raise self._unwritable(error) from error
            self._held = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self.settle()
        self._close()
        self._held.close()

    def __contains__(self, ticket_id: int) -> bool:
        return ticket_id in self._ids

    def __len__(self) -> int:
        return self.counts.total()

    def add(self, entry: Entry) -> None:
        """Append an entry; with the operating system when this returns."""
        self._append(encode(self._seals.put_on(entry.as_line(), self._sealed_by)))
        self._count(entry.ticket_id, entry.kind, closed=entry.status == "closed")

    def settle(self) -> None:
        """See to it that what was added survives a power cut: it has been paid for."""
        if self._descriptor is not None:
            os.fsync(self._descriptor)

    def _append(self, line: bytes) -> None:
        if self._descriptor is None:
            raise CannotRun(f"{self.path} is not open for writing")
        try:
            if os.write(self._descriptor, line) != len(line):
                raise OSError("the line was cut short")
        except OSError as error:
            self._close()  # half a line is cut off by the next command; nothing may come behind it
            raise self._unwritable(error) from error

    def _count(self, ticket_id: int, kind: str, *, closed: bool) -> None:
        if ticket_id in self._ids:
            return
        self._ids.add(ticket_id)
        self.counts[kind] += 1
        self.closed += closed and kind == DECIDED

    def _open(self) -> None:
        binary = getattr(os, "O_BINARY", 0)
        # Summaries are for the owner of the file only.
        self._descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | binary, 0o600)
        try:
            with self.path.open("rb") as file:
                end = self._read(file)
                self.repaired = file.seek(0, os.SEEK_END) > end
            os.ftruncate(self._descriptor, end)
            if end == 0:
                line = self._seals.put_on(self.header.model_dump(mode="json"), "")
                self._sealed_by = line[SEAL]
                self._append(encode(line))
        except BaseException:
            self._close()
            raise

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _read(self, file: IO[bytes]) -> int:
        """Take in what is there; gives the place behind the last whole line."""
        end = 0
        for number, raw in enumerate(lines_of(file), start=1):
            if not raw.endswith(b"\n"):
                if number == 1 and not (raw.startswith(_BEGINNING) or _BEGINNING.startswith(raw)):
                    raise _not_ours(self.path)
                break
            if number == 1:
                there, self._sealed_by = _header(raw, self.path, self.header.account, self._seals)
                self._check(there)
            elif raw.strip():
                try:
                    line = orjson.loads(raw)
                    kind = str(line["reason"]) if line.get("decision") is None else DECIDED
                    self._count(int(line["ticket_id"]), kind, closed=line["status"] == "closed")
                except (AttributeError, KeyError, TypeError, ValueError):
                    raise _unreadable(self.path, number) from None
            end += len(raw)
        return end

    def _check(self, there: Header) -> None:
        if there.as_new != self.header.as_new:
            was = "with --as-new" if there.as_new else "without --as-new"
            raise ConfigError(f"{self.path} was begun {was}: go on with it in the same way, or choose another --out")
        if there.policy != self.header.policy:
            raise ConfigError(
                f"the settings that decide (policy, categories, entities) have changed since {self.path} was begun: "
                "put them back, or choose another --out; what models have answered is known and costs nothing again"
            )
        same_words = there.since_asked and there.since_asked == self.header.since_asked
        if there.since != self.header.since and not same_words:
            raise ConfigError(
                f"{self.path} holds tickets created since {there.since}: go on with "
                f"--since {there.since_asked or there.since}, or choose another --out"
            )
        self.header = there

    def _unwritable(self, error: OSError) -> CannotRun:
        return CannotRun(f"{self.path} cannot be written: {error.strerror or error}")


@dataclass(frozen=True)
class Refused:
    """A line (the first of the file is 1) that is not to be applied, and why."""

    line: int
    ticket_id: int
    why: str


class Results:
    """A file of results that is to be applied."""

    def __init__(self, path: Path, account: str, keys: Sequence[bytes] = (b"",)) -> None:
        """The file at ``path``, which has to be about ``account``; ``keys`` are all those of the log.

        Raises :class:`ConfigError` where it cannot be read, and where its first line is not as it was written.
        """
        self.path = path
        self._seals = Seals(keys)
        try:
            with path.open("rb") as file:
                first = file.readline(MAX_LINE)
        except OSError as error:
            raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from None
        self.header, self._sealed_by = _header(first, path, account, self._seals)

    def entries(
        self,
        wrong_with: Callable[[Entry], str | None] = lambda _entry: None,
        refused: Callable[[Refused], object] = lambda _refused: None,
    ) -> Iterator[Entry]:
        """The file's tickets in its order, each once; a line that a crash tore at its end is left out.

        Left out are lines that are not as they were written, and those of which ``wrong_with`` says what is wrong;
        ``refused`` gets each. Raises :class:`ConfigError` for a line that is no object of a ticket.
        """
        seen = IdSet()
        with self.path.open("rb") as file:
            for number, raw in enumerate(_lines(file, self.path), start=1):
                if number == 1 or not raw.strip():
                    continue
                if not raw.endswith(b"\n"):
                    return
                try:
                    line = decode(raw)
                    ticket_id = int(line["ticket_id"])
                    bare = self._seals.taken_off(line, self._sealed_by)
                    entry = None if bare is None else Entry.of(bare)
                except (ValueError, TypeError, AttributeError, KeyError):
                    raise _unreadable(self.path, number) from None
                wrong = "it is not as it was written" if entry is None else wrong_with(entry)
                if entry is None or wrong is not None:
                    refused(Refused(number, ticket_id, wrong or ""))
                    continue
                if entry.ticket_id not in seen:
                    seen.add(entry.ticket_id)
                    yield entry


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keeps other processes from writing or applying the file; an OS lock, so it ends with the process.

    Raises :class:`RunLocked`, or :class:`CannotRun` where no file can be written.
    """
    lock = filelock.FileLock(path.with_name(path.name + ".lock"), mode=0o600)
    try:
        make_folder(path.parent)
        lock.acquire(blocking=False)
    except filelock.Timeout:
        raise RunLocked(f"another ticketbot is at work on {path}; this one has nothing to do") from None
    except OSError as error:
        raise CannotRun(f"{path} cannot be used: {error.strerror or error}") from error
    try:
        yield
    finally:
        lock.release()  # its file stays: deleting it would let a second holder in


def _lines(file: IO[bytes], path: Path) -> Iterator[bytes]:
    try:
        yield from lines_of(file)
    except TooLarge as error:
        raise ConfigError(f"{path}: {error.strerror}; nothing was done") from None


def _header(raw: bytes, path: Path, account: str, seals: Seals) -> tuple[Header, str]:
    """The first line, and its seal, with which those of all others are made. Raises :class:`ConfigError`."""
    if not raw.startswith(_BEGINNING):
        raise _not_ours(path)
    try:
        line = decode(raw)
        if isinstance(line.get("ticketbot_backfill"), int) and line["ticketbot_backfill"] > FORMAT:
            raise ConfigError(f"{path} was written by a newer ticketbot ({line.get('version')}): update this one")
        header = Header.model_validate({name: value for name, value in line.items() if name != SEAL})
    except (ValidationError, ValueError):
        raise ConfigError(f"the first line of {path} cannot be read") from None
    _of_account(header, account, path)
    if SEAL not in line:
        raise ConfigError(f"{path} carries no seal, as files of earlier versions do not; nothing was done: {ANEW}")
    if seals.taken_off(line, "") is None:
        raise ConfigError(
            f"the first line of {path} was changed, or sealed with a key that is not here; nothing was done: add that "
            f"key ({VARIABLE}=own,that), or {ANEW}"
        )
    return header, line[SEAL]


def _of_account(header: Header, account: str, path: Path) -> None:
    if header.account != account:
        raise ConfigError(f"{path} is about {header.account}, and these settings are for {account}: nothing was done")


def _not_ours(path: Path) -> ConfigError:
    return ConfigError(f"{path} holds no results of 'ticketbot run --backfill'; it was left as it is")


def _unreadable(path: Path, number: int) -> ConfigError:
    return ConfigError(f"{path}, line {number}: no result of a backfill that this version can read; nothing was done")
