"""One ticket's events: their lines of the log, and what they say in words for a person.

The events are intents, outcomes, values before and after. Of a customer's words only the redacted summary is shown,
while the log still holds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from ..audit.files import events
from ..audit.lines import Keyring
from ..core.clock import iso
from ..core.reasons import in_words, why_no_model
from ..settings.schema import Settings
from ..wiring.parts import keyring
from .glossary import dollars
from .index import LogIndex

ERASED = "erased, or never there"
URGENT_WORDS = "Urgent words (keyword rules)"
"""The fact that quotes a customer."""
ALTERED = "this line was altered and cannot be told"


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
    """The days on which the log mentions a ticket."""
    return [day for (day,) in index.query("SELECT DISTINCT day FROM events WHERE ticket_id = $id", {"id": ticket_id})]


def lines_about(ticket_id: int, days: Iterable[date], folder: Path, keys: Keyring | None) -> list[dict[str, Any]]:
    """What the log in ``folder`` has about a ticket, oldest first, where ``days`` are those of :func:`days_of`.

    Raises ``CannotRun`` when it cannot be read.
    """
    # The index has no intents: one just before midnight is in the file of the day before.
    wanted = sorted({f"{day - timedelta(days=back)}" for day in days for back in (0, 1)})
    lines = (line for day in wanted for _, line in events(folder, first_day=day, last_day=day, keys=keys))
    return [line for line in lines if line.get("ticket_id") == ticket_id]


def ticket_lines(settings: Settings, since: float, until: float) -> Iterator[Mapping[str, Any]]:
    """The receipts of tickets between these moments (Unix seconds), oldest first; none of dry runs."""
    first, end = (iso(moment, milliseconds=True) for moment in (since, until))
    for _, line in events(settings.log_dir, first_day=first[:10], last_day=end[:10], keys=keyring(settings)):
        if line.get("event") == "ticket" and not line.get("dry_run") and first <= str(line.get("ts")) < end:
            yield line


def moments(lines: Sequence[Mapping[str, Any]]) -> list[Moment]:
    """The events in words, in their order. Parts that a line lacks are left out; of an altered one it is said."""
    return [_told(line) for line in lines]


def _told(line: Mapping[str, Any]) -> Moment:
    try:
        return _moment(line)
    except (AttributeError, TypeError, ValueError):
        return altered(line)


def altered(line: Mapping[str, Any]) -> Moment:
    """The event of a line that somebody altered, so that it cannot be told."""
    return Moment(str(line.get("ts")), str(line.get("run_id")), str(line.get("event")), ALTERED)


def _moment(event: Mapping[str, Any]) -> Moment:
    kind = str(event.get("event"))
    analysis, change = event.get("analysis") or {}, event.get("change") or {}
    facts: list[tuple[str, str]] = []
    headline, summary = kind, None
    if kind == "ticket":
        outcome = "left alone" if event.get("outcome") == "skipped" else event.get("outcome")
        headline = f"{outcome}: {in_words(str(event.get('reason')))}"
        if isinstance(reply := event.get("customer_reply"), Mapping):
            facts = [("Customer's reply", str(reply.get("kind")).replace("_", " "))]
        facts += [*_understood(analysis), *_took(event, analysis)]
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
        changes=tuple(changes_of(change)),
        summary=summary,
        dry_run=event.get("dry_run") is True,
    )


def _understood(analysis: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The labels, and the analyser that chose them."""
    if not analysis:
        return
    yield "Category", " / ".join(str(analysis[name]) for name in ("category", "subcategory") if analysis.get(name))
    for name in ("urgency", "sentiment", "risk", "language"):
        if value := analysis.get(name):
            yield name.capitalize(), str(value)
    who = str(analysis.get("model") or analysis.get("source"))
    yield "Answered by", f"{who} (given before)" if analysis.get("cached") else who
    if why := analysis.get("why_fallback"):
        yield "Why no model", why_no_model(str(why))
    if isinstance(confidence := analysis.get("confidence"), int | float):
        yield "Confidence", f"{confidence:.0%}"
    if words := analysis.get("urgent_words"):
        yield URGENT_WORDS, ", ".join(f"“{each}”" for each in words)
    for name in ("alarms", "suspicious"):
        if values := analysis.get(name):
            yield name.capitalize(), ", ".join(map(str, values))


def _took(event: Mapping[str, Any], analysis: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Cost, tokens and durations."""
    if analysis:
        cost, tokens = event.get("cost_usd"), event.get("tokens") or {}
        yield "Cost", dollars(cost) if isinstance(cost, int | float) else "no price"
        if tokens.get("input") or tokens.get("output"):
            yield "Tokens", f"{tokens.get('input')} in, {tokens.get('output')} out"
    times = {name: taken for name, taken in (event.get("timings_ms") or {}).items() if taken}
    if times:
        yield "Milliseconds", ", ".join(f"{name} {taken}" for name, taken in times.items())


def changes_of(change: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What a receipt's change did, each with the value before and after."""
    for tag in change.get("tags_removed") or ():
        yield "tag", str(tag), ""
    for tag in change.get("tags_added") or ():
        yield "tag", "", str(tag)
    values = {"priority": change.get("priority"), "group": change.get("group")}
    values |= {f"field {key}": value for key, value in (change.get("fields") or {}).items()}
    for name, value in values.items():
        before, after = (value or {}).get("from"), (value or {}).get("to")
        if before != after:
            yield name, _shown(before), _shown(after)
    if change.get("note"):
        yield "note", "", "one internal note"
    for reason in change.get("escalated") or ():
        yield "escalated", "", str(reason)


def _shown(value: object) -> str:
    return "" if value is None else str(value)
