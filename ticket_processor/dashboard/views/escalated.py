"""Escalated: tickets that cannot wait, and what has become of them since."""

from __future__ import annotations

import streamlit as st

from ticket_processor.dashboard import parts, tables
from ticket_processor.dashboard.data import ask, now_of
from ticket_processor.dashboard.options import given
from ticket_processor.dashboard.sidebar import choose
from ticket_processor.reporting import queries

COLUMNS = {
    "Escalated": st.column_config.DatetimeColumn("Escalated (UTC)", format="YYYY-MM-DD HH:mm", timezone="UTC"),
    "Ticket": st.column_config.NumberColumn(format="%d"),
    "Link": st.column_config.LinkColumn(display_text="open", help="The ticket in the helpdesk"),
}


def body() -> None:
    selection = selected()
    parts.about(selection)
    if parts.nothing(selection):
        return
    found = ask(queries.escalated, selection)
    if not found:
        st.info("No ticket was escalated in this period with these filters.")
        return
    now, why = now_of(tuple(one.ticket_id for one in found)) if ask_now else ({}, "")
    rows = tables.escalated(found, given().settings.ticket_url, now)
    if why:
        st.warning("What has become of them is not known:", icon=":material/help:")
        st.text(why)
    if ask_now and not why:
        st.caption(f"{len(found):,} escalated, {len(rows):,} still open")
    else:
        st.caption(f"{len(found):,} escalated; 'Ask the helpdesk' shows which are still open")
    st.dataframe(
        rows, hide_index=True, column_config=COLUMNS, height=min(600, parts.height(len(rows))), placeholder="–"
    )


parts.head("Escalated")
selected = choose()
ask_now = st.toggle(
    "Ask the helpdesk", key="now", help="Reads status and subject of these tickets; they are stored nowhere."
)
parts.live(body)
