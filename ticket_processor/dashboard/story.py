"""One ticket's events from the log, in words for a person. Pure.

The events are intents, outcomes, values before and after. Of a customer's words only the redacted summary is shown,
while the log still holds it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.reasons import in_words, why_no_model
from ..reporting.glossary import dollars

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


def moments(events: Sequence[Mapping[str, Any]]) -> list[Moment]:
    """The events in words, in their order. Parts that a line lacks are left out."""
    return [_moment(event) for event in events]


def _moment(event: Mapping[str, Any]) -> Moment:
    kind = str(event.get("event"))
    analysis, change = event.get("analysis") or {}, event.get("change") or {}
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


def _changes(change: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
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
