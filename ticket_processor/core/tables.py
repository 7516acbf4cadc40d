"""A table of text, rendered on a terminal, as text, HTML, Markdown or CSV; and findings about a set-up, sorted."""

from __future__ import annotations

import csv
import html
import io
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TextIO

from .models import Frozen
from .text import harmless, linkless

_MARKS = re.compile(r"[\\`*_{}\[\]#|~$^!]")
_NUMBER = re.compile(r"[-+±]?[\d.,]*(%| pts)?")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.:-]+/agent/tickets/\d+")

MOST_LINES = 40
"""Maximum number of lines of a command's tables without ``--details``."""
_HEAD = 3
"""Number of lines that a table takes besides its rows."""
SENTENCES = ("<",)
"""The columns of a table of sentences."""
WHERE = "<where"
"""The column of addresses."""
_WIDTH = 78


@dataclass(frozen=True)
class Table:
    """A title, the columns' names, and rows of text.

    A column is left-aligned if its name begins with ``<``, and may hold long text if it begins with ``<<``. A last
    column :data:`WHERE` holds addresses.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: int = 0
    """Number of rows that were left out; the last row states it."""

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names as they are shown."""
        return tuple(column.lstrip("<") for column in self.columns)


def show(tables: Sequence[Table], *, most: int | None = None, out: TextIO | None = None) -> bool:
    """Print as much of the tables as fits into ``most`` lines, aligned; returns whether all of it fits.

    On a terminal a row's first cell links to its address. With ``most``, each row is one line, cut at the edge.
    """
    out = out or sys.stdout
    fitting = list(tables) if most is None else _within(tables, most)
    if not out.isatty():
        for table in fitting:
            print(f"\n{as_text(table)}", file=out)
        out.flush()
        return fitting == list(tables)
    from rich.console import Console
    from rich.text import Text

    console = Console(file=out, highlight=False)
    for table in fitting:
        shown = table.columns[:-1] if table.columns[-1] == WHERE else table.columns
        seen = replace(table, columns=shown, rows=tuple(row[: len(shown)] for row in table.rows))
        for place, line in enumerate(["", *as_text(seen).splitlines()]):
            text = Text(line, style="bold" if place < _HEAD else "")
            if shown != table.columns and place >= _HEAD and (address := table.rows[place - _HEAD][-1]):
                text.stylize(f"link {address}", 0, line.find(cell := seen.rows[place - _HEAD][0]) + len(cell))
            console.print(text, no_wrap=most is not None and len(table.columns) > 1, overflow="ellipsis")
    return fitting == list(tables)


def _within(tables: Sequence[Table], most: int) -> list[Table]:
    """The first tables that take no more than ``most`` lines, the last one shortened."""
    found = []
    for table in tables:
        most -= _HEAD
        shown = every = len(table.rows)
        while shown and sum(map(_lines, table.rows[:shown])) + (shown < every) > most:
            shown -= 1
        if shown:
            found.append(shortened(table, shown))
        if shown < every or not shown:
            break
        most -= sum(map(_lines, table.rows))
    return found


def shortened(table: Table, most: int) -> Table:
    """The table's first rows; a last row says how many were left out, earlier ones included."""
    rows = table.rows[:-1] if table.left else table.rows
    if len(rows) <= most:
        return table
    left = table.left + len(rows) - most
    last = (f"and {left:,} more: --details", *[""] * (len(table.columns) - 1))
    return replace(table, rows=(*rows[:most], last), left=left)


def _lines(row: Sequence[str]) -> int:
    return -(-len(row[0]) // _WIDTH) if len(row) == 1 else 1  # sentences are wrapped


def as_text(table: Table) -> str:
    """The title, and aligned lines below it."""
    lines = (table.names, *table.rows)
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    left = [column.startswith("<") for column in table.columns]
    padded = (
        "  ".join(
            cell.ljust(width) if to_left else cell.rjust(width)
            for cell, width, to_left in zip(line, widths, left, strict=True)
        )
        for line in lines
    )
    return "\n".join([table.title, *(f"  {line}".rstrip() for line in padded)])


def as_html(table: Table) -> str:
    """The table without its title, as HTML; every text is escaped."""

    def row(tag: str, cells: Sequence[str]) -> str:
        made = (
            f"<{tag}{_CLASSES[min(2, len(column) - len(column.lstrip('<')))]}>{html.escape(cell)}</{tag}>"
            for column, cell in zip(table.columns, cells, strict=True)
        )
        return f"<tr>{''.join(made)}</tr>\n"

    body = "".join(row("td", cells) for cells in table.rows)
    return f'<div class="scroll"><table><thead>{row("th", table.names)}</thead><tbody>\n{body}</tbody></table></div>\n'


_CLASSES = ("", ' class="l"', ' class="l text"')


def as_markdown(table: Table) -> str:
    """The table under its title as GitHub Markdown. A cell is one line, in which nothing becomes mark-up."""
    return "\n".join([f"## {markdown_text(table.title)}", "", *_markdown_rows(table)])


def as_csv(tables: Sequence[Table]) -> str:
    """The tables as one CSV file. Of several tables, each line begins with the title, and names stand above the rows.

    No cell is a formula, and all lines have the same number of cells.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")  # quotes a lone return, as RFC 4180 wants
    width = max((len(table.columns) for table in tables), default=0)
    for table in tables:
        for row in (table.names, *table.rows):
            cells = (*[table.title] * (len(tables) > 1), *row, *[""] * (width - len(row)))
            writer.writerow([_harmless(cell) for cell in cells])
    return file.getvalue()


def markdown_text(words: str) -> str:
    """Escape words so that no link, mention, mark-up or, pasted into a spreadsheet, formula is left in them."""
    return _MARKS.sub(r"\\\g<0>", linkless(_harmless(" ".join(words.split()))))


def _harmless(cell: str) -> str:
    return cell if _NUMBER.fullmatch(cell) else str(harmless(cell))


def _markdown_rows(table: Table) -> Iterator[str]:
    yield _markdown_row([markdown_text(name) for name in table.names])
    yield _markdown_row([":---" if column.startswith("<") else "---:" for column in table.columns])
    for row in table.rows:
        # Our own addresses of tickets stay links; everything else is escaped.
        yield _markdown_row([f"<{cell}>" if _ADDRESS.fullmatch(cell) else markdown_text(cell) for cell in row])


def _markdown_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


SetupPart = Literal["settings", "categories", "account", "rules", "articles", "health"]
SetupSeverity = Literal["problem", "warning", "advice"]
SeenBy = Literal["customers", "agents", "operator"]

_SEEN: tuple[SeenBy, ...] = ("customers", "agents", "operator")


class ArticlePlace(Frozen):
    """An article that a finding is about."""

    article: str
    title: str = ""
    url: str = ""


class Finding(Frozen):
    """One finding: its subject, what happens and why, and what to do unless ``text`` says that.

    A ``problem`` breaks something, mails customers or undoes our work; a ``warning`` may do so. ``id`` is a rule's.
    """

    part: SetupPart
    severity: SetupSeverity
    kind: str
    what: str = ""
    id: str = ""
    text: str
    advice: str = ""
    seen_by: SeenBy = "agents"
    places: tuple[ArticlePlace, ...] = ()


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Sort findings: those that customers see, then agents, then the operator; problems first; all advice last."""
    return sorted(
        dict.fromkeys(findings),
        key=lambda item: (item.severity == "advice", _SEEN.index(item.seen_by), item.severity != "problem"),
    )
