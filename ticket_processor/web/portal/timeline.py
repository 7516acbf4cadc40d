"""What became of a ticket, in words for its customer: status and steps, derived from its events, and badges. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from ...core.clock import parse_iso
from ...helpdesk.local_model import Event, LocalTicket, Status

STATUS_WORDS: dict[Status, str] = {
    "open": "Open",
    "in_progress": "In progress",
    "escalated": "Escalated",
    "waiting": "Waiting for you",
    "resolved": "Resolved",
    "closed": "Closed",
    "spam": "Closed",
}
_OVER: tuple[Status, ...] = ("resolved", "closed", "spam")
_POLLS = ((10.0, 1), (20.0, 2), (120.0, 5), (900.0, 15))
"""Up to so many seconds after the last news a page asks again every so many seconds; later, every minute.

Triage takes a few seconds, for which people wait.
"""
_POLL_LATER_S = 60
State = Literal["done", "now", "todo"]


@dataclass(frozen=True)
class TimelineStep:
    """One step of a ticket's way; ``at`` where it has been made."""

    words: str
    at: str | None
    state: State


@dataclass(frozen=True)
class Badge:
    """What a ticket was sorted as; ``look`` is the class of its style."""

    name: str
    value: str
    look: str = ""


def is_at_work(ticket: LocalTicket) -> bool:
    """Whether the customer still waits for something."""
    return ticket.status not in _OVER


def needs_alert(ticket: LocalTicket, events: Sequence[Event]) -> bool:
    """Whether the ticket was escalated, and no person has written to the customer since."""
    if ticket.status == "escalated" or not (ticket.escalated and is_at_work(ticket)):
        return ticket.status == "escalated"
    since = _escalated_at(events) or ""
    return not any(event.actor.kind == "agent" and _is_public(event) and event.at > since for event in events)


def has_news(events: Sequence[Event], version: int) -> bool:
    """Whether anybody but the customer has answered the ticket, or set its status, since this version."""
    return any(
        event.version > version and event.actor.kind != "customer" and (event.field == "status" or _is_public(event))
        for event in events
    )


def status_words(ticket: LocalTicket, *, alert: bool) -> str:
    """The ticket's status for its customer."""
    shown: Status = "escalated" if alert and ticket.status in ("open", "in_progress") else ticket.status
    return STATUS_WORDS[shown]


def steps(ticket: LocalTicket, events: Sequence[Event]) -> list[TimelineStep]:
    """The ticket's way: submitted, understood, escalated if it was, answered, resolved."""
    understood = _first(events, lambda event: event.actor.kind == "ai" and event.field in ("tag", "priority"))
    escalated = _escalated_at(events)
    is_over = not is_at_work(ticket)
    ended = (ticket.resolved_at or ticket.closed_at or ticket.updated_at) if is_over else None
    made: list[tuple[str, str | None]] = [("Submitted", ticket.created_at)]
    if understood or not (is_over or ticket.first_reply_at):
        made.append(("Understood and sorted", understood))
    if escalated:
        made.append(("Escalated to a person", escalated))
    if ticket.first_reply_at or not is_over:
        made.append(("Answered", ticket.first_reply_at))
    made.append(("Resolved" if ticket.status != "spam" else "Closed", ended))
    following = next((number for number, (_, at) in enumerate(made) if at is None), None)
    return [
        TimelineStep(words, at, "done" if at else "now" if number == following else "todo")
        for number, (words, at) in enumerate(made)
    ]


def badges(ticket: LocalTicket) -> list[Badge]:
    """What the ticket was sorted as: category, urgency and sentiment, where they are known."""
    looks = {"high": "strong", "critical": "strong", "urgent": "strong", "positive": "good"}
    told = (("Category", ticket.category), ("Urgency", ticket.urgency), ("Sentiment", ticket.sentiment))
    return [Badge(name, value.replace("_", " "), looks.get(value, "")) for name, value in told if value]


def asks_every(ticket: LocalTicket, since: float, now: float) -> int | None:
    """In how many seconds a page that is open ``since`` asks for news; ``None`` where there will be none."""
    if ticket.status in ("closed", "spam"):
        return None
    quiet = now - max(since, parse_iso(ticket.updated_at))
    return next((every for until, every in _POLLS if quiet < until), _POLL_LATER_S)


def _is_public(event: Event) -> bool:
    return (event.field, event.reason) == ("message", "public")


def _escalated_at(events: Sequence[Event]) -> str | None:
    return _first(
        events,
        lambda event: (
            (event.field, event.new) == ("status", "escalated")
            or (event.field == "tag" and (event.new or "").endswith("escalated"))
        ),
    )


def _first(events: Sequence[Event], fits: Callable[[Event], bool]) -> str | None:
    return next((event.at for event in events if fits(event)), None)
