"""Service levels and runs: what was promised, what of it was kept, and what each run came to."""

from __future__ import annotations

import streamlit as st

from ticket_processor.dashboard import figures, parts, tables
from ticket_processor.dashboard.data import ask
from ticket_processor.dashboard.options import given
from ticket_processor.dashboard.parts import choose, step_of
from ticket_processor.reporting import metrics, queries
from ticket_processor.reporting.figures import LogSelection, Objective
from ticket_processor.reporting.glossary import percent, points
from ticket_processor.reporting.tables import runs_table

MOST_RUNS = 1_000
ANSWERED = "Understanding and writing together; of what a job of many tickets carried, understanding only."
COLUMNS = {
    "Started": st.column_config.DatetimeColumn("Started (UTC)", format="YYYY-MM-DD HH:mm:ss", timezone="UTC"),
    "Seconds": st.column_config.NumberColumn(format="%.1f"),
    "Cost": st.column_config.TextColumn("Cost"),
}


def level(objective: Objective, what: str, what_it_is: str) -> None:
    """One objective: reached, wanted, and what is left of the error budget."""
    reached, left = objective.share, objective.budget_left
    st.metric(
        what,
        "–" if reached is None else percent(reached),
        None if reached is None else f"{points(reached - objective.target)} from the target",
        help=f"Target: {percent(objective.target)}. Of {objective.total:,} there were {objective.good:,} good ones. "
        + what_it_is,
        border=True,
    )
    if left is not None:
        st.progress(max(0.0, min(left, 1.0)), text=f"{max(0.0, left):.0%} of the error budget is left")


def levels(selection: LogSelection) -> None:
    """The objectives of the settings, and the fallbacks that an alert is for."""
    slo = given().settings.slo
    success, quick = ask(metrics.objectives, selection, slo)
    fallback = ask(metrics.totals, selection).unplanned_fallback_rate
    with st.grid(min_column_width=240):
        with st.container():
            level(success, "Success rate", parts.meaning("success rate"))
        with st.container():
            level(quick, f"Answers within {slo.latency_s:g} s", ANSWERED)
        with st.container():
            st.metric(
                "Unplanned fallback rate",
                "–" if fallback is None else percent(fallback),
                None if fallback is None else f"{points(fallback - slo.fallback_share)} from the limit",
                delta_color="inverse",
                help=f"An alert comes above {percent(slo.fallback_share)} in the last six runs with answers. "
                "It is the fallback rate without answers for which no model was meant: no text to read, no model "
                "configured, the models' budget used up.",
                border=True,
            )


def body() -> None:
    selection = selected()
    parts.about(selection)
    since, until = selection.since, selection.until
    about = ask(metrics.runs, since, until)
    lines = ask(queries.run_lines, since, until, most=MOST_RUNS)
    if not lines:
        parts.nothing(selection)
        st.info("No runs in this period.")
        return
    levels(selection)
    slo = given().settings.slo
    step = step_of(selection)
    steps = ask(metrics.series, selection, step)
    unit, size = ("milliseconds", 1) if max((one.p95_ms or 0 for one in steps), default=0) < 1000 else ("seconds", 1000)
    parts.chart(
        f"Latency, each {step}",
        figures.lines(
            {
                "latency p50": [(one.at.isoformat(), one.p50_ms and one.p50_ms / size) for one in steps],
                "latency p95": [(one.at.isoformat(), one.p95_ms and one.p95_ms / size) for one in steps],
            },
            unit=unit,
            target=slo.latency_s * 1000 / size,
            target_name=f"target: {slo.latency_share:.0%} within {slo.latency_s:g} s",
        ),
        key="latency",
        alt="Lines over time: median and 95th percentile of latency",
    )
    parts.table(runs_table(about))
    st.dataframe(tables.runs(lines), hide_index=True, column_config=COLUMNS, height=420, placeholder="–")


parts.head("Service levels and runs")
selected = choose()
parts.live(body)
