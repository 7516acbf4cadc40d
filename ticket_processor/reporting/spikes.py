"""Topics that many more tickets are about than usual: the same hours of the week, in the four weeks before. Pure.

What is usual is the median of those weeks, so that one bad week among them hides nothing. Tickets do not come
independently (an outage brings many), so counts are allowed to vary as much as all topics together have varied over
these weeks; and since many topics and days are looked at, each must be surer than if it were alone.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from .drift import LEAST_RATIO, LEAST_TICKETS, chance, discovered, variation_of
from .index import LogIndex
from .queries import stamp

Kind = Literal["all", "category", "subcategory", "alarm"]
WEEKS = 4
LEAST_WEEKS = 2
FALSE_ALARMS = 0.01
"""The chance that a report of a usual period tells of any spike."""
_WEEK = timedelta(days=7)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Spike:
    """Far more tickets than usual about one topic, in the whole period or on one ``day`` of it (UTC).

    ``usual`` is the median of the weeks before, ``weeks`` how many there were. ``chance`` is how likely so many are by
    chance, for this topic and time alone.
    """

    kind: Kind
    topic: str
    day: date | None
    tickets: int
    usual: float
    weeks: int
    chance: float

    @property
    def ratio(self) -> float | None:
        """How many times the usual; ``None`` where there usually is none."""
        return self.tickets / self.usual if self.usual else None

    @property
    def text(self) -> str:
        """Such as ``37 tickets, 3.1 times the usual 12``."""
        if self.ratio is None:
            return f"{self.tickets:,} tickets, usually none"
        return f"{self.tickets:,} tickets, {self.ratio:.1f} times the usual {self.usual:.4g}"


@dataclass(frozen=True)
class Compared:
    """One topic's count in one window, and those of the same window in the weeks before."""

    kind: Kind
    topic: str
    day: date | None
    tickets: int
    before: tuple[int, ...]


def find(index: LogIndex, since: float, until: float, first_day: date) -> list[Spike] | None:
    """The spikes of a period (Unix seconds), the most certain first.

    The log begins on ``first_day``; ``None`` when that leaves less than two weeks to compare with.
    """
    period = _Period(stamp(since), stamp(until))
    weeks = [shift for shift in period.shifts if (period.begin - shift).date() >= first_day]
    if len(weeks) < LEAST_WEEKS:
        return None
    counts = _counts(index, period, weeks)
    return judge(list(_compared(counts, period, weeks)), list(_reference(counts, period, weeks)))


def judge(compared: Sequence[Compared], reference: Sequence[Sequence[int]] = ()) -> list[Spike]:
    """Those that are spikes, of all that were looked at together.

    ``reference`` are counts of times that should be alike, such as one topic's on the last four Mondays: from them it
    is known how much counts vary here.
    """
    variation = variation_of(reference)
    judged = []
    for item in compared:
        usual, weeks = statistics.median(item.before), len(item.before)
        more = item.tickets > usual
        judged.append((chance(item.tickets, usual * weeks, weeks, variation) / 2 if more else 1.0, item, usual))
    judged.sort(key=lambda entry: (entry[0], entry[1].day is not None, -entry[1].tickets, entry[1].topic))
    highest = discovered([likely for likely, _, _ in judged], FALSE_ALARMS)
    return [
        Spike(item.kind, item.topic, item.day, item.tickets, usual, len(item.before), likely)
        for likely, item, usual in judged
        if likely <= highest and item.tickets >= max(LEAST_TICKETS, LEAST_RATIO * usual)
    ]


@dataclass(frozen=True)
class _Period:
    """A period, and by how much to go back so that the hours of the week are the same."""

    begin: datetime
    end: datetime

    @property
    def shifts(self) -> list[timedelta]:
        """To the periods before, each as many whole weeks further back as this one takes."""
        whole = max(1, math.ceil((self.end - self.begin) / _WEEK))
        return [number * whole * _WEEK for number in range(1, WEEKS + 1)]

    @property
    def days(self) -> list[date]:
        """The calendar days that it touches."""
        last = (self.end - timedelta(microseconds=1)).date()
        return [self.begin.date() + number * _DAY for number in range((last - self.begin.date()).days + 1)]


_Counts = Mapping[tuple[Kind, str], Mapping[tuple[date, bool, bool], int]]
"""Tickets by topic; then by day, whether after the time of day at which the period begins, whether before its end's."""


def _counts(index: LogIndex, period: _Period, shifts: Sequence[timedelta]) -> _Counts:
    days = sorted({day - shift for shift in (timedelta(0), *shifts) for day in period.days})
    rows = index.query(
        """
        WITH answers AS (
            SELECT ts::DATE AS date, ts::TIME >= $begin::TIME AS begun, ts::TIME < $end::TIME AS going,
                   category, subcategory, nullif(alarms, '') AS alarms
            FROM lines
            WHERE ts >= $first::TIMESTAMP AND ts < $last::TIMESTAMP + INTERVAL 1 DAY
              AND category IS NOT NULL AND NOT dry_run AND kind IS DISTINCT FROM 'undo'
              AND coalesce(next_labelled_at::DATE > ts::DATE, true)
        )
        SELECT date, begun, going, category, subcategory, alarms, count(*) FROM answers GROUP BY ALL
        """,
        {"begin": period.begin.time(), "end": period.end.time(), "first": days[0], "last": days[-1]},
    )
    found: defaultdict[tuple[Kind, str], defaultdict[tuple[date, bool, bool], int]] = defaultdict(
        lambda: defaultdict(int)
    )
    for day, begun, going, category, subcategory, alarms, count in rows:
        topics: list[tuple[Kind, str]] = [("all", ""), ("category", category)]
        topics += [("subcategory", f"{category} / {subcategory}")] if subcategory else []
        topics += [("alarm", alarm) for alarm in (alarms or "").split()]
        for topic in topics:
            found[topic][day, begun, going] += count
    return found


def _compared(counts: _Counts, period: _Period, shifts: Sequence[timedelta]) -> Iterator[Compared]:
    for (kind, topic), by_day in counts.items():

        def on(day: date, shift: timedelta, by_day: Mapping[tuple[date, bool, bool], int] = by_day) -> int:
            """Of a day of the period, or of the day that it is compared with, what belongs to the period's hours."""
            return sum(
                by_day.get((day - shift, begun, going), 0)
                for begun in (False, True)
                for going in (False, True)
                if (begun or day != period.begin.date()) and (going or day != period.end.date())
            )

        spans: list[tuple[date | None, list[date]]] = [(None, period.days)]
        if len(period.days) > 1:
            spans += [(day, [day]) for day in period.days]
        for name, days in spans:
            tickets = sum(on(day, timedelta(0)) for day in days)
            before = tuple(sum(on(day, shift) for day in days) for shift in shifts)
            yield Compared(kind, topic, name, tickets, before)


def _reference(counts: _Counts, period: _Period, shifts: Sequence[timedelta]) -> Iterator[list[int]]:
    """Each topic's counts on the same weekday of the weeks before the period, for each weekday."""
    weeks = min(WEEKS, max(shifts) // _WEEK)
    for by_day in counts.values():
        whole: defaultdict[date, int] = defaultdict(int)
        for (day, _, _), count in by_day.items():
            whole[day] += count
        for back in range(1, 8):
            yield [whole[period.begin.date() - back * _DAY - week * _WEEK] for week in range(weeks)]
