"""Merging what a ticket holds with what is wanted. Pure functions; a person's work always survives them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence

from .models import Change, Decision, Priority, TakenOff, Ticket

_NOT_IN_A_TAG = re.compile(r"[^a-z0-9_]+")
MAX_TAG_LENGTH = 60
_NOTHING = TakenOff()


def tag(*parts: str) -> str:
    """One tag in the only alphabet that every helpdesk keeps as it is: ``[a-z0-9_]``, at most 60 characters."""
    joined = _NOT_IN_A_TAG.sub("_", "_".join(parts).lower()).strip("_")
    return joined[:MAX_TAG_LENGTH].rstrip("_")


def merge_tags(current: Sequence[str], add: Iterable[str], remove: Iterable[str] = ()) -> tuple[str, ...]:
    """The whole list after the change: current tags in their order, ours behind them.

    Only tags named in ``remove`` go, and never one that is also in ``add``. Spelling of foreign tags is kept.
    Merging twice gives the same as merging once.
    """
    added = [item for item in dict.fromkeys(add) if item]
    gone = set(remove).difference(added)
    kept = [item for item in dict.fromkeys(current) if item not in gone]
    there = set(kept)
    return (*kept, *(item for item in added if item not in there))


def merge_priority(current: Priority | None, wanted: Priority | None) -> Priority | None:
    """The priority to write, or ``None`` to leave it alone: a value that is there already stays."""
    return wanted if current is None else None


def merge_group(current: int | None, wanted: int | None) -> int | None:
    """The group to write, or ``None`` to leave it alone: a group that is there already stays."""
    return wanted if current is None else None


def merge_fields(current: Mapping[int, str], wanted: Mapping[int, str]) -> dict[int, str]:
    """The custom fields to write: those of ``wanted`` that are empty."""
    return {key: value for key, value in wanted.items() if key not in current}


def write_key(ticket: Ticket, stage: str = "triage") -> str:
    """The in-band key of our one write for this version of the ticket.

    The version is the first message, which people cannot edit in passing (subject, tags and fields they can).
    It needs no secret and no state, so that any run on any machine, even one that lost its state folder,
    recognises the write: customers cannot put metadata on a ticket.
    """
    version = "\0".join((stage, str(ticket.id), ticket.created_at, ticket.description))
    return hashlib.sha256(version.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def reference(key: str) -> str:
    """The short form of a key that a person sees in the note."""
    return f"tb-{key[:8]}"


def merge(ticket: Ticket, decision: Decision, *, key: str, intent: str = "", unwanted: TakenOff = _NOTHING) -> Change:
    """Exactly what to send, from a decision and the ticket as it is now; nothing that is ``unwanted``.

    A drop-down's value is a tag as well: whoever took that tag off emptied the field.
    """
    wanted = [item for item in decision.tags if item not in unwanted.tags]
    tags = merge_tags(ticket.tags, wanted, decision.tags_removed)
    before = set(ticket.tags)
    emptied = unwanted.fields.union(key for key, value in decision.fields.items() if value in unwanted.tags)
    fields = merge_fields(ticket.fields, {key: value for key, value in decision.fields.items() if key not in emptied})
    note = None if decision.note is None else f"{decision.note}\nRef {reference(key)}"
    return Change(
        ticket_id=ticket.id,
        stamp=ticket.updated_at,
        tags=tags,
        tags_before=ticket.tags,
        tags_added=tuple(item for item in tags if item not in before),
        tags_removed=tuple(item for item in ticket.tags if item not in tags),
        priority_before=ticket.priority,
        priority=merge_priority(ticket.priority, decision.priority),
        group_before=ticket.group,
        group=None if unwanted.group else merge_group(ticket.group, decision.group),
        fields=fields,
        fields_kept=tuple(key for key in decision.fields if key not in fields),
        note=note,
        key=key,
        intent=intent,
    )
