"""A report for programs: one object for JSON; and labels people kept and changed, as a part of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import Any

from .. import __version__
from ..core.clock import iso
from ..learning.scoreboard import Count, PartCount, Scoreboard
from .figures import Latency, Objective, Totals
from .report import BY, ZONE, Report

_RATES = (
    *("success_rate", "error_rate", "fallback_rate", "unplanned_fallback_rate", "review_rate", "repeat_rate"),
    "cost_per_ticket",
)


def as_data(report: Report) -> dict[str, Any]:
    """The report as JSON knows it. Times are ISO 8601 in UTC, shares go from 0 to 1, what is not known is ``null``."""
    return {
        "account": report.account,
        "since": _plain(report.since),
        "until": _plain(report.until),
        "time_zone": ZONE,
        "made": _plain(report.made),
        "version": __version__,
        "totals": _totals(report.totals),
        "before": report.before and _totals(report.before),
        "latency_ms": _latency(report.latency),
        "latency_ms_before": report.latency_before and _latency(report.latency_before),
        "objectives": [_objective(item) for item in report.objectives],
        "by": {name: _plain(report.parts.get(name, ())) for name in BY},
        "by_before": _plain(report.parts_before),
        "failure_reasons": _plain(report.failure_reasons),
        "skip_reasons": _plain(report.skip_reasons),
        "models": _plain(report.spent),
        "runs": _plain(report.runs),
        "alerts": dict(report.alerts),
        "escalated": [{**_plain(one), "url": one.url or None} for one in report.escalated],
        "step": report.step,
        "series": [
            {name: value for name, value in _plain(point).items() if name != "label"} for point in report.by_time
        ],
        "offers": _plain(report.offers),
        "replies": report.replies and report.replies.model_dump(mode="json"),
        "collected": report.collected and vars(report.collected),
        "scoreboard": report.scoreboard and scoreboard_data(report.scoreboard),
        "knowledge": report.knowledge and report.knowledge.model_dump(mode="json"),
        "remarks": list(report.remarks),
    }


def _totals(totals: Totals) -> dict[str, Any]:
    return {**_plain(totals), **{name: rounded(getattr(totals, name)) for name in _RATES}}


def _latency(took: Latency) -> dict[str, Any]:
    return {name.removesuffix("_ms"): value for name, value in asdict(took).items()}


def _objective(item: Objective) -> dict[str, Any]:
    return {**_plain(item), "share": rounded(item.share), "met": item.met, "budget_left": rounded(item.budget_left)}


def _plain(value: Any) -> Any:
    """Data as JSON has it: moments as text, floats with six digits."""
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return iso(value.timestamp()) if isinstance(value, datetime) else rounded(value)


def scoreboard_data(found: Scoreboard) -> dict[str, Any]:
    """Labels people kept and changed, with the shares; a share is ``null`` where there was nothing to judge."""
    return {
        **found.model_dump(mode="json", exclude={"parts"}),
        "parts": _parts_data(found.parts),
    }


def _parts_data(parts: Iterable[PartCount]) -> list[dict[str, Any]]:
    return [
        {
            "part": part.part,
            **_counts(part),
            "labels": [{"label": label.label, **_counts(label)} for label in part.labels],
            "settings_files": [{"settings_file": file.label, **_counts(file)} for file in part.settings_files],
        }
        for part in parts
    ]


def _counts(count: Count) -> dict[str, Any]:
    return {
        "judged": count.judged,
        **{name: getattr(count, name) for name in Count.model_fields},
        "accuracy": rounded(count.accuracy),
        "accuracy_at_least": rounded(count.at_least if count.judged else None),
        "coverage": rounded(count.coverage),
    }


def rounded(value: Any) -> Any:
    """The value; a float with six digits."""
    return round(value, 6) if isinstance(value, float) else value
