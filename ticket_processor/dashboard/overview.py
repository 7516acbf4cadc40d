"""Overview: a period in numbers, its volume, and what the tickets were. Costs: what was spent on what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from ..reporting import figures, queries
from ..reporting.figures import Totals
from ..reporting.glossary import dollars, seconds, why_no_model
from ..reporting.queries import Dimension, LogSelection
from ..reporting.tables import escalated_table, models_table
from . import figures as charts
from . import parts
from .parts import ask, period, step_of
from .server import given

BREAKDOWNS: tuple[Dimension, ...] = ("category", "urgency", "sentiment", "risk", "language", "outcome")
COUNTS: dict[str, Callable[[Totals], int]] = {
    "Tickets": lambda total: total.tickets,
    "Escalated": lambda total: total.escalated,
    "Unsure": lambda total: total.review,
}


def tiles(selection: LogSelection, now: Totals, before: Totals) -> None:
    """The period in numbers, against the one before."""
    late, late_before = ask(figures.latency, selection), ask(figures.latency, selection.before)
    known = before.lines > 0
    with st.grid(min_column_width=170):
        for name, of in COUNTS.items():
            parts.tile(name, of(now), of(before) if known else None, parts.count)
        parts.rate_tile("Success rate", now, before, good="normal")
        parts.rate_tile("Fallback rate", now, before, good="inverse")
        parts.tile("Latency p95", late.p95_ms, late_before.p95_ms, seconds, good="inverse")
        parts.tile("Cost", now.known_cost, before.known_cost if known else None, dollars, good="inverse")
    if known:
        st.caption("Below each figure: the difference to the period before, of the same length.")
    parts.without_a_price(now)


def escalated(selection: LogSelection) -> None:
    """The escalated tickets, the newest first."""
    url_of = given().settings.ticket_url
    found = [replace(one, url=url_of(one.ticket_id)) for one in ask(queries.escalated, selection)]
    st.caption(f"{len(found):,} escalated. 'ticketbot report --escalated' asks the helpdesk which are still open.")
    parts.table(escalated_table(found))


def overview_of(selection: LogSelection) -> None:
    """The overview of what is selected."""
    now = ask(figures.totals, selection)
    tiles(selection, now, ask(figures.totals, selection.before))
    if now.escalated:
        escalated(selection)
    step = step_of(selection)
    volume = ask(figures.series, selection, step, "category")
    rows = [(point.at.isoformat(), point.label, point.tickets) for point in volume if point.tickets and point.label]
    parts.chart(
        f"Tickets by category, each {step}",
        charts.stacked(rows, step=step, unit="tickets"),
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
                charts.breakdown(amounts),
                key=dimension,
                alt=f"Bars: tickets by {title.lower()}",
            )


def overview() -> None:
    """The page of what cannot wait, and of the period as a whole."""
    parts.of_period("Overview", overview_of)


def cost_tiles(selection: LogSelection) -> None:
    """Cost and tokens, against the period before."""
    now, before = ask(figures.totals, selection), ask(figures.totals, selection.before)
    known = before.lines > 0
    with st.grid(min_column_width=135):
        parts.tile("Cost", now.known_cost, before.known_cost if known else None, dollars, good="inverse")
        each, each_before = now.rates["cost_per_ticket"], before.rates["cost_per_ticket"]
        parts.tile("Cost per ticket", each, each_before, dollars, good="inverse")
        parts.tile(
            "Tokens",
            now.tokens_in + now.tokens_out,
            before.tokens_in + before.tokens_out if known else None,
            parts.count,
            help="In and out, as the servers counted them.",
        )
        parts.rate_tile("Repeat rate", now, before, good="normal")
        parts.rate_tile("Fallback rate", now, before, good="inverse")
    parts.without_a_price(now)


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
    cost_tiles(selection)
    with st.container(border=True):
        st.markdown("**Budget**")
        budget()
    step = step_of(selection)
    points = ask(figures.series, selection, step, "answered_by")
    costs = [(point.at.isoformat(), point.label, point.cost_usd) for point in points if point.label]
    answers = [(point.at.isoformat(), point.label, point.tickets) for point in points if point.label]
    with st.grid(min_column_width=420):
        if any(cost for _, _, cost in costs):
            parts.chart(
                f"Cost by model, each {step}",
                charts.stacked(costs, step=step, unit="US dollars", prefix="$"),
                key="cost",
                alt="Bars over time: cost, stacked by model",
            )
        else:
            parts.instead("Cost by model", "None is known of.")
        parts.chart(
            f"Tickets by who answered, each {step}",
            charts.stacked(answers, step=step, unit="tickets"),
            key="answered",
            alt="Bars over time: tickets, stacked by model or analyser",
        )
        reasons = ask(figures.breakdowns, selection, ("why_fallback",))["why_fallback"]
        if reasons:
            with st.container(border=True):
                st.markdown("**Why no model answered**")
                rows = [{"Why": why_no_model(part.label), "Answers": part.tickets} for part in reasons]
                st.dataframe(rows, hide_index=True, height=min(280, parts.height(len(rows))))
        else:
            parts.instead("Why no model answered", "Models answered every ticket.")
    parts.table(models_table(ask(figures.spent, selection)))


def costs() -> None:
    """The page of what was spent on what."""
    parts.of_period("Costs and models", costs_of)
