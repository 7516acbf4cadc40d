"""The daily summary of yesterday: a few lines of plain text. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from ..core.models import RunRecord
from ..reporting.glossary import end_words
from .open_alerts import OpenAlert
from .run_metrics import TRIAGE, in_words, metrics_of
from .slo import DAY


def summary_due(now: float, daily_at: str, told: str | None) -> str | None:
    """The day (UTC) whose summary is due, or ``None``; ``told`` is the day of the last summary sent."""
    moment = datetime.fromtimestamp(now, UTC)
    if not daily_at or moment.strftime("%H:%M") < daily_at:
        return None
    yesterday = (moment - timedelta(days=1)).strftime("%Y-%m-%d")
    return None if told is not None and told >= yesterday else yesterday


def summary_text(
    day: str, records: Sequence[RunRecord], open_conditions: Mapping[str, OpenAlert], log_head: str | None
) -> str | None:
    """The summary of the runs that began on that day (UTC) and handled tickets; ``None`` without any."""
    midnight = datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()
    that_day = [record for record in records if midnight <= record.started < midnight + DAY]
    runs = [record for record in that_day if record.kind in TRIAGE]
    if not runs:
        return None
    stops = Counter(end_words(run.summary.stopped_by) for run in runs if run.summary.stopped_by)
    sources = sum((Counter(run.summary.sources) for run in runs), Counter[str]())
    last = that_day[-1].summary
    lines = [
        f"{day}, UTC: {len(runs)} run{'s' * (len(runs) != 1)}" + (f", ended early: {_counts(stops)}" if stops else ""),
        *in_words(metrics_of(runs)),
        f"answers: {_counts(sources)}" if sources else "",
        f"waiting for a later run: {last.retry_list}, left alone after too many failures: {last.dead_letters}",
        f"open alerts: {', '.join(sorted(open_conditions)) or 'none'}",
        f"log head: {log_head}" if log_head else "",
    ]
    return "\n".join(line for line in lines if line)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
