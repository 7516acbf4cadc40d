"""A report's pictures: SVG text to stand in a page. Needs the extra ``report`` (matplotlib)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import matplotlib.dates as mdates
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from .evaluation.plots import BLUE, GREY, ORANGE, as_svg, plain, short
from .metrics import Part, Point
from .report import Report

COLOURS = (BLUE, ORANGE, "#2a7f4f", "#7a4fa3", "#b0892b", "#3f8f9b", "#a8446b", "#5b6b2f")
MOST_BARS = 10
OTHERS = "others"


def volume_svg(report: Report) -> str:
    """Tickets by time, each category in a colour of its own; days that belong only in part to the period are paler."""
    by_category: defaultdict[str, dict[datetime, int]] = defaultdict(dict)
    categories = [part.label for part in report.parts.get("category", ())]
    largest = categories if len(categories) <= len(COLOURS) else categories[: len(COLOURS) - 1]
    for point in report.by_category:
        if point.label:
            name = point.label if point.label in largest else OTHERS
            by_category[name][point.at] = by_category[name].get(point.at, 0) + point.tickets
    steps = _steps(report)
    figure, axes = _time_axes(report, "tickets")
    bottom = [0] * len(steps)
    names = [name for name in (*largest, OTHERS) if name in by_category]
    colours = {OTHERS: GREY, **dict(zip(largest, COLOURS, strict=False))}
    for name in names:
        heights = [by_category[name].get(step, 0) for step in steps]
        bars = axes.bar(
            [_place(step) for step in steps],
            heights,
            _width(report) * 0.86,
            bottom=bottom,
            align="edge",
            color=colours[name],
        )
        for bar, step in zip(bars, steps, strict=True):
            bar.set_alpha(1.0 if _whole(report, step) else 0.45)
        bottom = [low + height for low, height in zip(bottom, heights, strict=True)]
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    _legend(axes, [Patch(color=colours[name], label=_text(name)) for name in reversed(names)])
    return as_svg(figure, "Tickets by time and category")


def latency_svg(report: Report) -> str:
    """How long half of the tickets, and 95% of them, took, with the time that is the goal."""
    figure, axes = _time_axes(report, "seconds")
    lines: tuple[tuple[str, str, Callable[[Point], float | None]], ...] = (
        ("95% took at most", ORANGE, lambda point: point.p95_ms),
        ("half took at most", BLUE, lambda point: point.p50_ms),
    )
    for name, colour, of in lines:
        known = [(point, took) for point in report.by_time if (took := of(point)) is not None]
        axes.plot(
            [_place(point.at) + _width(report) / 2 for point, _ in known],
            [took / 1000 for _, took in known],
            color=colour,
            marker="o",
            markersize=3,
            label=name,
        )
    axes.axhline(report.goals.latency_s, color=GREY, linestyle="--", linewidth=1, label="goal for 95%")
    axes.set_ylim(bottom=0)
    _legend(axes)
    return as_svg(figure, "Latency by time")


def trouble_svg(report: Report) -> str:
    """Tickets that no model answered, and those that failed, by time."""
    steps = _steps(report)
    found = {point.at: point for point in report.by_time}
    figure, axes = _time_axes(report, "tickets")
    width = _width(report)
    kinds: tuple[tuple[str, str, Callable[[Point], int]], ...] = (
        ("answered without a model", "#b0892b", lambda point: point.fallback),
        ("failed", "#a8446b", lambda point: point.failed),
    )
    for number, (name, colour, of) in enumerate(kinds):
        heights = [of(found[step]) if step in found else 0 for step in steps]
        begin = [_place(step) + width * 0.43 * number for step in steps]
        axes.bar(begin, heights, width * 0.41, align="edge", color=colour, label=name)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    _legend(axes)
    return as_svg(figure, "Answers without a model and failures by time")


def cost_svg(report: Report) -> str:
    """What models cost, by time."""
    figure, axes = _time_axes(report, "US dollars")
    axes.bar(
        [_place(point.at) for point in report.by_time],
        [point.cost_usd for point in report.by_time],
        _width(report) * 0.86,
        align="edge",
        color="#2a7f4f",
    )
    return as_svg(figure, "Cost by time")


def parts_svg(parts: Sequence[Part], title: str) -> str:
    """Tickets by one dimension, as bars."""
    shown = list(parts[:MOST_BARS])
    figure = Figure(figsize=(3.6, 0.5 + 0.27 * len(shown)), layout="constrained")
    axes = figure.add_subplot()
    bars = axes.barh(range(len(shown)), [part.tickets for part in shown], 0.72, color=BLUE)
    axes.bar_label(bars, [f"{part.tickets:,}" for part in shown], fontsize=7, padding=2)
    axes.set_yticks(range(len(shown)), [_text(short(part.label)) for part in shown], fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.16)
    plain(axes)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    return as_svg(figure, title)


def _time_axes(report: Report, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(9.2, 2.5), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlim(_place(_begin(report)), _place(report.until))
    locator = mdates.AutoDateLocator(minticks=3, maxticks=10)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.set_ylabel(y, fontsize=8)
    plain(axes)
    return figure, axes


def _legend(axes: Axes, handles: Sequence[Patch] | None = None) -> None:
    axes.legend(handles=handles, fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.02))


def _steps(report: Report) -> list[datetime]:
    """Where every step of the period begins."""
    length = timedelta(days=_width(report))
    first = _begin(report)
    return [first + number * length for number in range(-(-(report.until - first) // length))]


def _begin(report: Report) -> datetime:
    """Where the pictures begin: with the period, but not before the log does."""
    begin = max(report.since, report.begun or report.since)
    if report.step == "week":
        begin -= timedelta(days=begin.weekday())
    return begin.replace(hour=begin.hour if report.step == "hour" else 0, minute=0, second=0, microsecond=0)


def _whole(report: Report, step: datetime) -> bool:
    return report.since <= step and step + timedelta(days=_width(report)) <= report.until


def _width(report: Report) -> float:
    """A step's length in days."""
    return {"hour": 1 / 24, "day": 1.0, "week": 7.0}[report.step]


def _place(moment: datetime) -> float:
    """A moment as matplotlib counts: days since 1970."""
    return moment.timestamp() / 86_400


def _text(label: str) -> str:
    """A label in which nothing is taken for a formula."""
    return label.replace("$", r"\$")
