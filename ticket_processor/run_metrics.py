"""What the runs of a period came to, in one set of numbers: for health, for Prometheus, for whoever looks at it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from pydantic import Field

from .errors import ExitCode
from .latency import Latencies
from .models import Frozen, OutcomeStatus, RunRecord, Usage

DAY_S = 86_400.0
TRIAGE = ("run", "retry")
"""The runs that handle tickets as they come; what a person applied or took back says nothing of the service."""


class RunMetrics(Frozen):
    """Numbers over some runs. Shares go from 0 to 1, and are ``None`` where there is nothing to take a share of."""

    runs: int = 0
    runs_failed: int = Field(0, description="that could not begin or go on: exit code 3")
    tickets: int = Field(0, description="whatever became of them; one that is tried again counts again")
    outcomes: dict[str, int] = Field(default_factory=dict, description="tickets by what became of them")
    success_rate: float | None = Field(
        None, description="of the tickets that were not left alone: written or suggested"
    )
    error_rate: float | None = Field(None, description="of the same: failed")
    timed: int = Field(0, description="tickets behind the latencies; below 20 the 95th percentile is a maximum")
    p50_ms: float | None = Field(None, description="half of the tickets took no longer, understanding and writing")
    p95_ms: float | None = None
    fallback_rate: float | None = Field(None, description="of the tickets that were understood: not by a model")
    review_rate: float | None = Field(None, description="of the same: a person should look")
    cost_usd: float = 0.0
    usage: Usage = Field(default_factory=Usage)
    requests: int = Field(0, description="to the helpdesk")


def metrics_of(records: Iterable[RunRecord]) -> RunMetrics:
    """The numbers of these runs; kinds other than :data:`TRIAGE` are left out. Pure."""
    runs = [record.summary for record in records if record.kind in TRIAGE]
    outcomes: Counter[str] = Counter()
    sources: Counter[str] = Counter()
    latencies, usage = Latencies(), Usage()
    for summary in runs:
        outcomes.update(summary.outcomes)
        sources.update(summary.sources)
        latencies = latencies + Latencies(summary.latencies)
        usage = usage + summary.usage
    failed = outcomes[OutcomeStatus.FAILED]
    tried = outcomes[OutcomeStatus.UPDATED] + outcomes[OutcomeStatus.SUGGESTED] + failed
    understood = sources.total()
    return RunMetrics(
        runs=len(runs),
        runs_failed=sum(summary.exit_code == ExitCode.CANNOT_RUN for summary in runs),
        tickets=outcomes.total(),
        outcomes=dict(outcomes),
        success_rate=_share(tried - failed, tried),
        error_rate=_share(failed, tried),
        timed=latencies.count,
        p50_ms=_rounded(latencies.quantile(0.5)),
        p95_ms=_rounded(latencies.quantile(0.95)),
        fallback_rate=_share(understood - sources["model"], understood),
        review_rate=_share(sum(summary.reviews for summary in runs), understood),
        cost_usd=round(sum(summary.cost_usd for summary in runs), 6),
        usage=usage,
        requests=sum(sum(summary.requests.values()) for summary in runs),
    )


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 1)
