"""What happened to a ticket, in words for agents: every event, with who did it and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from ....helpdesk.local_model import Actor, Event
from .edits import Choices, Part


@dataclass(frozen=True)
class ToldEvent:
    """One event: when, who, what, and the reason where one was given."""

    at: str
    who: str
    what: str
    reason: str


def told_events(events: Sequence[Event], choices: Choices, names: Mapping[int, str]) -> list[ToldEvent]:
    """The events in their order; ``names`` are people's by number."""
    return [ToldEvent(event.at, who(event.actor, names), _what(event, choices), _why(event)) for event in events]


def who(actor: Actor, names: Mapping[int, str]) -> str:
    """Who it was, as agents know them."""
    if actor.kind == "ai":
        return "ticketbot (AI)"
    if actor.kind == "system":
        return "the helpdesk"
    name = names.get(actor.person or 0)
    return name or ("the customer" if actor.kind == "customer" else "a former agent")


def _why(event: Event) -> str:
    if event.field == "message":
        return ""
    # A program gives its reasons as codes.
    return event.reason.replace("_", " ") if event.actor.kind == "ai" else event.reason


def _what(event: Event, choices: Choices) -> str:
    if event.field == "created":
        return "submitted the ticket"
    if event.field == "message":
        return "answered" if event.reason == "public" else "wrote an internal note"
    if event.field == "tag":
        return f"tag {event.new} added" if event.new else f"tag {event.old} taken off"
    if event.field == "erased":
        return "erased the customer, and all words"
    if event.field == "rating":
        return f"rated {event.new} of 5" + (f", before {event.old}" if event.old else "")
    if event.field in get_args(Part):
        part: Part = event.field  # type: ignore[assignment]
        return f"{part}: {choices.shown(part, event.old or '')} → {choices.shown(part, event.new or '')}"
    return f"{event.field.replace(':', ' ')}: {event.old or '–'} → {event.new or '–'}"
