"""Prints the tour's tickets before and after: the ten that show most in full, the others as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TextIO

from ..reporting.run_tally import telling
from .screen import harmless, linked

PAPER_WIDTH = 120
_PRIORITY = len("normal -> urgent")


@dataclass(frozen=True)
class BeforeAfter:
    """One ticket before and after a run, in words. ``features`` are the things that it shows."""

    ticket_id: int
    subject: str
    tags_before: tuple[str, ...]
    tags_after: tuple[str, ...]
    priority_before: str | None
    priority_after: str | None
    answered_by: str
    note: str
    url: str = ""
    category: str = "-"
    features: frozenset[str] = field(default_factory=frozenset)

    @property
    def number(self) -> int:
        """The ticket's."""
        return self.ticket_id

    @property
    def priority(self) -> str:
        """``- -> high``, or the unchanged value."""
        before, after = self.priority_before or "-", self.priority_after or "-"
        return before if before == after else f"{before} -> {after}"

    @property
    def in_a_word(self) -> str:
        """The category, or the reason why nothing was written."""
        return self.category if self.category != "-" else self.note.splitlines()[0] if self.note else "-"

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """The lines of the full view, each with its name."""
        return (
            ("before", f"tags {' '.join(self.tags_before) or '-'}, priority {self.priority_before or '-'}"),
            ("after", f"tags {' '.join(self.tags_after) or '-'}, priority {self.priority_after or '-'}"),
            ("answered by", self.answered_by),
            ("note", self.note or "-"),
        )


def show(rows: Sequence[BeforeAfter], out: TextIO) -> None:
    """Print the telling tickets in full, the rest as one table."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=out, width=None if out.isatty() else PAPER_WIDTH)
    whole = telling(rows)
    console.print(Text(f"\n{len(whole)} telling tickets, before and after:\n", style="bold"))
    for row in whole:
        console.print(Text.assemble(linked(f"#{row.ticket_id}", row.url), f" {harmless(row.subject, one_line=True)}"))
        grid = Table.grid(padding=(0, 2))
        grid.add_column(min_width=13, no_wrap=True)
        grid.add_column()
        for name, words in row.parts:
            grid.add_row(f"  {name}", Text(harmless(words)))
        console.print(grid, "")
    rest = [row for row in rows if row not in whole]
    if not rest:
        return
    console.print(Text(f"The other {len(rest)}:", style="bold"))
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("#", justify="right", no_wrap=True, min_width=4)
    table.add_column("Subject", no_wrap=True, overflow="ellipsis", max_width=40)
    table.add_column("Category", no_wrap=True, overflow="ellipsis", max_width=24)
    table.add_column("Priority", no_wrap=True, min_width=_PRIORITY)
    for row in rest:
        cells = (row.subject, row.in_a_word.removeprefix("skipped: "), row.priority)
        table.add_row(linked(str(row.ticket_id), row.url), *(Text(harmless(word, one_line=True)) for word in cells))
    console.print(table)
