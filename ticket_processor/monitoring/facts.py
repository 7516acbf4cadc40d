"""The input of the alert rules: the recorded runs, a few facts, and what follows from both. Pure."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from functools import cached_property

from ..core.run_summary import RunRecord
from ..core.wording import many
from ..settings.schema import Settings
from .run_metrics import (
    DAY,
    GAP,
    HOUR,
    LEAST_GAP_S,
    LEAST_STALE_S,
    LOOKED_AT,
    MINUTE,
    STALE,
    TRIAGE,
    period,
)

UNEXPECTED = "unexpected"
"""The ``stopped_by`` of a run that an unforeseen error ended."""
HISTORY_S = 36 * DAY
"""How far back the rules look: five whole weeks, and today."""
_COUNTDOWN = re.compile(r" for another \d+ s\b")
"""A remaining time, which is out of date by the time the alert is read."""


class Unclear(Enum):
    """A check's result when it cannot decide: an open alert stays open, and none begins."""

    HERE = 1


class Severity(StrEnum):
    """How soon a person should look."""

    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Higher is worse."""
        return 1 if self is Severity.CRITICAL else 0


@dataclass(frozen=True)
class AlertFinding:
    """One of several things that a check found: each has an alert of its own, named by its ``subject``.

    An alert about what is no longer ``clear`` stays open, and none begins.
    """

    subject: str
    message: str
    clear: bool = True


@dataclass(frozen=True)
class Facts:
    """The input of the rules besides the recorded runs. Times are Unix seconds.

    ``started`` is when the scheduled run that has just ended began, and ``seen`` is when the previous one ended; each
    is ``None`` if unknown. ``resumed`` is when runs last began again after a pause; 0.0 if there was none.
    """

    now: float
    history_known: bool = True
    models: bool = False
    api_token: bool = False
    halted: bool = False
    started: float | None = None
    seen: float | None = None
    resumed: float = 0.0


class Look:
    """Everything that a rule may use. ``records`` are all runs, oldest first; ``runs`` the scheduled ones."""

    def __init__(self, records: Sequence[RunRecord], facts: Facts, settings: Settings) -> None:
        self.records = records
        self.facts = facts
        self.slo = settings.slo
        self.now = facts.now
        self.runs = [record for record in records if record.kind == "run"]

    @cached_property
    def period(self) -> float | None:
        """Seconds from one scheduled run to the next; ``None`` if the runs are irregular or too few."""
        return period([run.started for run in self.runs[-LOOKED_AT - 1 :]])

    @property
    def gap_s(self) -> float | None:
        """The longest normal pause between two runs, in seconds; ``None`` if unknown."""
        return None if self.period is None else max(LEAST_GAP_S, GAP * self.period)

    @property
    def stale_s(self) -> float | None:
        """How long new tickets may wait for a run, in seconds; ``None`` if unknown."""
        return None if self.period is None else max(LEAST_STALE_S, STALE * self.period)

    @property
    def resumed(self) -> float:
        """When runs last began again after a pause longer than :attr:`gap_s`; 0.0 if there was none."""
        started, seen = self.facts.started, self.facts.seen
        if started is not None and seen is not None and self.gap_s is not None and started - seen > self.gap_s:
            return started
        return self.facts.resumed if self.facts.resumed <= self.now else 0.0

    @cached_property
    def categories(self) -> dict[int, Counter[str]]:
        """Tickets by day since 1970 (UTC), then by category: of the whole days that are known, and of today."""
        counts: defaultdict[int, Counter[str]] = defaultdict(Counter)
        runs = [record for record in self.records if record.kind in TRIAGE]
        for record in runs:
            counts[int(record.finished // DAY)].update(record.summary.categories)
        if runs:
            del counts[int(runs[0].finished // DAY)]  # it may have begun before
        return dict(counts)

    def since(self, seconds: float, *, all_kinds: bool = False) -> list[RunRecord]:
        """The runs that ended in the last ``seconds``."""
        return _last(self.records if all_kinds else self.runs, lambda run: run.finished >= self.now - seconds)

    def lately(self, seconds: float) -> str:
        """``the last 24 hours``, or less if the first run was later."""
        known = self.now - self.records[0].started if self.records else seconds
        return f"the last {span(min(seconds, known), whole=math.ceil).removeprefix('1 ')}"

    def stopped_by(self, name: str, least: int) -> int:
        """The number of runs at the end that ``name`` stopped; 0 unless ``least`` of them came without a pause.

        Nothing is known about the time of a pause, so the last run on Friday and the first on Monday are not in a row.
        """
        row = _last(self.runs, lambda run: run.summary.stopped_by == name)
        longest = unbroken = min(len(row), 1)
        for earlier, later in itertools.pairwise(row):
            together = self.gap_s is None or later.started - earlier.finished <= self.gap_s
            unbroken = unbroken + 1 if together else 1
            longest = max(longest, unbroken)
        return len(row) if longest >= least else 0

    @property
    def last_stop(self) -> str | None:
        """The cause that stopped the last run of any kind early; ``None`` if none did."""
        return self.records[-1].summary.stopped_by if self.records else None

    @property
    def why(self) -> str:
        """The reason why the last run stopped, as the end of a sentence."""
        return _why(self.records[-1:])

    @property
    def why_run(self) -> str:
        """The reason of the last scheduled runs; one that only waited for the circuit breaker says less."""
        row = _last(self.runs, lambda run: run.summary.stopped_by == self.runs[-1].summary.stopped_by)
        return _why([run for run in row if not _COUNTDOWN.search(run.summary.stopped or "")] or row[-1:])


def _last(records: Sequence[RunRecord], fits: Callable[[RunRecord], bool]) -> list[RunRecord]:
    """The runs at the end that all fit, in order; earlier ones are not looked at."""
    return list(itertools.takewhile(fits, reversed(records)))[::-1]


def _why(records: Sequence[RunRecord]) -> str:
    said = records[-1].summary.stopped if records else None
    return f": {_COUNTDOWN.sub('', said)}" if said else ""


def span(seconds: float, *, whole: Callable[[float], int] = int) -> str:
    """``41 minutes``, ``5 hours``, ``3 days``; ``whole`` rounds."""
    for unit, noun, most in ((MINUTE, "minute", 180), (HOUR, "hour", 72)):
        if seconds < most * unit:
            return many(max(1, whole(seconds / unit)), noun)
    return many(whole(seconds / DAY), "day")
