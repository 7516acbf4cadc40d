"""Figures of recorded runs: metrics of a period, for health, Prometheus, the dashboard and the daily summary; how fast
failed tickets use up the error budget; the interval between runs; and categories of unusual volume. Pure.

With three tickets per run, one failure is a third of them, so no single run is judged: the share of failures is taken
over a long window and a short one, and a least number of failures is needed. Windows skip runs without tickets, since a
quiet night would otherwise end every alert.

The intervals between the last runs tell when a scheduled run is late. Runs that a person starts are irregular.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from pydantic import Field

from ..core.errors import ExitCode
from ..core.models import Frozen, OutcomeStatus, Usage
from ..core.reasons import NO_MODEL
from ..core.run_summary import Latencies, RunRecord, RunSummary
from ..reporting.figures import error_rate, share, success_rate
from ..reporting.glossary import dollars, percent, seconds

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
TRIAGE = ("run", "retry", "webhook")
"""The kinds of runs that handle new tickets; runs that apply or undo say nothing about the service."""


class RunMetrics(Frozen):
    """Numbers over some runs, named and defined as in :mod:`..reporting.glossary`.

    Shares go from 0 to 1, and are ``None`` where there is nothing to take a share of.
    """

    runs: int = 0
    runs_failed: int = Field(0, description="that could not begin or go on: exit code 3")
    outcomes: dict[str, int] = Field(default_factory=dict, description="how often each; a ticket has one in each run")
    success_rate: float | None = None
    error_rate: float | None = None
    answers: int = Field(0, description="behind the latencies; below 20 the 95th percentile is a maximum")
    p50_ms: float | None = None
    p95_ms: float | None = None
    fallback_rate: float | None = None
    review_rate: float | None = None
    cost_usd: float = 0.0
    usage: Usage = Field(default_factory=Usage)
    requests: int = Field(0, description="to the helpdesk")


def in_words(found: RunMetrics) -> Iterator[str]:
    """The metrics in a few phrases, without those that have no value."""
    yield f"outcomes: {in_a_row(found.outcomes) or 'none'}"
    rates = {name: getattr(found, f"{name}_rate") for name in ("success", "error", "fallback", "review")}
    if known := [f"{name} rate {percent(rate)}" for name, rate in rates.items() if rate is not None]:
        yield ", ".join(known)
    if found.p95_ms is not None:
        yield f"latency p50 {seconds(found.p50_ms)}, p95 {seconds(found.p95_ms)}"
    if found.cost_usd:
        yield f"cost {dollars(found.cost_usd)}"


def in_a_row(counts: Mapping[str, int]) -> str:
    """``1 failed, 1,199 updated``"""
    return ", ".join(f"{count:,} {name[:80]}" for name, count in sorted(counts.items()))


def written(summary: RunSummary) -> int:
    return sum(summary.outcomes.get(status, 0) for status in (OutcomeStatus.UPDATED, OutcomeStatus.SUGGESTED))


def metrics_of(records: Iterable[RunRecord]) -> RunMetrics:
    """The metrics of these runs, without kinds other than :data:`TRIAGE`. Pure."""
    runs = [record.summary for record in records if record.kind in TRIAGE]
    outcomes: Counter[str] = Counter()
    sources: Counter[str] = Counter()
    latencies, usage = Latencies(), Usage()
    for summary in runs:
        outcomes.update(summary.outcomes)
        sources.update(summary.sources)
        latencies = latencies + Latencies(summary.latencies)
        usage = usage + summary.usage
    done, failed = sum(map(written, runs)), sum(summary.newly_failed for summary in runs)
    answers = sources.total()
    without_model = sum(summary.fallbacks.get(NO_MODEL, 0) for summary in runs)
    return RunMetrics(
        runs=len(runs),
        runs_failed=sum(summary.exit_code == ExitCode.CANNOT_RUN for summary in runs),
        outcomes=dict(outcomes),
        success_rate=_rounded(success_rate(done, failed), 6),
        error_rate=_rounded(error_rate(done, failed), 6),
        answers=answers,
        p50_ms=_rounded(latencies.quantile(0.5), 1),
        p95_ms=_rounded(latencies.quantile(0.95), 1),
        fallback_rate=_rounded(share(answers - sources["model"] - without_model, answers), 6),
        review_rate=_rounded(share(sum(summary.reviews for summary in runs), answers), 6),
        cost_usd=round(sum(summary.cost_usd for summary in runs), 6),
        usage=usage,
        requests=sum(sum(summary.requests.values()) for summary in runs),
    )


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


@dataclass(frozen=True)
class SloTally:
    """Finished and failed tickets of some scheduled runs; ``runs`` is how many of these had any.

    A ticket that fails in several runs counts once. An answer by rules instead of a model is no failure.
    """

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
"""At this multiple of the allowed rate the month's budget lasts two days; the long window needs ``LEAST`` failures."""


