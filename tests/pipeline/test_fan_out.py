from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import pytest

from ticket_processor.core.clock import Deadline
from ticket_processor.core.errors import DeadlineReached, Stopping
from ticket_processor.pipeline.fan_out import FanOut, Stuck

from ..support.fakes import ManualClock


class Ticking(ManualClock):
    """Time that passes with every look at it: a second for each round of waiting."""

    def __init__(self, step: float) -> None:
        super().__init__()
        self.step = step

    def check(self) -> None:
        self.advance(self.step)
        super().check()


class Held(Executor):
    """Keeps everything until it is told to do it."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.waiting.append((future, lambda: fn(*args, **kwargs)))
        return future

    def do(self, count: int = 1) -> None:
        for _ in range(count):
            future, work = self.waiting.pop(0)
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(work())
                except Exception as error:
                    future.set_exception(error)


def fan_out(executor: Executor, call: Callable[[int], Any], clock: ManualClock, **options: Any) -> FanOut[int, Any]:
    given: dict[str, Any] = {
        "workers": 4,
        "window": 4,
        "timeout_s": 30.0,
        "clock": clock,
        "deadline": Deadline(clock, options.pop("seconds", 1e6)),
        "reserve_s": 0.0,
        **options,
    }
    return FanOut(executor, call, **given)


def counted(count: int, taken: list[int]) -> Iterator[int]:
    for number in range(count):
        taken.append(number)
        yield number


def test_while_the_next_item_is_on_its_way_what_is_done_is_handed_over() -> None:
    done: list[int] = []

    def late() -> Iterator[int | None]:
        yield 1
        while done != [1]:
            yield None
        yield 2

    with ThreadPoolExecutor(2) as pool:
        for finished in fan_out(pool, lambda number: number, ManualClock()).over(late()):
            done += [item for item, _ in finished]
    assert done == [1, 2]


def test_no_more_than_the_window_is_taken_before_something_is_done() -> None:
    executor = Held()
    taken: list[int] = []
    most = done = 0
    clock = ManualClock()
    fan = fan_out(executor, abs, clock)

    def check() -> None:
        nonlocal most
        most = max(most, len(taken) - done)
        if executor.waiting:
            executor.do()

    clock.check = check  # type: ignore[method-assign]
    results = fan.over(counted(100, taken))
    for finished in results:
        done += len(finished)
        assert len(taken) - done <= 4
    assert most == 4
    assert done == 100


def test_waiting_for_a_worker_is_not_hanging() -> None:
    release = threading.Event()
    clock = Ticking(10)
    seen = 0

    def call(number: int) -> int:
        if number == 0:
            release.wait(60)
        return number

    def check() -> None:
        nonlocal seen
        seen += 1
        clock.advance(10)
        if seen == 2:
            release.set()

    clock.check = check  # type: ignore[method-assign]
    with ThreadPoolExecutor(1) as pool:
        fan = fan_out(pool, call, clock, timeout_s=100.0)
        results = {item: future.result() for done in fan.over(iter(range(4))) for item, future in done}
    assert results == {0: 0, 1: 1, 2: 2, 3: 3}
    assert fan.abandoned == 0


def test_a_stop_ends_it_and_cancels_what_has_not_begun() -> None:
    executor = Held()
    clock = ManualClock()
    clock.stopped = True
    with pytest.raises(Stopping):
        list(fan_out(executor, abs, clock).over(iter(range(10))))
    assert len(executor.waiting) == 4
    assert all(future.cancelled() for future, _ in executor.waiting)


def test_once_every_worker_hangs_what_waits_behind_them_is_given_up_too() -> None:
    release = threading.Event()

    def call(number: int) -> int:
        if number < 2:
            release.wait(60)
        return number

    pool = ThreadPoolExecutor(2)
    try:
        fan = fan_out(pool, call, Ticking(20), workers=2, window=6)
        futures = {item: future for done in fan.over(iter(range(5))) for item, future in done}
        assert all(isinstance(future.exception(), Stuck) for future in futures.values())
        assert sorted(futures) == [0, 1, 2, 3, 4]
        assert fan.abandoned == 2
    finally:
        release.set()
        pool.shutdown()
    assert fan.abandoned == 0  # they came back after all


def late_after(count: int) -> Iterator[int]:
    yield from range(count)
    raise DeadlineReached("no more is taken in")


def test_a_deadline_of_the_intake_ends_the_intake_and_loses_no_work() -> None:
    got: list[int] = []
    with ThreadPoolExecutor(2) as pool:
        fan = fan_out(pool, abs, ManualClock())
        results = fan.over(late_after(6))
        with pytest.raises(DeadlineReached, match="no more is taken in"):
            got.extend(future.result() for done in results for _, future in done)
    assert sorted(got) == [0, 1, 2, 3, 4, 5]
