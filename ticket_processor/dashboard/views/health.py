"""Health: what the checks find, the last day in numbers, and the alerts that hold."""

from __future__ import annotations

import streamlit as st

from ticket_processor.core.clock import iso
from ticket_processor.core.wording import many
from ticket_processor.dashboard import parts
from ticket_processor.dashboard.data import full_health, health, open_alerts
from ticket_processor.monitoring.health.checks import Check, Health, HealthVerdict, Status
from ticket_processor.monitoring.rules import severity_of, title_of_rule
from ticket_processor.monitoring.run_metrics import in_words

WIDTHS = {"": 110, "Check": 140, "Found": 640}
CHARACTERS = 95
"""The number of characters that fit into the column "Found"."""
OFFLINE = "--offline"
MARKS = {Status.OK: "✓ ok", Status.WARN: "! warning", Status.FAIL: "✗ failed", Status.SKIPPED: "– not looked at"}


def verdict(found: Health) -> None:
    """The result of all checks."""
    failed = sum(check.status is Status.FAIL for check in found.checks)
    warned = sum(check.status is Status.WARN for check in found.checks)
    status = found.status if asked else f"{found.status}, as far as looked at"
    when = found.at.replace("T", " ").removesuffix("Z")
    said = f"{status}: {failed} failed, {many(warned, 'warning')}. Looked at {when} UTC, in {found.seconds:.1f} s."
    if found.status is HealthVerdict.HEALTHY:
        st.success(said, icon=":material/check_circle:")
    elif found.status is HealthVerdict.DEGRADED:
        st.warning(said, icon=":material/warning:")
    else:
        st.error(said, icon=":material/error:")


def last_day(found: Health) -> None:
    """The last 24 hours in numbers, from the runs that the state remembers."""
    about = found.metrics
    if about is None:
        st.caption("Not known: the state cannot be read.")
    elif not about.runs:
        st.caption("No runs in the last 24 hours.")
    else:
        for line in in_words(about):
            st.text(line)


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
                "Severity": severity_of(rule).value,
                "Alert": title_of_rule(rule),
                "Since (UTC)": iso(one.since),
                "What": one.message,
                "Told": ", ".join(one.told) or "nobody yet",
            }
            for rule, one in sorted(found.items(), key=lambda item: (-severity_of(item[0]).rank, item[1].since))
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
            column_config={name: st.column_config.TextColumn(width=width) for name, width in WIDTHS.items()},
        )
        well = [check for check in found.checks if check.status not in (Status.FAIL, Status.WARN)]
        parts.whole(((check.name, _found(check)) for check in well), CHARACTERS)
    st.subheader("Open alerts")
    alerts()
    st.subheader("Last 24 hours")
    last_day(found)


parts.head("Health")
asked = st.button(
    "Check now",
    icon=":material/network_check:",
    type="primary",
    help="Asks helpdesk and model servers, too.",
    on_click=full_health.clear,
)
parts.live(body)
