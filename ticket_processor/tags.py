"""Merges a ticket's values with the wanted ones. Pure functions; they never undo a person's work."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

from .analysis.text.outgoing import told
from .core.errors import MissingPart
from .core.models import Change, Decision, Overwrite, Priority, TakenOff, Ticket
from .helpdesk.ticket_history import SHORT_KEY, Ours

_NOT_IN_A_TAG = re.compile(r"[^a-z0-9_]+")
MAX_TAG_LENGTH = 60
_NOTHING = TakenOff()
NOT_OURS = Ours()
_NO_FIELDS: Mapping[int, str] = MappingProxyType({})
Value = TypeVar("Value")


def tag(*parts: str) -> str:
    """One tag in the only alphabet that every helpdesk keeps as it is: ``[a-z0-9_]``, at most 60 characters."""
    joined = _NOT_IN_A_TAG.sub("_", "_".join(parts).lower()).strip("_")
    return joined[:MAX_TAG_LENGTH].rstrip("_")


def merge_tags(current: Sequence[str], add: Iterable[str], remove: Iterable[str] = ()) -> tuple[str, ...]:
    """The whole list after the change: current tags in their order, then ours.

    Only tags in ``remove`` go, and never one that is also in ``add``. The spelling of other tags is kept.
    Merging twice gives the same result as merging once.
    """
    added = [item for item in dict.fromkeys(add) if item]
    gone = set(remove).difference(added)
    kept = [item for item in dict.fromkeys(current) if item not in gone]
    there = set(kept)
    return (*kept, *(item for item in added if item not in there))


def merge_value(
    current: Value | None, wanted: Value | None, overwrite: Overwrite = Overwrite.NEVER, ours: Value | None = None
) -> Value | None:
    """The value to write, or ``None`` to leave the current one.

    A current value stays unless ``overwrite`` allows replacing it: ``bot-set`` if it is still the value that we set
    (``ours``), ``always`` in any case.
    """
    if wanted is None or wanted == current:
        return None
    may = overwrite is Overwrite.ALWAYS or (overwrite is Overwrite.BOT_SET and ours is not None and ours == current)
    return wanted if current is None or may else None


def merge_fields(
    current: Mapping[int, str],
    wanted: Mapping[int, str],
    overwrite: Overwrite = Overwrite.NEVER,
    ours: Mapping[int, str] = _NO_FIELDS,
) -> dict[int, str]:
    """The custom fields to write, each by the rule of :func:`merge_value`."""
    merged = {key: merge_value(current.get(key), value, overwrite, ours.get(key)) for key, value in wanted.items()}
    return {key: value for key, value in merged.items() if value is not None}


def write_key(ticket: Ticket, stage: str = "triage") -> str:
    """The key, stored on the ticket, of our one write of this stage.

    It is made from values that cannot change; even the first message may be redacted by an agent. It needs no secret
    and no state, so that any run on any machine, even one that lost its state folder, recognises the write. Customers
    cannot put metadata on a ticket.
    """
    return _digest(stage, str(ticket.id), ticket.created_at)


def earlier_key(ticket: Ticket, stage: str = "triage") -> str:
    """The key that earlier versions gave the same write; it depends on the first message as it was then."""
    return _digest(stage, str(ticket.id), ticket.created_at, ticket.description)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


COMPLETE, REPAIR = "complete", "repair"
"""Stages of writes that follow a first one: to add what was refused of it, and to restore what it took from people."""


def key_of_stage(key: str, stage: str) -> str:
    """The key of a later write that follows the one with ``key``; ``stage`` names its purpose."""
    return hashlib.sha256(f"{key}\0{stage}".encode()).hexdigest()[:32]


def reference(key: str) -> str:
    """The short form of a key that a person sees in the note."""
    return f"tb-{key[:SHORT_KEY]}"


def merge(
    ticket: Ticket,
    decision: Decision,
    *,
    key: str,
    intent: str = "",
    unwanted: TakenOff = _NOTHING,
    ours: Ours = NOT_OURS,
    without: Collection[MissingPart] = (),
) -> Change:
    """The change to send: the decision merged into the ticket as it is now, without what is ``unwanted``.

    ``ours`` are the values that our own writes set, ``without`` the parts that the helpdesk is known to refuse.
    A drop-down's value is also a tag: a person who takes that tag off has emptied the field.
    """
    wanted = [item for item in decision.tags if item not in unwanted.tags]
    tags = merge_tags(ticket.tags, wanted, decision.tags_removed)
    before = set(ticket.tags)
    emptied = unwanted.fields.union(key for key, value in decision.fields.items() if value in unwanted.tags)
    fields = merge_fields(
        ticket.fields,
        {key: value for key, value in decision.fields.items() if key not in emptied and "fields" not in without},
        decision.fields_overwrite,
        ours.fields,
    )
    # Another group could cost an assigned ticket its assignee.
    taken = ticket.assignee is not None and ticket.group is not None
    group = None if unwanted.group or taken or "group" in without else decision.group
    settled = unwanted.priority or "priority" in without or _lowers(ticket, decision)
    priority = None if settled else decision.priority
    # Without the note, what it announces is not done either.
    noted = "note" not in without
    note = None if decision.note is None or not noted else told(decision.note, f"\nRef {reference(key)}")
    return Change(
        ticket_id=ticket.id,
        stamp=ticket.updated_at,
        tags=tags,
        tags_before=ticket.tags,
        tags_added=tuple(item for item in tags if item not in before),
        tags_removed=tuple(item for item in ticket.tags if item not in tags),
        priority_before=ticket.priority,
        priority=merge_value(ticket.priority, priority, decision.priority_overwrite, ours.priority),
        group_before=ticket.group,
        group=merge_value(ticket.group, group, decision.group_overwrite, ours.group),
        fields=fields,
        fields_replaced=tuple(key for key in fields if key in ticket.fields),
        fields_kept=tuple(key for key in decision.fields if key not in fields),
        note=note,
        closing=decision.closing if noted else None,
        key=key,
        intent=intent,
        escalated=decision.escalated,
        offered=decision.offered if noted else None,
    )


def _lowers(ticket: Ticket, decision: Decision) -> bool:
    """True if the decision would lower a priority that it may only raise."""
    order = list(Priority)
    return (
        decision.priority_raises_only
        and decision.priority is not None
        and ticket.priority is not None
        and order.index(decision.priority) > order.index(ticket.priority)
    )
