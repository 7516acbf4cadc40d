"""Runs and health: what the checks find, open alerts, the service levels of a period, and each of its runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from ..core.clock import iso
from ..core.text import many
from ..monitoring.doctor import Doctor
from ..monitoring.health_checks import HealthVerdict, Status
from ..monitoring.memory import AlertStore
from ..monitoring.rules import severity_of, title_of_rule
from ..reporting import figures, queries
from ..reporting.glossary import dollars, percent
from ..reporting.queries import LogSelection
from . import parts
from .parts import ask
from .server import given

MOST_RUNS = 1_000
WIDE = st.column_config.TextColumn(width="large")
COLUMNS = {
    "Started": st.column_config.DatetimeColumn("Started (UTC)", format="YYYY-MM-DD HH:mm:ss", timezone="UTC"),
    "Seconds": st.column_config.NumberColumn(format="%.1f"),
    "Cost": st.column_config.TextColumn("Cost"),
}
MARKS = {Status.OK: "✓ ok", Status.WARN: "! warning", Status.FAIL: "✗ failed", Status.SKIPPED: "– not looked at"}


def checks() -> None:
    """What is found without asking a server: the verdict, what is wrong, and every check."""
    options = given()
    found = Doctor(options.settings, options.clock, offline=True, secret_files=options.secret_files).examine()
    wrong = [check for check in found.checks if check.status in (Status.FAIL, Status.WARN)]
    failed = sum(check.status is Status.FAIL for check in wrong)
    said = f"{found.status}, as far as looked at: {failed} failed, {many(len(wrong) - failed, 'warning')}."
    if found.status is HealthVerdict.HEALTHY:
        st.success(said, icon=":material/check_circle:")
    elif found.status is HealthVerdict.DEGRADED:
        st.warning(said, icon=":material/warning:")
    else:
        st.error(said, icon=":material/error:")
    for check in wrong:
        with st.container(border=True):
            st.markdown(f"**{check.name.replace('_', ' ')}**: {MARKS[check.status]}")
            st.text(check.text)
    with st.expander("All checks"):
        st.caption("Helpdesk and model servers are not asked here: 'ticketbot health' does.")
        rows = [{"": MARKS[check.status], "Check": check.name, "Found": check.text} for check in found.checks]
        st.dataframe(rows, hide_index=True, height=parts.height(len(rows)), column_config={"Found": WIDE})


def alerts() -> None:
    """The alerts that hold now."""
    memory = AlertStore.of(given().settings).known()
    if memory is None or not memory.open:
        st.caption("No alert is open." if memory else "Open alerts are not known: alerts.json cannot be read.")
        return
    st.markdown("**Open alerts**")
    st.dataframe(
        [
            {
                "Severity": severity_of(rule).value,
                "Alert": title_of_rule(rule),
                "Since (UTC)": iso(one.since),
                "What": one.message,
                "Told": ", ".join(one.told) or "nobody yet",
            }
            for rule, one in memory.open.items()
        ],
        hide_index=True,
    )


def levels(selection: LogSelection) -> None:
    """The success rate, and the fallbacks that an alert is for."""
    slo = given().settings.slo
    totals = ask(figures.totals, selection)
    success = totals.rates["success_rate"]
    st.metric("Success rate", "–" if success is None else percent(success), border=True)
    fallback = totals.rates["unplanned_fallback_rate"]
    said = "–" if fallback is None else percent(fallback)
    st.caption(f"Unplanned fallback rate: {said}; an alert comes above {percent(slo.fallback_share)}.")


def rows_of(lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row for each run."""
    return [
        {
            "Started": run["begun"],
            "Run": run["run_id"],
            "Kind": "dry run" if run["dry_run"] else run["kind"],
            "Exit code": "unfinished" if run["exit_code"] is None else str(run["exit_code"]),
            "Seen": run["seen"],
            "Seconds": run["duration_s"],
            "Cost": dollars(run["cost"]) if run["cost"] is not None else "" if run["exit_code"] is None else "no price",
            "Ended early": run["stopped"],
        }
        for run in lines
    ]


def runs_of(selection: LogSelection) -> None:
    """Service levels and runs of the chosen period."""
    parts.about(selection)
    since, until = selection.since, selection.until
    lines = ask(queries.run_lines, since, until, most=MOST_RUNS)
    if not lines:
        parts.nothing(selection)
        st.info("No runs in this period.")
        return
    levels(selection)
    parts.sections("runs", selection)
    st.dataframe(rows_of(lines), hide_index=True, column_config=COLUMNS, height=420, placeholder="–")


def now() -> None:
    """What holds now, whatever there is of the log."""
    for part in (checks, alerts):
        with parts.guarded():
            part()


def runs() -> None:
    """The page of runs and health."""
    parts.head("Runs and health")
    try:
        selected = parts.choose()
    except Exception:  # the page says why below what needs no log
        parts.live(now)
        raise

    def body() -> None:
        now()
        runs_of(selected())

    parts.live(body)
