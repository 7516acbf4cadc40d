"""Whether a run may begin, go on and write: kill switch, deadline, disk space, and what the helpdesk asked for."""

from __future__ import annotations

from ..core.clock import iso, parse_iso
from ..core.errors import CannotRun, ConfigError, DeadlineReached, RateLimited
from ..state.records import Dependencies
from ..state.store import CURSOR, HORIZON, TURN, State
from .parts import Parts, RunOptions
from .shared_faults import SharedFaults

HALTED = "halted"
"""Fact of the state: why nothing may be done."""
MOST_WAIT_S = 900.0
"""A helpdesk that asks for more is asked again after so long; its limits are by the minute."""

FIRST_RUN = (
    "this is the first run on this account, and history is never touched unasked: say where to begin with "
    "--since now (only tickets from now on), --since 7d, or --since 2026-11-01; it is remembered"
)


class RunChecks:
    """The checks of one run. ``reserve_s`` of its time are kept for bringing what was begun to its end."""

    def __init__(self, parts: Parts, options: RunOptions, faults: SharedFaults) -> None:
        self._parts = parts
        self._options = options
        self._faults = faults
        self.reserve_s = min(60.0, parts.deadline.remaining() / 9)

    def before_run(self) -> None:
        """Raise when nothing may be done now: a kill switch, a published note, or the helpdesk's wish to wait."""
        parts, options = self._parts, self._options
        self.before_write()
        if options.resume:
            parts.state.forget(HALTED)
        halted = parts.state.fact(HALTED)
        if halted is not None:
            raise CannotRun(f"{halted}; when a person has looked into it, run once with --resume")
        heed_wait(parts.state, options.dependency, parts.clock.now())

    def before_ticket(self) -> None:
        """Raise when the run should take up no other ticket."""
        self._parts.clock.check()
        self._parts.kill_switch.check()
        if self._parts.deadline.remaining() < self.reserve_s:
            raise DeadlineReached("the run's time is up; the rest waits for the next run")

    def turn_over(self, ticket_id: int) -> bool:
        """Whether requests fail for ticket after ticket that earlier runs have left, so that others have their turn.

        ``ticket_id`` is the last of them; the next run begins behind it.
        """
        if not self._faults.stopped("update", "audits", "ticket"):
            return False
        self._faults.look_again()
        self._parts.state.remember(**{TURN: str(ticket_id)})
        return True

    def before_write(self) -> None:
        """Raise when the kill switch is set, or the receipts would have no room."""
        self._parts.kill_switch.check()
        if not self._options.dry_run:
            self._parts.room()

    def where_to_begin(self) -> float:
        """The time from which tickets are pulled (Unix seconds). A first run without it raises :class:`ConfigError`."""
        if self._options.since is not None:
            return self._options.since
        stored = self._parts.state.fact(HORIZON)
        if stored is None:
            raise ConfigError(FIRST_RUN)
        return parse_iso(stored)

    def begin_again(self, since: float | None) -> tuple[str, ...]:
        """Give up the place where the last run ended, if ``since`` replaces one; returns what to say of that."""
        parts = self._parts
        if since is None:
            return ()
        known = parts.state.fact(CURSOR) is not None and not self._options.dry_run
        if known:
            parts.audit.alert("since_replaces_cursor", since=iso(since))
        parts.state.begin_again(iso(since))
        return ("--since was given, so the place where the last run ended was given up",) if known else ()

    def keep_not_before(self, told: RateLimited) -> None:
        """Remember when the helpdesk wants to be asked again."""
        now = self._parts.clock.now()
        Dependencies(self._parts.state).keep_not_before(
            self._options.dependency, min(told.not_before, now + MOST_WAIT_S), now
        )


def heed_wait(state: State, dependency: str, now: float) -> None:
    """Raise :class:`RateLimited` while the helpdesk's wish to be left alone, told in an earlier run, still holds."""
    wait = Dependencies(state).not_before(dependency, now) - now
    if 0 < wait <= MOST_WAIT_S:
        raise RateLimited(f"the helpdesk asked us to wait another {wait:.0f} s", not_before=now + wait)
