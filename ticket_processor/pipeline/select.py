"""Is there work on a ticket, and which? One answer for each ticket: work, or an end without any.

There is none on a ticket that is done, given up, too old or a person's, and none yet on one that is not due.
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
"""These get no line when a ticket comes by again: there is nothing new to say."""


@dataclass(frozen=True)
class Work:
    """A ticket that needs understanding, with the key of the write it will get (``earlier_key``: as it once was).

    ``replaces`` are the tags that an earlier write of ours put on it, when it gets a second look, is a ``reply``, or
    was asked for ``anew``. ``is_new`` is false for what an earlier run has seen. ``taken_off`` is what people had taken
    off, where that is known. ``told``: the helpdesk has told of it just now, so that it may be too young to be written.
    ``thanks``: the reply only thanks, which needs no analysis.
    """

    ticket: Ticket
    key: str
    replaces: tuple[str, ...] = ()
    is_new: bool = True
    reply: bool = False
    anew: bool = False
    earlier_key: str = ""
    taken_off: TakenOff | None = None
    told: bool = False
    thanks: bool = False


class Selector:
    """Answers for one run, of tickets created after ``since`` (Unix seconds). Used by one thread.

    An answer that is an :class:`Outcome` with ``retry`` keeps the ticket for a later run. ``replies``: what a customer
    has answered since our write is work, too. The head start of people does not count for tickets ``at_once``.
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
        """Whether a ticket that is done may get work by an answer of its customer."""
        self._dead: frozenset[int] = frozenset()
        self._dropped: frozenset[int] = frozenset()

    def learn(self, retries: Iterable[Retry]) -> None:
        """Take note of the tickets that are given up."""
        self._dead = frozenset(item.ticket_id for item in retries if item.dead)
        self._dropped = self._state.dropped()

    def given_up(self, ticket_id: int) -> bool:
        """Whether the ticket is a dead letter, or a person took it off the retry list."""
        return ticket_id in self._dead or ticket_id in self._dropped

    def work_on(self, ticket: Ticket, *, retried: bool = False) -> Work | Outcome:
        """The first write that a ticket needs, or work for its customer's answer since; ``retried``: however old."""
        key = write_key(ticket)
        history = cache(partial(self._desk.history, ticket.id))
        try:
            reason = self.reason_to_skip(ticket, key, history, retried=retried)
            if reason is None:
                # The search for our write has read the history already.
                taken_off = history().taken_off(ticket) if self._triage.may_hold_our_write(ticket, None) else None
                return Work(ticket, key, is_new=not retried, taken_off=taken_off)
            answer = self._answer(ticket, history) if reason == reasons.ALREADY_DONE else None
        except TicketError as error:
            return _no_record(ticket.id, error)
        return answer or skipped(ticket.id, reason, key=key, retry=reason == reasons.WAITING)

    def once_more(self, ticket: Ticket, run_id: str) -> Work | Outcome:
        """Work on a ticket that a person asked to be triaged anew by this run, whatever was written on it."""
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
        """Work on a ticket that only rules have understood, when they put the tags ``ours`` on it."""
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
        """Why a ticket needs no first write, or none yet; ``None`` where it does. ``history`` is only read in doubt."""
        if self._state.is_done(ticket.id):
            return reasons.ALREADY_DONE
        marked = self._triage.marked(ticket)
        if (reason := self._left_alone(ticket, retried=retried)) is not None:
            return reasons.ALREADY_DONE if marked and reason not in (*KNOWN, reasons.WAITING) else reason
        if not marked and not self._triage.may_hold_our_write(ticket, None):
            return None
        if (triaged := history().triaged(key)) is not None:
            # An earlier installation has done it, or this one before it lost its state.
            self._state.remember_done(ticket.id, triaged.intent.rpartition("-")[0], triaged.key)
            return reasons.ALREADY_DONE
        return reasons.MARKED_BY_OTHERS if marked and not history().born_with(self._triage.policy.marker) else None

    def _left_alone(self, ticket: Ticket, *, retried: bool) -> str | None:
        """Why a ticket is left alone that may not be done; from what is known of it without asking."""
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
        """The customer's answer since a ticket was done, which people may have judged already; ``None`` for none."""
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
    """The end of a ticket that needs no work, or with ``retry`` none yet."""
    status = OutcomeStatus.SKIPPED
    return Outcome(ticket_id=ticket_id, status=status, reason=reason, key=None if retry else key, retry=retry)


def _no_record(ticket_id: int, error: TicketError) -> Outcome:
    if isinstance(error, RequestSkipped):
        return skipped(ticket_id, str(error), retry=True)
    status = OutcomeStatus.FAILED
    return Outcome(ticket_id=ticket_id, status=status, reason=str(error), retry=True, failed_at="audits")
