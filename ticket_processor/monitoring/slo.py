"""Burn rates: how fast failed tickets use up the error budget of the objective. Pure.

On a desk with three tickets a run a single failure is a third of them, so no single run is judged: the share of
failures is taken over a long window and a short one, and a least number of failures is needed. A window of runs skips
those without tickets, or a quiet night would end every alert.

A scheduled run is late by the interval between the starts of the last runs. Runs that a person starts are irregular.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ..core.run_summary import RunRecord
from ..reporting.figures import error_rate
from .run_metrics import written

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


@dataclass(frozen=True)
class RunCounts:
    """One run: when it ended (Unix seconds), how many tickets it finished, and how many of them failed.

    A ticket that fails in several runs counts once. An answer by rules instead of a model is no failure.
    """

    finished: float
    handled: int
    failed: int


@dataclass(frozen=True)
class SloTally:
    """The sum over some runs; ``runs`` is how many of them had tickets."""

    handled: int = 0
    failed: int = 0
    runs: int = field(default=0, compare=False)

    @property
    def error_rate(self) -> float:
        """The share of failed tickets; 0.0 without tickets."""
        return error_rate(self.handled - self.failed, self.failed) or 0.0


WINDOW_S, LONG, SHORT = 6 * HOUR, 6, 2
"""The long window shows that failures matter, the short one that they go on; both are of runs with tickets."""
FACTOR, LEAST = 14.4, 4
"""So many times what the objective allows, the month's budget lasts two days; the long window needs ``LEAST``."""


def tally(runs: Sequence[RunCounts], since: float, most: int | None = None) -> SloTally:
    """Sum the last ``most`` runs with tickets that ended ``since`` then; ``runs`` are in order, the last one last."""
    handled = failed = taken = 0
    for run in reversed(runs):
        if run.finished < since or taken == most:
            break
        if run.handled:
            handled, failed, taken = handled + run.handled, failed + run.failed, taken + 1
    return SloTally(handled, failed, taken)


def burning(runs: Sequence[RunCounts], objective: float, now: float) -> SloTally | None:
    """The long window if failures use up the budget too fast, else ``None``. ``objective`` is a share such as 0.995."""
    limit = FACTOR * (1.0 - objective)
    if tally(runs, now - WINDOW_S, SHORT).error_rate <= limit:  # the short one first: it is mostly empty
        return None
    found = tally(runs, now - WINDOW_S, LONG)
    return found if found.failed >= LEAST and found.error_rate > limit else None


def counted(records: Iterable[RunRecord]) -> list[RunCounts]:
    """Tickets and failures of each scheduled run."""
    runs = [(record.finished, record.summary) for record in records if record.kind == "run"]
    return [
        RunCounts(finished, written(summary) + summary.newly_failed, summary.newly_failed) for finished, summary in runs
    ]


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
