"""A Freshdesk ticket's history, put together from what there is: Freshdesk keeps no record of who changed what.

It is made of the ticket as it is, its conversations, and our own writes as the state keeps them. What differs between
the end of one write and the beginning of the next, or from the ticket as it is, others have changed in between: when
and who is not known. Pure functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from ..core.clock import iso, parse_iso
from ..core.models import Change, Priority, Ticket
from ..state.records import KeptWrite
from .freshdesk_format import Conversation
from .ticket_history import SHORT_KEY, Edit, History, changed

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
