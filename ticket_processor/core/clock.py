"""Clocks, which callers pass in: wall clock, monotonic clock, waiting, and a run's deadline.

All code waits by :meth:`Clock.wait`, so a signal ends every wait at once, and tests run on virtual time.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol

from .errors import DeadlineReached, ExitCode, Stopping


class Clock(Protocol):
    """A source of time. Threads may share one."""

    def now(self) -> float:
        """Wall clock, Unix time in seconds. For stamps in logs, never for ordering or durations."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never goes back."""

    def wait(self, seconds: float) -> None:
        """Sleep. Raises :class:`Stopping` at once when a stop was asked for, before or meanwhile."""

    def check(self) -> None:
        """Raise :class:`Stopping` when a stop was asked for."""


class SystemClock:
    """The machine's clock. :meth:`stop` may be called from a signal handler or any thread.

    ``grace_s`` are the seconds that this command needs to end after a signal, beyond those of other commands.
    """

    def __init__(self) -> None:
        self.grace_s = 0.0
        self._stop = threading.Event()
        self._exit_code = ExitCode.TERMINATED

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        if self._stop.wait(max(0.0, seconds)):
            self.check()

    def check(self) -> None:
        if self._stop.is_set():
            raise Stopping(exit_code=self._exit_code)

    def stop(self, exit_code: ExitCode = ExitCode.TERMINATED) -> None:
        """End every wait, present and future, with :class:`Stopping`."""
        self._exit_code = exit_code
        self._stop.set()


class Deadline:
    """The moment at which a run must end, on the monotonic clock. Immutable, so threads may share it."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self.clock = clock
        self._at = clock.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self._at - self.clock.monotonic())

    def wait(self, seconds: float) -> None:
        """Wait. Raises :class:`DeadlineReached` at once if that would last beyond the deadline."""
        if seconds > self.remaining():
            raise DeadlineReached("the run's time is used up")
        self.clock.wait(seconds)

    def check(self) -> None:
        """Raise when the time is used up or a stop was asked for."""
        self.clock.check()
        if self.remaining() <= 0:
            raise DeadlineReached("the run's time is used up")


def why_ended(error: Exception, deadline: Deadline) -> str:
    """Why work ended, for people. A request that the deadline cut short is not reported as a server that is down."""
    out_of_time = isinstance(error, DeadlineReached) or deadline.remaining() <= 0
    return "the time allowed for it is used up" if out_of_time else str(error)


def iso(timestamp: float, *, milliseconds: bool = False) -> str:
    """Unix time as the UTC form that helpdesks use: ``2026-11-21T03:30:00Z``."""
    moment = datetime.fromtimestamp(timestamp, UTC)
    text = moment.isoformat(timespec="milliseconds" if milliseconds else "seconds")
    return text.replace("+00:00", "Z")


def parse_iso(text: str) -> float:
    """Unix time of an ISO 8601 text; a text without a zone is UTC. Raises ``ValueError``."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def moment_of(text: str) -> float:
    """Unix time of an edit's date; 0 if the helpdesk's record has none."""
    try:
        return parse_iso(text)
    except ValueError:
        return 0.0


def parse_http_date(text: str | None) -> float | None:
    """Unix time of an HTTP ``Date`` header, or ``None`` when absent or unreadable."""
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
