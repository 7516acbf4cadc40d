"""What must never happen on Freshdesk, and how often what nothing can prevent there did happen.

Judged from the sandbox's own record of every change, which no answer of the API shows. What a person changes between
the last view of a ticket and our update may be lost; it is counted, and never more than that is excused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from ticket_processor.sandbox.freshdesk_store import LOW, NOTE
from ticket_processor.sandbox.store import BOT_ID, Audit

from .freshdesk_world import FIELDS, OPEN, FreshdeskWorld
from .invariants import _too_long, _without_meaning
from .troubles import REPEATED_S

ALLOWED_KEYS = frozenset({"tags", "priority", "group_id", "custom_fields", "body", "private"})
NOTED = re.compile(r"Ref (tb-[0-9a-f]{8})")
VALUES = ("priority", "group_id", *FIELDS.values())


def violations(world: FreshdeskWorld) -> list[str]:
    """One sentence for each broken promise; empty when all were kept."""
    found = [f"7 cursor: {sentence}" for sentence in world.cursors] + world.left_behind
    for ticket_id in world.tickets:
        found += [f"ticket {ticket_id}: {sentence}" for sentence in _of_ticket(world, ticket_id)]
    found += _unaccounted(world)
    found += _fed_by_itself(world)
    found += _too_long(world)
    found += _without_meaning(world)
    return found


def losses(world: FreshdeskWorld) -> Counter[str]:
    """What was lost in the gap between view and update, and how many updates there were."""
    counted: Counter[str] = Counter()
    for ticket_id, ticket in world.tickets.items():
        for edit in world.our_writes(ticket_id):
            late = edit.at - _seen_at(world, edit) > 5.0
            counted["updates"] += 1
            gone, back, values = _in_the_gap(world, ticket.audits, edit)
            what = "by an update that came late" if late else "in the gap"
            counted[f"tags of others lost {what}"] += len(gone)
            counted[f"tags put back {what}"] += len(back)
            counted[f"values of others replaced {what}"] += len(values)
    return counted


def notes_deleted(world: FreshdeskWorld) -> int:
    """Notes of ours that were deleted, because the rest of their write was not to be made."""
    edits = world.sandbox.store.history
    return sum(edit.author_id == BOT_ID and _noted(edit, "deleted") for edit in edits)


def _noted(edit: Audit, how: str) -> bool:
    return edit.comment is not None and edit.comment_was == how


def _of_ticket(world: FreshdeskWorld, ticket_id: int) -> Iterator[str]:
    ticket = world.tickets[ticket_id]
    notes = [edit for edit in ticket.audits if edit.author_id == BOT_ID and _noted(edit, "created")]
    for edit in ticket.audits:
        if (
            edit.author_id == BOT_ID
            and edit.comment is not None
            and (edit.comment_public or edit.comment["source"] != NOTE)
        ):
            yield "2 public never: something of ours is public"
        if edit.author_id == BOT_ID and (strange := set(edit.raw) - ALLOWED_KEYS):
            yield f"5 only listed fields: {sorted(strange)} written"
    references = Counter(NOTED.findall(" ".join(str(edit.raw.get("body")) for edit in notes)))
    deleted = sum(edit.author_id == BOT_ID and _noted(edit, "deleted") for edit in ticket.audits)
    # A note of which nothing is known any more, and whose reference somebody has overwritten, is no note of ours.
    forgotten = not world.keeps_state and any(_noted(edit, "edited") for edit in ticket.audits)
    for reference, times in references.items():
        if times > 1 + deleted + forgotten:
            yield f"1 one note: {times} notes of ours under {reference}"
    updates = world.our_writes(ticket_id)
    answers = sum(number == ticket_id for number, _ in world.answered)
    answers += sum(ticket_id in tickets for tickets in world.asked.values())
    second = any("ai_fallback" in edit.tags_added for edit in updates)
    if len(notes) - deleted > 1 + second + answers + forgotten:
        yield f"1 one note: {len(notes)} notes of ours, {deleted} deleted, after {answers} answers of the customer"
    for edit in updates:
        yield from _overwritten(world, ticket.audits, edit)
    first = updates[0] if updates else None
    if first is not None and "ai_processed" not in first.raw["tags"]:
        yield "8 marker: our first update lacks its marker"
    if first is not None and not any(note.at <= first.at for note in notes):
        yield "8 order: an update came before its note"
    living = world.sandbox.store.living(ticket_id) is not None and ticket.json["status"] == OPEN
    if living and not updates and ticket_id not in world._explained and ticket_id not in world.mishaps.quiet_poison:
        yield "6 skipped: nobody has settled it"
    left = [row for row in world.sandbox.store.bot_notes(ticket_id) if row["last_edited_user_id"] is None]
    there = world.sandbox.store.living(ticket_id) is not None
    if left and not updates and there and world.keeps_state and ticket_id not in world.mishaps.quiet_poison:
        yield "8 whole: a note of ours is there, and nothing else of the write"


def _overwritten(world: FreshdeskWorld, edits: list[Audit], write: Audit) -> Iterator[str]:
    """3, 4: what our update took from people although the view before it had shown it."""
    gone, back, values = _in_the_gap(world, edits, write)
    meant_gone, meant_added, meant = _meant(world, write)
    if foreign := set(write.tags_removed) - meant_gone - gone:
        yield f"3 human tags: our update removed {sorted(foreign)}"
    if foreign := set(write.tags_added) - meant_added - back:
        yield f"3 human tags: our update put {sorted(foreign)} back"
    if world.keeps_state and (taken := _taken_off(edits, write, _seen_at(world, write))):
        yield f"3 human tags: {sorted(taken)}, which a person took off, is back"
    for name in VALUES:
        before, after = write.values.get(name, (None, None))
        if before == after or name in values:
            continue
        setter = next((edit for edit in reversed(edits) if edit.at < write.at and name in edit.values), None)
        by_a_person = setter is not None and setter.actor == "person"
        if name not in meant:
            yield f"4 human values: {name} changed from {before} to {after}, which no line of the log tells"
        elif name != "priority" and before is not None and (setter is None or setter.author_id != BOT_ID):
            yield f"4 human values: {name} was {before}, and our update made it {after}"
        elif name == "priority" and by_a_person and not _low_in_silence(world, edits, write):
            yield f"4 human values: priority {before} of a person became {after}"
    for name in ("status", "responder_id", "subject"):
        if name in write.values:
            yield f"5 only listed fields: {name} changed"


def _in_the_gap(world: FreshdeskWorld, edits: list[Audit], write: Audit) -> tuple[set[str], set[str], set[str]]:
    """What our update undid of what others did since the ticket was viewed: tags gone, tags back, values."""
    seen = _seen_at(world, write)
    between = [edit for edit in edits if seen <= edit.at <= write.at and edit.author_id != BOT_ID]
    added = set().union(*(edit.tags_added for edit in between))
    removed = set().union(*(edit.tags_removed for edit in between))
    values = {name for edit in between for name in edit.values if name in write.values and name != "tags"}
    return added & write.tags_removed, removed & write.tags_added, values


def _seen_at(world: FreshdeskWorld, write: Audit) -> float:
    """When the view was that came before the request of our update, which may have taken effect much later."""
    asked = max((at for at, ticket in world.puts if ticket == write.ticket_id and at <= write.at), default=write.at)
    return max((at for at, ticket in world.views if ticket == write.ticket_id and at <= asked), default=0.0)


def _meant(world: FreshdeskWorld, write: Audit) -> tuple[set[str], set[str], set[str]]:
    """Tags and values that some line of the log announced for this ticket."""
    gone: set[str] = set()
    added: set[str] = set()
    values: set[str] = set()
    for line in world.log:
        if line["event"] == "intent" and line["ticket_id"] == write.ticket_id:
            change: dict[str, Any] = line["change"]
            gone.update(change["tags_removed"])
            added.update(change["tags_added"])
            values |= {"priority"} if change["priority"]["from"] != change["priority"]["to"] else set()
            values |= {"group_id"} if change["group"]["from"] != change["group"]["to"] else set()
            values |= {FIELDS[int(number)] for number in change["fields"] if int(number) in FIELDS}
    return gone, added, values


def _taken_off(edits: list[Audit], write: Audit, seen: float) -> set[str]:
    """Tags of an update that we had put on before and that a person had taken off when the ticket was viewed."""
    ours: set[str] = set()
    gone: set[str] = set()
    for edit in edits:
        if edit.at >= seen:
            break
        if edit.author_id == BOT_ID:
            ours |= edit.tags_added
            gone -= edit.tags_added | edit.tags_removed
        else:
            gone = (gone | (ours & edit.tags_removed)) - edit.tags_added
    return gone & write.tags_added


def _low_in_silence(world: FreshdeskWorld, edits: list[Audit], write: Audit) -> bool:
    """Whether a person set the lowest priority, and neither took the ticket nor wrote on it.

    That cannot be told from a ticket that nobody has touched.
    """
    earlier = [edit for edit in edits if edit.at < _seen_at(world, write)]
    spoke = any(edit.actor == "person" and edit.comment is not None for edit in earlier)
    taken = any(edit.values.get("responder_id") for edit in earlier)
    return write.values["priority"][0] == LOW and not spoke and not taken


def _unaccounted(world: FreshdeskWorld) -> Iterator[str]:
    """12: no effect without an intent line before it, and a line after it that says how it ended."""
    for ticket_id in world.tickets:
        effects = [edit for edit in world.tickets[ticket_id].audits if edit.author_id == BOT_ID]
        intents = [
            place
            for place, line in enumerate(world.log)
            if line["event"] == "intent" and line["ticket_id"] == ticket_id
        ]
        ends = [
            place
            for place, line in enumerate(world.log)
            if line["event"] == "ticket" and line["ticket_id"] == ticket_id
        ]
        if effects and not intents:
            yield f"ticket {ticket_id}: 12 audit: an effect has no intent line"
        elif effects and world.keeps_state and (not ends or ends[-1] < intents[-1]):
            yield f"ticket {ticket_id}: 12 audit: no line says how the last write ended"
        written = any(world.log[place]["outcome"] in ("updated", "suggested") for place in ends)
        if world.keeps_state and world.our_writes(ticket_id) and not written:
            yield f"ticket {ticket_id}: 12 audit: no line tells of our update"


def _fed_by_itself(world: FreshdeskWorld) -> Iterator[str]:
    """10: no run pays for a ticket that carried our update long before it began."""
    for run, ticket_id, _ in world.model_calls:
        earlier = [edit for edit in world.our_writes(ticket_id) if edit.at < world.run_starts[run]]
        before = [edit for edit in earlier if edit.at < world.run_starts[run] - REPEATED_S]
        second_look = run in world.second_looks and any("ai_fallback" in edit.tags_added for edit in earlier)
        noted = [edit.at for edit in world.tickets[ticket_id].audits if edit.author_id == BOT_ID]
        # Stamps have whole seconds, so an answer in the same second is taken for a later one.
        answered = any(number == ticket_id and before and int(at) >= int(noted[0]) for number, at in world.answered)
        answered = answered or ticket_id in world.asked.get(run, ())
        stripped = any("ai_processed" in edit.tags_removed for edit in world.tickets[ticket_id].audits)
        gone = world.tickets[ticket_id].deleted or world.tickets[ticket_id].spam
        unknown = not world.keeps_state and (stripped or not world.sandbox.store.rules.tags_in_lists)
        if before and not (second_look or answered or gone or unknown):
            yield f"ticket {ticket_id}: 10 self-feeding: {run} asked the model about a finished ticket"
