"""Once a day, what yesterday was like: a few lines of plain text. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from .alert_memory import Remembered
from .models import RunRecord
from .slo import DAY, latencies


def summary_due(now: float, daily_at: str, told: str | None) -> str | None:
    """The day (UTC) that a summary is due of, ``None`` when none is; ``told`` is the last that there was one of."""
    moment = datetime.fromtimestamp(now, UTC)
    if not daily_at or moment.strftime("%H:%M") < daily_at:
        return None
    yesterday = (moment - timedelta(days=1)).strftime("%Y-%m-%d")
    return None if told is not None and told >= yesterday else yesterday


def summary_text(
    day: str, records: Sequence[RunRecord], open_conditions: Mapping[str, Remembered], log_head: str | None
) -> str | None:
    """That day in numbers, from the runs that began on it; ``None`` when there was none."""
    midnight = datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()
    runs = [record for record in records if midnight <= record.started < midnight + DAY]
    if not runs:
        return None
    outcomes, sources, stops = Counter[str](), Counter[str](), Counter[str]()
    for run in runs:
        outcomes.update(run.summary.outcomes)
        sources.update(run.summary.sources)
        if run.summary.stopped_by:
            stops[run.summary.stopped_by] += 1
    took = latencies(runs).quantile(0.95)
    cost = sum(run.summary.cost_usd for run in runs)
    last = runs[-1].summary
    lines = [
        f"{len(runs)} runs" + (f", ended early: {_counts(stops)}" if stops else ""),
        f"tickets: {_counts(outcomes) or 'none'}",
        f"understood by: {_counts(sources)}" if sources else "",
        f"95% of them within {took / 1000:.1f} s" if took is not None else "",
        f"models: ${cost:.2f}" if cost else "",
        f"waiting for a later run: {last.retry_list}, left alone: {last.dead_letters}",
        f"open alerts: {', '.join(sorted(open_conditions)) or 'none'}",
        f"log head: {log_head}" if log_head else "",
    ]
    return "\n".join(line for line in lines if line)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
