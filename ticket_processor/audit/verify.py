"""Verifies the log: every file's chain, the links between files, and the log's ends that were recorded elsewhere.

A file's first header links to the file before it. Alerts explain days that were deleted and words that were erased. An
*anchor* is an end of the log that was recorded elsewhere: in the state, or by a heartbeat's receiver. Without an anchor
nothing shows that lines were cut off the log's end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import Field

from ..core.errors import CannotRun
from ..core.models import Frozen
from .chain import Chain, CheckedLine, LineVerdict, judged_lines
from .erase import ERASED, ERASING
from .files import KEY_VARIABLE, NAME, SEGMENT, LogFile, log_files
from .lines import KEYS_VARIABLE, NO_MAC, Keyring, Line, key_id
from .receipts import CHANGED, EXPIRED, stands
from .writer import Head

MOST_KEPT = 1000
"""Maximum number of flaws that are stored; others are only counted."""


class Flaw(Frozen):
    """A flaw in ``file``; ``line`` and ``last_line`` (the first is 1) are ``None`` for the file as a whole."""

    file: str
    line: int | None = None
    last_line: int | None = None
    what: str

    @property
    def where(self) -> str:
        if self.line is None:
            return self.file
        lines = f"line {self.line}" if self.last_line == self.line else f"lines {self.line} to {self.last_line}"
        return f"{self.file}, {lines}"


class VerificationReport(Frozen):
    """The result of a verification. ``unchecked`` is what cannot be checked without a missing key or file."""

    files: int = 0
    lines: int = 0
    erased: int = Field(0, description="lines without their personal part, as an alert says")
    expired: tuple[str, ...] = Field((), description="days that were deleted when their time had come")
    head: str | None = None
    anchors: tuple[dict[str, Any], ...] = Field(
        (), description="each anchor, who gave it, and whether its line stands; None when that can no longer be told"
    )
    flaws: tuple[Flaw, ...] = ()
    unchecked: tuple[Flaw, ...] = ()
    notes: tuple[str, ...] = ()
    more_flaws: int = 0

    @property
    def holds(self) -> bool:
        """True if everything could be checked and has no flaw."""
        return not self.flaws and not self.unchecked


@dataclass
class Flaws:
    """Flaws in the order in which they were found; equal ones of adjacent lines are merged. ``more`` are not kept."""

    kept: list[Flaw] = field(default_factory=list)
    more: int = 0

    def add(self, file: str, what: str, line: int | None = None) -> None:
        """Add a flaw of a line (the first is 1) or of the file as a whole."""
        last = self.kept[-1] if self.kept else None
        if last and line and (last.file, last.last_line, last.what) == (file, line - 1, what):
            self.kept[-1] = last.model_copy(update={"last_line": line})
        elif len(self.kept) < MOST_KEPT:
            self.kept.append(Flaw(file=file, line=line, last_line=line, what=what))
        else:
            self.more += 1


@dataclass
class _Claim:
    """A claim that a file once had ``lines`` lines and ended with ``mac``. ``said_by`` begins the sentence about it.

    ``key`` is the name of the key that sealed that line, if known. ``stands`` is ``None`` if it cannot be checked.
    """

    lines: int
    mac: str
    said_by: str
    key: object = None
    found_at: int = 0
    stands: bool | None = None


@dataclass
class _File:
    """What was found in a file. ``linked``: its first header links to the file before it."""

    file: LogFile
    linked: bool = False
    after: Mapping[str, Any] | None = None
    later: bool = False
    lines: int = 0
    length: int = 0
    torn: int = 0
    blind: bool = False
    readable: bool = True

    @property
    def name(self) -> str:
        return self.file.path.name


def check(
    folder: Path,
    keys: Sequence[bytes],
    keyring: Keyring | None = None,
    anchors: Iterable[tuple[str, Head]] = (),
    *,
    done: Callable[[int], None] = lambda _files: None,
) -> VerificationReport:
    """Verify the log in ``folder``. ``anchors`` are recorded ends, each with its source.

    ``done`` is called after each file. Only one line is in memory at a time.
    Raises :class:`CannotRun` if the folder cannot be read; the report names files that cannot be read.
    """
    return _Check(folder, keys, keyring).run([*anchors], done)


class _Check:
    def __init__(self, folder: Path, keys: Sequence[bytes], keyring: Keyring | None) -> None:
        self._folder, self._keys, self._keyring = folder, keys, keyring
        self._key_ids = {key_id(key) for key in keys}
        self._flaws, self._unchecked = Flaws(), Flaws()
        self._notes: list[str] = []
        self._claims: dict[str, list[_Claim]] = defaultdict(list)
        self._files: dict[str, _File] = {}
        self._expired: set[str] = set()
        self._ends: dict[str, tuple[str, int]] = {}
        self._erased: list[tuple[str, int, object]] = []
        self._explained: dict[tuple[object, str], int] = {}
        """For each ticket and day, the last line whose missing words an erasure explains."""
        self._head: Head | None = None

    def run(self, anchors: Sequence[tuple[str, Head]], done: Callable[[int], None]) -> VerificationReport:
        given = [_Claim(head.lines, head.mac, f"{by} names its line") for by, head in anchors]
        for claim, (_, head) in zip(given, anchors, strict=True):
            self._claims[head.day].append(claim)
        files = log_files(self._folder)
        for file in files:
            self._look_at_beginning(file)
        for file in files:
            self._follow(self._files[file.day])
            done(1)
        for seen in self._files.values():
            for claim in self._claims[seen.file.day]:
                self._judge(claim, seen)
        self._look_at_links()
        self._look_at_missing_days()
        self._look_at_ends_that_runs_knew()
        for day, place, ticket in self._erased:
            if place > self._explained.get((ticket, day), 0):
                self._flaws.add(self._name(day), "its personal part was taken out, and no erasure says so", place)
        ends = zip(anchors, given, strict=True)
        return VerificationReport(
            files=len(files),
            lines=sum(seen.lines for seen in self._files.values()),
            erased=len(self._erased),
            expired=tuple(sorted(self._expired)),
            head=self._head and str(self._head),
            anchors=tuple({"anchor": str(head), "given_by": by, "stands": claim.stands} for (by, head), claim in ends),
            flaws=tuple(self._flaws.kept),
            unchecked=tuple(self._unchecked.kept),
            notes=tuple(self._notes),
            more_flaws=self._flaws.more + self._unchecked.more,
        )

    # One file

    def _look_at_beginning(self, file: LogFile) -> None:
        """Read the links of the file's first header, before the linked files are checked."""
        seen = self._files[file.day] = _File(file)
        try:
            first = next(judged_lines(file, Chain(file.day, self._keys, self._keyring)), None)
        except CannotRun:
            return  # reported when the whole file is read
        line = first.line if first else None
        if first is None or line is None or line.get("event") != SEGMENT or first.verdict is LineVerdict.CHANGED:
            return
        seen.linked, seen.after, seen.later = True, _link(line.get("after")), "later" in line
        for link in (seen.after, _link(line.get("later"))):
            if link is not None and first.verdict is LineVerdict.HOLDS:
                claim = _Claim(link["lines"], link["mac"], f"{seen.name} holds on to its line", key=link.get("key_id"))
                self._claims[link["day"]].append(claim)

    def _follow(self, seen: _File) -> None:
        file = seen.file
        chain = Chain(file.day, self._keys, self._keyring)
        by_mac: dict[str, list[_Claim]] = defaultdict(list)
        for claim in self._claims[file.day]:
            by_mac[claim.mac].append(claim)
        try:
            for judged in judged_lines(file, chain):
                self._take(seen, judged)
                if judged.mac:
                    self._head = Head(file.day, chain.length, judged.mac)
                    for claim in by_mac.get(judged.mac, ()):
                        # A MAC can be copied. A line with an available key cannot stand below another key's header.
                        if judged.verdict is not LineVerdict.UNCHECKED or claim.key not in self._key_ids:
                            claim.found_at = claim.found_at or chain.length
        except CannotRun as error:
            seen.readable = False
            self._unchecked.add(seen.name, str(error).removeprefix(f"the log {file.path} "))
        seen.length = chain.length

    def _take(self, seen: _File, judged: CheckedLine) -> None:
        place, line = judged.number + 1, judged.line
        seen.lines += bool(judged.raw)
        if judged.verdict is LineVerdict.CHANGED:
            self._flaws.add(seen.name, judged.why, place)
        elif judged.verdict is LineVerdict.UNCHECKED:
            seen.blind = seen.blind or line is None
            variable = KEYS_VARIABLE if line is None else KEY_VARIABLE
            self._unchecked.add(seen.name, f"{judged.why} ({variable})", place)
        elif judged.verdict is LineVerdict.TORN:
            seen.torn += 1
            self._notes.append(f"{seen.name}, line {place}: cut short by a crash, or just being written")
        elif line is not None:
            if judged.erased:
                self._erased.append((seen.file.day, place, line.get("ticket_id")))
            if line.get("event") in ("alert", "run_started"):
                self._heed(seen, place, line)

    def _heed(self, seen: _File, place: int, said: Line) -> None:
        """Store what a line says about the log itself."""
        what = said.get("what")
        if said["event"] == "run_started":
            if _is_beside(said.get("follows"), seen):
                self._ends.setdefault(said["follows"], (seen.file.day, place))
        elif what == EXPIRED:
            self._expired.update(said.get("days") or ())
        elif what == CHANGED:
            self._ends.setdefault(str(said.get("head")), (seen.file.day, place))
        elif what in (ERASING, ERASED):
            for ticket in said.get("tickets") or ():
                for day, lines in (said.get("upto") or {}).items():
                    self._explained[ticket, day] = max(lines, self._explained.get((ticket, day), 0))

    # Between files

    def _judge(self, claim: _Claim, seen: _File) -> None:
        """Report a claim if the file lacks its line."""
        stands = 0 < claim.found_at <= claim.lines <= seen.length
        if claim.mac == NO_MAC:  # the file has no seals
            stands = claim.lines == seen.lines
        if not stands and (seen.later or seen.lines == seen.torn) and self._was_due(seen.file.day):
            return  # a clock was set back so far that a run began a deleted day again
        said = f"{claim.said_by} {claim.lines}, which"
        if not stands and (not seen.readable or (seen.blind and claim.lines <= seen.length)):
            self._unchecked.add(seen.name, f"{said} cannot be looked up")
            return
        claim.stands = stands
        if not stands:
            self._flaws.add(seen.name, f"{said} is not there: lines were cut off, or the file was replaced")

    def _look_at_links(self) -> None:
        """Check that every file links to the one before, unless that one is younger: a clock may have been set back."""
        before: _File | None = None
        for seen in self._files.values():
            if seen.linked:
                if before:
                    self._look_at_pair(before, seen)
                before = seen
            elif not seen.readable or seen.lines > seen.torn:
                before = None  # its first line is missing (reported elsewhere), and so is the link

    def _look_at_pair(self, other: _File, seen: _File) -> None:
        follows = seen.after["day"] if seen.after else ""
        if other.file.day == follows or other.later:
            return
        if other.file.day < follows and not self._was_due(follows):
            return  # the file between them is missing, which is reported separately
        if other.file.day in self._expired:
            self._notes.append(f"{other.name} should have been deleted by now, which the next run does")
        else:
            self._flaws.add(other.name, f"{seen.name} does not hold on to it: it was put there from elsewhere")

    def _look_at_missing_days(self) -> None:
        for day, claims in self._claims.items():
            for claim in claims if day not in self._files and not self._was_due(day) else ():
                claim.stands = False
                self._flaws.add(self._name(day), f"it is missing: {claim.said_by} {claim.lines}")

    def _look_at_ends_that_runs_knew(self) -> None:
        """Check the ends to which no later file links, but which the next run recorded."""
        for head, (day, place) in self._ends.items():
            with suppress(CannotRun):  # reported when the file was read
                if not self._was_due(head[:10]) and not stands(self._folder, head, self._keyring):
                    what = f"the end that the run before this one had left, {head}, is not there"
                    self._flaws.add(self._name(day), what, place)

    def _was_due(self, day: str) -> bool:
        """True if a day was due for deletion: it is as old as a day that was deleted."""
        return day <= max(self._expired, default="")

    def _name(self, day: str) -> str:
        seen = self._files.get(day)
        return seen.name if seen else f"{NAME.format(day=day)}.jsonl"


def _is_beside(head: object, seen: _File) -> bool:
    """True if an end that a run recorded is neither in this file nor the one to which this file links."""
    try:
        end = Head.parse(head) if isinstance(head, str) else None
    except ValueError:
        return False
    if end is None or end.day == seen.file.day:
        return False
    return seen.after is None or end.day != seen.after["day"] or end.lines > seen.after["lines"]


def _link(link: object) -> Mapping[str, Any] | None:
    """The link in a header; ``None`` if it is malformed."""
    if isinstance(link, dict) and isinstance(link.get("day"), str) and isinstance(link.get("lines"), int):
        return link if isinstance(link.get("mac"), str) else None
    return None
