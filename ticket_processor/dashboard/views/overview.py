"""Overview: the period in numbers against the one before, its volume, and what the tickets were."""

from __future__ import annotations

import streamlit as st

from ticket_processor import metrics
from ticket_processor.dashboard import figures, parts
from ticket_processor.dashboard.data import ask
from ticket_processor.dashboard.sidebar import choose, step_of
from ticket_processor.metrics import Dimension, Selection, Totals

BREAKDOWNS: dict[Dimension, str] = {
    "category": "Category",
    "urgency": "Urgency",
    "sentiment": "Sentiment",
    "language": "Language",
    "outcome": "Outcome",
    "answered_by": "Answered by",
}


def success(totals: Totals) -> float | None:
    """Share of the attempts that did not fail."""
    return None if totals.error_rate is None else 1 - totals.error_rate


def tiles(selection: Selection) -> None:
    """The period against the one before."""
    now, before = ask(metrics.totals, selection), ask(metrics.totals, selection.before)
    known = before.lines > 0
    late, late_before = ask(metrics.latency, selection), ask(metrics.latency, selection.before)
    with st.grid(min_column_width=135):
        parts.tile(
            "Tickets",
            now.tickets,
            before.tickets if known else None,
            parts.count,
            good="neither",
            help="Each counts once, however often it was tried. Below: against the period before.",
        )
        parts.tile(
            "Success",
            success(now),
            success(before),
            parts.percent,
            good="up",
            help="Attempts that did not fail. What rules answered, for want of a model, is a success.",
        )
        parts.tile(
            "Fallback",
            now.fallback_rate,
            before.fallback_rate,
            parts.percent,
            good="down",
            help="Understood tickets that a model was meant for and did not answer.",
        )
        parts.tile(
            "Review",
            now.review_rate,
            before.review_rate,
            parts.percent,
            good="down",
            help="Understood tickets that a person is asked to look at.",
        )
        parts.tile(
            "p95",
            late.p95_ms,
            late_before.p95_ms,
            parts.seconds,
            good="down",
            help="95% of the tickets took no longer, from the first look to the receipt.",
        )
        parts.tile(
            "Cost",
            now.cost_usd,
            before.cost_usd if known else None,
            parts.dollars,
            good="down",
            help="What models cost, where they have a price in the settings.",
        )


def body() -> None:
    selection = selected()
    if parts.nothing(selection):
        return
    tiles(selection)
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
    hours = ask(metrics.series, selection, "hour")
    parts.chart(
        "When tickets are handled (UTC)",
        figures.week([(point.at.weekday(), point.at.hour, point.tickets) for point in hours]),
        key="week",
        alt="Heat map: tickets by weekday and hour",
    )


st.title("Overview")
selected = choose()
parts.live(body)
