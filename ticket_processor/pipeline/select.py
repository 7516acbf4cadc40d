"""Decides whether a ticket needs work: the answer is the work, or an outcome without any.

A ticket that is done, given up, too old or handled by a person needs none; one that is not due needs none yet.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from functools import cache, partial

from ..core import reasons
from ..core.clock import parse_iso
from ..core.errors import RequestSkipped, TicketError
from ..core.models import Outcome, OutcomeStatus, TakenOff, Ticket
from ..helpdesk.protocol import Helpdesk
from ..helpdesk.ticket_history import History
from ..policy.decide import Mode
from ..policy.reanalysis import (
    STAGE,
    anew_key,
    our_labels,
    reopened_by_thanks,
    reply_to,
    still_ours,
    with_answers,
)
from ..state.records import Retry
from ..state.store import State
from ..tags import earlier_key, write_key
from .plan import Triage

KNOWN = (reasons.ALREADY_DONE, reasons.DEAD_LETTER, reasons.DROPPED, reasons.OLDER_THAN_SINCE)
"""Reasons that get no line in the log when a ticket is listed again, since nothing is new."""


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


class Selector:
    """Decides for the tickets of one run, created after ``since`` (Unix seconds). Used by one thread.

    An :class:`Outcome` with ``retry`` keeps the ticket for a later run. ``replies``: customers' answers to our writes
    are work, too. The head start of people does not apply to tickets ``at_once``.
    """

    def __init__(
        self,
        desk: Helpdesk,
        state: State,
        triage: Triage,
        since: float,
        *,
        replies: bool = False,
        at_once: Collection[int] = (),
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

    def work_on(self, ticket: Ticket, *, retried: bool = False) -> Work | Outcome:
        """Work for a ticket's first write or for its customer's answer; ``retried``: however old the ticket is."""
        key = write_key(ticket)
        history = cache(partial(self._desk.history, ticket.id))
        try:
            reason = self.reason_to_skip(ticket, key, history, retried=retried)
            if reason is None:
                # The history was read already, to search for our write.
                taken_off = history().taken_off(ticket) if self._triage.may_hold_our_write(ticket, None) else None
                return Work(ticket, key, is_new=not retried, taken_off=taken_off)
            answer = self._answer(ticket, history) if reason == reasons.ALREADY_DONE else None
        except TicketError as error:
            return _no_record(ticket.id, error)
        return answer or skipped(ticket.id, reason, key=key, retry=reason == reasons.WAITING)

    def once_more(self, ticket: Ticket, run_id: str) -> Work | Outcome:
        """Work on a ticket that a person asked to triage again in this run, whatever was written on it."""
        if (reason := self._left_alone(ticket, retried=True)) is not None:
            return skipped(ticket.id, reason)
        try:
            history = self._desk.history(ticket.id)
        except TicketError as error:
            return _no_record(ticket.id, error)
        if history.judged(ticket.tags):
            return skipped(ticket.id, reasons.JUDGED)
        heard = with_answers(ticket, history) if self._replies else ticket
        ours = our_labels(ticket, history, self._triage.policy)
        return Work(heard, anew_key(ticket, run_id), ours, is_new=False, anew=True)

    def second_look(self, ticket: Ticket, ours: tuple[str, ...]) -> Work | Outcome:
        """Work on a ticket that only rules have analysed, which put the tags ``ours`` on it."""
        if (reason := self._triage.selection.left_alone(ticket)) is not None:
            return skipped(ticket.id, reason)
        if not still_ours(ticket, ours, self._triage.policy):
            return skipped(ticket.id, reasons.JUDGED)
        try:
            heard = with_answers(ticket, self._desk.history(ticket.id)) if self._replies else ticket
        except TicketError as error:
            return _no_record(ticket.id, error)
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
        work = Work(reply.ticket, reply.key, reply.ours, is_new=False, reply=True, earlier_key=reply.earlier_key)
        if self._keeps_solved and reopened_by_thanks(ticket, history()):
            return replace(work, ticket=ticket, replaces=(), thanks=True)
        if not self._replies:
            return None
        return skipped(ticket.id, reasons.JUDGED, key=reply.key) if reply.judged else work


def skipped(ticket_id: int, reason: str, *, key: str | None = None, retry: bool = False) -> Outcome:
    """The outcome of a ticket that needs no work, or with ``retry`` none yet."""
    status = OutcomeStatus.SKIPPED
    return Outcome(ticket_id=ticket_id, status=status, reason=reason, key=None if retry else key, retry=retry)


def _no_record(ticket_id: int, error: TicketError) -> Outcome:
    if isinstance(error, RequestSkipped):
        return skipped(ticket_id, str(error), retry=True)
    status = OutcomeStatus.FAILED
    return Outcome(ticket_id=ticket_id, status=status, reason=str(error), retry=True, failed_at="audits")
