"""Threads that several accounts share: each gets its part, and what one leaves idle the others use."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any


class FairPool:
    """At most ``threads`` calls at a time, but one for each share at any rate: hanging calls of others starve none.

    A free thread goes to the share that has the fewest. Threads are daemons, and end when there is nothing to do.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._lock = threading.Lock()
        self._shares: list[FairShare] = []
        self._running = 0
        self._turn = itertools.count(1)

    def share(self, most: int) -> FairShare:
        """An executor for one account, which gets at most ``most`` threads."""
        with self._lock:
            self._shares.append(FairShare(self, most))
            return self._shares[-1]

    def start(self, share: FairShare, call: _Call) -> None:
        """Take a call in; it begins when a thread is free for its share."""
        with self._lock:
            share.waiting.append(call)
            if (first := self._next()) is not None:
                threading.Thread(target=self._work, args=first, name="analyse", daemon=True).start()

    def leave(self, share: FairShare, *, cancel: bool) -> None:
        """The share takes no more calls; with ``cancel`` those that wait never begin."""
        with self._lock:
            waiting = list(share.waiting) if cancel else []
            if cancel:
                share.waiting.clear()
                self._shares = [each for each in self._shares if each is not share]
        for call in waiting:
            call.future.cancel()

    def _next(self) -> tuple[FairShare, _Call] | None:
        """The call that is next, its thread taken; ``None`` while there is none or no thread for it."""
        ready = [each for each in self._shares if each.waiting and each.running < each.most]
        if not ready:
            return None
        share = min(ready, key=lambda each: (each.running, each.served))
        if share.running and self._running >= self._threads:
            return None
        share.running += 1
        share.served = next(self._turn)
        self._running += 1
        return share, share.waiting.popleft()

    def _work(self, share: FairShare, call: _Call) -> None:
        while True:
            call.play()
            with self._lock:
                share.running -= 1
                self._running -= 1
                following = self._next()
            if following is None:
                return
            share, call = following


class _Call:
    """A call that waits for a thread, and the future of its result."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.work = work
        self.future: Future[Any] = Future()

    def play(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            result = self.work()
        except BaseException as error:  # noqa: BLE001 - it is the caller's, whatever it is
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


class FairShare(Executor):
    """One account's part of a :class:`FairPool`."""

    def __init__(self, pool: FairPool, most: int) -> None:
        self._pool = pool
        self.most = most
        self.waiting: deque[_Call] = deque()
        self.running = 0
        self.served = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """See :meth:`Executor.submit`."""
        call = _Call(lambda: fn(*args, **kwargs))
        self._pool.start(self, call)
        return call.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Give the part back; calls that run are not waited for."""
        self._pool.leave(self, cancel=cancel_futures)
