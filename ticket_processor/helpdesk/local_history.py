"""The local helpdesk's events as a ticket's history: one edit for each version. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Literal

from ..core.models import Priority
from .local_model import ActorKind, Event, LocalTicket, Message, Status
from .ticket_history import Edit

STATUS_WORDS: Mapping[Status, str] = {
    "open": "new",
    "in_progress": "open",
    "escalated": "open",
    "waiting": "pending",
    "resolved": "solved",
    "closed": "closed",
    "spam": "closed",
}
"""A run knows the words of most helpdesks. Spam is for nobody, as what is closed."""
_WAYS: Mapping[ActorKind, Literal["hand", "api", "rules"]] = {
    "customer": "hand",
    "agent": "hand",
    "ai": "api",
    "system": "rules",
}


def edits_of(events: Sequence[Event], ticket: LocalTicket, said: Sequence[Message]) -> tuple[Edit, ...]:
    """A ticket's edits, oldest first; ``said`` is what its customer may read."""
    texts = {str(message.id): message.body for message in said}
    return tuple(
        _edit(tuple(of_one_write), ticket, texts) for _, of_one_write in groupby(events, lambda event: event.version)
    )


def _edit(events: Sequence[Event], ticket: LocalTicket, texts: Mapping[str, str]) -> Edit:
    first = events[0]
    told: dict[str, Any] = {"fields": {}}
    for event in events:
        if event.field == "created":
            told |= {"creation": True, "comment": "public", "text": ticket.description}
        elif event.field == "status":
            told["status"] = (_status(event.old), _status(event.new))
        elif event.field == "priority":
            told["priority"] = (_priority(event.old), _priority(event.new))
        elif event.field == "group":
            told["group"] = (_number(event.old), _number(event.new))
        elif event.field.startswith("field:"):
            told["fields"][int(event.field.removeprefix("field:"))] = (event.old, event.new)
        elif event.field == "message":
            told |= {"comment": event.reason, "text": texts.get(event.new or "", "")}
    people = first.actor.kind in ("customer", "agent")
    return Edit(
        at=first.at,
        author=first.actor.person if people else None,
        way=_WAYS[first.actor.kind],
        key=first.key,
        intent=first.intent,
        tags_added=frozenset(event.new for event in events if event.field == "tag" and event.new is not None),
        tags_removed=frozenset(event.old for event in events if event.field == "tag" and event.old is not None),
        **told,
    )


def _status(value: str | None) -> str | None:
    return None if value is None else STATUS_WORDS[value]  # type: ignore[index]


def _priority(value: str | None) -> Priority | None:
    return None if value is None else Priority(value)


def _number(value: str | None) -> int | None:
    return None if value is None else int(value)
