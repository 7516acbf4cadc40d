"""The findings of a verification of the log, for people and programs."""

from __future__ import annotations

from pydantic import Field

from ..core.models import Frozen

MOST_KEPT = 1000
"""Flaws beyond this number are counted only."""


class Flaw(Frozen):
    """A flaw in ``file``; ``line`` and ``last_line`` (the first is 1) are ``None`` for the file as a whole."""

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
    """The result of a verification. ``unchecked`` is what cannot be checked without a missing key or file."""

    files: int = 0
    lines: int = 0
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
    """Flaws in the order in which they were found; neighbours that say the same are one. ``more`` were not kept."""

    def __init__(self) -> None:
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
