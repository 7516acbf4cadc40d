"""Fan work out over any ``concurrent.futures`` executor, and gather it as it completes, with bounded memory.

:func:`read_ahead` fetches the next page in a thread while the caller works on this one.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from ..core.clock import Clock, Deadline
from ..core.errors import DeadlineReached

Item = TypeVar("Item")
Result = TypeVar("Result")

POLL_S = 0.25
"""How long a signal may go unnoticed: on Windows a waiting main thread hears none."""

LOOK_S = 1.0
"""How often running calls are looked at for those that hang."""


class Stuck(Exception):
    """The worker did not come back in time. Its thread is left behind."""


class FanOut(Generic[Item, Result]):
    """Takes items lazily, keeps at most ``window`` in the executor, yields (item, future) lists as they finish.

    A call that runs longer than ``timeout_s`` is abandoned and yields a future holding :class:`Stuck`: every
    library's own timeout was met failing to end a call. Once all ``workers`` hang in such calls, what is queued
    behind them yields :class:`Stuck` as well. ``choose`` may name another executor for an item. Use from one thread.
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
        choose: Callable[[Item], Executor] | None = None,
    ) -> None:
        self._choose = choose or (lambda _item: executor)
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
        self._finished: SimpleQueue[Future[Result]] = SimpleQueue()
        self._next_look = 0.0
        self.exhausted = False
        """Whether everything has been taken in that there is."""
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

    def over(self, items: Iterator[Item | None]) -> Generator[list[tuple[Item, Future[Result]]], None, None]:
        """The results of ``items``; now and then none, so that the caller can go on with what else there is to do.

        An item that is ``None`` says that the next one is not there yet.
        ``DeadlineReached`` from ``items`` ends the intake, and is raised once everything taken in has been
        yielded. Raises it at once when less than the reserve is left, and ``Stopping``.
        """
        late: DeadlineReached | None = None
        self.exhausted = False
        try:
            while True:
                while not self.exhausted and len(self._running) < self._window:
                    try:
                        item = next(items)
                    except StopIteration:
                        self.exhausted = True
                    except DeadlineReached as end:
                        self.exhausted, late = True, end
                    else:
                        if item is None:
                            break
                        future = self._choose(item).submit(self._call, item)
                        self._running[future] = item
                        # Asking hundreds of futures in turn would take more time than the rest of this thread's work.
                        future.add_done_callback(self._finished.put)
                        if len(self._running) > self._window // 2 and not self._finished.empty():
                            break  # the caller could be writing already
                if not self._running and self.exhausted:
                    if late is not None:
                        raise late
                    return
                finished = self._wait_for_some() if self._running else []
                self._clock.check()
                ready = [self._take(future) for future in finished if future in self._running]
                ready += self._give_up_on_stuck()
                yield ready
                if self._deadline.remaining() < self._reserve_s and (self._running or not self.exhausted):
                    raise late or DeadlineReached("the run's time is used up")
        finally:
            for future in list(self._running):
                if not future.cancel():
                    if future.done():
                        self.unclaimed.append(self._take(future))
                    else:
                        self._hanging.append(future)

    def _wait_for_some(self) -> list[Future[Result]]:
        """The calls that have finished by now; waits a moment for the first."""
        finished: list[Future[Result]] = []
        try:
            finished.append(self._finished.get(timeout=POLL_S))
            while True:
                finished.append(self._finished.get_nowait())
        except Empty:
            return finished

    def _take(self, future: Future[Result]) -> tuple[Item, Future[Result]]:
        self._since.pop(future, None)
        return self._running.pop(future), future

    def _give_up_on_stuck(self) -> list[tuple[Item, Future[Result]]]:
        now = self._clock.monotonic()
        stuck: list[tuple[Item, Future[Result]]] = []
        if now < self._next_look:
            return stuck
        self._next_look = now + min(LOOK_S, self._timeout_s / 10)
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


ReadEach = Callable[[Callable[[int], Any], Sequence[int]], Iterable[Any]]
"""Applies a function to ticket numbers and gives the results in their order: ``map`` one by one, :func:`read_each`
several at a time."""
READERS = 8


def read_each(read: Callable[[int], Any], ticket_ids: Sequence[int]) -> Iterable[Any]:
    """``read`` of each ticket, on up to ``READERS`` threads. Raises what it raises, when the others have ended."""
    with ThreadPoolExecutor(READERS, thread_name_prefix="read-each") as pool:
        return list(pool.map(read, ticket_ids))


READ_POLL_S = 0.05
"""How long the caller is kept waiting for the next."""


@dataclass(frozen=True)
class _End:
    """Nothing more comes, because of ``error`` if there is one."""

    error: BaseException | None = None


def read_ahead(items: Iterator[Item], clock: Clock) -> Iterator[Item | None]:
    """``items`` in their order, each asked for when the one before it is handed out; ``None`` while one is fetched.

    What fetching raises is raised here in its turn, behind everything fetched before; a stop that was asked for, at
    once. ``items`` are used by one thread of their own. It ends with them, with an error, or when this iterator is
    closed; a fetch that is under way then is not waited for.
    """
    wishes = threading.Semaphore(1)
    closed = threading.Event()
    fetched: queue.SimpleQueue[Item | _End] = queue.SimpleQueue()

    def read() -> None:
        while True:
            wishes.acquire()
            if closed.is_set():
                return
            try:
                fetched.put(next(items))
            except StopIteration:
                fetched.put(_End())
                return
            except BaseException as error:  # noqa: BLE001 - it is the caller's, whatever it is
                fetched.put(_End(error))
                return

    threading.Thread(target=read, name="read-ahead", daemon=True).start()
    try:
        while True:
            clock.check()
            try:
                item = fetched.get(timeout=READ_POLL_S)
            except queue.Empty:
                yield None
                continue
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            wishes.release()
            yield item
    finally:
        closed.set()
        wishes.release()
