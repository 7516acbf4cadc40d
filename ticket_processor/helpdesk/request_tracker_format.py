"""Request Tracker's words: tickets, transactions and requests as JSON, and what they mean here. Pure functions.

Facts are from a running RT 5.0.3 and its code (docs.bestpractical.com/rt/5.0.3/RT/REST2.html): numbers come as text,
stamps in UTC; a ticket's tags are the values of a custom field; each part of an update is a transaction of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.clock import parse_iso
from ..core.models import Change, Priority, Ticket
from .http_messages import mapping, sensible, string
from .ticket_history import SHORT_KEY, Edit, FieldValue, History

KEY_FIELD, NOTE_FIELD = "Triage", "Triage run"
"""Custom fields of ours: a ticket's holds key and name of our last write, a transaction's the reference of our note."""
RANKS = (Priority.LOW, Priority.NORMAL, Priority.HIGH, Priority.URGENT)
NOBODY, SYSTEM = "Nobody", "RT_System"
APART_S = 2.0
"""Our writes on a ticket are at least so far apart: a run waits until a ticket has been still for so long."""
_REFERENCE = re.compile(r"\bRef tb-([0-9a-f]{8})\b")
_TEXTS = ("text/plain", "text/html")
Said = Mapping[int, str]
"""Words by the number of their transaction: never log them."""


def number(value: object) -> int | None:
    """A number that RT writes as text or as a number; ``None`` in place of anything else."""
    return int(value) if isinstance(value, int | str) and str(value).isdecimal() else None


@dataclass(frozen=True)
class Shape:
    """How a site keeps what we write: the name of the field for tags, and numbers for low, normal, high, urgent."""

    tags_field: str = "Tags"
    priorities: Sequence[int] = (10, 50, 80, 100)

    def priority(self, value: object) -> Priority | None:
        """The priority that a number means: the highest that it reaches; none where it reaches none."""
        reached = [rank for least, rank in zip(self.priorities, RANKS, strict=True) if least <= (number(value) or 0)]
        return reached[-1] if reached else None


@dataclass(frozen=True)
class CustomField:
    """A custom field on a ticket or a transaction, with its values."""

    id: int
    name: str
    values: tuple[str, ...]


def custom_fields(row: Mapping[str, Any]) -> dict[str, CustomField]:
    fields = (mapping(item) for item in row.get("CustomFields") or ())
    found = [
        CustomField(key, string(item.get("name")), tuple(str(value) for value in item.get("values") or () if value))
        for item in fields
        if (key := number(item.get("id"))) is not None
    ]
    return {item.name: item for item in found}


@dataclass(frozen=True)
class TrackerUser:
    """A user: number, name of the account, address and real name, as far as RT tells them."""

    id: int
    name: str
    address: str = ""
    real_name: str = ""


def person_of(row: object, name: str = "") -> TrackerUser | None:
    """A user: as a list shows one whose parts were asked for, or alone, where only a link tells the number."""
    person = mapping(row)
    links = [mapping(link).get("id") for link in person.get("_hyperlinks") or () if mapping(link).get("ref") == "self"]
    key = number(next(iter(links), None) if name else person.get("id"))
    if key is None:
        return None
    return TrackerUser(
        key, name or string(person.get("Name")), string(person.get("EmailAddress")), string(person.get("RealName"))
    )


def names_in(row: Mapping[str, Any]) -> list[str]:
    """The names of a ticket's owner and requesters: ``Name`` where parts were asked for, else ``id``."""
    users = [mapping(user) for user in (row.get("Owner"), *(row.get("Requestor") or ()))]
    return [string(user.get("Name")) or string(user.get("id")) for user in users]


@sensible("Request Tracker shows this ticket in a form that cannot be read")
def read_ticket(
    row: Mapping[str, Any],
    text: str,
    shape: Shape,
    read_at: float | None,
    status: str,
    people: Mapping[str, TrackerUser],
) -> Ticket:
    """A ticket from its row, its first message and its ``status`` in our words; ``people`` are users by name.

    Raises :class:`TicketError` for a row that makes no sense, and where the field for tags is not shown: a write would
    lose the tags that are there.
    """
    fields = custom_fields(row)
    owner, *requesters = (people.get(name) for name in names_in(row))
    requester = requesters[0] if requesters else None
    address = (requester.address or requester.name) if requester else ""
    ticket = Ticket(
        id=int(row["id"]),
        subject=string(row.get("Subject")),
        description=text,
        status=status,
        priority=shape.priority(row.get("Priority")),
        tags=fields[shape.tags_field].values,
        created_at=row["Created"],
        updated_at=row["LastUpdated"],
        read_at=read_at,
        sender=address,
        requester=requester.id if requester else None,
        requester_address=address,
        names=(requester.real_name,) if requester and requester.real_name.strip() else (),
        group=number(mapping(row.get("Queue")).get("id")),
        assignee=owner.id if owner and owner.name != NOBODY else None,
        fields={
            item.id: " ".join(item.values)
            for name, item in fields.items()
            if item.values and name not in (shape.tags_field, KEY_FIELD)
        },
    )
    _ = ticket.seconds_to_last_change  # dates that are none fail here
    return ticket


