"""What must never happen, judged from the helpdesk's own history after a story has ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.simulation.world import World
from ticket_processor.sandbox import Audit

ALLOWED_KEYS = frozenset({"tags", "priority", "comment", "safe_update", "updated_stamp", "metadata"})
PRIORITIES = frozenset({"urgent", "high", "normal", "low"})


def violations(world: World) -> list[str]:
    """One sentence for each broken promise; empty when all were kept."""
    found = [f"7 cursor: {sentence}" for sentence in world.cursors]
    for ticket_id, ticket in world.sandbox.store.tickets.items():
        found += [f"ticket {ticket_id}: {sentence}" for sentence in _of_ticket(world, ticket_id)]
        if not ticket.deleted and not world.is_settled(ticket_id):
            found.append(f"ticket {ticket_id}: 6 skipped: nobody has settled it")
    found += _resent_blindly(world)
    found += _fed_by_itself(world)
    found += _unaccounted(world)
    return found


def _of_ticket(world: World, ticket_id: int) -> Iterator[str]:
    ticket = world.sandbox.store.tickets[ticket_id]
    ours = world.our_writes(ticket_id)
    comments = [audit for audit in ours if audit.comment_public is not None]
    if len(comments) > 1:
        yield f"1 one comment: {len(comments)} notes of ours"
    if any(audit.comment_public for audit in ours):
        yield "2 public never: a note of ours is public"

    added: dict[str, bool] = {}
    priority: str | None = None
    for audit in sorted(ticket.audits, key=lambda item: item.at):
        if audit.actor == "person":
            added.update(dict.fromkeys(audit.tags_added, True))
            added.update(dict.fromkeys(audit.tags_removed, False))
            change = audit.change("priority")
            priority = change[1] if change and change[1] else priority
    for tag, wanted in added.items():
        if wanted and tag not in ticket.tags:
            yield f"3 human tags: {tag}, added by a person, is gone"
        if not wanted and tag in ticket.tags:
            yield f"3 human tags: {tag}, removed by a person, is back"
    if priority is not None and ticket.json["priority"] != priority:
        yield f"4 human priority: {priority} was overwritten with {ticket.json['priority']}"

    for audit in ours:
        strange = set(audit.raw_keys) - ALLOWED_KEYS
        if strange:
            yield f"5 only listed fields: {sorted(strange)} written"
        for name in ("status", "assignee_id", "group_id", "subject"):
            if audit.change(name):
                yield f"5 only listed fields: {name} changed"
        change = audit.change("priority")
        if change and change[1] not in PRIORITIES:
            yield f"5 only listed fields: priority {change[1]}"
        if audit.comment_public is None or not _marked(audit, added):
            yield "8 atomic: a write of ours lacks its note or its marker"
        if any(tag for tag in audit.tags_removed):
            yield f"3 human tags: our write removed {sorted(audit.tags_removed)}"
    for comment in world.sandbox.store.bot_comments(ticket_id):
        text = str(comment.get("html_body") or comment.get("body"))
        if "://" in text or "evil.example" in text or "{{" in text or "@" in text or "](" in text:
            yield "a note of ours holds a link, a mention or a placeholder"


def _marked(audit: Audit, by_people: Mapping[str, bool]) -> bool:
    """Our write carries its marker, unless a person had taken that off (a follow-up begins with one)."""
    return "ai_processed" in audit.raw.get("tags", ()) or by_people.get("ai_processed") is False


def _resent_blindly(world: World) -> Iterator[str]:
    """9: after a write whose end is unknown, the same run reads the ticket before it writes again."""
    unread: dict[tuple[str, int], bool] = {}
    for run, method, path, tickets, end in world.wire:
        for ticket_id in tickets:
            if method == "PUT":
                if unread.get((run, ticket_id)):
                    yield f"ticket {ticket_id}: 9 ambiguity: {run} wrote again without reading"
                clear = end == "200" or (end.startswith("4") and end != "408")
                unread[run, ticket_id] = not clear or end == "409"
            elif "show_many" in path and end == "200":
                unread[run, ticket_id] = False


def _fed_by_itself(world: World) -> Iterator[str]:
    """10: a run that began after our write on a ticket pays for no analysis of it."""
    for run, ticket_id, _ in world.model_calls:
        if any(audit.at < world.run_starts[run] for audit in world.our_writes(ticket_id)):
            yield f"ticket {ticket_id}: 10 self-feeding: {run} asked the model about a finished ticket"


def _unaccounted(world: World) -> Iterator[str]:
    """12, as far as this goes: no effect without an intent line."""
    intents = {line["intent"] for line in world.log if line["event"] == "intent"}
    for ticket_id in world.sandbox.store.tickets:
        for audit in world.our_writes(ticket_id):
            name = audit.custom.get("ticketbot", {}).get("intent")
            if name not in intents:
                yield f"ticket {ticket_id}: 12 audit: write {name} has no intent line"
