"""Plans the write on one ticket that has been read: a change to send, or the ticket's end. Sends nothing itself.

* After any doubt (409, timeout, 5xx, a failed item of a job, a crash) the ticket is read first. Marker or key there:
  done. Otherwise it is merged anew from what was read.
* A read is written on only if the helpdesk's clock had moved well past the ticket's stamp, because stamps have
  whole seconds: two edits within one second look the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from ..audit.receipts import AuditLog
from ..core import reasons
from ..core.errors import CannotRun, MissingPart, NotePublished, RequestSkipped, TicketError
from ..core.models import Change, Decision, Outcome, OutcomeStatus, Overwrite, Request, TakenOff, Ticket
from ..core.taxonomy import Taxonomy
from ..helpdesk.protocol import Helpdesk
from ..helpdesk.ticket_history import Edit, History, Ours, Overwritten
from ..policy.decide import Policy, decide
from ..policy.skip_rules import Selection
from ..state.store import FollowUp, Open, Verdict
from ..tags import COMPLETE, NOT_OURS, REPAIR, key_of_stage, merge

WRITE_ATTEMPTS = 3


@dataclass(eq=False)
class Settlement:
    """One verdict on its way to its end.

    ``clean_stamp`` is an ``updated_at`` at which no write of ours was on the ticket. ``doubt`` is why it is not done
    after all those ``attempts``. ``alone`` asks for a single update, whose answer says what is wrong. ``without`` are
    parts that the helpdesk has refused. ``recorded`` is our write as the helpdesk has it on record, where it
    told that. ``in_doubt_until`` is how long a job may still write what was sent (Unix seconds). ``read_at`` is when
    the ticket was read that the last change was merged from, by the helpdesk's clock. ``taken_off`` is what people had
    taken off when ``updated_at`` was ``taken_off_at``, where that was read.
    """

    verdict: Verdict
    begun: float
    sent: list[Change] = field(default_factory=list)
    clean_stamp: str = ""
    attempts: int = 0
    doubt: str = ""
    alone: bool = False
    without: set[MissingPart] = field(default_factory=set)
    job: str | None = None
    recorded: Edit | None = None
    read_at: float | None = None
    in_doubt_until: float = 0.0
    taken_off: TakenOff | None = None
    taken_off_at: str = ""

    @classmethod
    def of(cls, item: Open, now: float) -> Settlement:
        """From what the state keeps. ``now`` is monotonic, seconds."""
        # What people have lost to a write is put back by one whose own answer says what it replaced.
        alone, stamp = item.verdict.puts_back, item.verdict.clean_stamp
        taken_off = item.verdict.taken_off
        return cls(item.verdict, now, list(item.sent), stamp, alone=alone, taken_off=taken_off, taken_off_at=stamp)

    @property
    def ticket_id(self) -> int:
        """The ticket's id."""
        return self.verdict.ticket_id

    def end(
        self,
        status: OutcomeStatus,
        reason: str,
        change: Change | None = None,
        *,
        retry: bool = False,
        failed_at: Request | None = None,
        now: float,
    ) -> Outcome:
        """The outcome. ``retry`` keeps the ticket for a later run; ``failed_at`` is the request that failed."""
        write, analyse = round((now - self.begun) * 1000), self.verdict.analyse_ms
        return Outcome(
            ticket_id=self.ticket_id,
            status=status,
            reason=reason,
            analysis=self.verdict.analysis,
            change=change,
            attempts=self.attempts,
            retry=retry,
            key=self.verdict.key,
            failed_at=failed_at,
            missing=tuple(sorted(self.without)) if change is not None else (),
            job=self.job,
            timings_ms={"analyse": analyse, "write": write, "total": analyse + write},
        )

    def written(self, reason: str, change: Change, now: float) -> Outcome:
        """The end of a ticket that carries our write."""
        status = OutcomeStatus.SUGGESTED if self.verdict.decision.suggest_only else OutcomeStatus.UPDATED
        return self.end(status, reason, change, now=now)


@dataclass(frozen=True)
class Settled:
    """A ticket's end. ``follow_up`` is what a later run has to write on the ticket, and why.

    ``recorded`` is the helpdesk's record of the write, where a job's item was looked up.
    """

    outcome: Outcome
    follow_up: FollowUp | None = None
    recorded: Edit | None = None


