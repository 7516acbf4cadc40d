"""Virtual time with cooperative processes: one thread, one seed, the same story every time.

A process is a greenlet that gives way whenever it waits, so that people, other runs and late writes act in
between, in the order of their moments.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import greenlet

START = 1_795_231_800.0
"""2026-11-21T03:30:00Z"""


class Crash(BaseException):
    """The process died here: nothing after this line happened."""


class Countdown:
    """Crashes at the n-th step; ``None`` never does."""

    def __init__(self, steps: int | None) -> None:
        self._left = steps

    def step(self) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                raise Crash


class VirtualTime:
    """The clock of everything: of the runs, of the helpdesk, of the people."""

    def __init__(self, start: float = START) -> None:
        self._now = start
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._sequence = 0
        self._until = math.inf
        self._hub = greenlet.getcurrent()

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now

    def check(self) -> None:
        """No signals in here."""

    def wait(self, seconds: float) -> None:
        """Let time pass; others act meanwhile."""
        here = greenlet.getcurrent()
        if here is self._hub:
            self.run(self._now + seconds)
            return
        moment = self._now + max(0.0, seconds)
        if moment <= self._until and not (self._queue and self._queue[0][0] <= moment):
            self._now = moment  # nobody has anything to do until then
            return
        self.at(moment, here.switch)
        self._hub.switch()

    def at(self, moment: float, action: Callable[[], Any]) -> None:
        """Have something happen at a moment (now, if it has passed)."""
        self._sequence += 1
        heapq.heappush(self._queue, (max(moment, self._now), self._sequence, action))

    def start(self, moment: float, process: Callable[[], None]) -> None:
        """Start a process at a moment."""
        self.at(moment, lambda: greenlet.greenlet(process, parent=self._hub).switch())

    def run(self, until: float | None = None) -> None:
        """Let everything happen, until a moment or until nothing is left to happen."""
        outer, self._until = self._until, math.inf if until is None else until
        while self._queue and self._queue[0][0] <= self._until:
            moment, _, action = heapq.heappop(self._queue)
            self._now = max(self._now, moment)
            action()
        if until is not None:
            self._now = max(self._now, until)
        self._until = outer


class SerialExecutor(Executor):
    """Does the work at once, in the caller's greenlet."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future
