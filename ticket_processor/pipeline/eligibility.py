"""Whether a ticket needs work, or why not: done, given up, too old, a person was faster, or not due yet."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from ..core import reasons
from ..core.clock import parse_iso
from ..core.models import Ticket
from ..helpdesk.ticket_history import History
from ..state.records import Retry
from ..state.store import State
from .write_planner import Triage

KNOWN = (reasons.ALREADY_DONE, reasons.DEAD_LETTER, reasons.DROPPED, reasons.OLDER_THAN_SINCE)
"""These get no line when a ticket comes by again: there is nothing new to say."""


class Eligibility:
    """Decides it for one run, of tickets created after ``since`` (Unix seconds); used by one thread.

    For those ``at_once`` their head start does not count.
    """

    def __init__(self, state: State, triage: Triage, since: float, at_once: Collection[int] = ()) -> None:
        self._state = state
        self._triage = triage
        self._since = since
        self._at_once = at_once
        self._dead: frozenset[int] = frozenset()
        self._dropped: frozenset[int] = frozenset()

    def learn(self, retries: Iterable[Retry]) -> None:
        """Take note of the tickets that are given up."""
        self._dead = frozenset(item.ticket_id for item in retries if item.dead)
        self._dropped = self._state.dropped()

    def given_up(self, ticket_id: int) -> bool:
        """Whether the ticket is a dead letter, or a person took it off the retry list."""
        return ticket_id in self._dead or ticket_id in self._dropped

    def reason_to_skip(self, ticket: Ticket, key: str, history: Callable[[], History], *, retried: bool) -> str | None:
        """Why a ticket needs no work, or none yet; ``None`` where it does. ``history`` is only read in doubt."""
        if self._state.is_done(ticket.id):
            return reasons.ALREADY_DONE
        marked = self._triage.marked(ticket)
        if (reason := self.left_alone(ticket, retried=retried)) is not None:
            return reasons.ALREADY_DONE if marked and reason not in (*KNOWN, reasons.WAITING) else reason
        if not marked and not self._triage.may_hold_our_write(ticket, None):
            return None
        if (triaged := history().triaged(key)) is not None:
            # An earlier installation has done it, or this one before it lost its state.
            self._state.remember_done(ticket.id, triaged.intent.rpartition("-")[0], triaged.key)
            return reasons.ALREADY_DONE
        return reasons.MARKED_BY_OTHERS if marked and not history().born_with(self._triage.policy.marker) else None

    def left_alone(self, ticket: Ticket, *, retried: bool) -> str | None:
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
