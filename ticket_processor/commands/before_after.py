"""Prints the tour's tickets before and after: the ten that show most in full, of the others how many there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TextIO

from ..reporting.run_tally import telling
from .screen import harmless, linked

PAPER_WIDTH = 100


@dataclass(frozen=True)
class BeforeAfter:
    """One ticket before and after a run, in words. ``features`` are the things that it shows.

    ``right``: it was understood as its labels say, or left alone.
    """

    ticket_id: int
    subject: str
    tags_before: tuple[str, ...]
    tags_after: tuple[str, ...]
    priority_before: str | None
    priority_after: str | None
    note: str
    url: str = ""
    category: str = ""
    features: frozenset[str] = field(default_factory=frozenset)
    right: bool = True

    @property
    def number(self) -> int:
        """The ticket's."""
        return self.ticket_id

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """The lines of the full view, each with its name; nothing is said of before when nothing was there."""
        was = bool(self.tags_before or self.priority_before)
        before = (
            ("before", f"tags {' '.join(self.tags_before) or '-'}, priority {self.priority_before or '-'}"),
        ) * was
        if not self.category:
            return before
        after = f"tags {' '.join(self.tags_after) or '-'}, priority {self.priority_after or '-'}"
        return (*before, ("after", after), ("note", self.note or "-"))


def show(rows: Sequence[BeforeAfter], out: TextIO) -> None:
    """Print the telling tickets in full, and how many others there are of each kind."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=out, width=None if out.isatty() else PAPER_WIDTH)
    whole = telling([row for row in rows if row.right])
    console.print(Text(f"\n{len(whole)} telling tickets, before and after:", style="bold"))
    for row in whole:
        alone = "" if row.category else f" (left alone: {row.note})"
        heading = f" {harmless(row.subject + alone, one_line=True)}"
        console.print(Text.assemble(linked(f"#{row.ticket_id}", row.url), heading))
        grid = Table.grid(padding=(0, 2))
        grid.add_column(min_width=8, no_wrap=True)
        grid.add_column()
        for name, words in row.parts:
            grid.add_row(f"  {name}", Text(harmless(words)))
        if row.parts:
            console.print(grid)
    rest = Counter(row.category or "left alone" for row in rows if row not in whole)
    if rest:
        others = ", ".join(f"{name} {count}" for name, count in rest.most_common())
        console.print(Text(f"The other {rest.total()}: {others}"))
