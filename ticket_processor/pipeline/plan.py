"""Plans the write on one ticket that has been read: a change to send, or the ticket's outcome. Sends nothing itself.

* After any doubt (409, timeout, 5xx, a failed item of a job, a crash) the ticket is read first. If the marker or key is
  on it, it is done. Otherwise the decision is merged again with what was read.
* A ticket is written only if the helpdesk's clock at the read was well past the ticket's stamp: stamps have whole
  seconds, so two edits within one second look the same.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

from ..audit.receipts import AuditLog
from ..core import reasons
from ..core.errors import MissingPart, RequestSkipped, TicketError
from ..core.models import Analysis, Change, Decision, Outcome, OutcomeStatus, Overwrite, TakenOff, Ticket
from ..helpdesk.protocol import Helpdesk
from ..helpdesk.ticket_history import History, Ours, overwritten
from ..policy.decide import Policy
from ..policy.decide import decide as by_policy
from ..policy.reanalysis import still_holds
from ..policy.skip_rules import Selection
from ..state.records import Verdict
from ..tags import NOT_OURS, merge
from .settlement import WRITE_ATTEMPTS, Settlement, changes_anything, incomplete, is_stable


class Triage:
    """The planner of a run: exactly once, and people win. ``selection`` says why a ticket is left alone."""

    def __init__(
        self,
        desk: Helpdesk,
        audit: AuditLog,
        policy: Policy,
        *,
        selection: Selection,
        stable_read_s: float,
        dry_run: bool = False,
        decide: Callable[[int, Analysis], Decision] | None = None,
    ) -> None:
        self._desk = desk
        self._audit = audit
        self.policy = policy
        self.selection = selection
        self._stable_read_s = stable_read_s
        self._dry_run = dry_run
        self._decide = decide or (lambda ticket_id, analysis: by_policy(ticket_id, analysis, policy))
        self._unknown_groups: set[int] = set()
        self._refused_fields: set[frozenset[tuple[int, str]]] = set()

    def revised(self, verdict: Verdict) -> Verdict:
        """An earlier run's verdict under the present settings, which may no longer want what was refused."""
        before = verdict.decision
        if not verdict.completes or verdict.puts_back or verdict.analysis is None:
            return verdict
        today = self._decide(verdict.ticket_id, verdict.analysis)
        parts = {
            "priority": today.priority if before.priority is not None else None,
            "group": today.group if before.group is not None else None,
            "fields": today.fields if before.fields else {},
        }
        return verdict.model_copy(update={"decision": before.model_copy(update=parts)})

    def plan(self, work: Settlement, ticket: Ticket | None) -> Change | Outcome:
        """See :class:`Planner`."""
        verdict, end = work.verdict, work.end
        if ticket is None:
            missing = reasons.DEFERRED if work.newborn else reasons.DELETED
            return end(OutcomeStatus.SKIPPED, missing, retry=work.newborn)
        read = cache(partial(self._desk.history, ticket.id))
        if verdict.follows and (blocked := self._refused_for_good(verdict.decision, ticket)):
            if (reason := self._why_leave_alone(verdict, ticket)) is not None:
                return end(OutcomeStatus.SKIPPED, reason)
            return end(OutcomeStatus.SKIPPED, incomplete((blocked,)), retry=True)
        # Only its key shows that a later write is done: the marker is on the ticket already.
        later = verdict.follows or bool(verdict.replaces)
        marked = self.marked(ticket) and not later
        clean = work.clean_stamp
        try:
            if later or marked or self.may_hold_our_write(ticket, clean):
                history = read()
                found = history.find(verdict.key, verdict.earlier_key) if later else history.triaged(verdict.key)
                ours = next((change for change in work.sent if found and change.intent == found.intent), None)
                if found is not None and ours is not None:
                    lacking = work.found(found, ours, ticket).dropped and verdict.completes
                    if work.attempts or not lacking or overwritten(found, ours):
                        return work.written(reasons.CONFIRMED, ours)
                    work.recorded = found = None  # an earlier run's completion lacks a part: it is made again
                if found is None and marked and not self.stable(ticket):
                    # The ticket is marked, but the record, which may be late, does not say by whom.
                    return end(OutcomeStatus.SKIPPED, reasons.DEFERRED, retry=True)
                if found is None and marked and not work.sent:
                    if not history.born_with(self.policy.marker):
                        return end(OutcomeStatus.SKIPPED, reasons.MARKED_BY_OTHERS)
                    marked = False
                marked = marked or found is not None
            if marked:
                return end(OutcomeStatus.SKIPPED, reasons.ALREADY_DONE)
            if (reason := self._why_leave_alone(verdict, ticket)) is not None:
                return end(OutcomeStatus.SKIPPED, reason)
            if verdict.unchanged_at and ticket.updated_at != verdict.unchanged_at:
                return end(OutcomeStatus.SKIPPED, reasons.CHANGED_SINCE)
            gone = not set(verdict.replaces) <= set(ticket.tags)
            if gone or ((verdict.replaces or verdict.anew) and read().judged(ticket.tags)):
                return end(OutcomeStatus.SKIPPED, reasons.JUDGED)
            if verdict.decision.reason == reasons.ONLY_THANKS and not still_holds(
                verdict.decision, ticket, read(), self.policy
            ):
                return end(OutcomeStatus.SKIPPED, reasons.THANKS_OVERTAKEN)
            work.clean_stamp = ticket.updated_at
            if not self.stable(ticket):
                return end(OutcomeStatus.SKIPPED, reasons.DEFERRED, retry=True)
            change = self._merge(work, ticket, read, known=bool(read.cache_info().currsize))
        except RequestSkipped as error:
            return end(OutcomeStatus.SKIPPED, str(error), retry=True)
        except TicketError as error:
            return end(OutcomeStatus.FAILED, str(error), retry=True, failed_at="audits")
        if work.attempts >= WRITE_ATTEMPTS:
            return end(OutcomeStatus.FAILED, work.doubt, retry=True, failed_at="update")
        if later and not changes_anything(change):
            if work.without:
                return end(OutcomeStatus.SKIPPED, incomplete(work.without), retry=work.without != {"note"})
            return end(OutcomeStatus.SKIPPED, reasons.NOTHING_NEW)
        return end(OutcomeStatus.PLANNED, verdict.decision.reason, change) if self._dry_run else change

    def _merge(self, work: Settlement, ticket: Ticket, read: Callable[[], History], *, known: bool) -> Change:
        """The change; ``known``: the ticket's history has been read already, so that it costs nothing."""
        decision = work.verdict.decision
        # A follow-up begins with its original's tags; what a person took off a ticket stays off.
        seen_before = ticket.follow_up or work.verdict.follows or self.may_lack_on_purpose(ticket, decision)
        taken_off = work.taken_off if ticket.updated_at == work.taken_off_at else None
        if taken_off is None and (seen_before or known):
            taken_off = read().taken_off(ticket)
            work.taken_off, work.taken_off_at = taken_off, ticket.updated_at
        unwanted = taken_off or TakenOff()
        if work.verdict.puts_back and decision.tags_removed:
            # A tag that a person has put back since belongs to that person.
            off = read().ours().tags.intersection(decision.tags_removed)
            decision = decision.model_copy(update={"tags_removed": tuple(sorted(off))})
        intent = self._audit.new_intent()

        def merged(ours: Ours = NOT_OURS) -> Change:
            return merge(
                ticket,
                decision,
                key=work.verdict.key,
                intent=intent,
                unwanted=unwanted,
                ours=ours,
                without=work.without,
            )

        change = merged()
        if _may_be_replaced(decision, change, ticket) and self.may_hold_our_write(ticket, None):
            history = read()
            change = merged(history.last_written() if work.verdict.puts_back else history.ours())
        if change.group in self._unknown_groups:
            work.without.add("group")
            change = change.model_copy(update={"group": None})
        if change.fields and frozenset(decision.fields.items()) in self._refused_fields:
            work.without.add("fields")
            kept = tuple(decision.fields)
            change = change.model_copy(update={"fields": {}, "fields_replaced": (), "fields_kept": kept})
        return change.model_copy(update={"puts_back": True}) if work.verdict.puts_back else change

    def _why_leave_alone(self, verdict: Verdict, ticket: Ticket) -> str | None:
        """Why a ticket is left alone. A repair is made even on tickets that are otherwise left to people."""
        return self.selection.repair_left_out(ticket) if verdict.puts_back else self.selection.left_alone(ticket)

    def _refused_for_good(self, decision: Decision, ticket: Ticket) -> str | None:
        """The only part of a completion, if it is unset and known to be refused; else ``None``."""
        if decision.tags or decision.tags_removed or decision.note or decision.priority is not None:
            return None
        if ticket.group is not None or not ticket.fields.keys().isdisjoint(decision.fields):
            return None
        group = decision.group in self._unknown_groups
        fields = frozenset(decision.fields.items()) in self._refused_fields
        if (decision.group is None or group) and (not decision.fields or fields):
            return "group" if group else "fields" if fields else None
        return None

    def refused(self, work: Settlement, change: Change, part: MissingPart) -> bool:
        """See :class:`Planner`."""
        work.without.add(part)
        work.doubt = f"the helpdesk refuses the {part}"
        if part == "group" and change.group is not None:
            self._unknown_groups.add(change.group)
        if part == "fields":
            self._refused_fields.add(frozenset(work.verdict.decision.fields.items()))
        rest = change.model_copy(update={"fields": {}} if part == "fields" else {part: None})
        return changes_anything(rest)

    def marked(self, ticket: Ticket) -> bool:
        """True if the marker tag is ours. A follow-up ticket inherits it from the ticket it was made from."""
        return self.policy.marker in ticket.tags and not ticket.follow_up

    def may_hold_our_write(self, ticket: Ticket, clean_stamp: str | None) -> bool:
        """False if it is certain, without a request, that no write of ours is on the ticket.

        We write at the earliest the stable-read margin after a ticket's last change, so a ticket that has not changed
        since its creation has no write of ours.
        """
        return ticket.updated_at != clean_stamp and ticket.seconds_to_last_change >= self._stable_read_s

    def may_lack_on_purpose(self, ticket: Ticket, decision: Decision) -> bool:
        """True if a person may have removed what we are about to set: one of their own tags, or a value."""
        theirs = any(not tag.startswith(self.policy.tag_prefix) for tag in decision.tags)
        cleared = decision.priority is not None and ticket.priority is None
        wanted = theirs or cleared or decision.group is not None or bool(decision.fields)
        return ticket.seconds_to_last_change > 0 and wanted

    def stable(self, ticket: Ticket) -> bool:
        """See :func:`is_stable`."""
        return is_stable(ticket, self._stable_read_s)


def _may_be_replaced(decision: Decision, change: Change, ticket: Ticket) -> bool:
    """True if the change depends on which values are our own."""
    bot_set = Overwrite.BOT_SET
    fields = any(_differs(decision.fields[key], ticket.fields.get(key)) for key in change.fields_kept)
    return (
        (decision.priority_overwrite is bot_set and _differs(decision.priority, change.priority_before))
        or (decision.group_overwrite is bot_set and _differs(decision.group, change.group_before))
        or (decision.fields_overwrite is bot_set and fields)
    )


def _differs(wanted: object, current: object) -> bool:
    return wanted is not None and current is not None and wanted != current
