"""A report for programs: one object for JSON."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from .. import __version__
from ..core.clock import iso
from .export_labels import overrides_data, scoreboard_data
from .figures import Latency, Objective, Totals
from .report import BY, ZONE, Report


def as_data(report: Report) -> dict[str, Any]:
    """The report as JSON knows it. Times are ISO 8601 in UTC, shares go from 0 to 1, what is not known is ``null``."""
    runs = report.runs
    return {
        **_about(report),
        "totals": _totals(report.totals),
        "before": None if report.before is None else _totals(report.before),
        "latency_ms": _latency(report.latency),
        "latency_ms_before": None if report.latency_before is None else _latency(report.latency_before),
        "objectives": [_objective(item) for item in report.objectives],
        "by": {name: [_figures(part) for part in report.parts.get(name, ())] for name in BY},
        "by_before": {name: [_figures(part) for part in parts] for name, parts in report.parts_before.items()},
        "failure_reasons": [_figures(part) for part in report.failure_reasons],
        "skip_reasons": [_figures(part) for part in report.skip_reasons],
        "models": [_figures(item) for item in report.spent],
        "runs": {**_figures(runs), "last_started": None if runs.last_started is None else _text(runs.last_started)},
        "alerts": dict(report.alerts),
        "escalated": [{**_figures(one), "at": _text(one.at), "url": one.url or None} for one in report.escalated],
        "step": report.step,
        "series": [
            {name: value for name, value in {**_figures(point), "at": _text(point.at)}.items() if name != "label"}
            for point in report.by_time
        ],
        "offers": [_figures(item) for item in report.offers],
        "replies": report.replies and report.replies.model_dump(mode="json"),
        "overrides": report.overrides and overrides_data(report.overrides),
        "scoreboard": report.scoreboard and scoreboard_data(report.scoreboard),
        "knowledge": report.knowledge and report.knowledge.model_dump(mode="json"),
        "remarks": list(report.remarks),
    }


def _about(report: Report) -> dict[str, Any]:
    """Which tickets of whom, and when and by what that was said."""
    return {
        "account": report.account,
        "since": _text(report.since),
        "until": _text(report.until),
        "time_zone": ZONE,
        "made": _text(report.made),
        "version": __version__,
    }


def _objective(item: Objective) -> dict[str, Any]:
    left = _rounded(item.budget_left)
    return {**_figures(item), "share": _rounded(item.share), "met": item.met, "budget_left": left}


def _totals(totals: Totals) -> dict[str, Any]:
    rates = (
        *("success_rate", "error_rate", "fallback_rate", "unplanned_fallback_rate", "review_rate", "repeat_rate"),
        "cost_per_ticket",
    )
    figures = {**asdict(totals), **{name: getattr(totals, name) for name in rates}}
    return {name: _rounded(value) for name, value in figures.items()}


def _latency(took: Latency) -> dict[str, Any]:
    return {name.removesuffix("_ms"): value for name, value in asdict(took).items()}


def _figures(item: Any) -> dict[str, Any]:
    return {name: _rounded(value) for name, value in asdict(item).items()}


def _text(moment: datetime) -> str:
    return iso(moment.timestamp())


def _rounded(value: Any) -> Any:
    return round(value, 6) if isinstance(value, float) else value
