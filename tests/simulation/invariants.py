"""What must never happen, judged from the helpdesk's own history after a story has ended."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from ticket_processor.core.models import Ticket
from ticket_processor.core.reasons import MARKED_BY_OTHERS, MEANINGS
from ticket_processor.pipeline import job_trust
from ticket_processor.policy.reanalysis import anew_key
from ticket_processor.sandbox.store import Audit, StoredTicket

from .troubles import REPEATED_S
from .world import AREAS, ARTICLE, CONVERSATIONS, World

ALLOWED_KEYS = frozenset(
    {"id", "tags", "priority", "group_id", "custom_fields", "comment", "safe_update", "updated_stamp", "metadata"}
)
MOST_SECONDS = 540.0 + 60.0
"""A run's deadline, and what the call may take that is under way then."""
ON_THE_WAY_S = 8.0
"""An edit that moves no stamp cannot be noticed between the read and the write."""
_EXPLAINED = re.compile("|".join(re.sub("[A-Z_]+$", ".+", reason) for reason in MEANINGS))
PRIORITIES = frozenset({"urgent", "high", "normal", "low"})


def violations(world: World) -> list[str]:
    """One sentence for each broken promise; empty when all were kept."""
    found = [f"7 cursor: {sentence}" for sentence in world.cursors]
    poison = world.mishaps.quiet_poison
    found += [f"ticket {number}: 6 skipped: nothing names it" for number in poison if not _named(world, number)]
    for ticket_id, ticket in world.sandbox.store.tickets.items():
        found += [f"ticket {ticket_id}: {sentence}" for sentence in _of_ticket(world, ticket_id)]
        if not ticket.deleted and not world.is_settled(ticket_id) and ticket_id not in poison:
            found.append(f"ticket {ticket_id}: 6 skipped: nobody has settled it")
    found += _marked_at_birth(world)
    found += _denied(world)
    found += _resent_blindly(world)
    found += _fed_by_itself(world)
    found += _unaccounted(world)
    found += _too_long(world)
    found += _trusted_after_all(world)
    found += _told_of_the_end(world)
    found += _without_meaning(world)
    found += _trimmed_in_silence(world)
    return found


def of_tickets(world: World, judge: Callable[[StoredTicket], Iterator[str]]) -> list[str]:
    """One sentence for each promise that was broken on a ticket, which it names."""
    tickets = world.sandbox.store.tickets.items()
    return [f"ticket {number}: {sentence}" for number, ticket in tickets for sentence in judge(ticket)]


def touches(world: World, write: Audit) -> Iterator[Audit]:
    """What people had done on the ticket before a write of ours that a run could notice."""
    for edit in world.sandbox.store.history:
        if edit.ticket_id != write.ticket_id or edit.at >= write.at or edit.actor != "person":
            continue
        unstamped = edit.comment is None and edit.at > write.at - ON_THE_WAY_S and world.mishaps.silent
        if edit.visible and not unstamped:
            yield edit


