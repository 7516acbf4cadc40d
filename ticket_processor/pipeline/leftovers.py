"""Finishes what earlier runs have left: writes that were begun, and tickets that were given up."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Protocol

from ..core import reasons
from ..core.errors import CannotRun, TicketError
from ..helpdesk.protocol import Helpdesk
from .parts import Parts
from .run_checks import RunChecks
from .settlement import Settled
from .shared_faults import SharedFaults
from .write_planner import Triage
from .writeback import WriteBack

LIKELY_INTERVAL_S = 600.0
"""Of several tickets that only one is asked for, it is another one in each run."""


class RecordsEnd(Protocol):
    """Takes an end in; ``waits`` is why its ticket waits for a run all the same, if it does."""

    def __call__(self, settled: Settled, waits: str = "") -> None: ...


class Passed(Protocol):
    """Whoever is to pass over the tickets that were settled, or left to a later run."""

    def already_handled(self, ticket_id: int) -> None: ...

    def leave_to_later(self, ticket_ids: Iterable[int]) -> None: ...


class Leftovers:
    """Settles what earlier runs have begun. Use from one thread."""

    def __init__(
        self,
        parts: Parts,
        limit: int | None,
        desk: Helpdesk,
        faults: SharedFaults,
        checks: RunChecks,
        planner: Triage,
        writes: WriteBack,
    ) -> None:
        self._parts = parts
        self._limit = limit
        self._desk = desk
        self._faults = faults
        self._checks = checks
        self._triage = planner
        self._write_back = writes

    def ask_for_those_given_up(self) -> None:
        """Read one record, where tickets were given up at theirs and no other has been read: they may come back."""
        tickets = self._parts.state.given_up_unproven("audits")
        if tickets and not self._faults.tried("audits"):
            with suppress(TicketError):
                self._desk.history(tickets[int(self._parts.clock.now() // LIKELY_INTERVAL_S) % len(tickets)])

    def finish(self, passed: Passed, only: Collection[int] | None, record: RecordsEnd) -> None:
        """Settle what earlier runs have begun. Tickets for which no request works keep no other waiting.

        One that changed before its planned write could be made is as good as new, wherever the cursor is.
        """
        state, last = self._parts.state, 0
        try:
            for settled in self._write_back.unfinished(only, self._limit, self._triage.revised):
                last = settled.outcome.ticket_id
                if settled.outcome.reason == reasons.CHANGED_SINCE:
                    record(settled, reasons.CHANGED_SINCE)
                else:
                    passed.already_handled(last)
                    record(settled)
                if self._checks.turn_over(last):
                    break
            else:
                return
        except CannotRun as end:
            if end is not self._faults.end("update"):
                raise
            self._checks.turn_over(last)
        self._write_back.give_up()
        passed.leave_to_later(item.verdict.ticket_id for item in state.unsettled())
