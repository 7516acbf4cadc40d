"""Runs work on any ``concurrent.futures`` executor and yields results as they complete, with bounded memory.

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
"""Seconds between checks for signals: on Windows a waiting main thread receives none."""

LOOK_S = 1.0
"""Seconds between checks for calls that hang."""


class Stuck(Exception):
    """The call did not return in time. Its thread is abandoned."""


class FanOut(Generic[Item, Result]):
    """Takes items lazily, keeps at most ``window`` in the executor, yields (item, future) lists as they finish.

    A call that runs longer than ``timeout_s`` is abandoned and yields a future with :class:`Stuck`, since every
    library's own timeout has failed to end a call at some time. Once all ``workers`` hang in such calls, queued items
    yield :class:`Stuck` as well. ``choose`` may name another executor for an item. Use from one thread.
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
        """True if all items have been taken."""
        self.unclaimed: list[tuple[Item, Future[Result]]] = []
        """After an early end: finished items that were not yielded."""

    @property
    def abandoned(self) -> int:
        """Number of abandoned calls that still run."""
        return sum(not future.done() for future in self._hanging)

    @property
    def outstanding(self) -> int:
        """Number of items that were taken and not yielded yet."""
        return len(self._running)

    def over(self, items: Iterator[Item | None]) -> Generator[list[tuple[Item, Future[Result]]], None, None]:
        """Yield lists of results for ``items``; sometimes an empty one, so that the caller can do other work.

        An item ``None`` means that the next one is not available yet. If ``items`` raises ``DeadlineReached``, no more
        are taken, and it is raised again after all results are yielded, or at once when less than the reserve is left.
        Raises ``Stopping`` at once.
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
                        # Polling hundreds of futures would take more time than the rest of this thread's work.
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
        """The calls that have finished; waits up to :data:`POLL_S` for the first."""
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


@dataclass(frozen=True)
class Threads:
    """The threads of a run: ``analyse`` runs analyses; ``express``, if any, those of tickets from webhooks at once.

    With ``readers`` pages are read ahead, and several records at a time; without, all is read in the run's own thread.
    """

    analyse: Executor
    express: Executor | None = None
    readers: bool = False


READERS = 8


def read_each(read: Callable[[int], Any], ticket_ids: Sequence[int]) -> Iterable[Any]:
    """Call ``read`` for each ticket on up to ``READERS`` threads. Raises what it raises, once the others have ended."""
    with ThreadPoolExecutor(READERS, thread_name_prefix="read-each") as pool:
        return list(pool.map(read, ticket_ids))


READ_POLL_S = 0.05
"""Seconds that the caller waits for the next item at most."""


@dataclass(frozen=True)
class _End:
    """The end of the items, caused by ``error`` if there is one."""

    error: BaseException | None = None


def read_ahead(items: Iterator[Item], clock: Clock) -> Iterator[Item | None]:
    """Yield ``items`` in order, fetching each while the caller uses the one before; ``None`` while one is fetched.

    An error of ``items`` is raised after everything fetched before it; a stop that was asked for, at once. One thread
    uses ``items``; it ends with them, with an error, or when this iterator is closed, which does not wait for a fetch
    under way.
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