def _of_ticket(world: World, ticket_id: int) -> Iterator[str]:
    ticket = world.sandbox.store.tickets[ticket_id]
    ours = world.our_writes(ticket_id)
    unguarded = world.mishaps.unguarded
    yield from _written_once(world, ticket, ours, unguarded)
    if ours and ticket.json["via"]["channel"] in CONVERSATIONS:
        yield "21 messaging: a conversation was triaged by its subject"
    if any(audit.comment_public for audit in ours):
        yield "2 public never: a note of ours is public"

    added: dict[str, bool] = {}
    priority: str | None = None
    filled: dict[str, object] = {}
    # What moved no stamp, or is not on record, is people's all the same.
    history = [audit for audit in world.sandbox.store.history if audit.ticket_id == ticket_id]
    for audit in sorted(history, key=lambda item: item.at):
        if audit.actor == "person":
            if (audit.tags_added | audit.tags_removed) & set(AREAS):
                # Who chooses a value of a drop-down, or none, gives up the others, and their tags.
                for tag in AREAS:
                    added.pop(tag, None)
            added.update(dict.fromkeys(audit.tags_added, True))
            added.update(dict.fromkeys(audit.tags_removed, False))
            change = audit.values.get("priority")
            priority = change[1] if change and change[1] else priority
            filled.update(_filled_in(audit))
    if unguarded and (ticket.deleted or any(audit.values.get("status", ("", ""))[1] == "closed" for audit in history)):
        return  # nobody can put anything back there
    # Nor can what somebody set and emptied while an unguarded job was on its way: it was not there when it was read.
    passed = world.mishaps.ignores_stamps
    on_record = [audit for audit in history if audit.visible and audit.actor == "person"]
    for tag, wanted in added.items():
        if wanted and tag not in ticket.tags:
            yield f"3 human tags: {tag}, added by a person, is gone"
        traced = any(tag in audit.tags_added | audit.tags_removed for audit in on_record) and not passed
        if not wanted and tag in ticket.tags and (traced or tag not in AREAS):
            yield f"3 human tags: {tag}, removed by a person, is back"
    if priority is not None and ticket.json["priority"] != priority:
        yield f"4 human priority: {priority} was overwritten with {ticket.json['priority']}"

    now = {"group_id": ticket.json["group_id"], **{str(item["id"]): item["value"] for item in ticket.json["fields"]}}
    for name, value in filled.items():
        # What came and went without a record leaves no trace that anybody could heed.
        traced = any((audit.values.get(name) or (None, None))[1] for audit in on_record) and not passed
        if now[name] != value and (traced or value is not None):
            yield f"4 human fields: {name}, set to {value} by a person, is {now[name]}"

    for audit in ours:
        strange = set(audit.raw) - ALLOWED_KEYS
        if strange:
            yield f"5 only listed fields: {sorted(strange)} written"
        for name in ("status", "assignee_id", "subject"):
            if audit.values.get(name):
                yield f"5 only listed fields: {name} changed"
        change = audit.values.get("priority")
        if change and change[1] not in PRIORITIES:
            yield f"5 only listed fields: priority {change[1]}"
        for name, value in _filled_in(audit).items():
            before = (audit.values.get(name) or (None,))[0]
            if before is not None and not unguarded:
                yield f"4 human fields: {name} was {before}, and our write made it {value}"
        for field in audit.raw.get("custom_fields", ()):
            if (str(field["id"]), field["value"]) not in _filled_in(audit).items() and not unguarded:
                yield f"8 atomic: field {field['id']} was sent, and did not come to hold {field['value']}"
        first = audit is ours[0]
        noted = audit.comment_public is not None or world.mishaps.no_room
        if first and not (noted and _marked(audit, added)):
            yield "8 atomic: a write of ours lacks its note or its marker"
        foreign = set(audit.tags_removed).difference(*(set(earlier.tags_added) for earlier in _before(audit, ours)))
        if foreign and not unguarded:
            yield f"3 human tags: our write removed {sorted(foreign)}"
    for comment in world.sandbox.store.bot_comments(ticket_id):
        text = str(comment.get("html_body") or comment.get("body")).replace(ARTICLE, "")
        if "://" in text or "evil.example" in text or "{{" in text or "@" in text or "](" in text:
            yield "a note of ours holds a link, a mention or a placeholder"


def _named(world: World, ticket_id: int) -> bool:
    """Whether the log says what became of a ticket, if there is such a ticket."""
    there = world.sandbox.store.living(ticket_id) is not None
    open_still = there and world.sandbox.store.tickets[ticket_id].json["status"] in ("new", "open")
    return not open_still or any(line["event"] == "ticket" and line["ticket_id"] == ticket_id for line in world.log)


def _key(audit: Audit) -> str:
    return str(audit.custom["ticketbot"]["key"]) if "ticketbot" in audit.custom else ""


def _written_once(world: World, ticket: StoredTicket, ours: Sequence[Audit], unguarded: bool) -> Iterator[str]:
    """1: one write with a note, one more where rules had answered, one for each answer of the customer and each time
    that somebody asked; each judged by nobody before. What was refused at first may be completed, without a note."""
    keys = [_key(audit) for audit in ours]
    moment = ticket.json["created_at"]
    itself = Ticket(id=ticket.id, created_at=moment, updated_at=moment)
    asked_for = {anew_key(itself, run) for run, tickets in world.asked.items() if ticket.id in tickets}
    if len(set(keys)) < len(keys):
        yield f"1 one comment: {len(keys)} writes of ours under {len(set(keys))} keys"
    for later in ours[1:]:
        earlier = _before(later, ours)
        if _completes(later) or ((unguarded or world.mishaps.drops) and later.comment_public is None):
            continue
        answered = any(number == ticket.id and at < later.at for number, at in world.answered)
        answered = answered or _key(later) in asked_for
        if not any("ai_fallback" in audit.tags_added for audit in earlier) and not answered:
            yield "1 one comment: a second look at what a model had answered"
        ourselves = set().union(*(audit.tags_added for audit in earlier))
        for audit in ticket.audits:
            # A drop-down's tag goes with its field, which nobody touches again; the labels are what is judged.
            judged = set(audit.tags_removed) & ourselves.difference(AREAS)
            if (
                audit.actor == "person"
                and ours[0].at <= audit.at < later.at
                and judged - set(_back(audit, later, ticket))
                and not unguarded
            ):
                yield f"3 human tags: a second look although a person had taken off {sorted(judged)}"
    notes = sum(audit.comment_public is not None for audit in ours)
    answers = sum(number == ticket.id for number, _ in world.answered) + len(asked_for)
    second_looks = any("ai_fallback" in audit.tags_added for audit in ours)
    if notes > 1 + second_looks + answers:
        yield f"1 one comment: {notes} notes of ours after {answers} answers of the customer"


