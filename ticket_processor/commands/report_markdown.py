"""A report as GitHub Markdown: its tables for an issue, a wiki or a chat. No word in it becomes mark-up."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..core.sanitize import harmless
from ..monitoring.messages import plain
from ..reporting.report import Report
from . import report_tables
from .score_tables import Table

_MARKS = re.compile(r"[\\`*_{}\[\]#|~$^!]")
_NUMBER = re.compile(r"[-+]?[\d.,]*(%| pts)?")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.:-]+/agent/tickets/\d+")


def markdown(report: Report) -> str:
    """The whole report. A cell is one line; what Markdown, HTML or a spreadsheet would obey in it is taken away."""
    lines = [f"# {as_text(report.title)}", "", as_text(report.origin), ""]
    lines += [f"> {as_text(remark)}" for remark in (*report.remarks, *report_tables.shortcomings(report))]
    for table in report_tables.tables(report):
        lines += ["", f"## {as_text(table.title)}", "", *_rows(table)]
    return "\n".join(lines) + "\n"


def _rows(table: Table) -> Iterator[str]:
    names = [column.removeprefix("<") for column in table.columns]
    yield _row([as_text(name) for name in names])
    yield _row([":---" if column.startswith("<") else "---:" for column in table.columns])
    yield from (_row([_cell(cell) for cell in row]) for row in table.rows)


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(words: str) -> str:
    """An address of a ticket stays one, since it is ours; everything else is text."""
    if _ADDRESS.fullmatch(words):
        return f"<{words}>"
    return as_text(words)


def as_text(words: str) -> str:
    """Words in which nothing is a link, a mention, mark-up or, once pasted into a spreadsheet, a formula."""
    line = " ".join(words.split())
    line = line if _NUMBER.fullmatch(line) else str(harmless(line))
    return _MARKS.sub(r"\\\g<0>", plain(line))
