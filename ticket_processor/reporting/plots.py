"""A report's pictures: SVG text to stand in a page. Needs the extra ``report`` (matplotlib)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from ..evaluation.plots import BLUE, GREY, ORANGE, as_svg, plain, short
from .figures import DimensionShare, Point, Step
from .report import Report

MOST_TICKS = 10
FAR = 4.0
"""A goal so many times as high as everything else would press that to the ground: it is only named."""
_BAR = 0.86
"""A bar's width, of its step's."""
_EVERY = {"hour": (1, 2, 3, 6, 12, 24), "day": (1, 2, 7, 14, 28), "week": (1, 2, 4, 8, 13, 26, 52)}
"""So many steps may lie between two labels of a time axis."""
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
            _width(report) * _BAR,
            bottom=bottom,
            align="edge",
            color=colours[name],
        )
        for bar, step in zip(bars, steps, strict=True):
            bar.set_alpha(1.0 if _whole(report, step) else 0.45)
        bottom = [low + height for low, height in zip(bottom, heights, strict=True)]
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    _legend(axes, [Patch(color=colours[name], label=_text(short(name))) for name in reversed(names)])
    return as_svg(figure, "Tickets by time and category")


def latency_svg(report: Report) -> str:
    """How long half of the answers, and 95% of them, took, with the time that is the goal."""
    longest = max((point.p95_ms or 0 for point in report.by_time), default=0)
    unit, size = ("milliseconds", 1.0) if longest < 1000 else ("seconds", 1000.0)
    figure, axes = _time_axes(report, unit)
    # The first is the wider one: with few answers the other covers it.
    lines: tuple[tuple[str, str, float, Callable[[Point], float | None]], ...] = (
        ("latency p95", ORANGE, 3.0, lambda point: point.p95_ms),
        ("latency p50", BLUE, 1.2, lambda point: point.p50_ms),
    )
    for name, colour, wide, of in lines:
        known = [(point, took) for point in report.by_time if (took := of(point)) is not None]
        axes.plot(
            [_place(point.at) + _BAR / 2 * _width(report) for point, _ in known],
            [took / size for _, took in known],
            color=colour,
            linewidth=wide,
            marker="o",
            markersize=wide + 2,
            label=name,
        )
    goal = f"goal: {report.goals.latency_share:.0%} within {report.goals.latency_s:g} s"
    if report.goals.latency_s * 1000 <= FAR * longest:
        axes.axhline(report.goals.latency_s * 1000 / size, color=GREY, linestyle="--", linewidth=1, label=goal)
    else:
        axes.plot([], [], linestyle="none", label=f"{goal},\nfar above")
    axes.set_ylim(bottom=0)
    _legend(axes)
    return as_svg(figure, "Latency by time")


def trouble_svg(report: Report) -> str:
    """Answers that no model gave, and tickets that failed, by time; what there is none of is left out."""
    steps = _steps(report)
    found = {point.at: point for point in report.by_time}
    figure, axes = _time_axes(report, "answers, tickets")
    width = _width(report)
    kinds: tuple[tuple[str, str, Callable[[Point], int]], ...] = (
        ("fallback answers", "#b0892b", lambda point: point.fallback),
        ("failed tickets", "#a8446b", lambda point: point.failed),
    )
    shown = [kind for kind in kinds if any(kind[2](point) for point in report.by_time)]
    each = _BAR * width / max(1, len(shown))
    for number, (name, colour, of) in enumerate(shown):
        heights = [of(found[step]) if step in found else 0 for step in steps]
        begin = [_place(step) + each * number for step in steps]
        axes.bar(begin, heights, each * 0.95, align="edge", color=colour, label=name)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    _legend(axes)
    return as_svg(figure, "Fallback answers and failed tickets by time")


def cost_svg(report: Report) -> str:
    """What models cost, by time."""
    figure, axes = _time_axes(report, "US dollars")
    axes.bar(
        [_place(point.at) for point in report.by_time],
        [point.cost_usd for point in report.by_time],
        _width(report) * _BAR,
        align="edge",
        color="#2a7f4f",
    )
    return as_svg(figure, "Cost by time")


def parts_svg(parts: Sequence[DimensionShare], title: str) -> str:
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
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    return as_svg(figure, title)


def _time_axes(report: Report, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(9.2, 2.5), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlim(_place(_begin(report)), _place(report.until))
    ticks = _ticks(_steps(report), report.step)
    # Hours are labelled where they begin, days and weeks in the middle of their bars.
    middle = 0.0 if report.step == "hour" else _BAR / 2 * _width(report)
    axes.set_xticks([_place(step) + middle for step, _ in ticks], [text for _, text in ticks])
    axes.set_ylabel(y, fontsize=8)
    plain(axes)
    return figure, axes


def _ticks(steps: Sequence[datetime], step: Step) -> list[tuple[datetime, str]]:
    """Which steps are labelled, and how: an hour by its time, a day and a week (by its Monday) by the date."""
    every = next((size for size in _EVERY[step] if len(steps) <= MOST_TICKS * size), _EVERY[step][-1])
    chosen = [at for at in steps if at.hour % every == 0] if step == "hour" else steps[::every]
    ticks: list[tuple[datetime, str]] = []
    for at in chosen:
        before = ticks[-1][0] if ticks else None
        date = f"{at.day} {at:%b}"
        if step == "hour":
            text = f"{at:%H:%M}" + ("" if before and before.date() == at.date() else f"\n{date}")
        elif step == "day" and every == 1:
            text = f"{at:%a}\n{date}"
        else:
            text = date + ("" if before and before.year == at.year else f"\n{at.year}")
        ticks.append((at, text))
    return ticks


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


def partly(report: Report) -> bool:
    """Whether a step of the pictures belongs to the period only in part."""
    return not all(_whole(report, step) for step in _steps(report))


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
