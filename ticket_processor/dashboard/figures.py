"""Numbers as Plotly figures. Pure. The input are counts and sums, never a ticket's words.

Colours are readable on light and dark pages; Streamlit's theme sets the rest. Names come from logs: :func:`plain` keeps
Plotly from taking them for mark-up.
"""

from __future__ import annotations

import html
import itertools
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

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
_MOMENTS = [
    {"dtickrange": [None, 43_200_000], "value": "%H:%M\n%b %d"},
    {"dtickrange": [43_200_000, "M1"], "value": "%b %d"},
    {"dtickrange": ["M1", None], "value": "%b %Y"},
]
"""The format of times below a chart, by the milliseconds between two of them."""
_MIDNIGHT = "T00:00:00"
_HOUR_S, _DAY_S = 3600.0, 86_400.0
_FEW_DAYS = 7
FAR = 4.0
"""A target above this many times the largest value is not drawn."""
_MOST_SERIES = 9
_MOST_BARS = 12
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


def stacked(
    counts: Iterable[tuple[str, str, float]], *, unit: str, most: int = _MOST_SERIES, prefix: str = ""
) -> go.Figure:
    """Bars over time, stacked by series: rows of moment (ISO 8601), series, amount.

    The smallest series become one, and those of nothing are left out.
    """
    rows = [row for row in counts if row[2]]
    totals: dict[str, float] = {}
    for _, series, amount in rows:
        totals[series] = totals.get(series, 0) + amount
    largest = sorted(totals, key=lambda name: (-totals[name], name))
    shown = largest if len(largest) <= most else [name for name in largest[: most - 1] if name != OTHER]
    moments = sorted({moment for moment, _, _ in rows})
    sums: dict[str, dict[str, float]] = {name: {} for name in shown}
    for moment, series, amount in rows:
        of = sums.setdefault(series if series in shown else OTHER, {})
        of[moment] = of.get(moment, 0) + amount
    painted = colours(sums)
    figure = go.Figure(
        [
            go.Bar(
                name=plain(name),
                x=moments,
                y=[sums[name].get(moment, 0) for moment in moments],
                marker_color=painted[name],
                hovertemplate=f"%{{y:{_number(prefix)}}}<extra>{plain(name)}</extra>",
            )
            for name in sums
        ]
    )
    figure.update_layout(barmode="stack", bargap=0.15, hovermode="x unified", showlegend=len(sums) > 1)
    figure.update_yaxes(title_text=unit, tickprefix=prefix, rangemode="tozero")
    if len(moments) == 1:  # Plotly would draw it a millisecond wide
        figure.update_traces(width=800 * _step_s(moments))
    return _over_time(_laid_out(figure, height=320), moments)


def _number(prefix: str) -> str:
    return f"{prefix},.4~f" if prefix else ",.6~g"


def breakdown(counts: Mapping[str, float], *, most: int = _MOST_BARS, prefix: str = "") -> go.Figure:
    """Lying bars, the largest on top, with the amount and its share; the smallest become one."""
    largest = sorted(counts, key=lambda name: (-counts[name], name))
    if len(largest) > most:
        kept = [name for name in largest if name != OTHER][: most - 1]
        amounts = {name: counts[name] for name in kept}
        amounts[OTHER] = sum(counts.values()) - sum(amounts.values())
    else:
        amounts = {name: counts[name] for name in largest}
    total = sum(amounts.values()) or 1
    bars = list(reversed(amounts.items()))
    places = list(range(len(bars)))
    painted = {name: FIXED.get(name, PALETTE[0]) for name in amounts}
    shown = "{:,.4f}" if prefix else "{:,.0f}"
    figure = go.Figure(
        go.Bar(
            orientation="h",
            x=[amount for _, amount in bars],
            y=places,
            marker_color=[painted[name] for name, _ in bars],
            text=[f"{prefix}{shown.format(amount)} · {_share(amount / total)}" for _, amount in bars],
            textposition="auto",
            insidetextfont={"color": "#14171a"},  # readable on every colour here
            cliponaxis=False,
            customdata=[plain(name, _WHOLE) for name, _ in bars],
            hovertemplate=f"%{{customdata}}: {prefix}%{{x:,}}<extra></extra>",
        )
    )
    figure.update_xaxes(visible=False, rangemode="tozero")
    # Places and not names: long names may begin alike, and would share a bar.
    names = [plain(name, _SHORTER) for name, _ in bars]
    figure.update_yaxes(
        automargin=True, ticksuffix=" ", tickvals=places, ticktext=names, showgrid=False, zeroline=False
    )
    figure.update_layout(bargap=0.25)
    return _laid_out(figure, height=70 + 30 * len(bars))


