"""Burn rates over time, by the windows that alerts look through. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from ..models import RunRecord
from ..slo import FAST, SLOW, STEADY, Burn, Counted, counted

WINDOWS: dict[str, Burn] = {"6 hours": FAST, "2 days": SLOW, "3 days": STEADY}
LONGEST_S = max(burn.long.seconds for burn in WINDOWS.values())
MOST_POINTS = 200

Rates = dict[str, list[tuple[float, float | None]]]


def rates(records: Sequence[RunRecord], since: float, until: float, objective: float) -> Rates:
    """For each window the burn rate after the runs of a period: 1 uses up exactly what ``objective`` allows.

    Of many runs some are left out, never the last one. Times are Unix seconds.
    """
    runs = counted(records)
    ends = [run.finished for run in runs]
    shown = _thinned([end for end in ends if since <= end < until])
    return {
        name: [(at, _rate(runs[: bisect_right(ends, at)], window, at, objective)) for at in shown]
        for name, window in WINDOWS.items()
    }


def _rate(runs: Sequence[Counted], window: Burn, now: float, objective: float) -> float:
    return window.long.tally(runs, now).error_rate / (1.0 - objective)


def _thinned(moments: Sequence[float]) -> list[float]:
    step = max(1, -(-len(moments) // MOST_POINTS))
    return list(reversed(moments[::-1][::step]))
