"""Numbers as Plotly figures. Pure. The input are counts and sums, never a ticket's words.

Colours are readable on light and dark pages; Streamlit's theme sets the rest. Names come from logs: :func:`plain` keeps
Plotly from taking them for mark-up.
"""

from __future__ import annotations

import html
import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import plotly.graph_objects as go

PALETTE = ("#4c8fd6", "#e08a3c", "#3aa99f", "#9a7bd0", "#d277a8", "#6aab5c", "#b8a13a", "#a67c5b", "#5fb3d4")
INK = {False: "#4a4f57", True: "#c3c8cf"}
"""The colour of text on a light and on a dark page: Streamlit's own grey has too little contrast for WCAG's AA."""
GREY, RED, GREEN, AMBER = "#8d96a0", "#d65f5f", "#4fa36c", "#d9a032"
OTHER = "other"
FIXED = {
    "critical": RED,
    "high": "#e08a3c",
    "medium": "#d9c03f",
    "low": "#7fb3d9",
    "negative": RED,
    "neutral": GREY,
    "positive": GREEN,
    "updated": GREEN,
    "suggested": "#4c8fd6",
    "planned": "#9a7bd0",
    "skipped": GREY,
    "failed": RED,
    "model": "#4c8fd6",
    "classifier": "#3aa99f",
    "rules": AMBER,
    OTHER: GREY,
}
"""Colours of values that mean the same in every chart."""
_MIDNIGHT = "T00:00:00"
_FEW_DAYS = 7
_MOST_SERIES, _MOST_BARS = 9, 12
_LONGEST, _SHORTER, _WHOLE = 28, 20, 200


def plain(name: object, longest: int = _LONGEST) -> str:
    """A name that Plotly shows as it is, cut to ``longest`` characters."""
    text = str(name)
    return html.escape(text if len(text) <= longest else text[: longest - 1] + "…", quote=False)


def make_readable(figure: go.Figure, *, dark: bool) -> None:
    """Give all text on the page's ground a colour that can be read there."""
    ink = INK[dark]
    for axes in (figure.update_xaxes, figure.update_yaxes):
        axes(tickfont_color=ink, title_font_color=ink)
    figure.update_annotations(font_color=ink)
    figure.update_traces(outsidetextfont_color=ink, selector={"type": "bar"})


def colours(names: Iterable[str]) -> dict[str, str]:
    """A colour for each name: its own where it has one, else the palette's next."""
    palette = itertools.cycle(PALETTE)
    return {name: FIXED.get(name) or next(palette) for name in names}


def largest(counts: Mapping[str, float], most: int) -> dict[str, float]:
    """At most ``most`` counts, the largest first; the smallest become one."""
    ordered = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    if len(ordered) <= most:
        return ordered
    kept = {name: ordered[name] for name in [name for name in ordered if name != OTHER][: most - 1]}
    return {**kept, OTHER: sum(counts.values()) - sum(kept.values())}


def stacked(counts: Iterable[tuple[str, str, float]], *, unit: str, prefix: str = "") -> go.Figure:
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
    moments = sorted({moment for moment, _, _ in rows})
    painted = colours(names)
    number = f"{prefix},.4~f" if prefix else ",.6~g"
    figure = go.Figure()
    for name in names:
        amounts = [cells[moment, name] for moment in moments]
        hover = f"%{{y:{number}}}<extra>{plain(name)}</extra>"
        figure.add_bar(name=plain(name), x=moments, y=amounts, marker_color=painted[name], hovertemplate=hover)
    figure.update_layout(barmode="stack", bargap=0.15, hovermode="x unified", showlegend=len(names) > 1)
    figure.update_yaxes(title_text=unit, tickprefix=prefix, rangemode="tozero")
    return _over_time(_laid_out(figure, height=320), moments)


def breakdown(counts: Mapping[str, float]) -> go.Figure:
    """Lying bars, the largest on top, with the amount and its share; the smallest become one."""
    bars = dict(reversed(largest(counts, _MOST_BARS).items()))
    total = sum(bars.values()) or 1
    places = list(range(len(bars)))  # and not names: long names may begin alike, and would share a bar
    figure = go.Figure()
    figure.add_bar(
        orientation="h",
        x=list(bars.values()),
        y=places,
        marker_color=[FIXED.get(name, PALETTE[0]) for name in bars],
        text=[f"{amount:,.0f} · {_share(amount / total)}" for amount in bars.values()],
        textposition="auto",
        insidetextfont={"color": "#14171a"},  # readable on every colour here
        cliponaxis=False,
        customdata=[plain(name, _WHOLE) for name in bars],
        hovertemplate="%{customdata}: %{x:,}<extra></extra>",
    )
    figure.update_xaxes(visible=False, rangemode="tozero")
    names = [plain(name, _SHORTER) for name in bars]
    figure.update_yaxes(
        automargin=True, ticksuffix=" ", tickvals=places, ticktext=names, showgrid=False, zeroline=False
    )
    figure.update_layout(bargap=0.25)
    return _laid_out(figure, height=70 + 30 * len(bars))


def _share(share: float) -> str:
    return "<1%" if 0 < share < 0.005 else f"{share:.0%}"


def _over_time(figure: go.Figure, moments: Sequence[str]) -> go.Figure:
    """Write a few days, or a single moment, below the chart as they are: Plotly would add hours between them."""
    days = all(_MIDNIGHT in moment for moment in moments)
    if len(moments) == 1 or (days and len(moments) <= _FEW_DAYS):
        figure.update_xaxes(tickvals=list(moments), tickformat="%b %d" if days else "%H:%M\n%b %d")
    if len(moments) == 1:  # Plotly would draw a bar a millisecond wide
        figure.update_traces(width=(86_400_000 if days else 3_600_000) * 0.8, selector={"type": "bar"})
    return figure


def _laid_out(figure: go.Figure, *, height: int) -> go.Figure:
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 24, "b": 8},
        legend={"orientation": "h", "yanchor": "top", "y": -0.22, "x": 0, "title_text": "", "traceorder": "normal"},
        dragmode=False,
        barcornerradius=3,
    )
    figure.update_xaxes(fixedrange=True)
    figure.update_yaxes(fixedrange=True)
    return figure
