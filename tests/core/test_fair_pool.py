"""Threads that several accounts share."""

from __future__ import annotations

import threading
from concurrent.futures import Future, wait

import pytest

from ticket_processor.core.fair_pool import FairPool

LONG_S = 20.0


class Gate:
    """Calls that wait until they are let go, and how many are at it."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.begun = threading.Semaphore(0)

    def __call__(self) -> None:
        self.begun.release()
        assert self.open.wait(LONG_S)

    def wait_for(self, calls: int) -> None:
        for _ in range(calls):
            assert self.begun.acquire(timeout=LONG_S)


def test_a_share_that_hangs_on_every_thread_leaves_one_to_each_other() -> None:
    pool, gate = FairPool(4), Gate()
    stuck, other = pool.share(8), pool.share(8)
    hanging = [stuck.submit(gate) for _ in range(8)]
    gate.wait_for(4)
    assert [other.submit(int, text).result(LONG_S) for text in "123"] == [1, 2, 3]
    gate.open.set()
    wait(hanging, LONG_S)
    assert all(each.done() for each in hanging)


def test_what_one_share_leaves_idle_the_other_uses_up_to_its_own_number() -> None:
    pool, gate = FairPool(10), Gate()
    pool.share(8)
    busy = pool.share(6)
    calls = [busy.submit(gate) for _ in range(9)]
    gate.wait_for(6)
    assert not gate.begun.acquire(timeout=0.05)
    gate.open.set()
    wait(calls, LONG_S)


def test_free_threads_go_to_whoever_has_fewest() -> None:
    pool, gates = FairPool(6), (Gate(), Gate())
    first, second = pool.share(6), pool.share(6)
    early = [first.submit(gates[0]) for _ in range(12)]
    gates[0].wait_for(6)
    late = [second.submit(gates[1]) for _ in range(12)]
    gates[1].wait_for(1)  # its own
    gates[0].open.set()
    wait(early, LONG_S)
    gates[1].wait_for(5)
    gates[1].open.set()
    wait(late, LONG_S)


def test_an_error_comes_back_and_a_share_given_back_begins_nothing_more() -> None:
    pool, gate = FairPool(1), Gate()
    share = pool.share(1)
    share.submit(gate)
    gate.wait_for(1)
    waiting: Future[int] = share.submit(int, "x")
    share.shutdown(wait=False, cancel_futures=True)
    assert waiting.cancelled()
    gate.open.set()
    with pytest.raises(ValueError, match="x"):
        pool.share(1).submit(int, "x").result(LONG_S)
