"""Decides whether a ticket needs work: when it is listed, and again when it has been read for a write.

:class:`Selector` answers with the work to analyse, or with an outcome without any: a ticket that is done, given up, too
old or handled by a person needs no work; one that is not due needs none yet. :class:`Triage` answers with the change to
send, or the ticket's outcome. It sends nothing itself:

* After any doubt (409, timeout, 5xx, a failed item of a job, a crash) the ticket is read first. If the marker or key is
  on it, it is done. Otherwise the decision is merged again with what was read.
* A ticket is written only if the helpdesk's clock at the read was well past the ticket's stamp: stamps have whole
  seconds, so two edits within one second look the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from functools import cache, partial

from ..analysis.text.outgoing import leaving_line
from ..audit.receipts import AuditLog
from ..core import reasons
from ..core.clock import parse_iso
from ..core.errors import MissingPart, RequestSkipped, TicketError
from ..core.models import Change, Decision, Outcome, OutcomeStatus, ReplySeen, TakenOff, Ticket
from ..core.service_times import in_words
from ..helpdesk.protocol import Helpdesk
from ..helpdesk.ticket_history import History, Ours, overwritten
from ..policy.decide import Mode, Policy
from ..policy.reanalysis import (
    STAGE,
    anew_key,
    our_labels,
    reopened_by_thanks,
    reply_to,
    still_holds,
    still_ours,
    with_answers,
)
from ..policy.skip_rules import Selection
from ..state.records import Retry, Verdict
from ..state.store import State
from ..tags import NOT_OURS, earlier_key, merge, write_key
from .settlement import WRITE_ATTEMPTS, Settlement, changes_anything, incomplete, is_stable, may_be_replaced

KNOWN = (reasons.ALREADY_DONE, reasons.DEAD_LETTER, reasons.DROPPED, reasons.OLDER_THAN_SINCE)
"""Reasons that get no line in the log when a ticket is listed again, since nothing is new."""

_LONGEST_DUE = 120
"""Characters of a note's line on a service time, which has the name of a policy."""


@dataclass(frozen=True)
class Work:
    """A ticket to analyse, with the key of the write it will get (``earlier_key``: that of earlier versions).

    ``replaces`` are the tags of our earlier write, if this is a second look, a ``reply``, or was asked for ``anew``.
    ``is_new`` is false if an earlier run has seen the ticket. ``taken_off`` is what people had taken off, if known.
    ``from_webhook``: a webhook has just named it, so it may have changed too recently to be written. ``thanks``: the
    customer only says thanks, which needs no analysis.
    """

    ticket: Ticket
    key: str
    replaces: tuple[str, ...] = ()
    is_new: bool = True
    reply: bool = False
    anew: bool = False
    earlier_key: str = ""
    taken_off: TakenOff | None = None
    from_webhook: bool = False
    thanks: bool = False
    customer_reply: ReplySeen | None = None


