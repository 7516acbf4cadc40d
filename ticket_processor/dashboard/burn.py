"""Burn rates over time, by three windows; the first is that of the alert ``errors_fast``. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from ..core.models import RunRecord
from ..monitoring.slo import DAY, FAST, RunCounts, RunWindow, counted

WINDOWS = {"6 hours": FAST.long, "2 days": RunWindow(2 * DAY, 36), "3 days": RunWindow(3 * DAY)}
LONGEST_S = max(window.seconds for window in WINDOWS.values())
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


def _rate(runs: Sequence[RunCounts], window: RunWindow, now: float, objective: float) -> float:
    return window.tally(runs, now).error_rate / (1.0 - objective)


def _thinned(moments: Sequence[float]) -> list[float]:
    step = max(1, -(-len(moments) // MOST_POINTS))
    return list(reversed(moments[::-1][::step]))
