"""Rows of the local helpdesk's file as tickets, messages and events."""

from __future__ import annotations

import sqlite3
from typing import Any

import orjson

from ..core.models import Priority
from .local_model import Actor, Event, LocalTicket, Message, NotThere
from .local_schema import all_rows

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
    return LocalTicket(
        id=row["id"],
        number=row["number"],
        subject=row["subject"],
        description=row["description"],
        status=row["status"],
        priority=None if row["priority"] is None else Priority(row["priority"]),
        category=row["category"],
        urgency=row["urgency"],
        sentiment=row["sentiment"],
        escalated=bool(row["escalated"]),
        group=row["group_id"],
        assignee=row["assignee_id"],
        requester=row["requester_id"],
        language=row["language"],
        form_language=row["form_language"],
        channel=row["channel"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        first_reply_at=row["first_reply_at"],
        resolved_at=row["resolved_at"],
        closed_at=row["closed_at"],
        version=row["version"],
        last_event=row["last_event"],
        tags=tuple(orjson.loads(row["tags"])),
        fields={int(number): value for number, value in orjson.loads(row["fields"]).items()},
    )


def message_of(row: sqlite3.Row) -> Message:
    """A message from its row."""
    return Message(
        id=row["id"],
        ticket_id=row["ticket_id"],
        author=Actor(row["author_kind"], row["author_id"]),
        name=row["name"] or "",
        public=bool(row["public"]),
        body=row["body"],
        created_at=row["created_at"],
        key=row["key"],
        intent=row["intent"],
    )


def event_of(row: sqlite3.Row) -> Event:
    """An event from its row."""
    return Event(
        id=row["id"],
        ticket_id=row["ticket_id"],
        version=row["version"],
        at=row["at"],
        actor=Actor(row["actor_kind"], row["actor_id"]),
        field=row["field"],
        old=row["old"],
        new=row["new"],
        reason=row["reason"],
        key=row["key"],
        intent=row["intent"],
    )
