"""Freshdesk's JSON, read and written; pure functions. The calls are in :mod:`ticket_processor.freshdesk`.

Freshdesk keeps no record of who changed what. A ticket's history is made of the ticket as it is, its conversations, and
our own writes as the state keeps them. What differs between the end of one write and the beginning of the next, or from
the ticket as it is, others have changed in between: when and who is not known.

Facts and their sources: developers.freshdesk.com/api, "Tickets", "Conversations", "Errors".
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from ..core.clock import iso, parse_iso
from ..core.errors import TicketError
from ..core.models import Change, Priority, Ticket
from ..state.records import KeptWrite
from .http_messages import (
    Reply,
    field_text,
    mapping,
    mappings,
    sensible,
    string,
    tags_of,
    ticket_number,
    whole_number,
)
from .protocol import Webhook
from .service_times import freshdesk_times
from .ticket_history import SHORT_KEY, Edit, History, changed

ACCOUNT_LIMIT, UPDATE_LIMIT, LIST_LIMIT = "account", "tickets-update", "tickets-list"
PRIORITIES = {1: Priority.LOW, 2: Priority.NORMAL, 3: Priority.HIGH, 4: Priority.URGENT}
LOW = 1
"""A ticket that is made without a priority has this one: Freshdesk has no empty priority."""
_NUMBERS = {priority: number for number, priority in PRIORITIES.items()}
_STATUSES = {2: "open", 3: "pending", 4: "solved", 5: "closed"}
_CHANNELS = {1: "email", 2: "web", 3: "voice", 5: "twitter", 6: "facebook", 7: "chat", 9: "web", 10: "email"}
_REFERENCE = re.compile(r"\bRef tb-([0-9a-f]{8})\b")
_SAFE_WORD = re.compile(r"^[A-Za-z][A-Za-z0-9_]{0,59}$")

FieldNames = Mapping[str, int]
"""Numbers of the account's custom fields by the names that tickets carry them under, such as ``cf_area``."""


def _told_ticket(said: Mapping[str, Any]) -> object:
    """The number that an automation rule's body names; Freshdesk's own layout puts all into ``freshdesk_webhook``."""
    said = mapping(said.get("freshdesk_webhook")) or said
    return said.get("ticket_id", said.get("id"))


WEBHOOK = Webhook(_told_ticket)


@sensible("Freshdesk shows this ticket in a form that cannot be read")
def read_ticket(
    row: Mapping[str, Any],
    read_at: float | None,
    names: FieldNames,
    *,
    touched: bool = False,
    listed: bool = False,
    person: tuple[str, str] = ("", ""),
    open_statuses: Collection[int] = (),
) -> Ticket:
    """A ticket from its row, with its requester's name and address.

    Low counts as no priority while no agent has ``touched`` the ticket. A row that is ``listed`` need not tell tags.
    Of the account's own statuses, those in ``open_statuses`` count as open; the others as on hold, but as open while
    no agent has ``touched`` or taken the ticket, since rules may give new tickets a status of their own.
    Raises :class:`TicketError` for a row that makes no sense.
    """
    requester = mapping(row.get("requester"))
    name, address = (string(requester.get("name")) or person[0], string(requester.get("email")) or person[1])
    ended = bool(row.get("deleted") or row.get("spam"))
    assignee = whole_number(row.get("responder_id"))
    priority = PRIORITIES.get(row["priority"]) if isinstance(row.get("priority"), int) else None
    low = priority is Priority.LOW and not touched and assignee is None
    own = "open" if row.get("status") in open_statuses or not (touched or assignee) else "hold"
    tags = row.get("tags", [] if listed else None)
    if not isinstance(tags, list):
        raise ValueError  # without them a write would lose them
    ticket = Ticket(
        id=ticket_number(row),
        subject=string(row.get("subject")),
        description=string(row.get("description_text")) or string(row.get("description")),
        status="deleted" if ended else _STATUSES.get(row.get("status", 2), own),
        priority=None if low else priority,
        tags=tags_of(tags),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        read_at=read_at,
        channel=_CHANNELS.get(row.get("source", 2), ""),
        sender=address if row.get("source") == 1 else "",
        requester=whole_number(row.get("requester_id")),
        requester_address=address,
        names=(name,) if name.strip() else (),
        group=whole_number(row.get("group_id")),
        assignee=assignee,
        brand=whole_number(row.get("product_id")),
        organization=whole_number(row.get("company_id")),
        fields=fields_of(row, names),
        service_times=freshdesk_times(row),
    )
    _ = ticket.seconds_to_last_change  # dates that are none fail here
    return ticket