class Selector:
    """Decides for the tickets of one run, created after ``since`` (Unix seconds). Used by one thread.

    An :class:`Outcome` with ``retry`` keeps the ticket for a later run. ``replies``: customers' answers to our writes
    are work, too. The head start of people does not apply to tickets ``at_once``.
    """

    def __init__(
        self, desk: Helpdesk, state: State, triage: Triage, since: float, *, replies: bool, at_once: Collection[int]
    ) -> None:
        self._desk = desk
        self._state = state
        self._triage = triage
        self._since = since
        self._replies = replies
        self._at_once = at_once
        self._keeps_solved = triage.policy.thanks_keep_solved is not Mode.OFF
        self.reads_answers = replies or self._keeps_solved
        """True if a customer's answer may make work on a ticket that is done."""
        self._dead: frozenset[int] = frozenset()
        self._dropped: frozenset[int] = frozenset()

    def learn(self, retries: Iterable[Retry]) -> None:
        """Store which tickets are given up or dropped."""
        self._dead = frozenset(item.ticket_id for item in retries if item.dead)
        self._dropped = self._state.dropped()

    def given_up(self, ticket_id: int) -> bool:
        """True if the ticket is a dead letter, or a person took it off the retry list."""
        return ticket_id in self._dead or ticket_id in self._dropped

    def look_at(
        self, ticket: Ticket, *, retried: bool = False, anew: str | None = None, ours: tuple[str, ...] | None = None
    ) -> Work | Outcome:
        """Work for a ticket's first write or for its customer's answer, or the outcome.

        ``retried``: however old the ticket is. ``anew``: a person asked to triage it again in the run of that id,
        whatever was written on it. ``ours`` are the tags that rules alone put on it, for a second look.
        """
        try:
            if ours is not None:
                return self._second_look(ticket, ours)
            return self._once_more(ticket, anew) if anew else self._work_on(ticket, retried=retried)
        except RequestSkipped as error:
            return skipped(ticket.id, str(error), retry=True)
        except TicketError as error:
            failed = OutcomeStatus.FAILED
            return Outcome(ticket_id=ticket.id, status=failed, reason=str(error), retry=True, failed_at="audits")

    def _work_on(self, ticket: Ticket, *, retried: bool) -> Work | Outcome:
        key = write_key(ticket)
        history = cache(partial(self._desk.history, ticket.id))
        reason = self.reason_to_skip(ticket, key, history, retried=retried)
        if reason is None:
            # The history was read already, to search for our write.
            taken_off = history().taken_off(ticket) if self._triage.may_hold_our_write(ticket, None) else None
            return Work(ticket, key, is_new=not retried, taken_off=taken_off)
        answer = self._answer(ticket, history) if reason == reasons.ALREADY_DONE else None
        return answer or skipped(ticket.id, reason, key=key, retry=reason == reasons.WAITING)

    def _once_more(self, ticket: Ticket, run_id: str) -> Work | Outcome:
        if (reason := self._left_alone(ticket, retried=True)) is not None:
            return skipped(ticket.id, reason)
        history = self._desk.history(ticket.id)
        if history.judged(ticket.tags):
            return skipped(ticket.id, reasons.JUDGED)
        heard = with_answers(ticket, history) if self._replies else ticket
        ours = our_labels(ticket, history, self._triage.policy)
        return Work(heard, anew_key(ticket, run_id), ours, is_new=False, anew=True)

    def _second_look(self, ticket: Ticket, ours: tuple[str, ...]) -> Work | Outcome:
        if (reason := self._triage.selection.left_alone(ticket)) is not None:
            return skipped(ticket.id, reason)
        if not still_ours(ticket, ours, self._triage.policy):
            return skipped(ticket.id, reasons.JUDGED)
        heard = with_answers(ticket, self._desk.history(ticket.id)) if self._replies else ticket
        return Work(heard, write_key(ticket, STAGE), ours, is_new=False, earlier_key=earlier_key(ticket, STAGE))

    def reason_to_skip(self, ticket: Ticket, key: str, history: Callable[[], History], *, retried: bool) -> str | None:
        """Why a ticket needs no first write, or none yet; ``None`` if it does. ``history`` is read in doubt only."""
        if self._state.is_done(ticket.id):
            return reasons.ALREADY_DONE
        marked = self._triage.marked(ticket)
        if (reason := self._left_alone(ticket, retried=retried)) is not None:
            return reasons.ALREADY_DONE if marked and reason not in (*KNOWN, reasons.WAITING) else reason
        if not marked and not self._triage.may_hold_our_write(ticket, None):
            return None
        if (triaged := history().triaged(key)) is not None:
            # Another installation wrote it, or this one before it lost its state.
            self._state.remember_done(ticket.id, triaged.intent.rpartition("-")[0], triaged.key)
            return reasons.ALREADY_DONE
        return reasons.MARKED_BY_OTHERS if marked and not history().born_with(self._triage.policy.marker) else None

    def _left_alone(self, ticket: Ticket, *, retried: bool) -> str | None:
        """Why a ticket is left alone although it may not be done, as far as is known without a request."""
        if ticket.id in self._dead:
            return reasons.DEAD_LETTER
        if ticket.id in self._dropped:
            return reasons.DROPPED
        if not retried and parse_iso(ticket.created_at) < self._since:
            return reasons.OLDER_THAN_SINCE
        if (reason := self._triage.selection.reason(ticket)) is not None:
            return reason
        waits = self._triage.selection.must_wait(ticket) and ticket.id not in self._at_once
        return reasons.WAITING if waits else None

    def _answer(self, ticket: Ticket, history: Callable[[], History]) -> Work | Outcome | None:
        """Work for the customer's answer since a ticket was done, or its outcome; ``None`` if there is no answer."""
        if not self.reads_answers or self.given_up(ticket.id) or self._triage.selection.reason(ticket) is not None:
            return None
        reply = reply_to(ticket, history(), self._triage.policy)
        if reply is None or self._state.last_key(ticket.id) == reply.key:
            return None
        work = Work(
            reply.ticket,
            reply.key,
            reply.ours,
            is_new=False,
            reply=True,
            earlier_key=reply.earlier_key,
            customer_reply=reply.seen,
        )
        if self._keeps_solved and reopened_by_thanks(ticket, history()):
            return replace(work, ticket=ticket, replaces=(), thanks=True)
        if not self._replies:
            return None
        judged = skipped(ticket.id, reasons.JUDGED, key=reply.key)
        return judged.model_copy(update={"customer_reply": reply.seen}) if reply.judged else work


def skipped(ticket_id: int, reason: str, *, key: str | None = None, retry: bool = False) -> Outcome:
    """The outcome of a ticket that needs no work, or with ``retry`` none yet."""
    status = OutcomeStatus.SKIPPED
    return Outcome(ticket_id=ticket_id, status=status, reason=reason, key=None if retry else key, retry=retry)


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
        decide: Callable[..., Decision],
    ) -> None:
        self._desk = desk
        self._audit = audit
        self.policy = policy
        self.selection = selection
        self._stable_read_s = stable_read_s
        self._dry_run = dry_run
        self._decide = decide
        self._unknown_groups: set[int] = set()
        self._refused_fields: set[frozenset[tuple[int, str]]] = set()

    def revised(self, verdict: Verdict) -> Verdict:
        """An earlier run's verdict under the present settings, which may no longer want what was refused."""
        before = verdict.decision
        if not verdict.completes or verdict.puts_back or verdict.analysis is None:
            return verdict
        today = self._decide(verdict.ticket_id, verdict.analysis, due_soon=verdict.due_soon)
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
        # A repair is made even on tickets that are otherwise left to people.
        left_alone = self.selection.repair_left_out if verdict.puts_back else self.selection.left_alone
        if verdict.follows and (blocked := self._refused_for_good(verdict.decision, ticket)):
            if (reason := left_alone(ticket)) is not None:
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
            if (reason := left_alone(ticket)) is not None:
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
        if decision.note and (due := in_words(work.verdict.service_times, ticket.read_at)):
            head, *rest = decision.note.split("\n")
            decision = decision.model_copy(update={"note": "\n".join((head, leaving_line(due, _LONGEST_DUE), *rest))})
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
        if may_be_replaced(decision, change, ticket) and self.may_hold_our_write(ticket, None):
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
