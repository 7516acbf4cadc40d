"""Service levels and runs: what was promised, how fast failures use it up, and what each run came to."""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st

from ticket_processor import metrics
from ticket_processor.clock import iso
from ticket_processor.dashboard import burn, figures, parts, tables
from ticket_processor.dashboard.data import ask
from ticket_processor.dashboard.data import runs as remembered
from ticket_processor.dashboard.options import given
from ticket_processor.dashboard.sidebar import choose, step_of
from ticket_processor.metrics import Objective, Runs, Selection

MOST_RUNS = 1_000
BURN = "How fast failures use up what may fail"
COLUMNS = {
    "Started": st.column_config.DatetimeColumn("Started (UTC)", format="YYYY-MM-DD HH:mm:ss", timezone="UTC"),
    "Seconds": st.column_config.NumberColumn(format="%.1f"),
    "Cost": st.column_config.NumberColumn("Cost ($)", format="%.4f"),
}


def level(objective: Objective, what: str) -> None:
    """One objective: reached, wanted, and what is left of what may fail."""
    reached, left = objective.share, objective.budget_left
    st.metric(
        what,
        "–" if reached is None else parts.percent(reached),
        None if reached is None else f"{(reached - objective.target) * 100:+.2f} points",
        help=f"Wanted: {objective.target:.2%}. Of {objective.total:,} there were {objective.good:,} good ones.",
        border=True,
    )
    if left is not None:
        st.progress(max(0.0, min(left, 1.0)), text=f"{max(0.0, left):.0%} of what may fail is left")


def levels(selection: Selection) -> None:
    """The objectives of the settings, and the fallback share that an alert is for."""
    slo = given().settings.slo
    success, quick = ask(
        metrics.objectives, selection, success=slo.success, quick_ms=slo.latency_s * 1000, quick=slo.latency_share
    )
    fallback = ask(metrics.totals, selection).fallback_rate
    with st.grid(min_column_width=240):
        with st.container():
            level(success, "Attempts that succeed")
        with st.container():
            level(quick, f"Within {slo.latency_s:g} s")
        with st.container():
            st.metric(
                "Fallback",
                "–" if fallback is None else parts.percent(fallback),
                None if fallback is None else f"{(fallback - slo.fallback_share) * 100:+.2f} points",
                delta_color="inverse",
                help=f"An alert comes above {slo.fallback_share:.0%} in the last six runs.",
                border=True,
            )


def in_words(about: Runs) -> Iterator[str]:
    """The period's runs in sentences."""
    yield f"Runs: {about.count:,}, of them without an end: {about.unfinished:,}; dry ones beside them: {about.dry:,}."
    if about.interval_s:
        yield f"Usually one every {about.interval_s / 60:.0f} minutes, about {about.missed:,} missing."
    if about.p95_duration_s is not None:
        yield f"95% took at most {about.p95_duration_s:.1f} s."


def body() -> None:
    selection = selected()
    since, until = selection.since, selection.until
    about = ask(metrics.runs, since, until)
    lines = ask(metrics.run_lines, since, until, most=MOST_RUNS)
    if not lines:
        parts.nothing(selection)
        st.info("No runs in this period.")
        return
    levels(selection)
    slo = given().settings.slo
    step = step_of(selection)
    points = ask(metrics.series, selection, step)
    with st.grid(min_column_width=420):
        parts.chart(
            f"Latency, each {step}",
            figures.lines(
                {
                    "half within": [(point.at.isoformat(), _s(point.p50_ms)) for point in points],
                    "95% within": [(point.at.isoformat(), _s(point.p95_ms)) for point in points],
                },
                unit="seconds",
                target=slo.latency_s,
            ),
            key="latency",
            alt="Lines over time: median and 95th percentile of latency",
        )
        rates = burn.rates(remembered(since - burn.LONGEST_S), since, until, slo.success)
        if any(rates.values()):
            parts.chart(
                BURN,
                figures.lines(
                    {name: [(iso(at), rate) for at, rate in line] for name, line in rates.items()},
                    unit="times what the objective allows",
                    target=1.0,
                    target_name="lasts the month",
                ),
                key="burn",
                alt="Lines over time: burn rates of the error budget over three windows",
            )
        else:
            with st.container(border=True):
                st.markdown(f"**{BURN}**")
                st.caption("The state folder remembers no runs of this period; it keeps those of the last 35 days.")
    st.caption(" ".join(in_words(about)))
    st.dataframe(tables.runs(lines), hide_index=True, column_config=COLUMNS, height=420, placeholder="–")


def _s(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


st.title("Service levels and runs")
selected = choose()
parts.live(body)