def status_of(name: str, *, active: bool) -> str:
    """A site's own status in our words: whether it is ``active`` is RT's to say; four names say more."""
    if active:
        return {"new": "new", "stalled": "hold"}.get(name, "open")
    return {"deleted": "deleted", "rejected": "closed"}.get(name, "solved")


# Transactions


@dataclass(frozen=True)
class Transaction:
    """One entry of a ticket's record. ``reference`` begins the key of the write that a note of ours belongs to."""

    id: int
    type: str
    at: str
    author: TrackerUser | None
    field: str
    old: str | None
    new: str | None
    reference: str

    def by(self, user: int) -> bool:
        return self.author is not None and self.author.id == user


@sensible("the record of this ticket makes no sense")
def read_transactions(rows: Sequence[Mapping[str, Any]]) -> list[Transaction]:
    """Transactions, oldest first. Raises :class:`TicketError`."""
    return sorted(map(_transaction, rows), key=lambda item: item.id)


def _transaction(row: Mapping[str, Any]) -> Transaction:
    noted = custom_fields(row).get(NOTE_FIELD)
    _ = parse_iso(row["Created"])
    return Transaction(
        id=int(row["id"]),
        type=str(row["Type"]),
        at=row["Created"],
        author=person_of(row.get("Creator")),
        field=string(row.get("Field")),
        old=string(row.get("OldValue")) or None,
        new=string(row.get("NewValue")) or None,
        reference=noted.values[0] if noted and noted.values else "",
    )


def text_parts(rows: Sequence[Mapping[str, Any]], first: bool) -> list[Mapping[str, Any]]:
    """The parts of messages that are text and no file; with ``first``, those of the first message."""
    texts = [row for row in rows if row.get("ContentType") in _TEXTS and not row.get("Filename")]
    begun = min((number(row.get("TransactionId")) or 0 for row in rows), default=0)
    return [row for row in texts if number(row.get("TransactionId")) == begun] if first else texts


def any_of(ids: Iterable[str]) -> str:
    """A query for things of these numbers."""
    return json.dumps([{"field": "id", "value": one, "entry_aggregator": "OR"} for one in ids])


def read_said(rows: Sequence[Mapping[str, Any]]) -> Said:
    """What was said, by transaction: of several parts plain text before HTML."""
    found: dict[int, str] = {}
    for kind in reversed(_TEXTS):
        for row in reversed([row for row in rows if row.get("ContentType") == kind]):
            if (place := number(row.get("TransactionId"))) is not None and row.get("Content"):
                found[place] = string(row.get("Content"))
    return found


def note_of(items: Sequence[Transaction], said: Said, own: int, key: str) -> Transaction | None:
    """Our note for the write under ``key``, if it is there: told by its own field or, without that, by its text."""
    notes = (item for item in items if item.type == "Comment" and item.by(own))
    return next((item for item in notes if _noted(item, said) == key[:SHORT_KEY]), None)


def _noted(item: Transaction, said: Said) -> str:
    found = _REFERENCE.search(said.get(item.id, ""))
    return item.reference[:SHORT_KEY] or (found[1] if found else "")


