"""Overview: a period in numbers, its volume, and what the tickets were. Costs: what was spent on what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import streamlit as st

from ..core.reasons import why_no_model
from ..core.tables import Table
from ..reporting import figures, queries, sections
from ..reporting.figures import Step, Totals
from ..reporting.glossary import dollars
from ..reporting.queries import Dimension, LogSelection
from . import parts
from .parts import Chart, Good, ask, period
from .server import given

BREAKDOWNS: tuple[Dimension, ...] = ("category", "urgency", "sentiment", "risk", "language", "outcome")
FIGURES = {**sections.FIGURES, "unsure": ("review", parts.count), "tokens": ("tokens", parts.count)}
GOOD: Mapping[str, Good] = {
    "Success rate": "normal",
    "Repeat rate": "normal",
    **dict.fromkeys(("Fallback rate", "Cost", "Cost per ticket", "Latency p95"), "inverse"),
}
"""How Streamlit colours more of a figure."""


def tiles(names: Sequence[str], selection: LogSelection) -> tuple[Totals, Totals]:
    """These figures, against the period before where it had any line; gives both periods in numbers."""
    now, before = ask(figures.totals, selection), ask(figures.totals, selection.before)
    new = sections.values_of(now, ask(figures.latency, selection))
    old = sections.values_of(before, ask(figures.latency, selection.before))
    for name in names:
        key, show = FIGURES[name.lower()]
        parts.tile(name, new[key], old[key] if before.lines else None, show, good=GOOD.get(name, "off"))
    return now, before


def escalated(selection: LogSelection) -> None:
    """The escalated tickets, the newest first."""
    url_of = given().settings.ticket_url
    found = [replace(one, url=url_of(one.ticket_id)) for one in ask(queries.escalated, selection)]
    st.caption(f"{len(found):,} escalated. 'ticketbot report --escalated' asks the helpdesk which are still open.")
    parts.table(sections.escalated_table(found))


def overview_of(selection: LogSelection) -> None:
    """The overview of what is selected."""
    names = ("Tickets", "Escalated", "Unsure", "Success rate", "Fallback rate", "Cost", "Latency p95")
    with st.grid(min_column_width=170):
        now, before = tiles(names, selection)
    if before.lines:
        st.caption("Below each figure: the difference to the period before, of the same length.")
    parts.without_a_price(now)
    if now.escalated:
        escalated(selection)
    parts.sections("overview", selection)
    step = figures.step_for(selection.until - selection.since)
    volume = ask(figures.series, selection, step, "category")
    rows = [(point.at.isoformat(), point.label, point.tickets) for point in volume if point.tickets and point.label]
    parts.chart(
        f"Tickets by category, each {step}",
        stacked(rows, step=step, unit="tickets"),
        key="volume",
        alt="Bars over time: tickets, stacked by category",
    )
    found = ask(figures.breakdowns, selection, BREAKDOWNS)
    with st.grid(min_column_width=280):
        for dimension in BREAKDOWNS:
            title = parts.FILTERS[dimension]
            amounts = {part.label: part.tickets for part in found[dimension]}
            parts.chart(
                title,
                breakdown(amounts),
                key=dimension,
                alt=f"Bars: tickets by {title.lower()}",
            )


def overview() -> None:
    """The page of what cannot wait, and of the period as a whole."""
    parts.of_period("Overview", overview_of)


def budget() -> None:
    """How much of the day's limit is used up, by the log."""
    limit = given().settings.budget.day_usd
    if limit is None:
        st.caption("No daily limit is set (budget.day_usd).")
        return
    today = ask(figures.totals, LogSelection(*period("today", None, None, given().clock.now())))
    share = today.cost_usd / limit if limit else 1.0
    # A dollar sign begins a formula in Markdown.
    words = f"Today (UTC): {dollars(today.cost_usd)} of {dollars(limit)}, {share:.0%}".replace("$", r"\$")
    st.progress(min(share, 1.0), text=words)


def costs_of(selection: LogSelection) -> None:
    """Costs and models of what is selected."""
    with st.grid(min_column_width=135):
        now, _ = tiles(("Cost", "Cost per ticket", "Tokens", "Repeat rate", "Fallback rate"), selection)
    parts.without_a_price(now)
    with st.container(border=True):
        st.markdown("**Budget**")
        budget()
    step = figures.step_for(selection.until - selection.since)
    points = ask(figures.series, selection, step, "answered_by")
    costs = [(point.at.isoformat(), point.label, point.cost_usd) for point in points if point.label]
    answers = [(point.at.isoformat(), point.label, point.tickets) for point in points if point.label]
    with st.grid(min_column_width=420):
        parts.chart(
            f"Cost by model, each {step}",
            stacked(costs, step=step, unit="US dollars", prefix="$"),
            key="cost",
            alt="Bars over time: cost, stacked by model",
        )
        parts.chart(
            f"Tickets by who answered, each {step}",
            stacked(answers, step=step, unit="tickets"),
            key="answered",
            alt="Bars over time: tickets, stacked by model or analyser",
        )
    reasons = ask(figures.breakdowns, selection, ("why_fallback",))["why_fallback"]
    rows = tuple((why_no_model(part.label), f"{part.tickets:,}") for part in reasons)
    parts.table(Table("Why no model answered", ("<why", "tickets"), rows))
    parts.sections("costs", selection)


def costs() -> None:
    """The page of what was spent on what."""
    parts.of_period("Costs and models", costs_of)


# Charts

PALETTE = ("#4c8fd6", "#e08a3c", "#3aa99f", "#9a7bd0", "#d277a8", "#6aab5c", "#b8a13a", "#a67c5b", "#5fb3d4")
OTHER = "other"
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
        {"what": name, "amount": amount, "told": f"{amount:,.0f} · {_share(amount / total)}"}
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
            {"mark": {"type": "bar", "tooltip": True, "color": PALETTE[0]}},
            {"mark": {"type": "text", "align": "left", "dx": 4}, "encoding": {"text": {"field": "told"}}},
        ],
    }


def _share(share: float) -> str:
    return "<1%" if 0 < share < 0.005 else f"{share:.0%}"
