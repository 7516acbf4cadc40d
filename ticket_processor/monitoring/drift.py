"""A sudden change in the number of a category's tickets. Pure."""

from __future__ import annotations

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping

from .facts import AlertFinding, Look
from .run_metrics import TRIAGE
from .slo import DAY

WEEKS, LEAST_WEEKS = 4, 2
LEAST_TICKETS, LEAST_RATIO = 10, 3.0
"""Smaller changes are nobody's business."""
CHANCE = 1e-6
"""Of so many or so few tickets (Poisson). Many categories are looked at each day, and tickets come in groups."""
UNSURE = 0.05
"""An alert stays open until so much is as likely by chance."""


def changed_categories(look: Look) -> list[AlertFinding]:
    """Categories with far more tickets today, or far more or fewer yesterday, than on that weekday of the last weeks.

    Today is not over, so few tickets say nothing yet.
    """
    counts, today = _by_day(look), int(look.now // DAY)
    found: dict[str, AlertFinding] = {}
    for day, when in ((today, "today"), (today - 1, "yesterday")):
        before = [day - 7 * week for week in range(1, WEEKS + 1) if day - 7 * week >= min(counts, default=day)]
        for name in sorted(set(counts.get(day, ())).union(*(counts.get(each, ()) for each in before))):
            now = counts.get(day, Counter[str]())
            past = [counts.get(each, Counter[str]()) for each in before]
            if len(past) < LEAST_WEEKS or not now:
                continue
            usual = statistics.median(each[name] for each in past)
            others = statistics.median(each.total() - each[name] for each in past)
            volume = (now.total() - now[name]) / others if others else 1.0
            more = now[name] > usual
            # On a busy day or a holiday as many more or fewer tickets are usual.
            expected = max(usual, 1.0) * (max(1.0, volume) if more else min(1.0, volume))
            chance = _chance(now[name], expected) if more == (now[name] > expected) else 1.0
            if chance < UNSURE and (more or day != today) and not (name in found and found[name].clear):
                text = f"{now[name]} of {now.total()} tickets {when} are about {name}; usual are {expected:.0f}"
                found[name] = AlertFinding(name, text, chance < CHANCE)
    return list(found.values())


def _chance(count: int, usual: float) -> float:
    """How likely so many or so few tickets are by chance; 1.0 where the change is small."""
    low, high = sorted((count, usual))
    if high < max(LEAST_TICKETS, LEAST_RATIO * low):
        return 1.0
    # Farther out, each term of the tail is less than half of the one before.
    tail = range(count, count + 60) if count > usual else range(count + 1)
    return sum(math.exp(k * math.log(usual) - usual - math.lgamma(k + 1)) for k in tail)


def _by_day(look: Look) -> Mapping[int, Counter[str]]:
    """Tickets by day since 1970 (UTC), then by category: of the whole days that are known, and of today."""
    counts: defaultdict[int, Counter[str]] = defaultdict(Counter)
    runs = [record for record in look.records if record.kind in TRIAGE]
    for record in runs:
        counts[int(record.finished // DAY)].update(record.summary.categories)
    if runs:
        del counts[int(runs[0].finished // DAY)]  # it may have begun before
    return dict(counts)
