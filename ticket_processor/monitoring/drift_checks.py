"""The check that notices drift of topics. Pure."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..reporting.drift import LEAST_RATIO, LEAST_TICKETS, chance, discovered, variation_of
from .checks import WARNING, Said
from .facts import AlertFinding, Look
from .run_metrics import TRIAGE
from .slo import DAY

FALSE_ALARMS = 0.002
"""The share of chance among what is found in one day; with many days, this makes less than one false alarm a year."""
UNSURE = 0.05
"""An alert stays open until so much is as likely by chance."""
LEAST_VARIATION = 1.1
WEEKS, LEAST_WEEKS = 4, 2
_Counts = Mapping[int, Counter[str]]
"""Tickets by day since 1970 (UTC), then by category."""


@dataclass(frozen=True)
class _Compared:
    """A category's tickets in one window, and what would be usual; ``chance`` is how likely that is."""

    category: str
    when: str
    tickets: int
    of: int
    usual: float
    chance: float

    @property
    def matters(self) -> bool:
        """Whether the difference is large enough for anybody to look."""
        low, high = sorted((self.tickets, self.usual))
        return high >= max(LEAST_TICKETS, LEAST_RATIO * low)

    @property
    def text(self) -> str:
        """One sentence."""
        return f"{self.tickets} of {self.of} tickets {self.when} are about {self.category}; usual are {self.usual:.0f}"


def drift(look: Look) -> Said:
    """Categories that are far more frequent today than on that weekday, or more or less so than in the weeks before.

    Today so far is compared with the whole weekday, so that a spike is told at once and a quiet morning never is.
    """
    counts = _by_day(look)
    today = int(look.now // DAY)
    found = [
        *_compared(counts, [today], "today", falls=False),
        *_compared(counts, range(today - 7, today), "in the last 7 days", falls=True),
    ]
    highest = discovered([item.chance for item in found], FALSE_ALARMS)
    surest: dict[str, AlertFinding] = {}
    for item in sorted(found, key=lambda item: (not item.matters, item.chance)):
        if item.chance <= UNSURE:
            clear = item.matters and item.chance <= highest
            surest.setdefault(item.category, AlertFinding(item.category, item.text, clear))
    return WARNING, list(surest.values())


def _by_day(look: Look) -> _Counts:
    """Of the whole days that are known, and of today."""
    counts: defaultdict[int, Counter[str]] = defaultdict(Counter)
    runs = [record for record in look.records if record.kind in TRIAGE]
    for record in runs:
        counts[int(record.finished // DAY)].update(record.summary.categories)
    if runs:
        del counts[int(runs[0].finished // DAY)]  # it may have begun before
    return counts


def _compared(counts: _Counts, days: Sequence[int], when: str, *, falls: bool) -> Iterator[_Compared]:
    """Each category in these days and on the same weekdays before.

    Where there are more tickets than usual of the other categories too, as many more of this one are usual; likewise
    with fewer. Of a few days, no less is usual than these weekdays' share of the category's tickets.
    """
    week = range(days[-1] - 6, days[-1] + 1)
    first = min(counts, default=days[0])
    shifts = [7 * number for number in range(1, WEEKS + 1) if week[0] - 7 * number >= first]
    if len(shifts) < LEAST_WEEKS:
        return
    now, *before = (_total(counts, [day - shift for day in days]) for shift in (0, *shifts))
    weeks = [_total(counts, [day - shift for day in week]) for shift in shifts]
    part = sum(map(Counter.total, before)) / max(1, sum(map(Counter.total, weeks)))
    categories = sorted(set(now).union(*weeks))
    alike = [before, *([_total(counts, [day - shift]) for shift in shifts] for day in week)]
    variation = variation_of(
        ([window[name] for window in windows] for windows in alike for name in categories), LEAST_VARIATION
    )
    for name in categories:
        tickets = now[name]
        usual = max(_usual(before, name), part * _usual(weeks, name))
        others = statistics.median(window.total() - window[name] for window in before)
        volume = (now.total() - tickets) / others if others else 1.0
        more = tickets > usual
        usual *= max(1.0, volume) if more else min(1.0, volume)
        if more == (tickets > usual) and (more or falls):
            likely = chance(tickets, usual * len(shifts), len(shifts), variation)
            yield _Compared(name, when, tickets, now.total(), usual, likely)


def _total(counts: _Counts, days: Iterable[int]) -> Counter[str]:
    return sum((counts.get(day, Counter()) for day in days), Counter[str]())


def _usual(windows: Iterable[Counter[str]], name: str) -> float:
    counts = [window[name] for window in windows]
    most = LEAST_RATIO * statistics.median(counts)
    return statistics.fmean(min(count, most) for count in counts)
