from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing

import pytest

from ticket_processor.core.errors import HelpdeskDown, Stopping
from ticket_processor.pipeline.fan_out import read_ahead

from ..support.fakes import ManualClock

TOO_LONG_S = 20.0


class Source:
    """Counts up to ``end``, tells what was fetched, and notes the threads that fetch."""

    def __init__(self, end: int, *, fails_at: int | None = None) -> None:
        self.end = end
        self.fails_at = fails_at
        self.fetched: list[int] = []
        self.threads: set[threading.Thread] = set()
        self.arrived = threading.Semaphore(0)
        self.closed = threading.Event()

    def __iter__(self) -> Iterator[int]:
        try:
            for number in range(self.end):
                self.threads.add(threading.current_thread())
                if number == self.fails_at:
                    raise HelpdeskDown("gone")
                self.fetched.append(number)
                self.arrived.release()
                yield number
        finally:
            self.closed.set()

    def wait_for(self, number: int) -> None:
        for _ in range(number):
            assert self.arrived.acquire(timeout=TOO_LONG_S)

    def all_threads_end(self) -> bool:
        for thread in self.threads:
            thread.join(TOO_LONG_S)
        return not any(thread.is_alive() for thread in self.threads)


def given(items: Iterator[int | None]) -> Generator[int, None, None]:
    """What has been fetched; where it is said that the next is on its way, it is waited for."""
    with closing(items):  # type: ignore[type-var]
        yield from (item for item in items if item is not None)


def test_an_error_comes_behind_what_was_fetched_before_it() -> None:
    source = Source(5, fails_at=2)
    pages = given(read_ahead(iter(source), ManualClock()))
    assert [next(pages), next(pages)] == [0, 1]
    with pytest.raises(HelpdeskDown, match="gone"):
        next(pages)
    assert source.all_threads_end()


def test_a_stop_that_is_asked_for_does_not_wait_for_a_slow_fetch() -> None:
    clock, held = ManualClock(), threading.Event()

    def slow() -> Iterator[int]:
        yield 0
        clock.stopped = True
        held.wait(TOO_LONG_S)
        yield 1

    pages = given(read_ahead(slow(), clock))
    assert next(pages) == 0
    started = time.monotonic()
    with pytest.raises(Stopping):
        next(pages)
    held.set()
    assert time.monotonic() - started < TOO_LONG_S / 2