def fields_of(row: Mapping[str, Any], names: FieldNames) -> dict[int, str]:
    """The custom fields of a row that hold something, by their numbers."""
    values = mapping(row.get("custom_fields"))
    found = {names[name]: field_text(value) for name, value in values.items() if name in names}
    return {key: value for key, value in found.items() if value is not None}


def holds_fields(row: Mapping[str, Any]) -> bool:
    """Whether a row has a custom field that holds something, so that the fields' names are needed."""
    return any(field_text(value) is not None for value in mapping(row.get("custom_fields")).values())


@dataclass(frozen=True)
class Conversation:
    """A reply or a note. ``text`` are its words: never log them. ``reference`` begins a key of ours, if it has one.

    ``incoming``: it came from outside. ``edited_by`` is the last editor, if any.
    """

    id: int
    at: str
    author: int | None
    private: bool
    incoming: bool
    text: str
    reference: str = ""
    edited_by: int | None = None


@sensible("a conversation of this ticket makes no sense")
def read_conversations(rows: object) -> tuple[Conversation, ...]:
    """Conversations, oldest first. Raises :class:`TicketError` for a list that makes no sense."""
    if not isinstance(rows, list):
        raise TicketError("Freshdesk's answer holds no list of conversations")
    found = [_conversation(row) for row in map(mapping, rows)]
    return tuple(sorted(found, key=lambda item: (parse_iso(item.at), item.id)))


def _conversation(row: Mapping[str, Any]) -> Conversation:
    text = string(row.get("body_text")) or string(row.get("body"))
    reference = _REFERENCE.search(text)
    return Conversation(
        id=ticket_number(row),
        at=row["created_at"],
        author=whole_number(row.get("user_id")),
        private=row.get("private") is True,
        incoming=row.get("incoming") is True,
        text=text,
        reference=reference[1] if reference else "",
        edited_by=whole_number(row.get("last_edited_user_id")),
    )


def note_body(note: str) -> dict[str, object]:
    """The body of a note's request. Its words are escaped: a ``<`` in them would swallow the rest."""
    return {"body": "<div>" + "<br>".join(html.escape(note).split("\n")) + "</div>", "private": True}


def update_body(change: Change, names: FieldNames) -> dict[str, object]:
    """The body of the request that changes everything but the note. An unknown key would have it refused."""
    body: dict[str, object] = {"tags": list(change.tags)}
    if change.priority is not None:
        body["priority"] = _NUMBERS[change.priority]
    if "priority" in change.cleared:
        body["priority"] = LOW
    if change.group is not None or "group" in change.cleared:
        body["group_id"] = change.group
    known = {number: name for name, number in names.items()}
    if fields := {known[number]: value for number, value in change.field_values.items() if number in known}:
        body["custom_fields"] = fields
    return body


def refused_fields(reply: Reply) -> tuple[str, ...]:
    """The names of the fields that made Freshdesk refuse a request, where they are fit for a log."""
    named = [item.get("field") for item in mappings(mapping(reply.body).get("errors"))]
    return tuple(name for name in named if isinstance(name, str) and _SAFE_WORD.match(name))


