"""Keeping below a share of the helpdesk's rate limits, as its replies tell them."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..core.clock import Clock

WINDOW_S = 60.0
"""The window of a limit whose end the replies do not tell."""


@dataclass(frozen=True)
class Limit:
    """A rate limit as a reply's headers told it: calls per window, calls left, seconds to the next window if told."""

    total: int
    remaining: int
    resets_s: float | None


class Throttle:
    """Keeps our calls below a share of each limit, so that people and other tools keep the rest.

    Limits are learnt from the replies; before the first one nothing is held back. Within a window at most
    ``share`` of the total is used by us, and nothing once others have left less than ``spare`` of it. Where replies do
    not tell when a window ends, that holds for any minute, wherever the vendor's begins.
    Safe for threads; waiting happens outside the lock.
    """

    def __init__(self, clock: Clock, share: float = 0.5, *, spare: float = 0.05) -> None:
        self._clock = clock
        self._share = share
        self._spare = spare
        self._lock = threading.Lock()
        self._buckets = defaultdict[str, _Bucket](lambda: _Bucket(clock.monotonic() + WINDOW_S))

    def delay(self, limits: Iterable[str] | Mapping[str, int]) -> float:
        """Seconds to wait before a call that counts against these limits; 0.0 takes the places at once.

        A mapping says how much the call costs of each, where that is not one.
        """
        costs = limits if isinstance(limits, Mapping) else dict.fromkeys(limits, 1)
        now = self._clock.monotonic()
        with self._lock:
            waits = (self._buckets[name].delay(now, cost, self._share, self._spare) for name, cost in costs.items())
            wait = max(waits, default=0.0)
            if wait <= 0:
                for name, cost in costs.items():
                    self._buckets[name].take(now, cost)
            return wait

    def learn(self, limits: Mapping[str, Limit]) -> None:
        """Take in what a reply said about the limits it counted against."""
        now = self._clock.monotonic()
        with self._lock:
            for name, limit in limits.items():
                bucket = self._buckets[name]
                bucket.told = limit.resets_s is not None
                if limit.resets_s is not None:
                    bucket.window_ends = now + max(0.0, limit.resets_s)
                bucket.total, bucket.remaining = limit.total, limit.remaining


class _Bucket:
    """Calls of ours that may still count, by moment and cost, and their sum. A window's end is not always ``told``."""

    __slots__ = ("remaining", "taken", "told", "total", "used", "window_ends")

    def __init__(self, window_ends: float) -> None:
        self.total: int | None = None
        self.remaining: int | None = None
        self.taken: deque[tuple[float, int]] = deque()
        self.used = 0
        self.told = False
        self.window_ends = window_ends

    def take(self, now: float, cost: int) -> None:
        self.taken.append((now, cost))
        self.used += cost

    def delay(self, now: float, cost: int, share: float, spare: float) -> float:
        if now >= self.window_ends:
            self.remaining = None
            self.window_ends = now + WINDOW_S
            if self.told:
                self.taken.clear()
                self.used = 0
        while not self.told and self.taken and self.taken[0][0] + WINDOW_S <= now:
            self.used -= self.taken.popleft()[1]
        if self.total is None:
            return 0.0
        if self.used > 0 and self.used + cost > max(1, int(self.total * share)):
            return (self.window_ends if self.told else self.taken[0][0] + WINDOW_S) - now + 0.05
        theirs_spent = self.remaining is not None and self.remaining <= int(self.total * spare + 1e-9)
        return self.window_ends - now + 0.05 if theirs_spent else 0.0
