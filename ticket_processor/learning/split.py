"""Compares two releases that decided side by side, by what people made of their labels. Pure.

A ticket is kept when a person dealt with it, and neither people nor somebody unknown changed a label of ours. The test
is a mixture sequential probability ratio test, whose p-value holds at every look (Johari, Koomen, Pekelis, Walsh:
"Always Valid Inference: Continuous Monitoring of A/B Tests", Operations Research 70, 2022).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from .model import Reaction

LEVEL = 0.05
"""Probability that two releases of which people keep as much are ever told apart, however often one looks."""
EXPECTED_DIFFERENCE = 0.1
"""Standard deviation of the normal mixture over differences of kept-rates: what is looked for first."""


@dataclass(frozen=True)
class SplitArm:
    """What people kept of one release's tickets in a split."""

    release: str
    judged: int
    kept: int

    @property
    def rate(self) -> float | None:
        """The share of the judged tickets that was kept; ``None`` without any."""
        return self.kept / self.judged if self.judged else None


@dataclass(frozen=True)
class SplitComparison:
    """Two releases of a split, that with more tickets first, and the always valid p-value."""

    first: SplitArm
    second: SplitArm
    p: float

    @property
    def better(self) -> str | None:
        """The release of which people keep more, beyond chance."""
        if self.p > LEVEL:
            return None
        return max(self.first, self.second, key=lambda arm: arm.rate or 0.0).release

    def as_data(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {**asdict(self), "rates": [self.first.rate, self.second.rate], "better": self.better}


def comparisons(reactions: Iterable[Reaction]) -> list[SplitComparison]:
    """All splits that people judged tickets of."""
    tickets: defaultdict[tuple[str, str], dict[int, bool]] = defaultdict(dict)
    for item in reactions:
        if item.against and item.judged:
            of_release = tickets[item.release, item.against]
            of_release[item.ticket_id] = of_release.get(item.ticket_id, True) and item.fate == "kept"
    found = []
    for one, other in sorted({tuple(sorted(pair)) for pair in tickets}):
        pair = ((one, other), (other, one))
        arms = [SplitArm(name[0], len(tickets[name]), sum(tickets[name].values())) for name in pair]
        first, second = sorted(arms, key=lambda arm: -arm.judged)
        found.append(SplitComparison(first, second, always_valid_p(first, second)))
    return found


def always_valid_p(first: SplitArm, second: SplitArm) -> float:
    """The probability, where both are kept as often, that the evidence ever gets as strong as it is now, at most."""
    if not (first.judged and second.judged):
        return 1.0
    judged = first.judged + second.judged
    rate = (first.kept + second.kept + 1) / (judged + 2)
    variance = rate * (1 - rate) * (1 / first.judged + 1 / second.judged)
    mixture = EXPECTED_DIFFERENCE**2
    difference = first.kept / first.judged - second.kept / second.judged
    exponent = mixture * difference**2 / (2 * variance * (variance + mixture))
    return min(1.0, math.sqrt((variance + mixture) / variance) * math.exp(-exponent))
