"""Overview: what cannot wait, the period in numbers against the one before, its volume, and what the tickets were."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from ticket_processor.dashboard import figures as charts
from ticket_processor.dashboard import parts
from ticket_processor.dashboard.parts import ask, choose, step_of
from ticket_processor.dashboard.server import given
from ticket_processor.reporting import figures, queries
from ticket_processor.reporting.figures import Totals
from ticket_processor.reporting.glossary import dollars, seconds
from ticket_processor.reporting.queries import Dimension, LogSelection
from ticket_processor.reporting.tables import escalated_table

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


def body() -> None:
    selection = selected()
    parts.about(selection)
    if parts.nothing(selection):
        return
    now = ask(figures.totals, selection)
    tiles(selection, now, ask(figures.totals, selection.before))
    if now.escalated:
        escalated(selection)
    step = step_of(selection)
    volume = ask(figures.series, selection, step, "category")
    rows = [(point.at.isoformat(), point.label, point.tickets) for point in volume if point.tickets and point.label]
    parts.chart(
        f"Tickets by category, each {step}",
        charts.stacked(rows, unit="tickets"),
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


parts.head("Overview")
selected = choose()
parts.live(body)
