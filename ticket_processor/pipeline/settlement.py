"""Follows one verdict until it is settled: what was sent, what is in doubt, and its outcome.

Its follow-up is a verdict for a later run, which completes or repairs the write.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ..audit.receipts import AuditLog
from ..core import reasons
from ..core.clock import Clock, parse_iso
from ..core.errors import CannotRun, MissingPart, NotePublished
from ..core.models import Change, Decision, Outcome, OutcomeStatus, Overwrite, Request, TakenOff, Ticket
from ..helpdesk.ticket_history import Edit, Overwritten, left_out, overwritten
from ..state.records import FollowUp, Open, Verdict
from ..tags import COMPLETE, REPAIR, key_of_stage

if TYPE_CHECKING:
    from .job_trust import JobTrust

WRITE_ATTEMPTS = 3


@dataclass(eq=False)
class Settlement:
    """One verdict until it is settled.

    ``clean_stamp`` is an ``updated_at`` at which the ticket had no write of ours. ``doubt`` is why it is not done after
    that many ``attempts``. ``alone`` asks for a single update, whose answer says what is wrong. ``without`` are parts
    that the helpdesk has refused. ``recorded`` is our write in the helpdesk's record, if known. ``in_doubt_until`` is
    until when a job may still write what was sent (Unix seconds). ``taken_off`` is what people had taken off when
    ``updated_at`` was ``taken_off_at``, if it was read. ``newborn`` is true in the run that read the ticket right after
    its creation; see :func:`is_newborn`.
    """

    verdict: Verdict
    clock: Clock
    begun: float
    sent: list[Change] = field(default_factory=list)
    clean_stamp: str = ""
    attempts: int = 0
    doubt: str = ""
    alone: bool = False
    without: set[MissingPart] = field(default_factory=set)
    job: str | None = None
    recorded: Edit | None = None
    in_doubt_until: float = 0.0
    taken_off: TakenOff | None = None
    taken_off_at: str = ""
    newborn: bool = False

    @classmethod
    def of(cls, item: Open, clock: Clock) -> Settlement:
        """The settlement of a verdict that the state keeps."""
        # A repair goes as a single update, whose answer says what it replaced; so does a status.
        alone, stamp = item.verdict.puts_back or item.verdict.decision.closing is not None, item.verdict.clean_stamp
        begun, taken_off = clock.monotonic(), item.verdict.taken_off
        return cls(
            item.verdict, clock, begun, list(item.sent), stamp, alone=alone, taken_off=taken_off, taken_off_at=stamp
        )

    @property
    def ticket_id(self) -> int:
        return self.verdict.ticket_id

    def sends(self, change: Change) -> None:
        """Note that a change is about to be sent."""
        self.attempts += 1
        self.sent.append(change)

    def found(self, edit: Edit, change: Change, ticket: Ticket) -> Edit:
        """Note that the helpdesk's record has ``change`` as ``edit``, which may lack parts of it."""
        dropped = left_out(edit, change, ticket.tags, ticket.priority)
        self.recorded = edit.model_copy(update={"dropped": dropped})
        return self.recorded

    def end(
        self,
        status: OutcomeStatus,
        reason: str,
        change: Change | None = None,
        *,
        retry: bool = False,
        failed_at: Request | None = None,
    ) -> Outcome:
        """The outcome. ``retry`` keeps the ticket for a later run; ``failed_at`` is the request that failed."""
        write, analyse = round((self.clock.monotonic() - self.begun) * 1000), self.verdict.analyse_ms
        return Outcome(
            ticket_id=self.ticket_id,
            status=status,
            reason=reason,
            analysis=self.verdict.analysis,
            customer_reply=self.verdict.customer_reply,
            change=change,
            attempts=self.attempts,
            retry=retry,
            key=self.verdict.key,
            failed_at=failed_at,
            missing=tuple(sorted(self.without)) if change is not None else (),
            job=self.job,
            timings_ms={"analyse": analyse, "write": write, "total": analyse + write},
            service_times=self.verdict.service_times,
        )

    def written(self, reason: str, change: Change) -> Outcome:
        """The outcome of a ticket that carries our write."""
        status = OutcomeStatus.SUGGESTED if self.verdict.decision.suggest_only else OutcomeStatus.UPDATED
        return self.end(status, reason, change)


@dataclass(frozen=True)
class Settled:
    """A ticket's outcome. ``follow_up`` is what a later run has to write on the ticket, and why.

    ``recorded`` is the helpdesk's record of the write, if it was read.
    """

    outcome: Outcome
    follow_up: FollowUp | None = None
    recorded: Edit | None = None


class Planner(Protocol):
    """Decides what to write on a ticket that has been read."""

    def plan(self, work: Settlement, ticket: Ticket | None) -> Change | Outcome:
        """The change to send, or the outcome. ``None`` is a ticket that no longer exists."""

    def refused(self, work: Settlement, change: Change, part: MissingPart) -> bool:
        """Note that the helpdesk refuses one part of a change; false if the rest is not worth a write."""


