"""What is selected of the log, in SQL. Only words of our own become a part of it; values go along as parameters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from .figures import LogSelection

UNDERSTOOD = "category IS NOT NULL"
_EPOCH = datetime(1970, 1, 1)
_DATE = len("20261121")
_SEARCHED = ("outcome", "reason", "category", "subcategory", "urgency", "sentiment", "language", "model", "tags")


def where(selection: LogSelection) -> tuple[str, dict[str, object]]:
    """The condition for ``lines`` or ``work``, and its parameters; what an undo did is never selected."""
    values: dict[str, object] = {
        "since": stamp(selection.since),
        "until": stamp(selection.until),
        "dry": selection.dry_runs,
    }
    parts = ["ts >= $since::TIMESTAMP AND ts < $until::TIMESTAMP AND dry_run = $dry AND kind IS DISTINCT FROM 'undo'"]
    for column, wanted in (
        ("category", selection.categories),
        ("urgency", selection.urgencies),
        ("sentiment", selection.sentiments),
        ("risk", selection.risks),
        ("language", selection.languages),
        ("outcome", selection.outcomes),
        ("analyser", selection.analysers),
        ("model", selection.models),
    ):
        if wanted:
            names = [f"{column}_{number}" for number in range(len(wanted))]
            parts.append(f"{column} IN ({', '.join(f'${name}' for name in names)})")
            values |= dict(zip(names, wanted, strict=True))
    if text := selection.text.strip().lower():
        # Column by column: most hold few different values, and each of those is looked at once.
        found = [f"coalesce(contains(lower({column}), $text), false)" for column in _SEARCHED]
        if text.isdigit():
            found.append("contains(ticket_id::VARCHAR, $text)")
        if len(text) >= _DATE:  # a run's id begins with one: less would find every run of a year
            found.append("starts_with(lower(run_id), $text)")
        parts.append(f"({' OR '.join(found)})")
        values["text"] = text
    return " AND ".join(parts), values


def last(column: str, also: str = "true") -> str:
    """Of each ticket's lines in the period the last, or the last with an analysis."""
    return f"(coalesce({column} >= $until::TIMESTAMP, true) AND {also})"


def checked(name: str, allowed: Sequence[str]) -> str:
    """The name. Raises ``ValueError`` when it is none of those allowed."""
    if name not in allowed:
        raise ValueError(f"'{name}' is none of {', '.join(allowed)}")
    return name


def stamp(seconds: float) -> datetime:
    """Unix seconds as the index has times: UTC, without a zone."""
    return _EPOCH + timedelta(seconds=seconds)


def utc(moment: datetime) -> datetime:
    """A time of the index with its zone."""
    return moment.replace(tzinfo=UTC)
