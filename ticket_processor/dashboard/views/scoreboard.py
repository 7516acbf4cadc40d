"""Quality: what notes offered from articles, and what people made of labels."""

from __future__ import annotations

import streamlit as st

from ticket_processor.dashboard import parts
from ticket_processor.dashboard.data import ask, collected
from ticket_processor.dashboard.parts import choose
from ticket_processor.reporting.helpdesk_tables import offers_table, scoreboard_tables
from ticket_processor.reporting.queries import offer_counts


def body() -> None:
    selection = selected()
    parts.about(selection)
    parts.table(offers_table(ask(offer_counts, selection)))
    found = collected(selection.since, selection.until)
    if found is None:
        st.info(
            "No labels were confirmed or changed in this period. 'ticketbot learn collect' reads what people changed."
        )
        return
    with st.grid(min_column_width=135):
        st.metric("Tickets", parts.count(found.tickets), border=True)
        st.metric("Touched by a person", parts.count(found.touched), border=True)
    for table in scoreboard_tables(found):
        parts.table(table)
    st.caption("'ticketbot report --replies' counts which drafts people used, edited or ignored.")


parts.head("Quality")
selected = choose()
parts.live(body)