class TrackerRecord:
    """Makes edits of a ticket's transactions; ``fields`` are the ticket's, ``own`` is the number of our user."""

    def __init__(self, fields: Mapping[str, CustomField], shape: Shape, own: int) -> None:
        tags, key = fields.get(shape.tags_field), fields.get(KEY_FIELD)
        self.shape, self.own = shape, own
        self.tags_field, self.key_field = tags and tags.id, key and key.id

    def edits(self, items: Sequence[Transaction], said: Said) -> Iterator[Edit]:
        """The edits that transactions make, oldest first: one for each request of ours, one for each of the others."""
        noted = ((item, _noted(item, said)) for item in items if item.type == "Comment" and item.by(self.own))
        notes = {item.id: key for item, key in noted if key}
        writes: dict[int, list[Transaction]] = {}
        last: list[Transaction] = []
        for item in items:
            if item.by(self.own) and item.id not in notes and item.type != "Create":
                last = last if self._goes_on(last, item) else []
                last.append(item)
                writes[item.id] = last
        for item in items:
            if item.id not in writes and item.id not in notes:
                yield self._edit(item, said.get(item.id, ""))
            # RT makes a request part by part: what others do meanwhile stands in between, and ours may undo it.
            elif item.id in writes and item is writes[item.id][-1]:
                yield self._ours(writes[item.id], {*notes.values()})

    def _goes_on(self, write: Sequence[Transaction], item: Transaction) -> bool:
        """Whether a transaction is of the same request. RT makes attributes first, then fields in any order."""
        keyed = any(map(self._is_key, write))
        fields = any(one.type == "CustomField" for one in write)
        late = keyed and parse_iso(item.at) - parse_iso(write[-1].at) >= APART_S
        return not (keyed and (late or self._is_key(item))) and not (fields and item.type != "CustomField")

    def _is_key(self, item: Transaction) -> bool:
        return item.type == "CustomField" and number(item.field) == self.key_field

    def _ours(self, items: Sequence[Transaction], noted: set[str]) -> Edit:
        marks = next((item.new or "" for item in items if self._is_key(item)), "")
        key, _, intent = marks.partition(" ")
        parts = [self._edit(item, "") for item in items]
        fields: dict[int, FieldValue] = {}
        for name, (before, after) in (each for part in parts for each in part.fields.items()):
            fields[name] = (fields.get(name, (before, after))[0], after)
        return parts[-1].model_copy(
            update={
                "key": key,
                "intent": intent,
                "tags_added": frozenset[str]().union(*(part.tags_added for part in parts)),
                "tags_removed": frozenset[str]().union(*(part.tags_removed for part in parts)),
                "priority": next((part.priority for part in parts if part.priority), None),
                "group": next((part.group for part in parts if part.group), None),
                "fields": fields,
                "comment": "internal" if key[:SHORT_KEY] in noted else None,
            }
        )

    def _edit(self, item: Transaction, text: str) -> Edit:
        """One transaction as an edit; what concerns none of our parts is one that changed nothing."""
        changed: dict[str, Any] = {}
        custom = number(item.field) if item.type == "CustomField" else None
        if custom is not None and custom == self.tags_field:
            changed = {"tags_added": _one(item.new), "tags_removed": _one(item.old)}
        elif custom is not None and custom != self.key_field:
            changed = {"fields": {custom: (item.old, item.new)}}
        elif item.type == "Set" and item.field == "Priority":
            changed = {"priority": (self.shape.priority(item.old), self.shape.priority(item.new))}
        elif item.type == "Set" and item.field == "Queue":
            changed = {"group": (number(item.old), number(item.new))}
        elif item.type in ("Comment", "Correspond", "Create"):
            changed = {"comment": "internal"} if item.type == "Comment" else {"comment": "public", "text": text}
        system = item.author is not None and item.author.name == SYSTEM
        return Edit(
            at=item.at,
            author=item.author.id if item.author else None,
            way="rules" if system else "api" if item.by(self.own) else "hand",
            creation=item.type == "Create",
            **changed,
        )


def _one(value: str | None) -> frozenset[str]:
    return frozenset((value,) if value else ())


def history_of(ticket: Ticket, edits: Sequence[Edit]) -> History:
    """The ticket's history. Values from a ticket's creation have no transaction: those that no one added were there."""
    began = set(ticket.tags)
    for edit in reversed(edits):
        began = (began | edit.tags_removed) - edit.tags_added
    made = {"tags_added": frozenset(began), "text": ticket.description}
    return History(edits=tuple(edit.model_copy(update=made) if edit.creation else edit for edit in edits))


# Requests


def replaced_priority(change: Change, shape: Shape, items: Sequence[Transaction], own: int) -> int | None:
    """The number that a write of ours replaced, where ``change`` puts that back; people use any number."""
    wanted = None if "priority" in change.cleared else change.priority
    ours = [item for item in items if item.field == "Priority" and item.by(own)]
    return next((number(item.old) for item in reversed(ours) if shape.priority(item.old) is wanted), None)


def write_body(change: Change, shape: Shape, fields: Mapping[str, CustomField], priority: int | None) -> dict[str, Any]:
    """The body of the one request that changes everything but the note.

    ``fields`` are those the ticket shows, ``priority`` is the number to write where it is not the one of the settings.
    """
    body: dict[str, Any] = {}
    if change.priority is not None or "priority" in change.cleared:
        usual = 0 if change.priority is None else shape.priorities[RANKS.index(change.priority)]
        body["Priority"] = usual if priority is None else priority
    if change.group is not None:
        body["Queue"] = change.group
    values: dict[str, Any] = {KEY_FIELD: f"{change.key} {change.intent}"}
    if change.tags_added or change.tags_removed:
        values[shape.tags_field] = list(change.tags)
    many = {item.id for item in fields.values() if len(item.values) > 1}
    values |= {str(key): value.split() if key in many else value for key, value in change.fields.items()}
    return {**body, "CustomFields": values | {str(key): [] for key in change.fields_cleared}}


def note_body(change: Change) -> dict[str, Any]:
    """The body of the comment that is our note, with its reference in a field of its own where the queue has that."""
    reference = {NOTE_FIELD: change.key[:SHORT_KEY]}
    return {"Content": change.note or "", "ContentType": "text/plain", "TxnCustomFields": reference}