class Planner(Protocol):
    """Decides what a ticket gets, once it has been read."""

    def plan(self, work: Settlement, ticket: Ticket | None, now: float) -> Change | Outcome:
        """The change to send, or the end. ``now`` is monotonic, seconds; ``None`` is a ticket that is gone."""

    def refused(self, work: Settlement, change: Change, part: MissingPart) -> bool:
        """Take note that the helpdesk refuses one part of a change. False when the rest is not worth a write."""


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
        taxonomy: Taxonomy | None = None,
    ) -> None:
        self._desk = desk
        self._audit = audit
        self.policy = policy
        self.selection = selection
        self._stable_read_s = stable_read_s
        self._dry_run = dry_run
        self._taxonomy = taxonomy
        self._unknown_groups: set[int] = set()
        self._refused_fields: set[frozenset[tuple[int, str]]] = set()

    def revised(self, verdict: Verdict) -> Verdict:
        """A verdict of an earlier run, as the settings want it today: what was refused then may be right by now."""
        before = verdict.decision
        if not verdict.completes or verdict.puts_back or verdict.analysis is None:
            return verdict
        today = decide(verdict.ticket_id, verdict.analysis, self.policy, self._taxonomy)
        parts = {
            "priority": today.priority if before.priority is not None else None,
            "group": today.group if before.group is not None else None,
            "fields": today.fields if before.fields else {},
        }
        return verdict.model_copy(update={"decision": before.model_copy(update=parts)})

    def plan(self, work: Settlement, ticket: Ticket | None, now: float) -> Change | Outcome:
        """See :class:`Planner`."""
        verdict = work.verdict

        def end(
            status: OutcomeStatus,
            reason: str,
            change: Change | None = None,
            *,
            retry: bool = False,
            failed_at: Request | None = None,
        ) -> Outcome:
            return work.end(status, reason, change, retry=retry, failed_at=failed_at, now=now)

        if ticket is None:
            return end(OutcomeStatus.SKIPPED, reasons.DELETED)
        look = _Look(self._desk, ticket.id)
        if verdict.follows and (blocked := self._refused_for_good(verdict.decision, ticket)):
            if (reason := self._why_leave_alone(verdict, ticket)) is not None:
                return end(OutcomeStatus.SKIPPED, reason)
            return end(OutcomeStatus.SKIPPED, incomplete((blocked,)), retry=True)
        # Of every write after the first only its key says that it is done: the marker is there already.
        later = verdict.follows or bool(verdict.replaces)
        marked = self.marked(ticket) and not later
        clean = work.clean_stamp
        try:
            if later or marked or self.may_hold_our_write(ticket, clean):
                history = look.history
                found = history.find(verdict.key, verdict.earlier_key) if later else history.triaged(verdict.key)
                ours = next((change for change in work.sent if found and change.intent == found.intent), None)
                if ours is not None:
                    work.recorded = found
                    return work.written(reasons.CONFIRMED, ours, now)
                if found is None and marked and not self.stable(ticket):
                    # Marked, and the record does not say by whom: it may lag behind the ticket.
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
            gone = not set(verdict.replaces) <= set(ticket.tags)
            if gone or ((verdict.replaces or verdict.anew) and look.history.judged(ticket.tags)):
                return end(OutcomeStatus.SKIPPED, reasons.JUDGED)
            work.clean_stamp = ticket.updated_at
            if not self.stable(ticket):
                return end(OutcomeStatus.SKIPPED, reasons.DEFERRED, retry=True)
            change = self._merge(work, ticket, look)
        except RequestSkipped as error:
            return end(OutcomeStatus.SKIPPED, str(error), retry=True)
        except TicketError as error:
            return end(OutcomeStatus.FAILED, str(error), retry=True, failed_at="audits")
        if work.attempts >= WRITE_ATTEMPTS:
            return end(OutcomeStatus.FAILED, work.doubt, retry=True, failed_at="update")
        if later and not changes_anything(change):
            if work.without:
                return end(OutcomeStatus.SKIPPED, incomplete(work.without), retry=True)
            return end(OutcomeStatus.SKIPPED, reasons.NOTHING_NEW)
        return end(OutcomeStatus.PLANNED, verdict.decision.reason, change) if self._dry_run else change

    def _merge(self, work: Settlement, ticket: Ticket, look: _Look) -> Change:
        decision = work.verdict.decision
        # A follow-up begins with its original's tags; what a person took off a ticket stays off.
        seen_before = ticket.follow_up or work.verdict.follows or self.may_lack_on_purpose(ticket, decision)
        known = work.taken_off if ticket.updated_at == work.taken_off_at else None
        if known is None and (seen_before or look.done):
            known = look.history.taken_off(ticket)
            work.taken_off, work.taken_off_at = known, ticket.updated_at
        unwanted = known or TakenOff()
        if work.verdict.puts_back and decision.tags_removed:
            # A tag that a person has put back since is theirs.
            off = look.history.ours().tags.intersection(decision.tags_removed)
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
            history = look.history
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
        """Why a ticket is left alone as it is now. What we took from a person is put back whatever they do with it."""
        return self.selection.repair_left_out(ticket) if verdict.puts_back else self.selection.left_alone(ticket)

    def _refused_for_good(self, decision: Decision, ticket: Ticket) -> str | None:
        """The part of a completion that is known to be refused, where it is the only part and still unset."""
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
        """Whether the marker tag says: done. On a follow-up it says so of the ticket it was made from."""
        return self.policy.marker in ticket.tags and not ticket.follow_up

    def may_hold_our_write(self, ticket: Ticket, clean_stamp: str | None) -> bool:
        """False when it is certain, without asking, that no write of ours is on the ticket.

        Our writes come at least the stable-read margin after a ticket's last change, so a ticket whose last
        change is its creation holds none.
        """
        return ticket.updated_at != clean_stamp and ticket.seconds_to_last_change >= self._stable_read_s

    def may_lack_on_purpose(self, ticket: Ticket, decision: Decision) -> bool:
        """Whether a person may have taken off what we are about to set: a label of theirs, or a value."""
        theirs = any(not tag.startswith(self.policy.tag_prefix) for tag in decision.tags)
        cleared = decision.priority is not None and ticket.priority is None
        wanted = theirs or cleared or decision.group is not None or bool(decision.fields)
        return ticket.seconds_to_last_change > 0 and wanted

    def stable(self, ticket: Ticket) -> bool:
        """See :func:`is_stable`."""
        return is_stable(ticket, self._stable_read_s)


