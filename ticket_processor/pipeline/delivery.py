"""Which way changes travel to the helpdesk: as single updates, or in jobs of many."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

from ..audit.receipts import AuditLog
from ..core.clock import Clock

MOST_ITEMS = 100
FEW = 3
"""This many last tickets of a run go as single updates, which are done at once, though jobs took the others."""
MINUTE_S = 60.0

WriteMode = Literal["auto", "single", "batch"]


@dataclass(frozen=True)
class Delivery:
    """How changes travel. In mode ``auto`` jobs are used once ``batch_from`` tickets are on their way at the same time.

    Single updates of the last minute count as on their way, for the helpdesk's limit counts them.
    ``most_jobs`` are ours at a time; the account may have thirty. ``together`` is how many tickets are read before the
    first of them gets a single update: where nothing guards that, each is read by itself.
    """

    mode: WriteMode = "auto"
    batch_from: int = 25
    job_items: int = MOST_ITEMS
    most_jobs: int = 10
    together: int = MOST_ITEMS


class WriteRoute:
    """Chooses between single updates and jobs, by how many tickets are on their way. Used by one thread."""

    def __init__(self, delivery: Delivery, audit: AuditLog, clock: Clock) -> None:
        self._delivery = delivery
        self._audit = audit
        self._clock = clock
        self._singles: deque[float] = deque()
        self.batching = False
        """Whether jobs have been chosen before."""

    def sent_singly(self) -> None:
        """A single update is being sent."""
        self._singles.append(self._clock.monotonic())

    def by_jobs(self, together: int) -> bool:
        """Whether jobs are the way for so many tickets on their way ``together``."""
        if self._delivery.mode == "single":
            return False
        while self._singles and self._clock.monotonic() - self._singles[0] > MINUTE_S:
            self._singles.popleft()
        singly = self._delivery.batch_from - 1 - len(self._singles)
        if self.batching:
            singly = min(singly, FEW)
        use = self._delivery.mode == "batch" or together > singly
        if use and not self.batching:
            why = f"{together} tickets are under way" if self._delivery.mode == "auto" else "write_mode is batch"
            self._audit.alert("write_mode", mode="batch", why=why, verified="by reading back")
            self.batching = True
        return use
