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

    def take(self, key: str, *, only_look: bool = False) -> float:
        """Take one token. Gives 0, or in how many seconds there will be one."""
        now = self._now()
        with self._lock:
            left, at = self._left.get(key, (self._most, now))
            left = min(self._most, left + max(0.0, now - at) / self._each_s)
            if left < 1:
                return (1 - left) * self._each_s
            if not only_look:
                self._left[key] = (left - 1, now)
                self._left.move_to_end(key)
                if len(self._left) > MOST_KEYS:
                    self._left.popitem(last=False)
            return 0.0


def address_of(request: Request) -> str:
    """The client's address; of IPv6 the network, since a household has a whole one."""
    return place_of(request.client.host) if request.client else ""


def too_many(wait_s: float) -> RefusedForNow:
    """The refusal (429) of somebody who may try again in ``wait_s``."""
    minutes = math.ceil(wait_s / 60)
    words = f"Please try again in {many(minutes, 'minute')}."
    return RefusedForNow(429, words, {"Retry-After": str(math.ceil(wait_s))})
