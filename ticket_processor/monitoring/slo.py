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


@dataclass(frozen=True)
class RunWindow:
    """A window: the last ``runs`` with tickets, none older than ``seconds``; without ``runs``, all of that time."""

    seconds: float
    runs: int | None = None

    def tally(self, runs: Sequence[RunCounts], now: float) -> SloTally:
        """Sum the runs in this window; ``runs`` are in order, the last one last."""
        handled = failed = taken = 0
        for run in reversed(runs):
            if run.finished < now - self.seconds or taken == self.runs:
                break
            if run.handled:
                handled, failed, taken = handled + run.handled, failed + run.failed, taken + 1
        return SloTally(handled, failed, taken)


@dataclass(frozen=True)
class Burn:
    """A burn rate rule: failures in both windows are over ``factor`` times what the objective allows.

    The long window shows that it matters, the short one that it goes on. The long one needs ``least`` failures.
    """

    long: RunWindow
    short: RunWindow
    factor: float
    least: int

    def over(self, runs: Sequence[RunCounts], objective: float, now: float) -> SloTally | None:
        """The long window if the budget burns this fast, else ``None``. ``objective`` is a share, such as 0.995."""
        limit = self.factor * (1.0 - objective)
        if self.short.tally(runs, now).error_rate <= limit:  # the short one first: it is mostly empty
            return None
        tally = self.long.tally(runs, now)
        return tally if tally.failed >= self.least and tally.error_rate > limit else None


FAST = Burn(RunWindow(6 * HOUR, 6), RunWindow(6 * HOUR, 2), 14.4, 4)
"""At this pace the month's budget lasts two days."""


def counted(records: Iterable[RunRecord]) -> list[RunCounts]:
    """Tickets and failures of each scheduled run."""
    return [_counted(record) for record in records if record.kind == "run"]


def _counted(record: RunRecord) -> RunCounts:
    failed = record.summary.newly_failed
    return RunCounts(record.finished, written(record.summary) + failed, failed)


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
