"""Costs and models: what was spent on what, what it bought, and why models did not answer."""

from __future__ import annotations

import streamlit as st

from ticket_processor.dashboard import figures, parts
from ticket_processor.dashboard.data import ask
from ticket_processor.dashboard.parts import choose, period, step_of
from ticket_processor.dashboard.server import given
from ticket_processor.reporting import metrics
from ticket_processor.reporting.figures import LogSelection
from ticket_processor.reporting.glossary import dollars, percent, why_no_model
from ticket_processor.reporting.tables import models_table


def tiles(selection: LogSelection) -> None:
    """Cost and tokens, against the period before."""
    now, before = ask(metrics.totals, selection), ask(metrics.totals, selection.before)
    known = before.lines > 0
    with st.grid(min_column_width=135):
        parts.tile("Cost", now.known_cost, before.known_cost if known else None, dollars, good="down")
        parts.tile("Cost per ticket", now.cost_per_ticket, before.cost_per_ticket, dollars, good="down")
        parts.tile(
            "Tokens",
            now.tokens_in + now.tokens_out,
            before.tokens_in + before.tokens_out if known else None,
            parts.count,
            good="neither",
            help="In and out, as the servers counted them.",
        )
        parts.tile("Repeat rate", now.repeat_rate, before.repeat_rate, percent, good="up")
        parts.tile(
            "Cached input",
            now.tokens_cached / now.tokens_in if now.tokens_in else None,
            before.tokens_cached / before.tokens_in if before.tokens_in else None,
            percent,
            good="up",
            help="Input tokens that the model server had in its own cache, and charges less for.",
        )
        parts.tile("Fallback rate", now.fallback_rate, before.fallback_rate, percent, good="down")
    parts.without_a_price(now)


def budget() -> None:
    """How much of the day's limit is used up, by the log."""
    limit = given().settings.budget.day_usd
    if limit is None:
        st.caption("No daily limit is set (budget.day_usd).")
        return
    today = ask(metrics.totals, LogSelection(*period("today", None, None, given().clock.now())))
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
    points = ask(metrics.series, selection, step, "answered_by")
    costs = [(point.at.isoformat(), point.label, point.cost_usd) for point in points if point.label]
    answers = [(point.at.isoformat(), point.label, point.tickets) for point in points if point.label]
    with st.grid(min_column_width=420):
        if any(cost for _, _, cost in costs):
            parts.chart(
                f"Cost by model, each {step}",
                figures.stacked(costs, unit="US dollars", prefix="$"),
                key="cost",
                alt="Bars over time: cost, stacked by model",
            )
        else:
            parts.instead("Cost by model", "None is known of.")
        parts.chart(
            f"Tickets by who answered, each {step}",
            figures.stacked(answers, unit="tickets"),
            key="answered",
            alt="Bars over time: tickets, stacked by model or analyser",
        )
        reasons = ask(metrics.breakdown, selection, "why_fallback")
        if reasons:
            with st.container(border=True):
                st.markdown("**Why no model answered**")
                rows = [{"Why": why_no_model(part.label), "Answers": part.tickets} for part in reasons]
                st.dataframe(rows, hide_index=True, height=min(280, parts.height(len(rows))))
        else:
            parts.instead("Why no model answered", "Models answered every ticket.")
    parts.table(models_table(ask(metrics.spent, selection)))


parts.head("Costs and models")
selected = choose()
parts.live(body)
