"""Sends public replies that a note announced, and the status after them, unless someone touches the ticket.

Each is one guarded single update with its own key and intent, and a ticket gets at most one of each: the helpdesk's
record is read before each attempt. In doubt nothing is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from ..core import reasons
from ..core.clock import moment_of, parse_iso
from ..core.errors import OutcomeUnknown, TicketError, TicketGone, UpdateConflict, UpdateRefused
from ..core.models import Change, Outcome, OutcomeStatus, StatusChange, Ticket
from ..helpdesk.protocol import Helpdesk
from ..helpdesk.ticket_history import Edit, History
from ..policy.skip_rules import ENDED_STATUSES
from ..state.records import ScheduledReply, Verdict
from ..tags import COMPLETE, key_of_stage, merge_tags, write_key
from .settlement import WRITE_ATTEMPTS, is_stable

if TYPE_CHECKING:
    from .context import Parts, RunChecks, RunOptions

TOO_LATE_S = 6 * 3600.0
"""Seconds; a reply or status that is this late is cancelled, since nobody expects it any more."""
STAGES = {"reply": "public_reply", "status": "public_status"}
"""The stage in each step's key."""


Record = Callable[[Outcome, Edit | None], None]
"""Records the outcome of a scheduled reply, and the helpdesk's record of it, in the receipts and the run's sums."""


def scheduled(outcome: Outcome, verdict: Verdict | None, recorded: Edit | None) -> ScheduledReply | None:
    """The public reply that a write announced in its note; ``None`` if it announced none."""
    change = outcome.change
    plan = None if verdict is None else verdict.decision.reply
    if plan is None or change is None or change.note is None or not outcome.written:
        return None
    return ScheduledReply(
        ticket_id=outcome.ticket_id,
        step="reply",
        plan=plan,
        key=change.key,
        at="" if recorded is None else recorded.at,
        tags=change.tags_before,
        priority=change.priority_before,
        group=change.group_before,
    )