def _before(audit: Audit, ours: Sequence[Audit]) -> list[Audit]:
    return [earlier for earlier in ours if earlier.at < audit.at]


def _completes(audit: Audit) -> bool:
    """A later write that only fills in what was refused at first."""
    return audit.comment_public is None and not audit.tags_removed and set(audit.tags_added) <= set(AREAS)


def _back(removal: Audit, later: Audit, ticket: StoredTicket) -> Iterator[str]:
    """Tags that were put back by a person between their removal and a later write of ours."""
    for audit in ticket.audits:
        if audit.actor == "person" and removal.at <= audit.at < later.at:
            yield from audit.tags_added


def _filled_in(audit: Audit) -> dict[str, object]:
    """The group and the custom fields that a change set; one that it emptied counts as nobody's."""
    return {name: now for name, (_, now) in audit.values.items() if name == "group_id" or name.isdecimal()}


def _marked(audit: Audit, by_people: Mapping[str, bool]) -> bool:
    """Our write carries its marker, unless a person had taken that off (a follow-up begins with one)."""
    return "ai_processed" in audit.raw.get("tags", ()) or by_people.get("ai_processed") is False


def _marked_at_birth(world: World) -> Iterator[str]:
    """6: no follow-up is left alone for the marker that it inherited."""
    for line in world.log:
        if line["event"] == "ticket" and line["reason"] == MARKED_BY_OTHERS:
            ticket = world.sandbox.store.tickets[line["ticket_id"]]
            inherited = ticket.json["via"].get("source", {}).get("rel") == "follow_up"
            if inherited and not any("ai_processed" in audit.tags_added for audit in ticket.audits[1:]):
                yield f"ticket {ticket.id}: 6 skipped: {line['run_id']} took it for one that others have marked"


def _without_meaning(world: World) -> Iterator[str]:
    """What is left alone has a reason that the documentation explains."""
    for line in world.log:
        if line["event"] == "ticket" and line["outcome"] == "skipped" and not _EXPLAINED.fullmatch(line["reason"]):
            yield f"ticket {line['ticket_id']}: no page explains the reason {line['reason']}"


def _trimmed_in_silence(world: World) -> Iterator[str]:
    """8: a write that came without its tags or its priority is told, unless a person gave it the same priority."""
    told = {line["ticket_id"] for line in world.log if line["event"] == "alert" and line["what"] == "trimmed"}
    audits = {audit.custom.get("ticketbot", {}).get("intent"): audit for audit in world.sandbox.store.history}
    for line in world.log:
        if line["event"] != "ticket" or line["outcome"] != "updated":
            continue
        sent, audit, ticket_id = line["change"], audits.get(line["intent"]), line["ticket_id"]
        if audit is None:
            continue
        lost = sent["tags_added"] and audit.values.get("tags") is None
        priority = sent["priority"]["to"]
        if sent["priority"]["from"] != priority and audit.values.get("priority") is None:
            history = [edit for edit in world.sandbox.store.history if edit.ticket_id == ticket_id]
            by_people = [edit.values.get("priority") for edit in history if edit.actor == "person"]
            lost = lost or priority not in [change[1] for change in by_people if change]
        if lost and ticket_id not in told:
            yield f"ticket {ticket_id}: 8 trimmed: nothing tells that a write lost a part"


def _denied(world: World) -> Iterator[str]:
    """6: no ticket that is there is taken for deleted."""
    for line in world.log:
        if line["event"] == "ticket" and line["reason"] == "deleted":
            ticket = world.sandbox.store.tickets.get(line["ticket_id"])
            if ticket is not None and not ticket.deleted:
                yield f"ticket {ticket.id}: 6 skipped: {line['run_id']} took it for deleted"


