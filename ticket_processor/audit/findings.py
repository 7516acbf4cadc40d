"""What verifying the log has found, in words that a person and a program can use."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from ..core.models import Frozen
from .lines import Line, key_id, vouches

FORGED = (
    ", and nothing that can be checked tells of that key: it was forged, or another installation writes into this "
    "folder, whose key has to be given as well"
)
MOST_KEPT = 1000
"""Flaws beyond this number are counted only."""


class Flaw(Frozen):
    """What is wrong, in ``file``; ``line`` and ``last_line`` (the first is 1) are ``None`` for the file as a whole."""

    file: str
    line: int | None = None
    last_line: int | None = None
    what: str

    @property
    def where(self) -> str:
        """The file, and the lines of it."""
        if self.line is None:
            return self.file
        lines = f"line {self.line}" if self.last_line == self.line else f"lines {self.line} to {self.last_line}"
        return f"{self.file}, {lines}"


class AnchorFound(Frozen):
    """An anchor, who gave it, and whether its line stands; ``None`` when that can no longer be told."""

    anchor: str
    given_by: str
    stands: bool | None


class VerificationReport(Frozen):
    """What was looked at, and what was found. ``unchecked`` is what nobody can judge without a key or a file."""

    files: int = 0
    lines: int = 0
    unsealed: int = Field(0, description="lines from before the chain began, which nothing protects")
    erased: int = Field(0, description="lines without their personal part, as an alert says")
    expired: tuple[str, ...] = Field((), description="days that were deleted when their time had come")
    head: str | None = None
    anchors: tuple[AnchorFound, ...] = ()
    flaws: tuple[Flaw, ...] = ()
    unchecked: tuple[Flaw, ...] = ()
    notes: tuple[str, ...] = ()
    more_flaws: int = 0

    @property
    def holds(self) -> bool:
        """Whether all of it was looked at, and is as it was written."""
        return not self.flaws and not self.unchecked


class Flaws:
    """Flaws in the order in which they were found; neighbours that say the same are one."""

    def __init__(self) -> None:
        """``more`` counts those that were not kept."""
        self.kept: list[Flaw] = []
        self.more = 0

    def add(self, file: str, what: str, line: int | None = None) -> None:
        """One more, of a line (the first is 1) or of the file as a whole."""
        last = self.kept[-1] if self.kept else None
        if last and line and (last.file, last.last_line, last.what) == (file, line - 1, what):
            self.kept[-1] = last.model_copy(update={"last_line": line})
        elif len(self.kept) < MOST_KEPT:
            self.kept.append(Flaw(file=file, line=line, last_line=line, what=what))
        else:
            self.more += 1

    def extend(self, others: Flaws) -> None:
        """All of those as well."""
        room = MOST_KEPT - len(self.kept)
        self.kept += others.kept[:room]
        self.more += others.more + len(others.kept[room:])

    def with_words(self, words: str) -> Flaws:
        """The same places, and more is said of each."""
        new = Flaws()
        new.kept = [flaw.model_copy(update={"what": flaw.what + words}) for flaw in self.kept]
        new.more = self.more
        return new


class Strangers:
    """Lines under keys that are not here, until it is known what to make of them.

    Keys get lost, and are changed. So what stands before the first line of a key that is here cannot be checked, as
    long as that line says that it found another key there; nor can what is under a key that somebody vouches for who
    has one that is here, or that ``ours`` names: the keys of this installation. Whatever else there is was forged.
    Without any line under a key that is here nobody can tell, unless ``ours`` names one of these.
    """

    def __init__(self, keys: Iterable[bytes], ours: Iterable[str]) -> None:
        self._keys = {key_id(key): key for key in keys}
        self._told_of = set(ours)
        self._begun: set[str] = set()
        self._lost_until = ""
        self._waiting: dict[str, Flaws] = {}
        self._unchecked = Flaws()

    def heed(self, header: Line, *, holds: bool) -> None:
        """A header, in the order of the log, and whether it is as it was written."""
        name = str(header.get("key_id"))
        if name not in self._keys:
            if any(vouches(header, key) for key in self._keys.values()):
                self._told_of.add(name)
        elif holds and name not in self._begun:
            self._begun.add(name)
            if self._is_of_another(header.get("after")):
                for waiting in self._waiting.values():
                    self._unchecked.extend(waiting)
                self._waiting.clear()
            if self._is_of_another(header.get("later")):  # a clock that was put back when that key was gone
                self._lost_until = header["later"]["day"]

    def add(self, name: str, day: str, file: str, what: str, line: int) -> None:
        """A line of that file under the key of this name."""
        if name not in self._waiting and len(self._waiting) >= MOST_KEPT:
            name = ""  # somebody made up one after the other
        found = self._unchecked if day <= self._lost_until else self._waiting.setdefault(name, Flaws())
        found.add(file, what, line)

    def judged(self) -> tuple[Flaws, Flaws]:
        """What was forged, and what cannot be checked, once the whole log was read."""
        forged = Flaws()
        own_key_is_here = self._begun or self._told_of & self._keys.keys()
        for name, waiting in self._waiting.items():
            if name in self._told_of or not own_key_is_here:
                self._unchecked.extend(waiting)
            else:
                forged.extend(waiting.with_words(FORGED))
        return forged, self._unchecked

    def _is_of_another(self, link: object) -> bool:
        """Whether what a header holds on to is under a key that is not here; older versions did not say."""
        return isinstance(link, dict) and link.get("key_id") not in self._keys