class ReplySender:
    """Sends replies and statuses that are due, or cancels them; all of them if the settings want none. For one thread.

    In uncertain cases, such as a late record, it waits for the next run.
    """

    def __init__(self, desk: Helpdesk, parts: Parts, options: RunOptions, checks: RunChecks, record: Record) -> None:
        self._desk = desk
        self._state = parts.state
        self._audit = parts.audit
        self._policy = parts.policy
        self._selection = parts.selection
        self._options = options
        self._checks = checks
        self._record = record
        self._answers = parts.answers

    def send_due(self, waiting: Sequence[ScheduledReply]) -> None:
        """Send every reply and status that is due. Raises as other writes do."""
        if not self._answers.public:
            for reply in () if self._options.dry_run else waiting:
                self._cancel(reply, reasons.NOT_WANTED)
            return
        tickets = self._desk.fetch([reply.ticket_id for reply in waiting])
        for reply in waiting:
            self._checks.before_ticket()
            ticket = tickets.get(reply.ticket_id)
            if not isinstance(ticket, TicketError):
                with suppress(TicketError):  # the next run looks again
                    self._settle(reply, ticket)

    def _settle(self, reply: ScheduledReply, ticket: Ticket | None) -> None:
        for _ in range(WRITE_ATTEMPTS):
            if ticket is None:
                return self._cancel(reply, reasons.DELETED)
            history = self._history_if_due(reply, ticket)
            if history is None:
                return None
            found = history.find(write_key(ticket, STAGES[reply.step]))
            written = history.find(reply.key)
            if found is not None and written is not None and _before(found, written, history):
                return self._cancel(reply, reasons.REPLIED_BEFORE)
            if found is not None:
                return self._sent(reply, self._change(reply, ticket, found.intent), found, confirmed=True)
            why, certain = self._why_not(reply, ticket, history, written), self._certain(ticket, history)
            if why is not None and (certain or why == reasons.TOO_LATE):
                return self._cancel(reply, why)
            if not certain:
                return None
            change = self._change(reply, ticket, self._audit.new_intent())
            if self._options.dry_run:
                return self._record(self._outcome(OutcomeStatus.PLANNED, _reason(reply), change), None)
            self._checks.before_write()
            self._audit.intent(change)
            try:
                edit = self._desk.update(change)
            except (UpdateConflict, OutcomeUnknown):
                fresh = self._desk.fetch([reply.ticket_id]).get(reply.ticket_id)
                if isinstance(fresh, TicketError):
                    return None
                ticket = fresh
            except TicketGone as gone:
                return self._cancel(reply, str(gone))
            except UpdateRefused as refused:
                self._state.cancel_reply(reply.ticket_id)
                return self._record(self._outcome(OutcomeStatus.FAILED, str(refused), change), None)
            else:
                return self._sent(reply, change, edit)
        return None  # others keep changing the ticket; the next run finds out whether an attempt succeeded

    def _history_if_due(self, reply: ScheduledReply, ticket: Ticket) -> History | None:
        """The ticket's history if the reply is due by the helpdesk's own clock, else ``None``."""
        if reply.at and _waited(ticket, reply.at) < _delay(reply):
            return None
        history = self._desk.history(ticket.id)
        written = history.find(reply.key)
        due = self._certain(ticket, history) if written is None else _waited(ticket, written.at) >= _delay(reply)
        return history if due else None

    def _why_not(self, reply: ScheduledReply, ticket: Ticket, history: History, written: Edit | None) -> str | None:
        """Why it must not be sent, in a fixed word; ``written`` is our last write, if it is on record."""
        if written is None:
            return reasons.NOT_ON_RECORD
        if ticket.messaging:
            return reasons.MESSAGING
        if _waited(ticket, written.at) > _delay(reply) + TOO_LATE_S:
            return reasons.TOO_LATE
        if _touched(reply, ticket, history, written):
            return reasons.TOUCHED_SINCE
        if reply.step == "reply" or ticket.status in ENDED_STATUSES:
            left_alone = self._selection.left_alone(ticket)
        else:
            left_alone = self._selection.rules.reason(ticket)
        if left_alone is None and reply.step == "reply" and ticket.assignee is not None:
            left_alone = reasons.TAKEN
        if left_alone is not None:
            return left_alone
        return self._answers.objection(reply.plan, reply.step)

    def _certain(self, ticket: Ticket, history: History) -> bool:
        """True if this read of the ticket and its record show everything that happened."""
        newest = max((moment_of(edit.at) for edit in history.edits), default=0.0)
        return is_stable(ticket, self._options.stable_read_s) and parse_iso(ticket.updated_at) <= newest

    def _change(self, reply: ScheduledReply, ticket: Ticket, intent: str) -> Change:
        said = reply.plan.reply
        tags = ticket.tags
        closing = None
        if reply.step == "reply":
            tags = merge_tags(ticket.tags, [self._policy.replied])
        elif reply.plan.then is not None:
            closing = StatusChange(
                status=reply.plan.then, category=said.category, threshold=said.threshold, draft=said.draft
            )
        return Change(
            ticket_id=ticket.id,
            stamp=ticket.updated_at,
            tags=tags,
            tags_before=ticket.tags,
            tags_added=tuple(tag for tag in tags if tag not in ticket.tags),
            priority_before=ticket.priority,
            group_before=ticket.group,
            reply=said if reply.step == "reply" else None,
            closing=closing,
            key=write_key(ticket, STAGES[reply.step]),
            intent=intent,
        )

    def _sent(self, reply: ScheduledReply, change: Change, edit: Edit | None, *, confirmed: bool = False) -> None:
        internal = change.reply is not None and edit is not None and edit.comment == "internal"
        reason = reasons.STAYED_INTERNAL if internal else reasons.CONFIRMED if confirmed else _reason(reply)
        self._record(self._outcome(OutcomeStatus.UPDATED, reason, change), edit)
        if reply.step == "status" or reply.plan.then is None or internal:
            self._state.cancel_reply(reply.ticket_id)
            return
        follows = {
            "step": "status",
            "key": change.key,
            "at": "" if edit is None else edit.at,
            "tags": change.tags_before,
            "priority": change.priority_before,
            "group": change.group_before,
        }
        self._state.schedule_reply(reply.model_copy(update=follows))

    def _cancel(self, reply: ScheduledReply, why: str) -> None:
        """Cancel a reply: write the receipt, then change the state."""
        reason = f"{reasons.CANCELLED}_{why}"
        self._record(Outcome(ticket_id=reply.ticket_id, status=OutcomeStatus.SKIPPED, reason=reason), None)
        self._state.cancel_reply(reply.ticket_id)

    @staticmethod
    def _outcome(status: OutcomeStatus, reason: str, change: Change) -> Outcome:
        return Outcome(ticket_id=change.ticket_id, status=status, reason=reason, change=change, key=change.key)


def _reason(reply: ScheduledReply) -> str:
    return reasons.REPLIED if reply.step == "reply" else reasons.STATUS_SET


def _waited(ticket: Ticket, since: str) -> float:
    """Seconds since then by the helpdesk's own clock; very many for an invalid date."""
    return (ticket.read_at or 0.0) - moment_of(since)


def _delay(reply: ScheduledReply) -> float:
    return reply.plan.delay_s if reply.step == "reply" else reply.plan.then_s


def _before(edit: Edit, other: Edit, history: History) -> bool:
    return history.edits.index(edit) < history.edits.index(other)


def _touched(reply: ScheduledReply, ticket: Ticket, history: History, written: Edit) -> bool:
    """True if anything happened on the ticket besides its creation, our write and changes by the account's rules.

    People may triage it before our write; after it only our own completion may follow. Rules that comment or set a
    status count, since they have answered in our place. Follow-ups and tickets that agents opened count as touched.
    """
    place = history.edits.index(written)
    if ticket.follow_up:
        return True
    completion = key_of_stage(reply.key, COMPLETE)
    for number, edit in enumerate(history.edits):
        ours = bool(edit.key) and (number <= place or edit.key == completion)
        quiet = edit.way == "rules" and edit.comment is None and edit.status is None
        opened = edit.creation and edit.comment != "internal" and edit.author == ticket.requester
        if not (ours or quiet or opened):
            return True
    tags, priority, group = set(reply.tags), reply.priority, reply.group
    for edit in history.edits[place:]:
        tags = (tags | edit.tags_added) - edit.tags_removed
        priority = edit.priority[1] if edit.priority is not None else priority
        group = edit.group[1] if edit.group is not None else group
    return (set(ticket.tags), ticket.priority, ticket.group) != (tags, priority, group)
