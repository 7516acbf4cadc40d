"""Service levels over runs: how fast failures use up what the objective allows. Pure.

A desk with three tickets a run loses a third of them to one failure, so nothing here looks at a single run: a share is
taken over a long window and a short one, and counts only from a number of failures on. A window of runs passes over
those without tickets, or a quiet night would end every alarm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .latency import Latencies
from .metric_types import error_rate, success_rate
from .models import RunRecord
from .run_metrics import written

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


@dataclass(frozen=True)
class Counted:
    """One run: when it ended (Unix seconds), how many tickets it brought to an end, and how many of them failed.

    A ticket that fails in run after run has failed once; what rules answered, for want of a model, has not failed.
    """

    finished: float
    handled: int
    failed: int


@dataclass(frozen=True)
class Tally:
    """Some runs together; ``runs`` is how many of them had tickets."""

    handled: int = 0
    failed: int = 0
    runs: int = field(default=0, compare=False)

    @property
    def error_rate(self) -> float:
        """Failures among the tickets; 0.0 where there were none."""
        return error_rate(self.handled - self.failed, self.failed) or 0.0

    @property
    def success_rate(self) -> float | None:
        """The others among the tickets; ``None`` where there were none."""
        return success_rate(self.handled - self.failed, self.failed)


@dataclass(frozen=True)
class Span:
    """The last ``runs`` with tickets, none older than ``seconds``; without ``runs``, all of that time."""

    seconds: float
    runs: int | None = None

    def tally(self, runs: Sequence[Counted], now: float) -> Tally:
        """What this window holds of ``runs``, which are in order, the last one last."""
        handled = failed = taken = 0
        for run in reversed(runs):
            if run.finished < now - self.seconds or taken == self.runs:
                break
            if run.handled:
                handled, failed, taken = handled + run.handled, failed + run.failed, taken + 1
        return Tally(handled, failed, taken)


@dataclass(frozen=True)
class Burn:
    """Too much of the budget is used up when both windows are over ``factor`` times what the objective allows.

    The long one says that it matters, the short one that it goes on. ``least`` failures have to be in the long one.
    """

    long: Span
    short: Span
    factor: float
    least: int

    def over(self, runs: Sequence[Counted], objective: float, now: float) -> Tally | None:
        """The long window when the budget burns this fast, else ``None``. ``objective`` is a share, such as 0.995."""
        limit = self.factor * (1.0 - objective)
        if self.short.tally(runs, now).error_rate <= limit:  # the shorter one first: mostly there is nothing in it
            return None
        tally = self.long.tally(runs, now)
        return tally if tally.failed >= self.least and tally.error_rate > limit else None


FAST = Burn(Span(6 * HOUR, 6), Span(6 * HOUR, 2), 14.4, 4)
SLOW = Burn(Span(2 * DAY, 36), Span(6 * HOUR, 3), 6.0, 5)
STEADY = Burn(Span(3 * DAY), Span(6 * HOUR), 1.0, 5)
"""The first two are for the night, the last for the morning: at its pace the month's budget does not last."""


def counted(records: Iterable[RunRecord]) -> list[Counted]:
    """Scheduled runs in the numbers that service levels are made of."""
    return [_counted(record) for record in records if record.kind == "run"]


def _counted(record: RunRecord) -> Counted:
    failed = record.summary.newly_failed
    return Counted(record.finished, written(record.summary) + failed, failed)


def latencies(records: Iterable[RunRecord]) -> Latencies:
    """How long the tickets of these runs took, all together."""
    bands = Counter[str]()
    for record in records:
        bands.update(record.summary.latencies)
    return Latencies(bands)
