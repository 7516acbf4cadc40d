"""Scoreboard: what people made of labels, by part, label and settings file."""

from __future__ import annotations

import streamlit as st

from ticket_processor.dashboard import parts, tables
from ticket_processor.dashboard.data import collected
from ticket_processor.dashboard.sidebar import choose

SHARE = st.column_config.ProgressColumn(min_value=0, max_value=1, format="percent")
SHARES = dict.fromkeys(("Accuracy", "At least", "Coverage"), SHARE)


def body() -> None:
    selection = selected()
    parts.about(selection)
    found = collected(selection.since, selection.until)
    if found is None:
        st.info(
            "No labels were confirmed or changed in this period. 'ticketbot learn collect' reads what people changed."
        )
        return
    with st.grid(min_column_width=135):
        st.metric("Tickets", parts.count(found.tickets), border=True)
        st.metric("Touched by a person", parts.count(found.touched), border=True)
    table("By part", tables.judged([(part.part, part) for part in found.parts]))
    names = [part.part for part in found.parts]
    chosen = st.selectbox("Part", names)
    (part,) = (part for part in found.parts if part.part == chosen)
    table("By label", tables.judged([(count.label, count) for count in part.labels]))
    if part.settings_files:
        table("By settings file", tables.judged([(count.label, count) for count in part.settings_files]))
    if found.pairs:
        rows = [
            {"Part": pair.part, "ticketbot said": pair.ours, "People say": pair.theirs, "Tickets": pair.tickets}
            for pair in found.pairs
        ]
        table("Changed most often", rows)


def table(title: str, rows: list[dict[str, object]]) -> None:
    st.markdown(f"**{title}**")
    st.dataframe(rows, hide_index=True, column_config=SHARES, placeholder="–")


parts.head("Scoreboard")
selected = choose()
parts.live(body)