def note_published(ticket_id: int) -> NotePublished:
    """The error for a note of ours that customers can read."""
    return NotePublished(f"the internal note on ticket {ticket_id} became public although it was sent as internal")


def clean_stamp(ticket: Ticket, margin_s: float) -> str:
    """The stamp at which a ticket is known to have no write of ours, after its record showed none.

    Empty if the record was read so soon after the last change that it may lack a write.
    """
    return ticket.updated_at if ticket.seconds_to_last_change < margin_s or is_stable(ticket, margin_s) else ""


def is_newborn(ticket: Ticket, margin_s: float) -> bool:
    """True if a copy of the data that is up to ``margin_s`` old may lack a ticket that another copy shows."""
    return ticket.read_at is not None and ticket.read_at - parse_iso(ticket.created_at) < margin_s


def is_stable(ticket: Ticket, margin_s: float) -> bool:
    """True if no edit after this read can have the stamp that was read."""
    age = ticket.age_of_stamp
    if age is None:
        raise CannotRun("the helpdesk's replies have no Date header, so no reading can be trusted")
    return age >= margin_s


def shows(ticket: Ticket, change: Change) -> bool:
    """True if a ticket shows a change; a later edit may hide it.

    A change is made whole or not at all, so one of its new tags is proof, even if triggers changed the rest.
    """
    if ticket.updated_at == change.stamp:
        return False
    if change.tags_added:
        return not set(change.tags_added).isdisjoint(ticket.tags)
    return (
        not set(change.tags_removed) & set(ticket.tags)
        and (change.priority is None or ticket.priority is change.priority)
        and (change.group is None or ticket.group == change.group)
        and (change.closing is None or ticket.status == change.closing.status)
        # The helpdesk may return several choices of a field in another order.
        and all(set(ticket.fields.get(key, "").split()) == set(value.split()) for key, value in change.fields.items())
        and ("priority" not in change.cleared or ticket.priority is None)
        and ("group" not in change.cleared or ticket.group is None)
        and not set(change.fields_cleared) & ticket.fields.keys()
    )


def changes_anything(change: Change) -> bool:
    """True if a change would be visible on the ticket."""
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


def may_be_replaced(decision: Decision, change: Change, ticket: Ticket) -> bool:
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


def follow_up(work: Settlement, outcome: Outcome, change: Change, audit: AuditLog, trust: JobTrust) -> FollowUp | None:
    """The follow-up of a write, if any: restores what it took from a person, adds what the helpdesk refused."""
    # A ticket without room for a note will never have any.
    missing = completion(outcome, work.verdict) if set(outcome.missing) - {"note"} else None
    lost = overwritten(work.recorded, change) if work.recorded is not None else None
    if lost and work.recorded is not None:
        trust.overwrote(change, work.recorded)  # before the alert, whose readers may rely on it
        audit.alert("overwrote", ticket_id=work.ticket_id, parts=lost.parts)
        return repair(change, lost, work.verdict, missing), REPAIR
    return None if missing is None else (missing, reasons.INCOMPLETE)


def completion(outcome: Outcome, verdict: Verdict) -> Verdict:
    """The verdict for a later write, with its own key, of what the helpdesk refused of this one."""
    missing, decision = outcome.missing, verdict.decision
    rest = Decision(
        ticket_id=verdict.ticket_id,
        reason=decision.reason,
        tags=decision.tags if "tags" in missing else (),
        priority=decision.priority if "priority" in missing else None,
        group=decision.group if "group" in missing else None,
        fields=decision.fields if "fields" in missing else {},
        priority_overwrite=decision.priority_overwrite,
        priority_raises_only=decision.priority_raises_only,
        group_overwrite=decision.group_overwrite,
        fields_overwrite=decision.fields_overwrite,
    )
    return _later(verdict, rest, key_of_stage(verdict.key, COMPLETE), completes=True)


def repair(change: Change, lost: Overwritten, verdict: Verdict, missing: Verdict | None = None) -> Verdict:
    """The verdict for a later write that restores what our write took away, where that is still unset.

    ``missing`` is the completion of that write, which goes with it.
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
    return _later(verdict, decision, key_of_stage(change.key, REPAIR), completes=False, puts_back=True)


def _later(verdict: Verdict, decision: Decision, key: str, **which: bool) -> Verdict:
    """The verdict of a later write on the same ticket."""
    own = {"decision": decision, "key": key, "follows": True, "replaces": (), "anew": False, "unchanged_at": ""}
    own["service_times"] = ()  # the receipt of the first write has them
    return verdict.without_cost().model_copy(update={**own, **which})


def incomplete(parts: Iterable[str]) -> str:
    """The reason for a ticket that was written without some parts, which the helpdesk refuses."""
    return "_".join((reasons.INCOMPLETE, *sorted(parts)))
