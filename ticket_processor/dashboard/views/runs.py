"""Service levels and runs: what was promised, how fast failures use it up, and what each run came to."""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st

from ticket_processor.core.clock import iso
from ticket_processor.core.wording import many, span
from ticket_processor.dashboard import figures, parts, tables
from ticket_processor.dashboard.data import ask
from ticket_processor.dashboard.data import runs as remembered
from ticket_processor.dashboard.options import given
from ticket_processor.dashboard.sidebar import choose, step_of
from ticket_processor.reporting import metrics, queries
from ticket_processor.reporting.figures import LogSelection, Objective, Runs
from ticket_processor.reporting.glossary import percent, points, seconds

MOST_RUNS = 1_000
BURN = "How fast failures use up the error budget"
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
    success, quick = ask(
        metrics.objectives, selection, success=slo.success, quick_ms=slo.latency_s * 1000, quick=slo.latency_share
    )
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


def in_words(about: Runs) -> Iterator[str]:
    """The period's runs in sentences."""
    dry = f", {about.dry:,} of them dry" if about.dry else ""
    unfinished = f", {about.unfinished:,} without an end" if about.unfinished else ""
    yield f"{many(about.count + about.dry, 'run')}{dry}{unfinished}."
    if about.interval_s:
        missed = f", so {about.missed:,} may be missing" if about.missed else ""
        yield f"Usually one every {span(about.interval_s)}{missed}."
    if about.p95_duration_s is not None:
        yield f"95% of them took at most {seconds(about.p95_duration_s * 1000)}."


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
    with st.grid(min_column_width=420):
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
        rates = figures.rates(remembered(since - figures.LONGEST_S), since, until, slo.success)
        if any(rate for line in rates.values() for _, rate in line):
            parts.chart(
                BURN,
                figures.lines(
                    {name: [(iso(at), rate) for at, rate in line] for name, line in rates.items()},
                    unit="times what the objective allows",
                    target=1.0,
                    target_name="budget lasts the month",
                ),
                key="burn",
                alt="Lines over time: burn rates of the error budget over three windows",
            )
        elif any(rates.values()):
            parts.instead(BURN, "No ticket failed: all of it is left.")
        else:
            parts.instead(
                BURN, "The state folder remembers no runs of this period; it keeps those of the last 35 days."
            )
    st.caption(" ".join(in_words(about)))
    st.dataframe(tables.runs(lines), hide_index=True, column_config=COLUMNS, height=420, placeholder="–")


parts.head("Service levels and runs")
selected = choose()
parts.live(body)
