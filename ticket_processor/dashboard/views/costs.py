"""Costs and models: what was spent on what, what it bought, and why models did not answer."""

from __future__ import annotations

import streamlit as st

from ticket_processor.dashboard import figures as charts
from ticket_processor.dashboard import parts
from ticket_processor.dashboard.parts import ask, choose, period, step_of
from ticket_processor.dashboard.server import given
from ticket_processor.reporting import figures
from ticket_processor.reporting.glossary import dollars, why_no_model
from ticket_processor.reporting.queries import LogSelection
from ticket_processor.reporting.tables import models_table


def tiles(selection: LogSelection) -> None:
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


def body() -> None:
    selection = selected()
    parts.about(selection)
    if parts.nothing(selection):
        return
    tiles(selection)
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
                charts.stacked(costs, unit="US dollars", prefix="$"),
                key="cost",
                alt="Bars over time: cost, stacked by model",
            )
        else:
            parts.instead("Cost by model", "None is known of.")
        parts.chart(
            f"Tickets by who answered, each {step}",
            charts.stacked(answers, unit="tickets"),
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


parts.head("Costs and models")
selected = choose()
parts.live(body)
