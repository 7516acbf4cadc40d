"""Which counts differ from what is usual by more than chance: G-tests of two samples, few false discoveries. Pure.

Tickets do not come independently (an outage brings many), so counts are allowed to vary as much as they have varied
before.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence

LEAST_TICKETS = 10
LEAST_RATIO = 1.5
"""Smaller differences are nobody's business, however certain."""
LEAST_VARIATION = 1.5
_TRIMMED = 0.1
_TRIMMED_MEAN = {1: 0.62, 2: 0.74, 3: 0.80}
"""By its degrees of freedom: what is left of a chi-square's mean without its upper tenth."""


def chance(now: float, before: float, size: float, variation: float = 1.0) -> float:
    """How likely two counts of the same thing differ so much by chance, either way (G-test of two samples).

    ``before`` was counted over ``size`` times as much as ``now``; ``variation`` is the counts' variance by their mean.
    """
    expected = (now + before) / (1 + size)
    pairs = ((now, expected), (before, expected * size))
    statistic = 2 * sum(count * math.log(count / usual) for count, usual in pairs if count > 0)
    return math.erfc(math.sqrt(max(0.0, statistic) / variation / 2))


def discovered(chances: Iterable[float], rate: float) -> float:
    """The highest of these chances that still counts, so that no more than ``rate`` of what counts is chance.

    By Benjamini and Hochberg; below 0.0 where none counts.
    """
    ordered = sorted(chances)
    fit = [value for place, value in enumerate(ordered, start=1) if value <= rate * place / len(ordered)]
    return fit[-1] if fit else -1.0


def variation_of(reference: Iterable[Sequence[float]], least: float = LEAST_VARIATION) -> float:
    """How much more than by pure chance counts vary (variance by mean); at ``least`` so much.

    ``reference`` are counts that should be alike, such as those of the last four Mondays. Those that varied most are
    left out: an outage weeks ago is no reason to expect one.
    """
    found = []
    for counts in reference:
        mean, freedom = statistics.fmean(counts), len(counts) - 1
        if mean >= 1 and freedom in _TRIMMED_MEAN:
            found.append(sum((count - mean) ** 2 for count in counts) / mean / freedom / _TRIMMED_MEAN[freedom])
    kept = sorted(found)[: math.floor(len(found) * (1 - _TRIMMED))]
    return max(least, statistics.fmean(kept) if kept else 1.0)
