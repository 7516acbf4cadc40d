"""How often scheduled runs come, by those that have been: what a missing one is measured against. Pure.

Nobody tells the program when it is started, so it looks: at the intervals between the beginnings of the last runs, and
at the times of day at which it is left alone. Runs that a person starts by hand have no rhythm, and none is missing.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from itertools import pairwise

from .slo import DAY, HOUR, MINUTE

LOOKED_AT, FEWEST = 12, 5
"""Intervals: the last that count, and without how many nothing can be said."""
ALIKE = 0.25
"""An interval is like another when it differs by no larger a share."""
GAP, LEAST_GAP_S = 2.5, 25 * MINUTE
"""So many intervals without a run are worth a word, and no less time than that."""
STALE, LEAST_STALE_S = 4.0, 40 * MINUTE
"""The same for tickets that no run has looked at."""
PAUSE_S, SAME_HOUR_S = 3 * HOUR, 2 * HOUR
"""What is shorter is no night; and how far two nights may differ at either end (clocks are changed by an hour)."""


def period(starts: Sequence[float]) -> float | None:
    """Seconds from one run's beginning to the next one's; ``starts`` are Unix seconds, oldest first.

    ``None`` while there are too few, or where half of the last intervals are not alike: no schedule does that.
    """
    intervals = [after - before for before, after in pairwise(starts[-LOOKED_AT - 1 :])]
    if len(intervals) < FEWEST:
        return None
    usual = statistics.median_low(intervals)
    alike = sum(abs(interval - usual) <= ALIKE * usual for interval in intervals)
    return usual if usual > 0 and 2 * alike >= len(intervals) else None


def is_habit(pause: tuple[float, float], earlier: Iterable[tuple[float, float]]) -> bool:
    """Whether a pause begins and ends at the times of day at which two earlier ones, or more, did.

    So does a machine that sleeps at night and over the weekend, or a schedule of office hours.
    """
    began, ended = pause
    if ended - began < PAUSE_S:
        return False
    alike = [one for one in earlier if _same_hour(one[0], began) and _same_hour(one[1], ended)]
    return len(alike) >= 2


def _same_hour(one: float, other: float) -> bool:
    apart = abs(one - other) % DAY
    return min(apart, DAY - apart) <= SAME_HOUR_S
