"""Faults of a job of updates as a whole, or of some of its items, and the faults chosen for one job."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

JOB_KINDS: dict[str, str] = {
    "job-slow": "a job of updates starts `seconds` later",
    "job-lost": "a job of updates is accepted, nothing is done, and no answer says so",
    "job-vanishes": "a job of updates is done, and `seconds` after it was queued it cannot be found by its id",
    "job-fails": "a job of updates ends as failed, with nothing done",
    "job-killed": "a job of updates ends as killed, with some of its first items done",
    "job-item-fails": "items of a job of updates fail although nothing is wrong; the probability is each item's",
    "job-results-missing": "a job of updates is done, and its results lack some of the items",
    "job-no-results": "a job of updates is done, and its results are null",
}

Told = Literal["all", "some", "none"]
Row = dict[str, Any]


class Strike(Protocol):
    """A rule of a fault plan that has struck."""

    kind: str
    probability: float
    seconds: float | None


@dataclass(frozen=True)
class JobFault:
    """The faults of one job. ``seed`` decides which items are hit, so that timing cannot change it."""

    seed: int = 0
    delay: float = 0.0
    lost: bool = False
    found_for: float | None = None
    status: Literal["completed", "failed", "killed"] = "completed"
    item_fails: float = 0.0
    told: Told = "all"

    def items_done(self, total: int) -> int:
        """How many of the first items are done."""
        if self.status == "completed":
            return total
        return 0 if self.status == "failed" else self._dice("done").randrange(total)

    def failing(self, total: int) -> frozenset[int]:
        """The indices of items that fail for no reason."""
        if not self.item_fails:
            return frozenset()
        dice = self._dice("fail")
        return frozenset(index for index in range(total) if dice.random() < self.item_fails)

    def tell(self, results: Sequence[Row]) -> list[Row] | None:
        """The results as the job shows them; of some, at least one is left out."""
        if self.told == "none" or self.status != "completed":
            return None
        if self.told == "all":
            return list(results)
        dice = self._dice("tell")
        kept = sorted(dice.sample(range(len(results)), dice.randrange(len(results))))
        return [results[index] for index in kept]

    def _dice(self, what: str) -> random.Random:
        return random.Random(f"{self.seed} {what}")


NO_FAULT = JobFault()


def job_fault(strikes: Iterable[Strike], dice: random.Random) -> JobFault:
    """The rules that struck one job, together; of two that contradict each other the first counts."""
    fault = NO_FAULT
    for strike in strikes:
        seconds = strike.seconds or 0.0
        if strike.kind == "job-slow":
            fault = replace(fault, delay=fault.delay + seconds)
        elif strike.kind == "job-lost":
            fault = replace(fault, lost=True)
        elif strike.kind == "job-vanishes" and fault.found_for is None:
            fault = replace(fault, found_for=seconds)
        elif strike.kind == "job-item-fails":
            fault = replace(fault, item_fails=max(fault.item_fails, strike.probability))
        elif strike.kind in ("job-fails", "job-killed") and fault.status == "completed":
            fault = replace(fault, status="failed" if strike.kind == "job-fails" else "killed")
        elif strike.kind in ("job-results-missing", "job-no-results") and fault.told == "all":
            fault = replace(fault, told="none" if strike.kind == "job-no-results" else "some")
    return fault if fault == NO_FAULT else replace(fault, seed=dice.getrandbits(64))
