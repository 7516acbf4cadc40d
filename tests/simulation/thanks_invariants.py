"""What must never happen in stories with thanks: the amendments to the promises 1, 5 and 12."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ticket_processor.policy.decide import Mode
from ticket_processor.sandbox.store import Audit, StoredTicket

from . import invariants
from .thanks_world import ThanksWorld

KEYS = {"tags", "safe_update", "updated_stamp", "metadata", "comment"}


def violations(world: ThanksWorld) -> list[str]:
    """One sentence for each broken promise; empty when all were kept."""
    return invariants.violations(world) + invariants.of_tickets(world, partial(_of_ticket, world))


def _of_ticket(world: ThanksWorld, ticket: StoredTicket) -> Iterator[str]:
    writes = world.thanks_writes(ticket.id)
    said = world.thanks.get(ticket.id, [])
    if len(writes) > len(said):
        yield f"1 one comment: {len(writes)} writes for {len(said)} thanks"
    for audit in writes:
        applied = audit.raw.get("status")
        if applied != ("solved" if world.mode is Mode.APPLY else None):
            yield f"5 status: {applied} was sent, and the settings say {world.mode}"
        if (
            set(audit.raw) - KEYS - {"status" if applied else "id"}
            or audit.tags_added
            or audit.tags_removed
            or audit.values.get("priority")
        ):
            yield "3 human values: a write for thanks changed something else"
        if audit.comment_public is not False:
            yield "5 status: changed without an internal note"
        behind = [at for at in said if at < audit.at]
        if not behind:
            yield "5 status: nobody had said thanks"
            continue
        for edit in invariants.touches(world, audit):
            if edit.at > behind[-1]:
                ago = audit.at - edit.at
                yield f"5 status: a person had touched the ticket {ago:.0f} s before our write for thanks"
        yield from _accounted(world, audit)


def _accounted(world: ThanksWorld, audit: Audit) -> Iterator[str]:
    """An intent that names the status stands in the log."""
    intent = audit.custom.get("ticketbot", {}).get("intent")
    lines = [line for line in world.log if line["event"] == "intent" and line["intent"] == intent]
    if len(lines) != 1 or lines[0]["change"].get("status") != audit.raw.get("status"):
        yield "12 audit: no intent line names the write for thanks, and its status"
    ended = [line for line in world.log if line["event"] == "ticket" and line["ticket_id"] == audit.ticket_id]
    if world.keeps_state and lines and not any(world.log.index(line) > world.log.index(lines[0]) for line in ended):
        yield "12 audit: no line says how a write for thanks has ended"


def thanked_in(world: ThanksWorld) -> dict[str, int]:
    """How much of what these stories are about has happened."""
    writes = [audit for number in world.sandbox.store.tickets for audit in world.thanks_writes(number)]
    overtaken = sum(line["event"] == "ticket" and line["reason"] == "thanks_overtaken" for line in world.log)
    return {
        "thanks": sum(map(len, world.thanks.values())),
        "tickets solved again": sum("status" in audit.raw for audit in writes),
        "notes that suggest it": sum("status" not in audit.raw for audit in writes),
        "thanks overtaken": overtaken,
    }
