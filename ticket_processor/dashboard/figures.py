"""Counts and sums as Vega-Lite charts. Pure: a chart is plain data, and names in it are never mark-up.

Colours are readable on light and dark pages; Streamlit's theme sets the rest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from ..reporting.figures import Step

Chart = dict[str, Any]
PALETTE = ("#4c8fd6", "#e08a3c", "#3aa99f", "#9a7bd0", "#d277a8", "#6aab5c", "#b8a13a", "#a67c5b", "#5fb3d4")
INK = {False: "#4a4f57", True: "#c3c8cf"}
"""The colour of text on a light and on a dark page: Streamlit's own grey has too little contrast for WCAG's AA."""
OTHER = "other"
_RED, _GREEN, _GREY = "#d65f5f", "#4fa36c", "#8d96a0"
FIXED = dict.fromkeys(("critical", "negative", "failed"), _RED) | dict.fromkeys(("positive", "updated"), _GREEN)
FIXED |= dict.fromkeys(("neutral", "skipped", OTHER), _GREY) | {
    "high": "#e08a3c",
    "medium": "#d9c03f",
    "low": "#7fb3d9",
}
"""Colours of values that mean good or bad."""
_UNITS: dict[Step, str] = {
    "hour": "binnedutcyearmonthdatehours",
    "day": "binnedutcyearmonthdate",
    "week": "binnedutcyearweek",
}
_LEGEND = {"orient": "bottom", "title": None, "columns": 4}
_MOST_SERIES, _MOST_BARS = 9, 12


def largest(counts: Mapping[str, float], most: int) -> dict[str, float]:
    """At most ``most`` counts, the largest first; the smallest become one."""
    ordered = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    if len(ordered) <= most:
        return ordered
    kept = {name: ordered[name] for name in [name for name in ordered if name != OTHER][: most - 1]}
    return {**kept, OTHER: sum(counts.values()) - sum(kept.values())}


def stacked(counts: Iterable[tuple[str, str, float]], *, step: Step, unit: str, prefix: str = "") -> Chart:
    """Bars over time, stacked by series: rows of moment (ISO 8601), series, amount.

    The smallest series become one, and those of nothing are left out.
    """
    totals, cells = defaultdict[str, float](float), defaultdict[tuple[str, str], float](float)
    rows = [row for row in counts if row[2]]
    for _, series, amount in rows:
        totals[series] += amount
    names = list(largest(totals, _MOST_SERIES))
    for moment, series, amount in rows:
        cells[moment, series if series in names else OTHER] += amount
    number = "$,.4~f" if prefix else ",.6~g"
    return {
        "height": 320,
        "data": {"values": [{"at": at, "what": what, "amount": amount} for (at, what), amount in cells.items()]},
        "mark": {"type": "bar", "tooltip": True},
        "encoding": {
            "x": {"field": "at", "timeUnit": _UNITS[step], "title": None, "axis": {"grid": False}},
            "y": {"field": "amount", "type": "quantitative", "title": unit, "axis": {"format": number}},
            "color": {"field": "what", "scale": {"domain": names, "range": PALETTE}, "legend": _LEGEND},
        },
    }


def breakdown(counts: Mapping[str, float]) -> Chart:
    """Lying bars, the largest on top, with the amount and its share; the smallest become one."""
    bars = largest(counts, _MOST_BARS)
    total, most = sum(bars.values()) or 1, max(bars.values(), default=1)
    rows = [
        {"what": name, "amount": amount, "told": f"{amount:,.0f} · {_share(amount / total)}", "colour": _colour(name)}
        for name, amount in bars.items()
    ]
    room = {"domain": [0, 1.6 * most]}  # for the words behind a bar
    return {
        "height": 70 + 30 * len(bars),
        "data": {"values": rows},
        "encoding": {
            "y": {"field": "what", "sort": None, "title": None, "axis": {"labelLimit": 140}},
            "x": {"field": "amount", "type": "quantitative", "axis": None, "scale": room},
        },
        "layer": [
            {"mark": {"type": "bar", "tooltip": True}, "encoding": {"color": {"field": "colour", "scale": None}}},
            {"mark": {"type": "text", "align": "left", "dx": 4}, "encoding": {"text": {"field": "told"}}},
        ],
    }


def _colour(name: str) -> str:
    return FIXED.get(name, PALETTE[0])


def _share(share: float) -> str:
    return "<1%" if 0 < share < 0.005 else f"{share:.0%}"


def readable(chart: Chart, *, dark: bool) -> Chart:
    """The chart with text that can be read on a light or a dark page."""
    ink = INK[dark]
    text = {"labelColor": ink, "titleColor": ink}
    return {**chart, "config": {"axis": text, "legend": text, "text": {"color": ink}}}
