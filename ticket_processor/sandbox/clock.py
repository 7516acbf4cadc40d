"""The sandbox's time, in Unix seconds: clocks that can be moved forward by hand, and work that falls due later."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import formatdate
from itertools import count
from typing import Protocol


class SandboxClock(Protocol):
    """Where the sandbox's time comes from. Must not go back; may be read from any thread."""

    def now(self) -> float:
        """Unix time in seconds."""


class OffsetClock:
    """The machine's time plus an offset: runs by itself and can be moved forward. Thread-safe."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        return time.time() + self._offset

    def advance(self, seconds: float) -> None:
        if not seconds >= 0:
            raise ValueError("the sandbox's clock does not go back")
        with self._lock:
            self._offset += seconds


class Agenda:
    """A clock, a lock and a list of things to do later, such as a job's items: :meth:`settle` does what is due.

    Threads: ``lock`` is re-entrant and covers everything that the work touches.
    """

    def __init__(self, clock: SandboxClock) -> None:
        self.lock = threading.RLock()
        self._clock = clock
        self._as_of: float | None = None
        self._entries: list[tuple[float, int, Callable[[], object]]] = []
        self._sequence = count()

    def now(self) -> float:
        """Unix seconds; inside a piece of delayed work, the moment it was due."""
        return self._clock.now() if self._as_of is None else self._as_of

    def later(self, due: float, work: Callable[[], object]) -> None:
        """Do ``work`` at a moment: at the first :meth:`settle` from then on, stamped with that moment."""
        with self.lock:
            heapq.heappush(self._entries, (due, next(self._sequence), work))

    def settle(self) -> None:
        """Do everything that has fallen due, in order of its time; nothing when called from such work."""
        with self.lock:
            if self._as_of is not None:
                return
            while self._entries and self._entries[0][0] <= self._clock.now():
                due, _, work = heapq.heappop(self._entries)
                self._as_of = due
                try:
                    work()
                finally:
                    self._as_of = None


def iso(moment: float) -> str:
    """Unix seconds as the API writes times: UTC, whole seconds, cut and not rounded."""
    return datetime.fromtimestamp(int(moment), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_iso(text: str) -> float:
    """Unix seconds of an ISO 8601 time or date; without a zone it is UTC. Raises ``ValueError``."""
    moment = datetime.fromisoformat(text)
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).timestamp()
    except OverflowError:
        raise ValueError("a time outside the calendar") from None


def http_date(moment: float) -> str:
    """Unix seconds as an HTTP ``Date``."""
    return formatdate(int(moment), usegmt=True)
