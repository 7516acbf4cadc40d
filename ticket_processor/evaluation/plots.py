"""Scores as pictures: SVG text to stand in a page. Needs the extra ``report`` (matplotlib)."""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .scores import Bin, CurvePoint, Scores

BLUE, GREY, ORANGE = "#2563a8", "#8a8f98", "#c2590c"
_MOST_LABELS = 24
_LONGEST_LABEL = 22
_number = itertools.count(1)


def confusion_svg(scores: Scores) -> str:
    """The confusion matrix: shade is the share of a row, the number is the count."""
    truths = list(scores.confusion)
    labels = list(scores.per_label)
    if len(labels) > _MOST_LABELS:
        labels = sorted(labels, key=lambda label: -scores.per_label[label].support)[:_MOST_LABELS]
        truths = [truth for truth in truths if truth in labels]
    shares = [
        [scores.confusion[truth].get(label, 0) / scores.per_label[truth].support for label in labels]
        for truth in truths
    ]
    figure = Figure(figsize=(1.6 + 0.62 * len(labels), 1.3 + 0.42 * len(truths)), layout="constrained")
    axes = figure.add_subplot()
    # No imshow(): it would embed a bitmap.
    axes.pcolormesh(shares, cmap="Blues", vmin=0, vmax=1.15, edgecolors="white", linewidth=1.5)
    axes.invert_yaxis()
    small = 8 if len(labels) <= 12 else 6
    axes.set_xticks(
        [at + 0.5 for at in range(len(labels))],
        [short(label) for label in labels],
        rotation=35,
        ha="right",
        fontsize=8,
    )
    axes.set_yticks([at + 0.5 for at in range(len(truths))], [short(truth) for truth in truths], fontsize=8)
    for row, truth in enumerate(truths):
        for column, label in enumerate(labels):
            count = scores.confusion[truth].get(label, 0)
            if count:
                colour = "white" if shares[row][column] > 0.55 else "#1a1d21"
                axes.text(column + 0.5, row + 0.5, str(count), ha="center", va="center", fontsize=small, color=colour)
    axes.set_xlabel("answered", fontsize=8)
    axes.set_ylabel("truth", fontsize=8)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return as_svg(figure, f"Confusion matrix of {len(truths)} labels")


def reliability_svg(bins: Sequence[Bin]) -> str:
    """Confidence against the share that was right; on the dashed line a confidence means what it says."""
    figure, axes = _axes("confidence", "share that was right")
    filled = [part for part in bins if part.count]
    most = max((part.count for part in filled), default=1)
    for part in filled:
        strength = 0.25 + 0.75 * part.count / most
        width = (part.upper - part.lower) * 0.92
        axes.bar((part.lower + part.upper) / 2, part.accuracy, width, color=BLUE, alpha=strength)
    axes.plot([0, 1], [0, 1], linestyle="--", color=GREY, linewidth=1)
    axes.plot([part.confidence for part in filled], [part.accuracy for part in filled], "o", color=ORANGE, markersize=4)
    return as_svg(figure, "Reliability diagram")


def abstention_svg(curves: Sequence[tuple[str, Sequence[CurvePoint]]]) -> str:
    """Precision when only the surest answers are given, for one or several analysers."""
    figure, axes = _axes("share of the tickets that is answered", "precision")
    for (name, curve), colour in zip(curves, itertools.cycle((BLUE, ORANGE, "#2a7f4f", "#7a4fa3", GREY))):
        shown = _thinned(curve)
        axes.plot(
            [point.coverage for point in shown],
            [point.precision for point in shown],
            color=colour,
            linewidth=1.6,
            label=name,
            marker="o" if len(shown) == 1 else None,
        )
    if len(curves) > 1:
        axes.legend(fontsize=8, frameon=False, loc="lower left")
    return as_svg(figure, "Precision at coverage")


def comparison_svg(names: Sequence[str], groups: Sequence[tuple[str, Sequence[float | None]]]) -> str:
    """Macro-F1 side by side: for each group (a source) one bar for each of ``names`` (the analysers)."""
    figure = Figure(figsize=(7.4, 0.9 + 0.26 * len(groups) * max(len(names), 1)), layout="constrained")
    axes = figure.add_subplot()
    height = 0.8 / max(len(names), 1)
    colours = (BLUE, ORANGE, "#2a7f4f", "#7a4fa3", GREY)
    for at, name in enumerate(names):
        places = [row + (at - (len(names) - 1) / 2) * height for row in range(len(groups))]
        values = [group[1][at] or 0.0 for group in groups]
        bars = axes.barh(places, values, height * 0.92, color=colours[at % len(colours)], label=name)
        axes.bar_label(bars, [f"{value:.2f}" for value in values], fontsize=7, padding=2)
    axes.set_yticks(range(len(groups)), [short(group[0], 40) for group in groups], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.08)
    plain(axes)
    if len(names) > 1:
        axes.legend(fontsize=8, frameon=False, loc="upper center", bbox_to_anchor=(0.5, 1.0), ncols=len(names))
        axes.set_ylim(len(groups) - 0.5, -0.95)
    return as_svg(figure, "Macro-F1 side by side")


def _axes(x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(3.6, 3.0))
    figure.subplots_adjust(left=0.15, right=0.97, bottom=0.15, top=0.97)  # half the time that a layout engine takes
    axes = figure.add_subplot()
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.03)
    axes.set_xlabel(x, fontsize=8)
    axes.set_ylabel(y, fontsize=8)
    plain(axes)
    return figure, axes


def plain(axes: Axes) -> None:
    """Small labels, a light grid, no frame."""
    axes.tick_params(labelsize=8, length=2)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e3e6ea", linewidth=0.6)
    axes.set_axisbelow(True)


def _thinned(curve: Sequence[CurvePoint], most: int = 200) -> list[CurvePoint]:
    """Enough points for a picture; without the first few answers, whose wild swings mean nothing."""
    telling = [point for point in curve if point.count >= min(10, curve[-1].count)]
    step = max(1, len(telling) // most)
    return [*telling[:-1:step], telling[-1]]


def short(label: str, most: int = _LONGEST_LABEL) -> str:
    """A label that fits beside a picture."""
    return label if len(label) <= most else label[: most - 1] + "…"


def as_svg(figure: Figure, title: str) -> str:
    """The figure as an ``<svg>`` that scales with the page, names nothing outside it, and keeps its text as text."""
    number = next(_number)
    file = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "ticketbot"}):
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    # Several figures share one page, where an id must be unique.
    svg = re.sub(r'\bid="', f'id="p{number}-', svg)
    svg = svg.replace("url(#", f"url(#p{number}-").replace('href="#', f'href="#p{number}-')
    return svg.replace("<svg", f'<svg role="img" aria-label="{title}"', 1)
