"""Try it: what a pasted ticket would be cut, redacted, understood and changed to."""

from __future__ import annotations

import streamlit as st

from ticket_processor.core.clock import Deadline
from ticket_processor.dashboard import parts
from ticket_processor.dashboard.options import given
from ticket_processor.wiring.explain import Walk, pasted, walk, wanted_changes

DEADLINE_S = 120.0
MOST_CHARACTERS = 50_000
WIDTHS, CHARACTERS = {"Field": 120, "Value": 400}, 45
"""Pixels, and what a line of a value holds, so wide."""

EXAMPLE_SUBJECT = "Charged twice"
EXAMPLE = "Hello, I was charged twice this month.\nPlease refund card 4111 1111 1111 1111.\n\n-- \nJane Doe"


def show(walked: Walk) -> None:
    """The ticket's whole way, in the order that a run takes it."""
    if walked.machine_mail:
        st.warning(f"A run would skip this: machine mail ({walked.machine_mail}).", icon=":material/smart_toy:")
    for trouble in walked.troubles:
        st.warning("The chain had to do without a part of it:")
        st.text(trouble)
    seen, understood = st.columns(2)
    with seen:
        st.subheader("What is cut")
        if walked.cut:
            st.code("\n".join(walked.cut), language=None, wrap_lines=True)
        else:
            st.caption("Nothing.")
        for level, redacted in walked.redacted.items():
            st.subheader("What an analyser sees")
            replaced = ", ".join(f"{kind} {count}" for kind, count in redacted.counts.items()) or "nothing"
            st.caption(f"Redaction level {level}; replaced: {replaced}")
            st.code(redacted.text, language=None, wrap_lines=True)
    with understood:
        st.subheader("What the chain says")
        st.dataframe(
            [
                {
                    "Analyser": step.link,
                    "Answered": "yes" if step.analysis else f"no: {step.reason}",
                    "Milliseconds": step.ms,
                }
                for step in walked.steps
            ],
            hide_index=True,
        )
        rows = {
            name: ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            for name, value in walked.analysis.model_dump(mode="json", exclude={"usage"}).items()
            if value not in (None, [], {}, "", False)
        }
        short = [{"Field": name, "Value": value} for name, value in rows.items() if len(value) <= CHARACTERS]
        st.dataframe(
            short,
            hide_index=True,
            height=parts.height(len(short)),
            column_config={name: st.column_config.TextColumn(width=width) for name, width in WIDTHS.items()},
        )
        parts.whole(rows.items(), CHARACTERS)
        st.subheader("What would be changed")
        st.text(walked.decision.reason)
        st.code("\n".join(wanted_changes(walked.decision)) or "nothing", language=None, wrap_lines=True)
        st.caption("What people had set by then would stay.")
        if walked.decision.note:
            st.caption("The internal note")
            st.code(walked.decision.note, language=None, wrap_lines=True)
    for number, asked in enumerate(walked.asked, start=1):
        with st.expander(f"Question {number} to the model, and its answer"):
            for message in asked.messages:
                st.caption(message["role"])
                st.code(message["content"], language=None, wrap_lines=True)
            st.caption("answer" if asked.error is None else "no answer")
            st.code(asked.error or asked.answer, language=None, wrap_lines=True)


parts.head("Try it")
st.caption(
    "What would become of a ticket, by these settings. Nothing is written to the helpdesk, and the text is stored "
    "nowhere; if a model is asked, it gets the redacted text, and what it costs counts towards the day's budget."
)
options = given()
settings = options.settings
with st.form("ticket", border=True):
    subject = st.text_input("Subject", max_chars=500, placeholder=EXAMPLE_SUBJECT)
    body = st.text_area("Text", max_chars=MOST_CHARACTERS, height=260, placeholder=EXAMPLE)
    ask = st.checkbox(
        "Ask the model",
        disabled=not settings.models.names,
        help="Otherwise the trained classifier, where there is one, and the keyword rules answer."
        if settings.models.names
        else "No model is configured; TICKETBOT_MODELS names some.",
    )
    sent = st.form_submit_button("Show what would happen", type="primary")
if sent and not (subject.strip() or body.strip()):
    st.info("Type or paste a subject or a text first.")
elif sent:
    if settings.models.names and not ask:
        settings = settings.model_copy(update={"models": settings.models.model_copy(update={"names": ()})})
        st.caption("No model was asked, as if none were configured.")
    ticket = pasted(options.clock, subject, body)
    with st.spinner("Asking"):
        walked = walk(ticket, settings, options.clock, Deadline(options.clock, DEADLINE_S))
    show(walked)
