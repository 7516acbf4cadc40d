"""Fan work out over any ``concurrent.futures`` executor, and gather it as it completes, with bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from typing import Generic, TypeVar

from .clock import Clock, Deadline
from .errors import DeadlineReached

Item = TypeVar("Item")
Result = TypeVar("Result")

POLL_S = 0.25
"""How long a signal may go unnoticed: on Windows a waiting main thread hears none."""


class Stuck(Exception):
    """The worker did not come back in time. Its thread is left behind."""


class FanOut(Generic[Item, Result]):
    """Takes items lazily, keeps at most ``window`` in the executor, yields (item, future) lists as they finish.

    A call that runs longer than ``timeout_s`` is abandoned and yields a future holding :class:`Stuck`: every
    library's own timeout was met failing to end a call. Once all ``workers`` hang in such calls, what is queued
    behind them yields :class:`Stuck` as well. Use from one thread.
    """

    def __init__(
        self,
        executor: Executor,
        call: Callable[[Item], Result],
        *,
        workers: int,
        window: int,
        timeout_s: float,
        clock: Clock,
        deadline: Deadline,
        reserve_s: float,
    ) -> None:
        self._executor = executor
        self._call = call
        self._workers = workers
        self._window = window
        self._timeout_s = timeout_s
        self._clock = clock
        self._deadline = deadline
        self._reserve_s = reserve_s
        self._running: dict[Future[Result], Item] = {}
        self._since: dict[Future[Result], float] = {}
        self._hanging: list[Future[Result]] = []
        self.unclaimed: list[tuple[Item, Future[Result]]] = []
        """After an early end: work that was finished and not yielded."""

    @property
    def abandoned(self) -> int:
        """Calls left behind in threads that still run."""
        return sum(not future.done() for future in self._hanging)

    @property
    def outstanding(self) -> int:
        """Items that were taken in and not yielded yet."""
        return len(self._running)

    def over(self, items: Iterator[Item]) -> Generator[list[tuple[Item, Future[Result]]], None, None]:
        """The results of ``items``; now and then none, so that the caller can go on with what else there is to do.

        ``DeadlineReached`` from ``items`` ends the intake, and is raised once everything taken in has been
        yielded. Raises it at once when less than the reserve is left, and ``Stopping``.
        """
        late: DeadlineReached | None = None
        exhausted = False
        try:
            while True:
                while not exhausted and len(self._running) < self._window:
                    try:
                        item = next(items)
                    except StopIteration:
                        exhausted = True
                    except DeadlineReached as end:
                        exhausted, late = True, end
                    else:
                        self._running[self._executor.submit(self._call, item)] = item
                        if len(self._running) > self._window // 2 and any(future.done() for future in self._running):
                            break  # somebody could be writing already
                if not self._running:
                    if late is not None:
                        raise late
                    return
                finished, _ = wait(self._running, timeout=POLL_S, return_when=FIRST_COMPLETED)
                self._clock.check()
                ready = [self._take(future) for future in list(self._running) if future in finished]
                ready += self._give_up_on_stuck()
                yield ready
                if self._running and self._deadline.remaining() < self._reserve_s:
                    raise late or DeadlineReached("the run's time is used up")
        finally:
            for future in list(self._running):
                if not future.cancel():
                    if future.done():
                        self.unclaimed.append(self._take(future))
                    else:
                        self._hanging.append(future)

    def _take(self, future: Future[Result]) -> tuple[Item, Future[Result]]:
        self._since.pop(future, None)
        return self._running.pop(future), future

    def _give_up_on_stuck(self) -> list[tuple[Item, Future[Result]]]:
        now = self._clock.monotonic()
        stuck: list[tuple[Item, Future[Result]]] = []
        for future in list(self._running):
            if future.running() and now - self._since.setdefault(future, now) > self._timeout_s:
                self._hanging.append(future)
                stuck.append((self._take(future)[0], _stuck()))
        if self.abandoned >= self._workers:
            stuck += [(self._take(future)[0], _stuck()) for future in list(self._running) if future.cancel()]
        return stuck


def _stuck() -> Future[Result]:
    answer: Future[Result] = Future()
    answer.set_exception(Stuck())
    return answer
