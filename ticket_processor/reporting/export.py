"""A report for programs: one object for JSON, or a CSV file with a figure in each line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from .. import __version__
from ..core.clock import iso
from ..core.sanitize import harmless
from .export_labels import overrides_data, overrides_rows, scoreboard_data, scoreboard_rows
from .figures import Latency, Objective, Totals
from .knowledge_gaps import Knowledge
from .reply_counts import USES, Replies
from .report import BY, ZONE, Report

HEADINGS = ("section", "key", "measure", "value", "before")


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
        "escalated": [
            {**_figures(one), "at": _text(one.at), "url": one.url or None, "subject": one.subject or None}
            for one in report.escalated
        ],
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


def csv_text(report: Report) -> str:
    """The report as CSV: ``section, key, measure, value, before``, a line for each figure."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(HEADINGS)
    writer.writerows([harmless(cell) for cell in row] for row in _rows(report))
    return file.getvalue()


Row = tuple[str, str, str, Any, Any]


def _rows(report: Report) -> Iterator[Row]:
    yield from (("report", "", name, value, "") for name, value in _about(report).items())
    before = {} if report.before is None else _totals(report.before)
    yield from (("totals", "", name, value, before.get(name)) for name, value in _totals(report.totals).items())
    took_before = {} if report.latency_before is None else _latency(report.latency_before)
    yield from (("latency", "", name, value, took_before.get(name)) for name, value in _latency(report.latency).items())
    for goal in report.objectives:
        yield "objective", goal.name, "share", _rounded(goal.share), ""
        yield "objective", goal.name, "target", goal.target, ""
    for dimension in BY:
        was = {part.label: part.tickets for part in report.parts_before.get(dimension, ())}
        for part in report.parts.get(dimension, ()):
            yield dimension, part.label, "tickets", part.tickets, was.pop(part.label, 0) if report.before else ""
        yield from ((dimension, label, "tickets", 0, count) for label, count in was.items())
    for section, parts in (("failure_reason", report.failure_reasons), ("skip_reason", report.skip_reasons)):
        yield from ((section, part.label, "tickets", part.tickets, "") for part in parts)
    for item in report.spent:
        figures = {name: value for name, value in asdict(item).items() if name != "label"}
        yield from (("model", item.label, name, _rounded(value), "") for name, value in figures.items())
    yield from _run_rows(report)
    yield from (("alert", what, "count", count, "") for what, count in report.alerts.items())
    for point in report.by_time:
        for name in ("tickets", "failed", "answers", "fallback", "cost_usd", "p50_ms", "p95_ms"):
            yield report.step, _text(point.at), name, _rounded(getattr(point, name)), ""
    for offer in report.offers:
        figures = {name: value for name, value in asdict(offer).items() if name != "label"}
        yield from (("offers", offer.label, name, value, "") for name, value in figures.items())
    if report.replies is not None:
        yield from replies_rows(report.replies)
    if report.overrides is not None:
        yield from overrides_rows(report.overrides)
    if report.scoreboard is not None:
        yield from scoreboard_rows(report.scoreboard)
    if report.knowledge is not None:
        yield from knowledge_rows(report.knowledge)


def _run_rows(report: Report) -> Iterator[Row]:
    runs = report.runs
    for name in ("count", "dry", "unfinished", "missed", "interval_s", "longest_gap_s", "p95_duration_s"):
        yield "runs", "", name, _rounded(getattr(runs, name)), ""
    yield from (("runs", f"exit code {code}", "count", count, "") for code, count in runs.exit_codes.items())
    yield from (("runs", why, "stopped_by", count, "") for why, count in runs.stopped_by.items())


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


def knowledge_rows(found: Knowledge) -> Iterator[Row]:
    """Lines of a CSV file: section, key, measure, value, and nothing before."""
    for item in found.topics:
        key = f"{item.kind} {item.topic} {item.language}"
        yield "knowledge", key, "tickets", item.tickets, ""
        yield "knowledge", key, "articles", item.articles, ""
        yield "knowledge", key, "mentions", item.mentions, ""
        for name in ("offered", "no_answer", "partial", "ignored"):
            yield "knowledge", key, name, getattr(item, name), ""
        yield "knowledge", key, "gap", item.gap or "", ""


def replies_rows(found: Replies) -> Iterator[Row]:
    """Lines of a CSV file: section, key, measure, value, and nothing before."""
    yield from (("replies", "", name, getattr(found, name), "") for name in ("offered", "histories", "requests"))
    yield from (("replies", why, "left_out", number, "") for why, number in found.left_out.items())
    for section, counts in (("use_by_category", found.categories), ("use_by_article", found.articles)):
        for count in counts:
            for use in USES:
                yield section, f"{count.kind} {count.label}", use, getattr(count, use), ""
    for name, value in found.public.model_dump().items():
        yield "public_replies", "", name, value, ""
