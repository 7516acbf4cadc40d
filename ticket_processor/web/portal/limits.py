"""How often somebody may do something: token buckets in memory, by address or by name."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable

from starlette.requests import Request

from ...core.wording import many
from ..connections import place_of
from .unsent import RefusedForNow

MOST_KEYS = 20_000
"""Buckets that are remembered; those used longest ago are forgotten first."""


class Buckets:
    """Token buckets: each holds ``most`` and fills up again within ``seconds``. Thread-safe."""

    def __init__(self, most: int, seconds: float, now: Callable[[], float]) -> None:
        self._most = float(most)
        self._each_s = seconds / most
        self._now = now
        self._lock = threading.Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, count: int = 1) -> float:
        """Take so many tokens, or none. Gives 0, or in how many seconds there will be enough."""
        now = self._now()
        with self._lock:
            left = self._left_at(key, now) - count
            if left < 0:
                return -left * self._each_s
            self._left[key] = (left, now)
            self._left.move_to_end(key)
            if len(self._left) > MOST_KEYS:
                self._left.popitem(last=False)
            return 0.0

    def give_back(self, key: str, count: int = 1) -> None:
        """Put back tokens that were taken for what turned out to need none."""
        now = self._now()
        with self._lock:
            if key in self._left:
                self._left[key] = (min(self._most, self._left_at(key, now) + count), now)

    def _left_at(self, key: str, now: float) -> float:
        left, at = self._left.get(key, (self._most, now))
        return min(self._most, left + max(0.0, now - at) / self._each_s)


Charge = tuple[Buckets, str, int]
"""So many tokens of the bucket with this key."""


def charge(*charges: Charge) -> float:
    """Take tokens of all, or of none. Gives 0, or in how many seconds to try again."""
    for number, (buckets, key, count) in enumerate(charges):
        if wait_s := buckets.take(key, count):
            give_back(*charges[:number])
            return wait_s
    return 0.0


def give_back(*charges: Charge) -> None:
    """Put back what was taken."""
    for buckets, key, count in charges:
        buckets.give_back(key, count)


def address_of(request: Request) -> str:
    """The client's address; of IPv6 the network, since a household has a whole one."""
    return place_of(request.client.host) if request.client else ""


def key_of(person: int) -> str:
    """A key that limits count somebody by whom the portal knows."""
    return f"person {person}"


def too_many(wait_s: float) -> RefusedForNow:
    """The refusal (429) of somebody who may try again in ``wait_s``."""
    minutes = math.ceil(wait_s / 60)
    words = f"Please try again in {many(minutes, 'minute')}."
    return RefusedForNow(429, words, {"Retry-After": str(math.ceil(wait_s))})
