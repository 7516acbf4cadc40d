"""How often scheduled runs come, and when one of them is late. Pure.

The interval follows from the starts of the last runs. Runs that a person starts are irregular, and none is late.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from itertools import pairwise

from .slo import MINUTE

LOOKED_AT, FEWEST = 12, 5
"""The number of last intervals that count, and the least number needed."""
ALIKE = 0.25
"""Two intervals are alike if they differ by no larger a share."""
GAP, LEAST_GAP_S = 2.5, 25 * MINUTE
"""A longer time without any run, in intervals and in seconds at least, is a pause."""
STALE, LEAST_STALE_S = 4.0, 40 * MINUTE
"""New tickets that no run has looked at for so long are late, in intervals and in seconds at least."""


def period(starts: Sequence[float]) -> float | None:
    """Seconds from the start of one run to the next; ``starts`` are Unix seconds, oldest first.

    ``None`` if there are too few, or if less than half of the last intervals are alike, which no schedule causes.
    """
    intervals = [after - before for before, after in pairwise(starts[-LOOKED_AT - 1 :])]
    if len(intervals) < FEWEST:
        return None
    usual = statistics.median_low(intervals)
    alike = sum(abs(interval - usual) <= ALIKE * usual for interval in intervals)
    return usual if usual > 0 and 2 * alike >= len(intervals) else None
