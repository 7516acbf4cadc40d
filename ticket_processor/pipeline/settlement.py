"""One verdict on its way to its end: what was sent, what was doubted, and the end with its follow-up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from ..core.errors import CannotRun, MissingPart, NotePublished
from ..core.models import Change, Outcome, OutcomeStatus, Request, TakenOff, Ticket
from ..helpdesk.ticket_history import Edit, left_out
from ..state.records import FollowUp, Open, Verdict

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
        # What people have lost to a write is put back by one whose own answer says what it replaced; nor does a status
        # travel in a job.
        alone, stamp = item.verdict.puts_back or item.verdict.decision.closing is not None, item.verdict.clean_stamp
        taken_off = item.verdict.taken_off
        return cls(item.verdict, now, list(item.sent), stamp, alone=alone, taken_off=taken_off, taken_off_at=stamp)

    @property
    def ticket_id(self) -> int:
        """The ticket's id."""
        return self.verdict.ticket_id

    def sends(self, change: Change) -> None:
        """A change is about to be sent."""
        self.attempts += 1
        self.sent.append(change)

    def found(self, edit: Edit, change: Change, ticket: Ticket) -> Edit:
        """Take note that the helpdesk has ``change`` on record, as the ``edit``, which may lack parts of it."""
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
        raise CannotRun("the helpdesk's replies have no Date header, so no reading can be trusted")
    return age >= margin_s


def shows(ticket: Ticket, change: Change) -> bool:
    """Whether a ticket that was read shows a change; a later edit may hide it.

    A change happens whole or not at all: one new tag of it is proof, whatever triggers have made of the rest.
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
        # A field of several choices may come back in another order.
        and all(set(ticket.fields.get(key, "").split()) == set(value.split()) for key, value in change.fields.items())
        and ("priority" not in change.cleared or ticket.priority is None)
        and ("group" not in change.cleared or ticket.group is None)
        and not set(change.fields_cleared) & ticket.fields.keys()
    )


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
