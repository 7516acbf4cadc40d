"""Review: corrections that wait for a person, and what people made of labels. Try it: what a ticket would become."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import closing
from itertools import islice
from typing import NoReturn

import streamlit as st

from ..core.clock import Deadline
from ..core.text import many
from ..learning.scoreboard import CorrectionGroup, correction_groups, decide_pending, kept_scoreboard
from ..learning.store import FILE_NAME, CorrectionStatus, LearningStore
from ..reporting.queries import LogSelection
from ..reporting.sections import scoreboard_tables
from ..wiring.explain import in_words, pasted, walk
from . import parts
from .parts import choose, person
from .server import given

DEADLINE_S = 120.0
MOST_CHARACTERS = 50_000
EXAMPLE_SUBJECT = "Charged twice"
EXAMPLE = "Hello, I was charged twice this month.\nPlease refund card 4111 1111 1111 1111.\n\n-- \nJane Doe"
MOST_GROUPS, MOST_TEXTS, MOST_ACCOUNTS = 25, 3, 5
SAID = "review_said"
"""What was done before the page was shown again."""
NOBODY = (
    "This page is read-only: you are not signed in. Set up [dashboard.auth], or decide with 'ticketbot learn "
    "approve' and 'learn reject'."
)


def decisions() -> None:
    """What waits."""
    with closing(LearningStore.scratch_copy(given().settings.state_folder / FILE_NAME)) as store:
        waiting = store.corrections("pending")
    who = person()
    said, done = st.session_state.pop(SAID, ("", False))
    if said:
        if done:
            st.success("Done:", icon=":material/check:")
        else:
            st.warning("Nothing was changed:", icon=":material/block:")
        st.text(said)
    if who is None:
        st.info(NOBODY)
    groups = correction_groups(waiting)
    if not groups:
        st.info("No correction waits. 'ticketbot learn collect' looks for some.")
    texts = {item.id: item.text for item in waiting if item.text}
    for group in groups[:MOST_GROUPS]:
        with st.container(border=True):
            of_group(group, texts, who)
    if len(groups) > MOST_GROUPS:
        st.caption(f"{many(len(groups) - MOST_GROUPS, 'smaller group')} will stand here once these are decided.")


def of_group(group: CorrectionGroup, texts: Mapping[int, str], who: str | None) -> None:
    """One group with its accounts and some texts, and its buttons where ``who`` may decide."""
    st.text(f"{group.field}: {group.ours or 'none'} → {group.theirs}")
    accounts = ", ".join(f"{author or 'unknown'} ({count:,})" for author, count in group.people[:MOST_ACCOUNTS])
    more = ", …" if len(group.people) > MOST_ACCOUNTS else ""
    st.caption(f"{many(group.tickets, 'ticket')}; by {many(len(group.people), 'account')}: {accounts}{more}")
    if who is None:
        return
    with st.expander("Redacted texts of some"):
        for text in islice((texts[number] for number in group.ids if number in texts), MOST_TEXTS):
            st.code(text, language=None, wrap_lines=True)
    # Named by what is shown: a group that has changed meanwhile is not decided by a click on what it was.
    key = f"{group.ids}"
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Approve", key=f"approve {key}", type="primary"):
            decide(group.ids, "approved", who)
        if st.button("Reject", key=f"reject {key}"):
            decide(group.ids, "rejected", who)


def decide(ids: Collection[int], status: CorrectionStatus, who: str) -> None:
    """Decide those of these corrections that are pending, and reload the page."""
    options = given()
    with closing(LearningStore(options.settings.state_folder / FILE_NAME)) as store:
        change = decide_pending(store, ids, status, who, options.clock.now())
    if change is None:
        say("Another person has decided these meanwhile.", done=False)
    say(f"Change {change.id}: {change.decision()}. 'ticketbot learn undo {change.id}' takes it back.")


def say(what: str, *, done: bool = True) -> NoReturn:
    """Reload the page with this message above it."""
    st.session_state[SAID] = (what, done)
    st.rerun()


def quality(selection: LogSelection) -> None:
    """Which labels people kept and changed."""
    parts.about(selection)
    found = kept_scoreboard(given().settings.state_folder, selection.since, selection.until)
    if found is None:
        st.info("No labels were confirmed or changed in this period. 'ticketbot learn collect' reads some.")
        return
    for table in scoreboard_tables(found):
        parts.table(table)


def review() -> None:
    """The page of corrections and of quality."""
    parts.head("Review and quality")
    st.caption("What people changed teaches only what a person approves here, or with 'ticketbot learn approve'.")
    decisions()
    st.subheader("Quality")
    selected = choose()
    parts.live(lambda: quality(selected()))


def try_it() -> None:
    """The page that shows what a pasted ticket would be cut, redacted, understood and changed to."""
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
