"""Work that happens later by the sandbox's clock: a job's items, a request that lands after its client gave up."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from itertools import count

from .clock import SandboxClock


class Agenda:
    """A clock, a lock and a list of things to do. Nothing runs by itself: :meth:`settle` does what is due.

    Threads: ``lock`` is re-entrant and covers everything that the work touches.
    """

    def __init__(self, clock: SandboxClock) -> None:
        self.lock = threading.RLock()
        self._clock = clock
        self._as_of: float | None = None
        self._entries: list[tuple[float, int, Callable[[], None]]] = []
        self._sequence = count()

    def now(self) -> float:
        """Unix seconds; inside a piece of delayed work, the moment it was due."""
        return self._clock.now() if self._as_of is None else self._as_of

    def later(self, due: float, work: Callable[[], None]) -> None:
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
