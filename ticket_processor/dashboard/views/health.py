"""Health: what the checks find, the last day in numbers, and the alerts that hold."""

from __future__ import annotations

import streamlit as st

from ticket_processor.alert_rules import RULES
from ticket_processor.clock import iso
from ticket_processor.dashboard import parts
from ticket_processor.dashboard.data import full_health, health, open_alerts
from ticket_processor.health.checks import Check, Health, Status, Verdict

OFFLINE = "--offline"
MARKS = {Status.OK: "✓ ok", Status.WARN: "! warning", Status.FAIL: "✗ failed", Status.SKIPPED: "– not looked at"}


def verdict(found: Health) -> None:
    """What all checks come to."""
    failed = sum(check.status is Status.FAIL for check in found.checks)
    warned = sum(check.status is Status.WARN for check in found.checks)
    status = found.status if asked else f"{found.status}, as far as looked at"
    said = f"{status}: {failed} failed, {warned} warnings. Looked at {found.at}, in {found.seconds:.1f} s."
    if found.status is Verdict.HEALTHY:
        st.success(said, icon=":material/check_circle:")
    elif found.status is Verdict.DEGRADED:
        st.warning(said, icon=":material/warning:")
    else:
        st.error(said, icon=":material/error:")


def last_day(found: Health) -> None:
    """The last 24 hours in numbers, from the runs that the state remembers."""
    about = found.metrics
    if about is None:
        st.caption("Not known: the state cannot be read.")
        return
    if not about.runs:
        st.caption("No runs in the last 24 hours.")
        return
    with st.grid(min_column_width=150):
        for name, value in (
            ("Runs", parts.count(about.runs)),
            ("of these failed", parts.count(about.runs_failed)),
            ("Tickets", parts.count(about.tickets)),
            ("Success", _share(about.success_rate)),
            ("Fallback", _share(about.fallback_rate)),
            ("Median", "–" if about.p50_ms is None else parts.seconds(about.p50_ms)),
            ("p95", "–" if about.p95_ms is None else parts.seconds(about.p95_ms)),
            ("Cost", parts.dollars(about.cost_usd)),
        ):
            st.metric(name, value, border=True)


def _share(value: float | None) -> str:
    return "–" if value is None else parts.percent(value)


def alerts() -> None:
    """The alerts that hold now."""
    found = open_alerts()
    if found is None:
        st.caption("Not known: alerts.json in the state folder cannot be read.")
        return
    if not found:
        st.caption("None is open.")
        return
    st.dataframe(
        [
            {
                "Severity": one.severity.value,
                "Alert": RULES[rule].title if rule in RULES else rule,
                "Since (UTC)": iso(one.since),
                "What": one.message,
                "Told": ", ".join(one.told) or "nobody yet",
            }
            for rule, one in sorted(found.items(), key=lambda item: (-item[1].severity.rank, item[1].since))
        ],
        hide_index=True,
    )


def _found(check: Check) -> str:
    return "not asked yet" if check.status is Status.SKIPPED and not asked and OFFLINE in check.text else check.text


def body() -> None:
    found = full_health() if asked else health()
    verdict(found)
    if not asked:
        st.caption("Helpdesk and model servers have not been asked: the button does. Nothing is changed there.")
    for check in found.checks:
        if check.status in (Status.FAIL, Status.WARN):
            with st.container(border=True):
                st.markdown(f"**{check.name.replace('_', ' ')}**: {MARKS[check.status]}")
                st.text(check.text)
    with st.expander("All checks", expanded=True):
        st.dataframe(
            [{"": MARKS[check.status], "Check": check.name, "Found": _found(check)} for check in found.checks],
            hide_index=True,
            height=parts.height(len(found.checks)),
            column_config={"": st.column_config.TextColumn(width=130), "Check": st.column_config.TextColumn(width=110)},
        )
    st.subheader("Open alerts")
    alerts()
    st.subheader("Last 24 hours")
    last_day(found)


st.title("Health")
asked = st.button(
    "Check now",
    icon=":material/network_check:",
    type="primary",
    help="Asks helpdesk and model servers, too.",
    on_click=full_health.clear,
)
parts.live(body)