def error_code(reply: Reply) -> str:
    """The error's fixed code word, fit for a log. Messages may quote a ticket, so they are not used."""
    body = mapping(reply.body)
    code = body.get("code") or next((item.get("code") for item in mappings(body.get("errors"))), None)
    return f", {code}" if isinstance(code, str) and _SAFE_WORD.match(code) else ""


def people_of(rows: Iterable[Mapping[str, Any]]) -> dict[int, tuple[str, str]]:
    """Names and addresses of requesters, by number, from rows that tell them."""
    senders = ((whole_number(row.get("requester_id")), mapping(row.get("requester"))) for row in rows)
    return {key: (string(one.get("name")), string(one.get("email"))) for key, one in senders if key is not None and one}


# The history

CLOCKS_S = 5.0
"""Seconds that a note may seem older than the moment of its sending, which the ticket's last answer told."""
Value = TypeVar("Value")


def history_of(
    ticket: Ticket, said: Sequence[Conversation], writes: Sequence[KeptWrite], own: int | None, marker: str
) -> History:
    """The ticket's edits, oldest first. ``own`` is our user's number.

    A write counts when its answer came, or when the ticket shows it. Where the state knows of none, although the
    ticket carries the ``marker``, our notes tell which writes there were.
    """
    made = _made(ticket, writes)
    notes = {item.reference: item for item in said if item.reference and item.author == own}
    ours = list(_our_edits(ticket, made, notes, own))
    if not made and marker in ticket.tags:
        unfinished = {write.change.key[:SHORT_KEY] for write in writes}
        ours = [
            Edit(at=note.at, author=own, way="api", key=reference, **_noted(note, own))
            for reference, note in notes.items()
            if reference not in unfinished
        ]
    # A marker that is not ours has no known author.
    began = frozenset(made[0].change.tags_before if made else ticket.tags) - {marker}
    creation = Edit(
        at=ticket.created_at,
        author=ticket.requester,
        creation=True,
        tags_added=began,
        comment="public",
        text=ticket.description,
    )
    # Of two that carry the same second, ours comes first: an answer is rather read twice than not at all.
    others = [_said(item, own) for item in said if not (item.reference and item.author == own)]
    return History(edits=(creation, *sorted((*ours, *others), key=lambda edit: edit.at)))


def with_references(
    said: Sequence[Conversation], writes: Sequence[KeptWrite], own: Callable[[], int | None]
) -> tuple[Conversation, ...]:
    """Conversations, our notes among them with their references, even where a person has edited their words.

    A note of unknown number that a person has edited is found by its moment.
    """
    known = {write.note: write.change.key[:SHORT_KEY] for write in writes if write.note is not None}
    lost = [write for write in writes if write.note_sent is not None and write.note is None]

    def reference(item: Conversation) -> str:
        if item.id in known or item.reference or not lost or item.edited_by is None or item.author != own():
            return known.get(item.id) or item.reference
        sent = [write for write in lost if parse_iso(item.at) >= (write.note_sent or 0.0) - CLOCKS_S]
        return sent[-1].change.key[:SHORT_KEY] if sent else ""

    return tuple(replace(item, reference=reference(item)) for item in said)


def set_low(writes: Sequence[KeptWrite]) -> bool:
    """Whether the last priority that we wrote is Low, which is then not an unset one."""
    set_to = [
        write.change.priority is Priority.LOW
        for write in writes
        if write.done and (write.change.priority is not None or "priority" in write.change.cleared)
    ]
    return bool(set_to) and set_to[-1]


def shows(ticket: Ticket, change: Change) -> bool:
    """Whether a ticket carries what a change was to put on it: the request went through, though no answer came.

    It happens whole or not at all: one new tag of it is proof, whatever others have made of the rest.
    """
    if change.tags_added:
        return not set(change.tags_added).isdisjoint(ticket.tags)
    if change.tags_removed:
        return set(change.tags_removed).isdisjoint(ticket.tags)
    if change.priority is not None:
        return ticket.priority is change.priority
    if change.group is not None:
        return ticket.group == change.group
    return bool(change.fields) and all(ticket.fields.get(key) == value for key, value in change.fields.items())


