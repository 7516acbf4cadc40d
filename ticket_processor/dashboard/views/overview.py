"""Overview: what cannot wait, the period in numbers against the one before, its volume, and what the tickets were."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from ticket_processor.dashboard import figures, parts
from ticket_processor.dashboard.data import ask
from ticket_processor.dashboard.parts import choose, step_of
from ticket_processor.dashboard.server import given
from ticket_processor.reporting import metrics, queries
from ticket_processor.reporting.figures import Dimension, LogSelection, Totals
from ticket_processor.reporting.glossary import dollars, percent, seconds
from ticket_processor.reporting.tables import escalated_table

BREAKDOWNS: dict[Dimension, str] = {
    "category": "Category",
    "urgency": "Urgency",
    "sentiment": "Sentiment",
    "risk": "Risk",
    "language": "Language",
    "outcome": "Outcome",
}


def for_the_team(now: Totals, before: Totals | None) -> None:
    """Tiles for the lead of a team."""
    tiles: dict[str, Callable[[Totals], float]] = {
        "Tickets": lambda total: total.tickets,
        "Escalated": lambda total: total.escalated,
        "Unsure": lambda total: total.review,
    }
    with st.grid(min_column_width=170):
        for name, of in tiles.items():
            parts.tile(name, of(now), None if before is None else of(before), parts.count, good="neither")


def for_the_operator(selection: LogSelection, now: Totals, before: Totals | None) -> None:
    """Tiles for who operates ticketbot."""
    late, late_before = ask(metrics.latency, selection), ask(metrics.latency, selection.before)
    before = before or Totals()
    with st.grid(min_column_width=135):
        parts.tile("Success rate", now.success_rate, before.success_rate, percent, good="up")
        parts.tile("Fallback rate", now.fallback_rate, before.fallback_rate, percent, good="down")
        parts.tile("Review rate", now.review_rate, before.review_rate, percent, good="down")
        parts.tile("Latency p95", late.p95_ms, late_before.p95_ms, seconds, good="down")
        parts.tile("Cost", now.known_cost, before.known_cost if before.lines else None, dollars, good="down")
    if before.lines:
        st.caption("Below each figure: the difference to the period before, of the same length.")
    parts.without_a_price(now)


def escalated(selection: LogSelection) -> None:
    """The escalated tickets, the newest first."""
    url_of = given().settings.ticket_url
    found = [replace(one, url=url_of(one.ticket_id)) for one in ask(queries.escalated, selection)]
    st.caption(f"{len(found):,} escalated. 'ticketbot report --escalated' asks the helpdesk which are still open.")
    parts.table(escalated_table(found))


def body() -> None:
    selection = selected()
    parts.about(selection)
    if parts.nothing(selection):
        return
    now, earlier = ask(metrics.totals, selection), ask(metrics.totals, selection.before)
    before = earlier if earlier.lines else None
    for_the_team(now, before)
    if now.escalated:
        escalated(selection)
    for_the_operator(selection, now, before)
    step = step_of(selection)
    volume = ask(metrics.series, selection, step, "category")
    rows = [(point.at.isoformat(), point.label, point.tickets) for point in volume if point.tickets and point.label]
    parts.chart(
        f"Tickets by category, each {step}",
        figures.stacked(rows, unit="tickets"),
        key="volume",
        alt="Bars over time: tickets, stacked by category",
    )
    found = ask(metrics.breakdowns, selection, tuple(BREAKDOWNS))
    with st.grid(min_column_width=280):
        for dimension, title in BREAKDOWNS.items():
            amounts = {part.label: part.tickets for part in found[dimension]}
            parts.chart(
                title,
                figures.breakdown(amounts),
                key=dimension,
                alt=f"Bars: tickets by {title.lower()}",
            )


parts.head("Overview")
selected = choose()
parts.live(body)
