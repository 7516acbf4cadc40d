"""Rows of the local helpdesk's file as tickets, messages and events, and events as a ticket's history. Pure."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Literal

import orjson

from ..core.models import Priority
from .local_model import Actor, ActorKind, Event, LocalTicket, Message, NotThere, Status
from .local_schema import all_rows
from .ticket_history import Edit

TICKET = """
    SELECT ticket.*,
        (SELECT json_group_array(name) FROM (SELECT name FROM tag WHERE ticket_id = ticket.id ORDER BY rowid)) AS tags,
        (SELECT json_group_object(field_id, value) FROM field WHERE ticket_id = ticket.id) AS fields
    FROM ticket
"""
"""One statement, so that a ticket's version and its tags are of one moment."""
MESSAGE = "SELECT message.*, person.name FROM message LEFT JOIN person ON person.id = author_id"
EVENT = "SELECT * FROM event"


def tickets_where(db: sqlite3.Connection, condition: str, values: tuple[Any, ...]) -> tuple[LocalTicket, ...]:
    """The tickets that a condition picks."""
    return tuple(map(ticket_of, all_rows(db, f"{TICKET} WHERE {condition}", values)))


def existing_ticket(db: sqlite3.Connection, ticket_id: int) -> LocalTicket:
    """The ticket with this number. Raises :class:`NotThere`."""
    found = tickets_where(db, "ticket.id = ?", (ticket_id,))
    if not found:
        raise NotThere("there is no such ticket")
    return found[0]


def ticket_of(row: sqlite3.Row) -> LocalTicket:
    """A ticket from its row."""
    values = dict(row)
    del values["urgency_rank"]  # searches alone sort by it
    for name in ("group", "assignee", "requester"):
        values[name] = values.pop(f"{name}_id")
    return LocalTicket(
        **values
        | {
            "priority": None if row["priority"] is None else Priority(row["priority"]),
            "escalated": bool(row["escalated"]),
            "tags": tuple(orjson.loads(row["tags"])),
            "fields": {int(number): value for number, value in orjson.loads(row["fields"]).items()},
        }
    )


def message_of(row: sqlite3.Row) -> Message:
    """A message from its row."""
    values = dict(row)
    author = Actor(values.pop("author_kind"), values.pop("author_id"))
    return Message(**values | {"author": author, "name": row["name"] or "", "public": bool(row["public"])})


def event_of(row: sqlite3.Row) -> Event:
    """An event from its row."""
    values = dict(row)
    return Event(actor=Actor(values.pop("actor_kind"), values.pop("actor_id")), **values)


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
