"""Selects a part of the log, and reads single lines from it: a table, runs, alerts, escalated tickets, drafts.

Statements are made of our own words only; values are passed as parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

from .index import LogIndex

Dimension = Literal[
    "category", "subcategory", "secondary", "urgency", "sentiment", "language", "risk", "outcome", "reason",
    "analyser", "model", "answered_by", "why_fallback", "settings_file", "escalated",
    "suspicious",
]  # fmt: skip
"""The dimensions of tickets.

``answered_by`` is the model's name, or else the analyser's; ``secondary`` the first of the other categories that fit.
"""
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
ENDS: tuple[Dimension, ...] = ("outcome", "reason")
"""Dimensions of how a ticket ended; all others are of how it was understood."""
EXPRESSIONS: Mapping[str, str] = {
    "answered_by": "coalesce(model, analyser)",
    "secondary": "split_part(secondary, ' ', 1)",
}
"""Expressions for dimensions that are no column. One column holds all secondary categories; the first counts."""
UNDERSTOOD = "category IS NOT NULL"
SORTABLE = ("at", "ticket_id", "confidence", "cost_usd", "total_ms")
"""The columns that :func:`page` can sort by."""
_EPOCH = datetime(1970, 1, 1)
_DATE = len("20261121")
_SEARCHED = ("outcome", "reason", "category", "subcategory", "urgency", "sentiment", "language", "model", "tags")
_LINE = (
    "ts AS at, run_id, ticket_id, outcome, reason, category, subcategory, urgency, sentiment, language, risk, "
    "confidence, analyser, model, priority_from, priority_to, tags, cost_usd, coalesce(total_ms, 0) AS total_ms"
)


@dataclass(frozen=True)
class LogSelection:
    """A part of the log; ``since`` is included, ``until`` is not (Unix seconds).

    ``labels`` limits it to these labels of each dimension.

    ``text`` is searched in ticket ids, labels, reasons and tags, and at the beginning of run ids, ignoring case.
    """

    since: float = 0.0
    until: float = 4_102_444_800.0
    labels: Mapping[Dimension, tuple[str, ...]] = field(default_factory=dict)
    text: str = ""

    @property
    def before(self) -> LogSelection:
        """The same selection for the period of equal length before this one."""
        return replace(self, since=self.since - (self.until - self.since), until=self.since)


@dataclass(frozen=True)
class EscalatedLine:
    """An escalated ticket, the time of its last escalation, and the reasons in fixed words."""

    ticket_id: int
    at: datetime
    reasons: tuple[str, ...]
    url: str | None = None


def where(selection: LogSelection) -> tuple[str, dict[str, object]]:
    """The condition for ``lines`` or ``work``, and its parameters; without dry runs, and what an undo did."""
    values: dict[str, object] = {"since": stamp(selection.since), "until": stamp(selection.until)}
    parts = ["ts >= $since::TIMESTAMP AND ts < $until::TIMESTAMP AND NOT dry_run AND kind IS DISTINCT FROM 'undo'"]
    for dimension, wanted in selection.labels.items():
        if wanted:
            column = checked(dimension, DIMENSIONS)
            parts.append(f"list_contains(${column}, {EXPRESSIONS.get(column, column)})")
            values[column] = list(wanted)
    if text := selection.text.strip().lower():
        found = [f"coalesce(contains(lower({column}), $text), false)" for column in _SEARCHED]
        if text.isdigit():
            found.append("contains(ticket_id::VARCHAR, $text)")
        if len(text) >= _DATE:  # a run's id begins with one: less would find every run of a year
            found.append("starts_with(lower(run_id), $text)")
        parts.append(f"({' OR '.join(found)})")
        values["text"] = text
    return " AND ".join(parts), values


def last(column: str, also: str = "true") -> str:
    """The SQL condition for each ticket's last line in the period, or its last one with an analysis."""
    return f"(coalesce({column} >= $until::TIMESTAMP, true) AND {also})"


def checked(name: str, allowed: Sequence[str]) -> str:
    """Return the name. Raises ``ValueError`` if it is not allowed."""
    if name not in allowed:
        raise ValueError(f"'{name}' is none of {', '.join(allowed)}")
    return name


def stamp(seconds: float) -> datetime:
    """Unix seconds as a time of the index: UTC, without a zone."""
    return _EPOCH + timedelta(seconds=seconds)


def utc(moment: datetime) -> datetime:
    """A time of the index with its zone."""
    return moment.replace(tzinfo=UTC)


