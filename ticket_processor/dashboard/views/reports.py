"""Evaluation reports: the files of a folder, one of them shown."""

from __future__ import annotations

import streamlit as st

from ticket_processor.core.clock import iso
from ticket_processor.dashboard import parts
from ticket_processor.dashboard.options import given
from ticket_processor.dashboard.reports import framed, reports_in, score_rows

HEIGHT = 900

parts.head("Evaluation reports")
folder = given().reports
reports = {report.name: report for report in reports_in(folder)}
if not reports:
    st.info("No reports yet. These commands write some into the folder that is looked at:")
    if not folder.is_dir():
        st.code(f"mkdir {folder}", language=None)
    st.code(
        f"ticketbot eval tickets.jsonl --out {folder / 'eval.html'}\n"
        f"ticketbot eval --from-helpdesk --out {folder / 'solved.html'}",
        language=None,
    )
    st.stop()

name = st.selectbox("Report", list(reports), key="report", bind="query-params")
report = reports[name]
st.caption(f"From {iso(report.changed)}, {report.size / 1000:,.0f} kB")
text = report.read()
if report.is_page:
    st.iframe(framed(text), height=HEIGHT, alt="The report")
else:
    rows = score_rows(text)
    if rows:
        st.dataframe(
            rows,
            hide_index=True,
            placeholder="–",
            column_config={
                "Accuracy": st.column_config.ProgressColumn(min_value=0, max_value=1, format="%.3f"),
                "Macro-F1": st.column_config.ProgressColumn(min_value=0, max_value=1, format="%.3f"),
            },
        )
    else:
        st.info("This file is no evaluation: the output of 'ticketbot eval --json' is shown here.")
st.download_button("Download", text, file_name=report.name, on_click="ignore", icon=":material/download:")
