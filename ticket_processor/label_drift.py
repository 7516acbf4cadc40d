"""Whether the mix of labels has changed: the population stability index of two samples. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping

NOTABLE = 0.2
"""The usual mark: below 0.1 nothing has changed, from 0.2 on something has."""
LEAST_RECENT, LEAST_BEFORE = 200, 400
_ALMOST_NONE = 0.5
"""Stands for a count of zero, whose logarithm there is none of."""


def stability_index(before: Mapping[str, int], recent: Mapping[str, int]) -> float:
    """0.0 for the same mix, and the more the less alike. Both need at least one count."""
    names = before.keys() | recent.keys()
    whole_before, whole_recent = sum(before.values()), sum(recent.values())
    index = 0.0
    for name in names:
        was = max(before.get(name, 0), _ALMOST_NONE) / whole_before
        now = max(recent.get(name, 0), _ALMOST_NONE) / whole_recent
        index += (now - was) * math.log(now / was)
    return index


def drift(before: Mapping[str, int], recent: Mapping[str, int]) -> float | None:
    """The index where it says something, else ``None``.

    Of two samples of one mix the index is not 0 but, by chance, about (labels - 1) (1/n + 1/m), which with many labels
    passes any fixed mark: it has to be clear of that as well.
    """
    n, m = sum(before.values()), sum(recent.values())
    if n < LEAST_BEFORE or m < LEAST_RECENT:
        return None
    freedom = len(before.keys() | recent.keys()) - 1
    by_chance = (freedom + 4 * math.sqrt(2 * freedom)) * (1 / n + 1 / m)
    index = stability_index(before, recent)
    return index if index > max(NOTABLE, by_chance) else None


def most_changed(before: Mapping[str, int], recent: Mapping[str, int]) -> tuple[str, float, float]:
    """The label whose share has changed most, with the share before and now."""
    n, m = sum(before.values()), sum(recent.values())
    shares = [(name, before.get(name, 0) / n, recent.get(name, 0) / m) for name in before.keys() | recent.keys()]
    return max(shares, key=lambda row: (abs(row[2] - row[1]), row[0]))