def _share(share: float) -> str:
    return "<1%" if 0 < share < 0.005 else f"{share:.0%}"


def lines(
    series: Mapping[str, Sequence[tuple[str, float | None]]],
    *,
    unit: str,
    target: float | None = None,
    target_name: str = "target",
    share: bool = False,
) -> go.Figure:
    """Values over time, a line each; ``target`` is a dashed one. ``share``: 1 is shown as 100%.

    A target that is :data:`FAR` above all values is only named: it would flatten the lines.
    """
    painted = colours(series)
    figure = go.Figure(
        [
            go.Scatter(
                name=plain(name),
                x=[moment for moment, _ in points],
                y=[value for _, value in points],
                mode="lines+markers" if len(points) < 60 else "lines",
                line={"color": painted[name], "width": 2},
                hovertemplate=f"%{{y:{'.2%' if share else ',.4~g'}}}<extra>{plain(name)}</extra>",
            )
            for name, points in series.items()
        ]
    )
    if target is not None:
        most = max((value or 0 for points in series.values() for _, value in points), default=0)
        far = 0 < FAR * most < target
        if not far:
            figure.add_hline(y=target, line={"color": GREY, "dash": "dash", "width": 1.5})
        # Above the chart, where no line can run through it.
        words = {"text": f"┄ {plain(target_name)}{', far above' if far else ''}"}
        figure.add_annotation(words, showarrow=False, xref="paper", yref="paper", x=0, y=1.02, yanchor="bottom")
    figure.update_layout(hovermode="x unified", showlegend=len(series) > 1)
    figure.update_yaxes(title_text=unit, rangemode="tozero", tickformat=".1%" if share else None)
    moments = sorted({moment for points in series.values() for moment, _ in points})
    return _over_time(_laid_out(figure, height=300), moments)


def _step_s(moments: Sequence[str]) -> float:
    return _DAY_S if all(_MIDNIGHT in moment for moment in moments) else _HOUR_S


def _over_time(figure: go.Figure, moments: Sequence[str]) -> go.Figure:
    """Write a single moment, or a few days, below the chart as they are: Plotly would add hours between them.

    ``moments`` are sorted.
    """
    if not moments:
        return figure
    first, last = datetime.fromisoformat(moments[0]), datetime.fromisoformat(moments[-1])
    step_s = _step_s(moments)
    days = step_s == _DAY_S
    if first == last or (days and last - first < timedelta(days=_FEW_DAYS)):
        figure.update_xaxes(tickvals=list(moments), tickformat="%b %d" if days else "%H:%M\n%b %d")
        figure.layout.xaxis.tickformatstops = ()
    if first == last:
        beside = timedelta(seconds=1.5 * step_s)
        figure.update_xaxes(range=[(first - beside).isoformat(), (first + beside).isoformat()])
    return figure


def _laid_out(figure: go.Figure, *, height: int) -> go.Figure:
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 24, "b": 8},
        legend={"orientation": "h", "yanchor": "top", "y": -0.22, "x": 0, "title_text": "", "traceorder": "normal"},
        dragmode=False,
        barcornerradius=3,
    )
    figure.update_xaxes(fixedrange=True, tickformatstops=_MOMENTS)
    figure.update_yaxes(fixedrange=True)
    return figure
