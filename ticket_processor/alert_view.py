"""What alert rules look at: the runs of the last weeks, a few facts, and what follows from both. Pure."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from functools import cached_property

from .models import RunRecord
from .rhythm import GAP, LEAST_GAP_S, LEAST_STALE_S, LOOKED_AT, STALE, period
from .slo import DAY, HOUR, MINUTE, STEADY, Counted, counted

UNEXPECTED = "unexpected"
"""What ended a run (``stopped_by``) that nobody had thought of."""
HISTORY_S = 35 * DAY
"""How far back the rules look."""
CUT_OFF, LOG_CHANGED, LOG_REPAIRED, MISSED_RUNS = "cut_off", "log_changed", "log_repaired", "missed_runs"
"""What happens at a moment, and is held up for a while: ``Facts.events`` has it by these names."""
_COUNTDOWN = re.compile(r" for another \d+ s\b")
"""Long over when somebody reads the alert."""


class Unclear(Enum):
    """What a check says when it cannot tell: an alert that is open stays open, and none is begun."""

    HERE = 1


class Severity(StrEnum):
    """How soon somebody should look."""

    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Higher is worse."""
        return 1 if self is Severity.CRITICAL else 0


@dataclass(frozen=True)
class Limits:
    """What the rules compare with; the defaults are those of the settings. Seconds, shares, US dollars.

    Without ``gap_s`` and ``stale_s`` they follow from the interval between the last runs.
    """

    success: float = 0.995
    alert_below: float = 0.99
    latency_s: float = 15.0
    latency_share: float = 0.95
    fallback_share: float = 0.1
    gap_s: float | None = None
    stale_s: float | None = None
    day_usd: float | None = None


@dataclass(frozen=True)
class Facts:
    """What the runs themselves do not say. Times are Unix seconds.

    ``started`` is when the scheduled run that has just ended began, ``seen`` when the one before it was here; either is
    ``None`` where it is not known. ``events`` are moments of the last days, by name; those of :data:`MISSED_RUNS` are
    when runs began again after they had been away.
    """

    now: float
    history_known: bool = True
    models: bool = False
    api_token: bool = False
    halted: bool = False
    started: float | None = None
    seen: float | None = None
    events: Mapping[str, Sequence[float]] = field(default_factory=dict)


class Look:
    """Everything that a rule may look at. ``records`` are all runs, oldest first; ``runs`` the scheduled ones."""

    def __init__(self, records: Sequence[RunRecord], facts: Facts, limits: Limits) -> None:
        self.records = records
        self.facts = facts
        self.limits = limits
        self.now = facts.now
        self.runs = [record for record in records if record.kind == "run"]

    @cached_property
    def counted(self) -> Sequence[Counted]:
        """The scheduled runs in the numbers that service levels are made of, as far back as these look."""
        return counted(self.since(STEADY.long.seconds))

    @cached_property
    def period(self) -> float | None:
        """Seconds from one scheduled run to the next; ``None`` where they have no rhythm, or are too few to tell."""
        return period([run.started for run in self.runs[-LOOKED_AT - 1 :]])

    @property
    def gap_s(self) -> float | None:
        """For longer than this nothing should have run; ``None`` where that cannot be told."""
        if self.limits.gap_s is not None:
            return self.limits.gap_s
        return None if self.period is None else max(LEAST_GAP_S, GAP * self.period)

    @property
    def stale_s(self) -> float | None:
        """For so long no run may have looked at all tickets; ``None`` where that cannot be told."""
        if self.limits.stale_s is not None:
            return self.limits.stale_s
        return None if self.period is None else max(LEAST_STALE_S, STALE * self.period)

    @property
    def away(self) -> float | None:
        """For how long there was no run before the one that has just ended, where that is too long."""
        started, seen = self.facts.started, self.facts.seen
        if started is None or seen is None or self.gap_s is None or started - seen <= self.gap_s:
            return None
        return started - seen

    @property
    def resumed(self) -> float:
        """When runs last began again after they had been away; 0.0 where that is not known."""
        moments = [moment for moment in self.facts.events.get(MISSED_RUNS, ()) if moment <= self.now]
        return max(*moments, self.facts.started or 0.0, 0.0) if self.away else max(moments, default=0.0)

    def since(self, seconds: float, *, all_kinds: bool = False) -> list[RunRecord]:
        """The runs that ended in the last ``seconds``."""
        return _last(self.records if all_kinds else self.runs, lambda run: run.finished >= self.now - seconds)

    def lately(self, seconds: float) -> str:
        """``the last 24 hours``, or as much of them as there have been runs."""
        known = self.now - self.records[0].started if self.records else seconds
        return f"the last {span(min(seconds, known), whole=math.ceil).removeprefix('1 ')}"

    def stopped_by(self, name: str, least: int) -> int:
        """How many runs in a row, up to the last one, were ended by this; 0 unless ``least`` came without a gap.

        Of what went on while no run was there nobody can tell, so the last one on Friday and the first on Monday alone
        are not two in a row.
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
        """What ended the very last run, of whatever kind, before its time."""
        return self.records[-1].summary.stopped_by if self.records else None

    @property
    def why(self) -> str:
        """The sentence that goes with it, to be put behind another one."""
        return _why(self.records[-1:])

    @property
    def why_run(self) -> str:
        """The same of the last scheduled runs that ended in this way: one that did not ask any more says less."""
        row = _last(self.runs, lambda run: run.summary.stopped_by == self.runs[-1].summary.stopped_by)
        return _why([run for run in row if not _COUNTDOWN.search(run.summary.stopped or "")] or row[-1:])

    def events(self, rule: str, seconds: float) -> int:
        """How often it has happened in the last ``seconds``."""
        return sum(self.now - seconds <= moment <= self.now for moment in self.facts.events.get(rule, ()))


def _last(records: Sequence[RunRecord], fits: Callable[[RunRecord], bool]) -> list[RunRecord]:
    """The last of them, as far back as they fit; in order, and without a look at the weeks before."""
    return list(itertools.takewhile(fits, reversed(records)))[::-1]


def _why(records: Sequence[RunRecord]) -> str:
    said = records[-1].summary.stopped if records else None
    return f": {_COUNTDOWN.sub('', said)}" if said else ""


def many(count: int, noun: str) -> str:
    """``1 run``, ``2 runs``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def span(seconds: float, *, whole: Callable[[float], int] = int) -> str:
    """``41 minutes``, ``5 hours``, ``3 days``; ``whole`` makes a whole number of one with a fraction."""
    for unit, noun, most in ((MINUTE, "minute", 180), (HOUR, "hour", 72)):
        if seconds < most * unit:
            return many(max(1, whole(seconds / unit)), noun)
    return many(whole(seconds / DAY), "day")
