"""Rows for tables and files. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ..core.tables import Table, as_csv
from ..reporting.figures import Line, RunLine
from ..reporting.glossary import dollars
from ..wiring.ticket_subjects import LookedUp

NOT_READ = LookedUp()


def lines(
    found: Sequence[Line],
    url_of: Callable[[int], str] = lambda _ticket_id: "",
    subjects: Mapping[int, LookedUp] | None = None,
) -> list[dict[str, Any]]:
    """A row for each of the log's lines about tickets; with ``subjects`` also the subjects that are known."""
    return [
        {
            "When": line.at,
            "Ticket": line.ticket_id,
            "Link": url_of(line.ticket_id) or None,
            **({} if subjects is None else {"Subject": subjects.get(line.ticket_id, NOT_READ).subject}),
            "Outcome": line.outcome,
            "Reason": line.reason,
            "Category": " / ".join(filter(None, (line.category, line.subcategory))),
            "Urgency": line.urgency,
            "Sentiment": line.sentiment,
            "Risk": line.risk,
            "Language": line.language,
            "Answered by": line.model or line.analyser,
            "Confidence": line.confidence,
            "Priority": _arrow(line.priority_from, line.priority_to),
            "Tags": list(line.tags),
            "Seconds": line.total_ms / 1000,
            "Cost": line.cost_usd,
        }
        for line in found
    ]


def _arrow(before: str | None, after: str | None) -> str:
    return after or "" if before in (None, after) else f"{before} → {after or '-'}"


def runs(found: Sequence[RunLine]) -> list[dict[str, Any]]:
    """A row for each run."""
    return [
        {
            "Started": run.started,
            "Run": run.run_id,
            "Kind": "dry run" if run.dry_run else run.kind,
            "Exit code": "unfinished" if run.exit_code is None else str(run.exit_code),
            "Seen": run.seen,
            "Seconds": run.duration_s,
            "Cost": dollars(run.cost_usd) if run.cost_usd is not None else "" if run.exit_code is None else "no price",
            "Ended early": run.stopped,
        }
        for run in found
    ]


def csv(found: Sequence[Line], url_of: Callable[[int], str] = lambda _ticket_id: "") -> bytes:
    """The same rows as CSV for spreadsheets: UTF-8 with a byte order mark, without cells that look like formulas."""
    rows = lines(found, url_of)
    cells = tuple(tuple(map(_cell, row.values())) for row in rows)
    table = Table("Tickets", tuple(rows[0]) if rows else (), cells)
    return b"\xef\xbb\xbf" + as_csv([table]).encode("utf-8", "replace")


def _cell(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "" if value is None else value.isoformat() if isinstance(value, datetime) else str(value)
