"""Rows for tables; and one ticket's events from the log, in words for a person. Pure, but for what reads.

The events are intents, outcomes, values before and after. Of a customer's words only the redacted summary is shown,
while the log still holds it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from ..audit.encryption import Keyring
from ..audit.files import log_files, read_lines
from ..core.reasons import in_words
from ..reporting.glossary import dollars, why_no_model
from ..reporting.index import LogIndex
from ..wiring.ticket_subjects import LookedUp

NOT_READ = LookedUp()


def lines(
    found: Sequence[Mapping[str, Any]],
    url_of: Callable[[int], str] = lambda _ticket_id: "",
    subjects: Mapping[int, LookedUp] | None = None,
) -> list[dict[str, Any]]:
    """A row for each of the log's lines about tickets; with ``subjects`` also the subjects that are known."""
    return [
        {
            "When": line["at"],
            "Ticket": line["ticket_id"],
            "Link": url_of(line["ticket_id"]) or None,
            **({} if subjects is None else {"Subject": subjects.get(line["ticket_id"], NOT_READ).subject}),
            "Outcome": line["outcome"],
            "Reason": line["reason"],
            "Category": " / ".join(filter(None, (line["category"], line["subcategory"]))),
            "Urgency": line["urgency"],
            "Sentiment": line["sentiment"],
            "Risk": line["risk"],
            "Language": line["language"],
            "Answered by": line["model"] or line["analyser"],
            "Confidence": line["confidence"],
            "Priority": _arrow(line["priority_from"], line["priority_to"]),
            "Tags": (line["tags"] or "").split(),
            "Seconds": line["total_ms"] / 1000,
            "Cost": line["cost_usd"],
        }
        for line in found
    ]


def _arrow(before: str | None, after: str | None) -> str:
    return after or "" if before in (None, after) else f"{before} → {after or '-'}"


def runs(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row for each run."""
    return [
        {
            "Started": run["begun"],
            "Run": run["run_id"],
            "Kind": "dry run" if run["dry_run"] else run["kind"],
            "Exit code": "unfinished" if run["exit_code"] is None else str(run["exit_code"]),
            "Seen": run["seen"],
            "Seconds": run["duration_s"],
            "Cost": dollars(run["cost"]) if run["cost"] is not None else "" if run["exit_code"] is None else "no price",
            "Ended early": run["stopped"],
        }
        for run in found
    ]


MOST_EVENTS = 500
ERASED = "erased, or never there"


@dataclass(frozen=True)
class Moment:
    """One event of a ticket. ``facts`` are names and values; ``changes`` are names with values before and after."""

    at: str
    run_id: str
    kind: str
    headline: str
    facts: tuple[tuple[str, str], ...] = ()
    changes: tuple[tuple[str, str, str], ...] = ()
    summary: str | None = None
    dry_run: bool = False


def days_of(index: LogIndex, ticket_id: int) -> list[date]:
    """The days on which the log mentions a ticket, oldest first."""
    rows = index.query("SELECT DISTINCT day FROM events WHERE ticket_id = $id ORDER BY day", {"id": ticket_id})
    return [day for (day,) in rows]


def events_of(folder: Path, ticket_id: int, days: Iterable[date], keys: Keyring | None = None) -> list[dict[str, Any]]:
    """The ticket's events, oldest first, :data:`MOST_EVENTS` at most.

    ``days`` are the days of known events; an intent just before midnight is in the file of the day before. Raises
    ``CannotRun`` when a file cannot be read.
    """
    wanted = sorted({moment.isoformat() for day in days for moment in (day - timedelta(days=1), day)})
    found: list[dict[str, Any]] = []
    for day in wanted:
        for file in log_files(folder, first_day=day, last_day=day):
            mark = str(ticket_id).encode()
            for raw, line in read_lines(file, keys):
                if mark in raw and line is not None and line.get("ticket_id") == ticket_id:
                    found.append(line)
                    if len(found) == MOST_EVENTS:
                        return found
    return found


def moments(events: Sequence[Mapping[str, Any]]) -> list[Moment]:
    """The events in words, in their order. Parts that a damaged line lacks are left out."""
    return [_moment(event) for event in events]


def _moment(event: Mapping[str, Any]) -> Moment:
    kind = str(event.get("event"))
    analysis, change = _table(event.get("analysis")), _table(event.get("change"))
    facts, headline, summary = [], kind, None
    if kind == "ticket":
        outcome = "left alone" if event.get("outcome") == "skipped" else event.get("outcome")
        headline = f"{outcome}: {in_words(str(event.get('reason')))}"
        facts = [*_understood(analysis), *_took(event, analysis)]
        summary = str(analysis.get("summary") or ERASED) if analysis else None
    elif kind == "intent":
        headline = "about to be written"
    elif kind == "alert":
        headline = str(event.get("what"))
    if intent := event.get("intent"):
        facts.append(("Intent", str(intent)))
    if job := event.get("job"):
        facts.append(("Job", str(job)))
    return Moment(
        at=str(event.get("ts")),
        run_id=str(event.get("run_id")),
        kind=kind,
        headline=headline,
        facts=tuple(facts),
        changes=tuple(_changes(change)),
        summary=summary,
        dry_run=event.get("dry_run") is True,
    )


def _understood(analysis: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The labels, and the analyser that chose them."""
    if not analysis:
        return
    category = " / ".join(str(analysis[name]) for name in ("category", "subcategory") if analysis.get(name))
    yield "Category", category
    for name in ("urgency", "sentiment", "risk", "language"):
        if value := analysis.get(name):
            yield name.capitalize(), str(value)
    who = str(analysis.get("model") or analysis.get("source"))
    yield "Answered by", f"{who} (given before)" if analysis.get("cached") else who
    if why := analysis.get("why_fallback"):
        yield "Why no model", why_no_model(str(why))
    if isinstance(confidence := analysis.get("confidence"), int | float):
        yield "Confidence", f"{confidence:.0%}"
    for name in ("alarms", "suspicious"):
        if values := _list(analysis.get(name)):
            yield name.capitalize(), ", ".join(map(str, values))


def _took(event: Mapping[str, Any], analysis: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Cost, tokens and durations."""
    if analysis:
        cost, tokens = event.get("cost_usd"), _table(event.get("tokens"))
        yield "Cost", dollars(cost) if isinstance(cost, int | float) else "no price"
        if tokens.get("input") or tokens.get("output"):
            yield "Tokens", f"{tokens.get('input')} in, {tokens.get('output')} out, {tokens.get('cached') or 0} cached"
    times = {name: taken for name, taken in _table(event.get("timings_ms")).items() if taken}
    if times:
        yield "Milliseconds", ", ".join(f"{name} {taken}" for name, taken in times.items())


def _changes(change: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for tag in _list(change.get("tags_removed")):
        yield "tag", str(tag), ""
    for tag in _list(change.get("tags_added")):
        yield "tag", "", str(tag)
    values = {"priority": change.get("priority"), "group": change.get("group")}
    values |= {f"field {key}": value for key, value in _table(change.get("fields")).items()}
    for name, value in values.items():
        before, after = _table(value).get("from"), _table(value).get("to")
        if before != after:
            yield name, _shown(before), _shown(after)
    if change.get("note"):
        yield "note", "", "one internal note"
    for reason in _list(change.get("escalated")):
        yield "escalated", "", str(reason)


def _shown(value: object) -> str:
    return "" if value is None else str(value)


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