def as_edit(write: KeptWrite, note: Conversation | None, own: int | None) -> Edit:
    """The edit that a write of ours made; ``at`` is empty where no answer told that."""
    change = write.change
    return Edit(
        at=write.done,
        author=own,
        way="api",
        key=change.key,
        intent=change.intent,
        tags_added=frozenset(change.tags_added),
        tags_removed=frozenset(change.tags_removed),
        priority=_moved(change.priority_before, change.priority, emptied="priority" in change.cleared),
        group=_moved(change.group_before, change.group, emptied="group" in change.cleared),
        fields={key: (write.fields_before.get(key), value) for key, value in change.field_values.items()},
        **_noted(note, own),
    )


def _made(ticket: Ticket, writes: Sequence[KeptWrite]) -> list[KeptWrite]:
    """The writes that were made, one under each key: of several attempts the one that was answered, or is seen."""
    found: dict[str, KeptWrite] = {}
    for write in writes:
        seen = write.sent is not None and shows(ticket, write.change)
        earlier = found.get(write.change.key)
        if write.done or (seen and not (earlier and earlier.done)):
            found[write.change.key] = write
    return list(found.values())


def _our_edits(
    ticket: Ticket, made: Sequence[KeptWrite], notes: Mapping[str, Conversation], own: int | None
) -> Iterator[Edit]:
    """Our writes, and between them what others must have changed."""
    for place, write in enumerate(made):
        change = write.change
        at = max(write.done or ticket.updated_at, iso(write.sent or 0.0))  # not every change moves that stamp
        yield as_edit(write, notes.get(change.key[:SHORT_KEY]), own).model_copy(update={"at": at})
        left = change.field_values
        if place + 1 < len(made):
            later = made[place + 1]
            # Of fields only those that the earlier one had set are compared, as far as they are known.
            fields = {key: value for key, value in later.fields_before.items() if key in left}
            found, until = later.change, later.done
            between = _difference(write, left, found.tags_before, found.priority_before, found.group_before, fields)
        else:
            shown = {key: ticket.fields.get(key) for key in left}
            until = ticket.updated_at
            between = _difference(write, left, ticket.tags, ticket.priority, ticket.group, shown)
        if between:
            yield Edit(at=max(at, until), way="unknown", **between)


def _difference(
    write: KeptWrite,
    left: Mapping[int, str | None],
    tags: Sequence[str],
    priority: Priority | None,
    group: int | None,
    fields: Mapping[int, str | None],
) -> dict[str, Any]:
    """What others changed since ``write``, which ``left`` these fields; empty for nothing."""
    change = write.change
    added, removed = changed(change.tags, tags)
    ours = None if "priority" in change.cleared else change.priority or change.priority_before
    our_group = None if "group" in change.cleared else change.group or change.group_before
    found = {
        "tags_added": added,
        "tags_removed": removed,
        "priority": None if ours is priority else (ours, priority),
        "group": None if our_group == group else (our_group, group),
        "fields": {key: (left[key], value) for key, value in fields.items() if value != left[key]},
    }
    return {part: value for part, value in found.items() if value}


def _moved(before: Value | None, after: Value | None, *, emptied: bool) -> tuple[Value | None, Value | None] | None:
    return (before, after) if after is not None or emptied else None


def _noted(note: Conversation | None, own: int | None) -> dict[str, Any]:
    """The parts of an edit that are about its note."""
    if note is None:
        return {}
    edited = note.edited_by not in (None, own)
    return {"comment": "internal" if note.private else "public", "note": note.id, "note_edited": edited}


def _said(item: Conversation, own: int | None) -> Edit:
    """A reply or a note of another user; one of our own user without a reference is another program's."""
    return Edit(
        at=item.at,
        author=item.author,
        way="api" if item.author == own else "hand",
        comment="internal" if item.private else "public",
        text="" if item.private else item.text,
    )
