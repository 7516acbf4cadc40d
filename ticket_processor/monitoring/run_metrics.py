"""The metrics of the runs of a period, for health, Prometheus, the dashboard and the daily summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from pydantic import Field

from ..core.errors import ExitCode
from ..core.models import NO_MODEL, Frozen, OutcomeStatus, Usage
from ..core.run_summary import Latencies, RunRecord, RunSummary
from ..reporting.figures import error_rate, share, success_rate
from ..reporting.glossary import dollars, percent, seconds

DAY_S = 86_400.0
TRIAGE = ("run", "retry", "webhook")
"""The kinds of runs that handle new tickets; what a person applies or undoes says nothing about the service."""


class RunMetrics(Frozen):
    """Numbers over some runs, named and defined as in :mod:`metric_words`.

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

    @property
    def known_cost(self) -> float | None:
        """US dollars; ``None`` where models took tokens, and none of them has a price in the settings."""
        return None if self.usage.input and not self.cost_usd else self.cost_usd


def in_words(found: RunMetrics) -> Iterator[str]:
    """The metrics in a few phrases, without those that have no value."""
    yield f"outcomes: {_counts(found.outcomes) or 'none'}"
    rates = (
        ("success rate", found.success_rate),
        ("error rate", found.error_rate),
        ("fallback rate", found.fallback_rate),
        ("review rate", found.review_rate),
    )
    if known := [f"{name} {percent(rate)}" for name, rate in rates if rate is not None]:
        yield ", ".join(known)
    if found.p95_ms is not None:
        yield f"latency p50 {seconds(found.p50_ms)}, p95 {seconds(found.p95_ms)}"
    if found.cost_usd:
        yield f"cost {dollars(found.cost_usd)}"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items()))


def written(summary: RunSummary) -> int:
    """The number of tickets that a run wrote to."""
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
