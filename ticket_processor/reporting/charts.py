"""A report's pictures by time, to be put into a page."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from markupsafe import Markup

from ..evaluation.charts import BLUE, COLOURS, GREEN, GREY, OCHRE, ORANGE, RED, Picture
from .figures import Point, Step
from .report import Report

MOST_TICKS = 10
FAR = 4.0
"""A goal so many times as high as everything else would press that to the ground: it is only named."""
OTHERS = "others"
_BAR = 0.86
"""A bar's width, of its step's."""
_EVERY = {"hour": (1, 2, 3, 6, 12, 24), "day": (1, 2, 7, 14, 28), "week": (1, 2, 4, 8, 13, 26, 52)}
"""So many steps may lie between two labels of a time axis."""
_LENGTH = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}


def volume(report: Report) -> Markup:
    """Tickets by time, each category in a colour of its own; steps that belong only in part to the period are paler."""
    categories = [part.label for part in report.parts.get("category", ())]
    largest = categories if len(categories) <= len(COLOURS) else categories[: len(COLOURS) - 1]
    counts: defaultdict[str, Counter[datetime]] = defaultdict(Counter)
    for point in report.by_category:
        if point.label:
            counts[point.label if point.label in largest else OTHERS][point.at] += point.tickets
    shown = [(name, colour, counts[name]) for name, colour in zip(largest, COLOURS, strict=False) if name in counts]
    shown += [(OTHERS, GREY, counts[OTHERS])] if OTHERS in counts else []
    return _bars(report, "Tickets by time and category", "tickets", shown, stacked=True)


def latency(report: Report) -> Markup:
    """How long half of the answers, and 95% of them, took, with the time that is the goal."""
    longest = max((point.p95_ms or 0 for point in report.by_time), default=0)
    unit, size = ("milliseconds", 1.0) if longest < 1000 else ("seconds", 1000.0)
    goal = report.goals.latency_s * 1000
    far = goal > FAR * longest
    picture = _by_time(report, "Latency by time", (longest if far else max(longest, goal)) / size, unit)
    steps = {step: number for number, step in enumerate(_steps(report))}
    # The first is the wider one: with few answers the other covers it.
    lines: tuple[tuple[str, str, float, Callable[[Point], float | None]], ...] = (
        ("latency p95", ORANGE, 3.5, lambda point: point.p95_ms),
        ("latency p50", BLUE, 1.5, lambda point: point.p50_ms),
    )
    for name, colour, wide, of in lines:
        known = [(point.at, took / size) for point in report.by_time if (took := of(point)) is not None]
        points = [(steps[at] + _BAR / 2, took) for at, took in known]
        picture.line(points, colour, wide)
        for (at, took), (x, y) in zip(known, points, strict=True):
            picture.dot(x, y, colour, f"{_moment(report, at)}: {name} {took:,.3g} {unit}", wide / 2 + 1.5)
        picture.name(name, colour)
    named = f"goal: {report.goals.latency_share:.0%} within {report.goals.latency_s:g} s"
    if far:
        picture.name(f"{named}, far above")
    else:
        picture.line([(0, goal / size), (len(steps), goal / size)], GREY, 1.5, dashed=True)
        picture.name(named, GREY)
    return picture.made()


def trouble(report: Report) -> Markup:
    """Answers that no model gave, and tickets that failed, by time; what there is none of is left out."""
    fallback = Counter({point.at: point.fallback for point in report.by_time})
    failed = Counter({point.at: point.failed for point in report.by_time})
    kinds = [("fallback answers", OCHRE, fallback), ("failed tickets", RED, failed)]
    shown = [kind for kind in kinds if kind[2].total()]
    return _bars(report, "Fallback answers and failed tickets by time", "answers, tickets", shown)


def cost(report: Report) -> Markup:
    """What models cost, by time."""
    costs = {point.at: point.cost_usd for point in report.by_time}
    return _bars(report, "Cost by time", "US dollars", [("", GREEN, costs)], whole=False)


def partly(report: Report) -> bool:
    """Whether a step of the pictures belongs to the period only in part."""
    return not all(_whole(report, step) for step in _steps(report))


def _bars(
    report: Report,
    title: str,
    unit: str,
    kinds: Sequence[tuple[str, str, Mapping[datetime, float]]],
    *,
    stacked: bool = False,
    whole: bool = True,
) -> Markup:
    """Bars of each kind (its name, colour, values) by time: side by side, or stacked and paler for parts of steps."""
    steps = _steps(report)
    heights = [[values.get(step, 0) for _, _, values in kinds] for step in steps]
    picture = _by_time(report, title, max(sum(row) if stacked else max(row) for row in heights), unit, whole=whole)
    width = _BAR if stacked else _BAR / len(kinds)
    for number, (step, row) in enumerate(zip(steps, heights, strict=True)):
        pale = 0.5 if stacked and not _whole(report, step) else 1.0
        for place, (height, (name, colour, _)) in enumerate(zip(row, kinds, strict=True)):
            left, low = (number, sum(row[:place])) if stacked else (number + place * width, 0)
            said = f"{_moment(report, step)}: {f'{name} {height:,}' if whole else f'${height:,.4g}'}"
            if height:
                picture.bar(left, width, low, height, colour, said, pale)
    for name, colour, _ in kinds:
        if name:
            picture.name(name, colour)
    return picture.made()


def _by_time(report: Report, title: str, high: float, unit: str, *, whole: bool = False) -> Picture:
    steps = _steps(report)
    picture = Picture(title, high, y=unit, across=len(steps), wide=True, whole=whole)
    # Hours are labelled where they begin, days and weeks in the middle of their bars.
    middle = 0.0 if report.step == "hour" else _BAR / 2
    for number, text in _ticks(steps, report.step):
        picture.tick(number + middle, text)
    return picture


def _ticks(steps: Sequence[datetime], step: Step) -> list[tuple[int, str]]:
    """Which steps are labelled, and how: an hour by its time, a day and a week (by its Monday) by the date."""
    every = next((size for size in _EVERY[step] if len(steps) <= MOST_TICKS * size), _EVERY[step][-1])
    ticks: list[tuple[int, str]] = []
    before: datetime | None = None
    for number, at in enumerate(steps):
        if at.hour % every if step == "hour" else number % every:
            continue
        date = f"{at.day} {at:%b}"
        if step == "hour":
            text = f"{at:%H:%M}" + ("" if before and before.date() == at.date() else f"\n{date}")
        elif step == "day" and every == 1:
            text = f"{at:%a}\n{date}"
        else:
            text = date + ("" if before and before.year == at.year else f"\n{at.year}")
        ticks.append((number, text))
        before = at
    return ticks


def _moment(report: Report, step: datetime) -> str:
    return f"{step.day} {step:%b %H:%M}" if report.step == "hour" else f"{step.day} {step:%b}"


def _steps(report: Report) -> list[datetime]:
    """Where every step of the period begins; the first is not before the log's beginning."""
    begin = max(report.since, report.begun or report.since)
    if report.step == "week":
        begin -= timedelta(days=begin.weekday())
    begin = begin.replace(hour=begin.hour if report.step == "hour" else 0, minute=0, second=0, microsecond=0)
    length = _LENGTH[report.step]
    return [begin + number * length for number in range(-(-(report.until - begin) // length))]


def _whole(report: Report, step: datetime) -> bool:
    return report.since <= step and step + _LENGTH[report.step] <= report.until