def note_published(ticket_id: int) -> NotePublished:
    """The error for a note of ours that customers can read."""
    return NotePublished(f"the internal note on ticket {ticket_id} became public although it was sent as internal")


def clean_stamp(ticket: Ticket, margin_s: float) -> str:
    """The stamp of a ticket whose record shows no write of ours: there is none at that stamp.

    Empty where the record was read so soon after the last change that it may lack one.
    """
    return ticket.updated_at if ticket.seconds_to_last_change < margin_s or is_stable(ticket, margin_s) else ""


def is_stable(ticket: Ticket, margin_s: float) -> bool:
    """True when no edit after this read can carry the stamp that was read."""
    age = ticket.age_of_stamp
    if age is None:
        raise CannotRun("the helpdesk's replies carry no Date header, without which no read can be trusted")
    return age >= margin_s


class _Look:
    """One ticket's history, read when it is first needed."""

    def __init__(self, desk: Helpdesk, ticket_id: int) -> None:
        self._desk = desk
        self._ticket_id = ticket_id
        self._history: History | None = None

    @property
    def done(self) -> bool:
        """Whether it has been read."""
        return self._history is not None

    @property
    def history(self) -> History:
        if self._history is None:
            self._history = self._desk.history(self._ticket_id)
        return self._history


def completion(outcome: Outcome, verdict: Verdict) -> Verdict:
    """The verdict with which a later run writes what the helpdesk refused of this one, under a key of its own."""
    missing, decision = outcome.missing, verdict.decision
    parts = {
        "priority": decision.priority if "priority" in missing else None,
        "group": decision.group if "group" in missing else None,
        "fields": decision.fields if "fields" in missing else {},
    }
    rest = Decision(
        ticket_id=verdict.ticket_id,
        reason=decision.reason,
        priority_overwrite=decision.priority_overwrite,
        priority_raises_only=decision.priority_raises_only,
        group_overwrite=decision.group_overwrite,
        fields_overwrite=decision.fields_overwrite,
    ).model_copy(update=parts)
    return verdict.told().model_copy(
        update={
            "decision": rest,
            "key": key_of_stage(verdict.key, COMPLETE),
            "follows": True,
            "completes": True,
            "replaces": (),
            "anew": False,
        }
    )


def repair(change: Change, lost: Overwritten, verdict: Verdict, missing: Verdict | None = None) -> Verdict:
    """The verdict with which a later run puts back what our write took away, where it is still unset.

    ``missing`` is what the helpdesk refused of that write: it goes along.
    """
    bot_set = Overwrite.BOT_SET
    refused = missing.decision if missing is not None else Decision(ticket_id=change.ticket_id, reason="")
    decision = Decision(
        ticket_id=change.ticket_id,
        tags=lost.tags,
        tags_removed=lost.tags_back,
        priority=lost.priority or refused.priority,
        group=lost.group or refused.group,
        fields={**refused.fields, **lost.fields},
        priority_overwrite=bot_set,
        group_overwrite=bot_set,
        fields_overwrite=bot_set,
        reason=reasons.PUT_BACK,
    )
    return verdict.told().model_copy(
        update={
            "decision": decision,
            "key": key_of_stage(change.key, REPAIR),
            "follows": True,
            "completes": False,
            "puts_back": True,
            "replaces": (),
            "anew": False,
        }
    )


def incomplete(parts: Iterable[str]) -> str:
    """The reason of a ticket that is written but for some parts, which the helpdesk refuses."""
    return "_".join((reasons.INCOMPLETE, *sorted(parts)))


def changes_anything(change: Change) -> bool:
    """Whether a change would be seen on the ticket."""
    return bool(
        change.tags_added
        or change.tags_removed
        or change.priority is not None
        or change.group is not None
        or change.fields
        or change.cleared
        or change.fields_cleared
        or change.note
    )


def _may_be_replaced(decision: Decision, change: Change, ticket: Ticket) -> bool:
    """Whether knowing which values are our own could change what is sent."""
    bot_set = Overwrite.BOT_SET
    fields = any(_differs(decision.fields[key], ticket.fields.get(key)) for key in change.fields_kept)
    return (
        (decision.priority_overwrite is bot_set and _differs(decision.priority, change.priority_before))
        or (decision.group_overwrite is bot_set and _differs(decision.group, change.group_before))
        or (decision.fields_overwrite is bot_set and fields)
    )


def _differs(wanted: object, current: object) -> bool:
    return wanted is not None and current is not None and wanted != current
