"""What must never happen in stories with public replies: the amendments to the promises 2, 4 and 5."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from ticket_processor.sandbox.store import Audit, StoredTicket
from ticket_processor.tags import COMPLETE, key_of_stage

from . import invariants
from .reply_world import ReplyWorld

REPLY_KEYS = {"tags", "safe_update", "updated_stamp", "metadata", "comment"}
STATUS_KEYS = {"tags", "safe_update", "updated_stamp", "metadata", "status"}


def violations(world: ReplyWorld) -> list[str]:
    """One sentence for each broken promise; empty when all were kept."""
    return invariants.violations(world) + invariants.of_tickets(world, partial(_of_ticket, world))


def _of_ticket(world: ReplyWorld, ticket: StoredTicket) -> Iterator[str]:
    shown = world.shown_writes(ticket.id)
    replies = [audit for audit in shown if audit.comment_public]
    statuses = [audit for audit in shown if "status" in audit.raw or audit.values.get("status")]
    if len(replies) > 1 or len(statuses) > 1:
        yield f"2 public: {len(replies)} public replies and {len(statuses)} changes of the status"
    if set(map(id, replies)) & set(map(id, statuses)):
        yield "5 status: a reply and a status in one call"
    for audit in shown:
        yield from _accounted(world, ticket, audit)
        if audit.tags_removed or audit.values.get("priority") or audit.values.get("group_id"):
            yield "3 human values: a public reply, or a status, changed something else"
    for audit in replies:
        if not world.is_said(_run_of(world, audit)):
            yield "2 public: a reply that its article no longer said"
        announced = [earlier for earlier in world.our_writes(ticket.id) if earlier.at < audit.at]
        announced = [earlier for earlier in announced if earlier.comment_public is False]
        if not announced:
            yield "2 public: a reply that no note has announced"
            continue
        yield from _in_order(world, ticket, audit, announced[-1], world.delay_s, "2 public: a reply")
        if set(audit.raw) - REPLY_KEYS:
            yield f"5 only listed fields: {sorted(set(audit.raw) - REPLY_KEYS)} with a reply"
    for audit in statuses:
        if set(audit.raw) - STATUS_KEYS:
            yield f"5 only listed fields: {sorted(set(audit.raw) - STATUS_KEYS)} with a status"
        earlier = [reply for reply in replies if reply.at < audit.at]
        if not earlier:
            yield "5 status: changed without a reply of ours"
            continue
        yield from _in_order(world, ticket, audit, earlier[-1], world.then_s, "5 status: changed")
        change = audit.values.get("status")
        if change is None or change[1] != world.then:
            yield f"5 status: set to {change and change[1]}, and {world.then} was asked for"


def _in_order(
    world: ReplyWorld, ticket: StoredTicket, audit: Audit, behind: Audit, delay_s: float, what: str
) -> Iterator[str]:
    """Late enough, and on a ticket that nobody has touched."""
    if int(audit.at) - int(behind.at) < delay_s - 1:
        yield f"{what} after {audit.at - behind.at:.0f} s instead of {delay_s:.0f} s"
    for edit in invariants.touches(world, audit):
        if edit is not ticket.audits[0]:
            yield f"{what} although a person had touched the ticket {audit.at - edit.at:.0f} s before"
    allowed = {_key(behind), key_of_stage(_key(behind), COMPLETE), _key(audit)}
    for edit in world.our_writes(ticket.id):
        if behind.at < edit.at < audit.at and _key(edit) not in allowed:
            yield f"{what} although we had written on the ticket since"


def _accounted(world: ReplyWorld, ticket: StoredTicket, audit: Audit) -> Iterator[str]:
    """An intent that names category, threshold and draft stands in the log, and so does the end."""
    intent = audit.custom.get("ticketbot", {}).get("intent")
    lines = [line for line in world.log if line["event"] == "intent" and line["intent"] == intent]
    if len(lines) != 1:
        yield f"12 audit: {len(lines)} intent lines of a write that customers see"
        return
    said: Mapping[str, Any] = lines[0]["change"].get("reply" if audit.comment_public else "close") or {}
    plan = world.plans.get(said.get("draft", ""))
    if plan is None or (said["category"], said["threshold"]) != (plan.reply.category, plan.reply.threshold):
        yield "12 audit: the intent names no category, threshold and draft"
    elif audit.comment_public:
        sent = audit.raw["comment"]["html_body"]
        words = html.unescape(re.sub(r"</?(?:p|a)\b[^>]*>", "", sent).replace("<br>", "\n"))
        if hashlib.sha256(words.encode()).hexdigest() != said["draft"] or "{{" in sent:
            yield "2 public: the reply is not the draft that was decided"
    ended = any(
        line["event"] == "ticket" and line["outcome"] == "updated" and line["intent"] == intent for line in world.log
    )
    # What was sent by the last run that knew of it may have died with that run's end.
    last = max(world.run_starts.values())
    if world.keeps_state and not ended and not ticket.deleted and audit.at < last:
        yield "12 audit: no line says how a write that customers see has ended"


def _run_of(world: ReplyWorld, audit: Audit) -> str:
    """The run that sent this."""
    intent = audit.custom.get("ticketbot", {}).get("intent")
    return next((line["run_id"] for line in world.log if line.get("intent") == intent), "")


def _key(audit: Audit) -> str:
    return str(audit.custom.get("ticketbot", {}).get("key", ""))


def sent_in(world: ReplyWorld) -> dict[str, int]:
    """How much of what these stories are about has happened."""
    shown = [audit for number in world.sandbox.store.tickets for audit in world.shown_writes(number)]
    reasons = [str(line["reason"]) for line in world.log if line["event"] == "ticket"]
    return {
        "public replies": sum(bool(audit.comment_public) for audit in shown),
        "statuses behind them": sum(not audit.comment_public for audit in shown),
        "replies cancelled for a touch": sum(reason == "reply_cancelled_touched" for reason in reasons),
        "replies cancelled otherwise": sum(
            reason.startswith("reply_cancelled") and not reason.endswith(("_touched", "_articles_changed"))
            for reason in reasons
        ),
        "replies cancelled for a changed article": sum(
            reason == "reply_cancelled_articles_changed" for reason in reasons
        ),
        "replies confirmed by reading": sum(
            line["event"] == "ticket"
            and line["reason"] == "confirmed_by_reading"
            and bool((line["change"] or {}).get("reply") or (line["change"] or {}).get("close"))
            for line in world.log
        ),
    }
