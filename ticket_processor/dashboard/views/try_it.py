"""Try it: what a pasted ticket would be cut, redacted, understood and changed to."""

from __future__ import annotations

import streamlit as st

from ticket_processor.core.clock import Deadline
from ticket_processor.dashboard import parts
from ticket_processor.dashboard.server import given
from ticket_processor.wiring.explain import in_words, pasted, walk

DEADLINE_S = 120.0
MOST_CHARACTERS = 50_000
EXAMPLE_SUBJECT = "Charged twice"
EXAMPLE = "Hello, I was charged twice this month.\nPlease refund card 4111 1111 1111 1111.\n\n-- \nJane Doe"


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
    for trouble in walked.troubles:
        st.warning("The chain had to do without a part of it:")
        st.text(trouble)
    st.code("\n".join(in_words(walked)), language=None, wrap_lines=True)
    st.caption("What people had set by then would stay.")