def _resent_blindly(world: World) -> Iterator[str]:
    """9: after a write whose end is unknown, the same run reads the ticket before it writes again."""
    unread: dict[tuple[str, int], bool] = {}
    for run, method, path, tickets, end in world.wire:
        for ticket_id in tickets:
            if method == "PUT":
                if unread.get((run, ticket_id)):
                    yield f"ticket {ticket_id}: 9 ambiguity: {run} wrote again without reading"
                # What became of a job's items is not known before they are read.
                clear = (end == "200" and "update_many" not in path) or (end.startswith("4") and end != "408")
                unread[run, ticket_id] = not clear or end == "409"
            elif "show_many" in path and end == "200":
                unread[run, ticket_id] = False


def _fed_by_itself(world: World) -> Iterator[str]:
    """10: a run that began after our write on a ticket (so long after that no row of the export is older) pays for no
    analysis of it, unless it takes a second look or the customer has said more since."""
    for run, ticket_id, _ in world.model_calls:
        earlier = [audit for audit in world.our_writes(ticket_id) if audit.at < world.run_starts[run]]
        before = [audit for audit in earlier if audit.at < world.run_starts[run] - REPEATED_S]
        second_look = run in world.second_looks and any("ai_fallback" in audit.tags_added for audit in earlier)
        answered = any(number == ticket_id and before and at > before[0].at for number, at in world.answered)
        answered = answered or ticket_id in world.asked.get(run, ())
        # Of a ticket that is deleted at that very moment nobody can read any more that it was done.
        gone = world.sandbox.store.tickets[ticket_id].deleted
        if before and not second_look and not answered and not gone:
            yield f"ticket {ticket_id}: 10 self-feeding: {run} asked the model about a finished ticket"


def _unaccounted(world: World) -> Iterator[str]:
    """12: no effect without an intent line before it and a line after it that says how it ended."""
    intents = {line["intent"]: place for place, line in enumerate(world.log) if line["event"] == "intent"}
    ends = Counter({line["ticket_id"]: place for place, line in enumerate(world.log) if line["event"] == "ticket"})
    for ticket_id in world.sandbox.store.tickets:
        for audit in world.our_writes(ticket_id):
            name = audit.custom.get("ticketbot", {}).get("intent")
            if name not in intents:
                yield f"ticket {ticket_id}: 12 audit: write {name} has no intent line"
            elif world.keeps_state and ends[ticket_id] < intents[name]:
                yield f"ticket {ticket_id}: 12 audit: write {name} has no line that says how it ended"


def _trusted_after_all(world: World) -> Iterator[str]:
    """13: once an item of a job was written over an edit that it was not merged from, and some run has said what became
    of that ticket, no later run uses jobs."""
    passed = [
        (audit.ticket_id, audit.at)
        for audit in world.sandbox.store.history
        if audit.actor == "api" and audit.raw.get("updated_stamp") not in (None, audit.stamp_before)
        if set(audit.tags_removed)
        - {tag for earlier in world.our_writes(audit.ticket_id) for tag in earlier.tags_added}
    ]
    for ticket_id, at in passed[:1]:
        told = [line["run_id"] for line in world.log if line["event"] == "alert" and line.get("ticket_id") == ticket_id]
        known = min((world.run_starts[run] for run in told), default=None)
        if known is None:
            continue
        for run, method, path, _tickets, _end in world.wire:
            if method == "PUT" and "update_many" in path and world.run_starts[run] > max(known, at):
                yield f"13 trust: {run} used jobs after one had written over a person's edit on ticket {ticket_id}"
                return


def _told_of_the_end(world: World) -> Iterator[str]:
    """13: a run that finds stamps to guard no longer says so by its exit code, unless something worse ended it."""
    if not world.mishaps.guard_ended:
        return
    why = (job_trust.PASSED_OVER, job_trust.STALE_DONE)
    told = {line["run_id"] for line in world.log if line.get("why") in why}
    for end in world.ends:
        if not isinstance(end, str) and end.run_id in told and not end.exit_code:
            yield f"13 trust: {end.run_id} found that stamps guard no longer, and ended with 0"


def _too_long(world: World) -> Iterator[str]:
    """19: every run ends by its own deadline, whatever hangs."""
    for run, seconds in world.durations.items():
        if seconds > MOST_SECONDS:
            yield f"19 deadline: {run} took {seconds:.0f} s"