def tally(records: Sequence[RunRecord], since: float, most: int | None = None) -> SloTally:
    """Sum the last ``most`` runs with tickets that ended ``since`` then; the last of ``records`` is the newest."""
    handled = failed = taken = 0
    for record in reversed(records):
        if record.finished < since or taken == most:
            break
        summary = record.summary
        if record.kind == "run" and (tickets := written(summary) + summary.newly_failed):
            handled, failed, taken = handled + tickets, failed + summary.newly_failed, taken + 1
    return SloTally(handled, failed, taken)


def burning(records: Sequence[RunRecord], objective: float, now: float) -> SloTally | None:
    """The long window if failures use up the budget too fast, else ``None``. ``objective`` is a share such as 0.995."""
    limit = FACTOR * (1.0 - objective)
    if tally(records, now - WINDOW_S, SHORT).error_rate <= limit:  # the short one first: it is mostly empty
        return None
    found = tally(records, now - WINDOW_S, LONG)
    return found if found.failed >= LEAST and found.error_rate > limit else None


LOOKED_AT, FEWEST = 12, 5
"""The number of last intervals that count, and the least number needed."""
ALIKE = 0.25
"""Two intervals are alike if they differ by no larger a share."""
GAP, LEAST_GAP_S = 2.5, 25 * MINUTE
"""A longer time without any run, in intervals and in seconds at least, is a pause."""
STALE, LEAST_STALE_S = 4.0, 40 * MINUTE
"""Time without a run that handled all new tickets after which they are late, in intervals and at least in seconds."""


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


WEEKS, LEAST_WEEKS = 4, 2
"""How many weeks a category's tickets are compared with, and the fewest."""
LEAST_TICKETS, LEAST_RATIO, CHANCE = 10, 3.0, 1e-6
"""Smaller changes of a category, and those that chance may explain, do not count."""


def unusual_volumes(records: Sequence[RunRecord], now: float) -> dict[str, str]:
    """Categories with far more tickets today, or far more or fewer yesterday, than on that weekday of the last weeks.

    Each has a sentence. Today is not over, so few tickets say nothing yet. ``records`` are of the last weeks, oldest
    first.
    """
    unusual: dict[str, str] = {}
    counts: defaultdict[int, Counter[str]] = defaultdict(Counter)
    runs = [record for record in records if record.kind in TRIAGE]
    for record in runs:
        counts[int(record.finished // DAY)].update(record.summary.categories)
    if runs:
        del counts[int(runs[0].finished // DAY)]  # it may have begun before
    today = int(now // DAY)
    for day, when in ((today - 1, "yesterday"), (today, "today")):
        found = counts.get(day, Counter[str]())
        weeks = [day - 7 * week for week in range(1, WEEKS + 1) if day - 7 * week >= min(counts, default=day)]
        before = [counts.get(each, Counter[str]()) for each in weeks]
        for name in sorted(set(found).union(*before)) if len(before) >= LEAST_WEEKS and found else ():
            more, usual = _expected(name, found, before)
            if (more or day != today) and more == (found[name] > usual) and _chance(found[name], usual) < CHANCE:
                share = f"{found[name]} of {found.total()} tickets {when}"
                unusual[name] = f"{share} are about {name}; usual are {usual:.0f}"
    return unusual


def _expected(name: str, now: Counter[str], before: Sequence[Counter[str]]) -> tuple[bool, float]:
    """Whether a category has more tickets than usual, and how many are expected.

    On a busy day or a holiday, proportionally more or fewer tickets are expected.
    """
    usual = statistics.median(each[name] for each in before)
    others = statistics.median(each.total() - each[name] for each in before)
    volume = (now.total() - now[name]) / others if others else 1.0
    more = now[name] > usual
    return more, max(usual, 1.0) * (max(1.0, volume) if more else min(1.0, volume))


def _chance(count: int, usual: float) -> float:
    """The probability of so many or so few tickets by chance (Poisson); 1.0 for a small change."""
    low, high = sorted((count, usual))
    if high < max(LEAST_TICKETS, LEAST_RATIO * low):
        return 1.0
    # Farther out, each term of the tail is less than half of the one before.
    tail = range(count, count + 60) if count > usual else range(count + 1)
    return sum(math.exp(k * math.log(usual) - usual - math.lgamma(k + 1)) for k in tail)
