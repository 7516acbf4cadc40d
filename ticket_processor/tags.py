"""Merging tags and priority: theirs now, ours wanted. Pure functions; a person's work always survives them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence

from .models import Change, Decision, Priority, Ticket

_NOT_IN_A_TAG = re.compile(r"[^a-z0-9_]+")
MAX_TAG_LENGTH = 60


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


def merge(
    ticket: Ticket, decision: Decision, *, key: str, intent: str = "", unwanted: frozenset[str] = frozenset()
) -> Change:
    """Exactly what to send, from a decision and the ticket as it is now; never a tag that is ``unwanted``."""
    tags = merge_tags(ticket.tags, (item for item in decision.tags if item not in unwanted))
    before = set(ticket.tags)
    note = None if decision.note is None else f"{decision.note}\nRef {reference(key)}"
    return Change(
        ticket_id=ticket.id,
        stamp=ticket.updated_at,
        tags=tags,
        tags_before=ticket.tags,
        tags_added=tuple(item for item in tags if item not in before),
        priority_before=ticket.priority,
        priority=merge_priority(ticket.priority, decision.priority),
        note=note,
        key=key,
        intent=intent,
    )