def page(
    index: LogIndex,
    selection: LogSelection,
    *,
    order_by: str = "at",
    descending: bool = True,
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[dict[str, Any]], int]:
    """A page of the table of all lines (spaces separate tags), and its total number of rows.

    Raises ``ValueError`` for an ``order_by`` that is not in :data:`SORTABLE`.
    """
    condition, values = where(selection)
    column = {"at": "ts"}.get(checked(order_by, SORTABLE), order_by)
    order = f"{column} {'DESC' if descending else 'ASC'} NULLS LAST, ts DESC, ticket_id"
    rows = index.rows(
        f"SELECT {_LINE} FROM work WHERE {condition} ORDER BY {order} LIMIT $limit OFFSET $offset",
        {**values, "limit": limit, "offset": offset},
    )
    return rows, index.query(f"SELECT count(*) FROM work WHERE {condition}", values)[0][0]


def escalated(
    index: LogIndex,
    selection: LogSelection,
    *,
    url_of: Callable[[int], str] = lambda _ticket_id: "",
    most: int = 500,
) -> list[EscalatedLine]:
    """The tickets that their last analysis in the period escalated, newest first.

    Tickets that were undone since are left out.
    """
    condition, values = where(selection)
    rows = index.query(
        f"""
        WITH found AS (SELECT ticket_id, ts, escalated FROM lines
                       WHERE {condition} AND {last("next_labelled_at", UNDERSTOOD)}),
             undone AS (SELECT ticket_id, max(ts) AS ts FROM work
                        WHERE kind = 'undo' AND outcome = 'updated' AND NOT dry_run GROUP BY ticket_id)
        SELECT found.ticket_id, found.ts, found.escalated
        FROM found LEFT JOIN undone USING (ticket_id)
        WHERE found.escalated <> '' AND coalesce(undone.ts < found.ts, true)
        ORDER BY found.ts DESC, found.ticket_id LIMIT $most
        """,
        {**values, "most": most},
    )
    return [EscalatedLine(number, utc(at), tuple(why.split()), url_of(number) or None) for number, at, why in rows]


def customer_replies(index: LogIndex, selection: LogSelection) -> dict[str, int]:
    """How many customers' replies of each kind runs have looked at, the most frequent first; each counts once."""
    condition, values = where(selection)
    rows = index.query(
        f"SELECT reply_kind, count(DISTINCT (ticket_id, reply_number)) FROM work WHERE {condition} "
        "AND reply_kind IS NOT NULL GROUP BY reply_kind ORDER BY 2 DESC, 1",
        values,
    )
    return dict(rows)


def alerts(index: LogIndex, since: float, until: float) -> dict[str, int]:
    """How many alerts of each kind the log has of a period, the most frequent first."""
    rows = index.query(
        "SELECT what, count(*) FROM alerts WHERE ts >= $since AND ts < $until GROUP BY what ORDER BY 2 DESC, min(ts)",
        {"since": stamp(since), "until": stamp(until)},
    )
    return dict(rows)


def run_lines(index: LogIndex, since: float, until: float, *, most: int | None = None) -> list[dict[str, Any]]:
    """The runs that began in a period, newest first, with dry runs, retries and undos.

    A killed run has no end and no ``exit_code``; the ``cost`` is ``None`` if models have no price.
    """
    return index.rows(
        "SELECT run_id, kind, dry_run, coalesce(started, finished) AS begun, finished, exit_code, duration_s, seen, "
        "CASE WHEN cost_usd = 0 AND EXISTS (SELECT 1 FROM lines WHERE lines.run_id = runs.run_id AND tokens_in > 0 "
        "AND lines.cost_usd IS NULL) THEN NULL ELSE cost_usd END AS cost, stopped "
        "FROM runs WHERE begun >= $since AND begun < $until "
        "ORDER BY begun DESC, run_id DESC LIMIT $most",
        {"since": stamp(since), "until": stamp(until), "most": most},
    )


def offered_drafts(index: LogIndex, selection: LogSelection) -> dict[int, str]:
    """The tickets whose last note with an offer held a draft, each with its run.

    Tickets whose customer got an answer from ticketbot itself are left out.
    """
    condition, values = where(selection)
    rows = index.query(
        f"""
        WITH chosen AS (SELECT * FROM lines WHERE {condition} AND outcome IN ('updated', 'suggested')),
        noted AS (SELECT * FROM chosen WHERE offered IS NOT NULL
                  QUALIFY row_number() OVER (PARTITION BY ticket_id ORDER BY ts DESC, day DESC, n DESC) = 1)
        SELECT ticket_id, run_id FROM noted
        WHERE offered = 'draft' AND ticket_id NOT IN (SELECT ticket_id FROM chosen WHERE reply_category IS NOT NULL)
        ORDER BY ticket_id
        """,
        values,
    )
    return dict(rows)
