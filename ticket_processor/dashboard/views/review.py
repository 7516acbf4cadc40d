"""Review: corrections that wait for a person's decision, and what people made of labels."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import closing
from itertools import islice
from typing import NoReturn

import streamlit as st

from ticket_processor.core.text import many
from ticket_processor.dashboard import parts
from ticket_processor.dashboard.parts import choose, person
from ticket_processor.dashboard.server import given
from ticket_processor.learning.scoreboard import (
    CorrectionGroup,
    correction_groups,
    decide_pending,
    kept_scoreboard,
    told,
)
from ticket_processor.learning.store import FILE_NAME, CorrectionStatus, LearningStore
from ticket_processor.reporting.tables import scoreboard_tables

MOST_GROUPS, MOST_TEXTS, MOST_ACCOUNTS = 25, 3, 5
SAID = "review_said"
"""What was done before the page was shown again."""
NOBODY = (
    "This page is read-only: you are not signed in. Set up [dashboard.auth], or decide with 'ticketbot learn "
    "approve' and 'learn reject'."
)


def decisions() -> None:
    """What waits."""
    with closing(LearningStore(given().settings.state_folder / FILE_NAME, read_only=True)) as store:
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
    """Decide what still waits of these corrections, and show the page anew."""
    options = given()
    with closing(LearningStore(options.settings.state_folder / FILE_NAME)) as store:
        change = decide_pending(store, ids, status, who, options.clock.now())
    if change is None:
        say("Another person has decided these meanwhile.", done=False)
    say(f"Change {change.id}: {told(change)}. 'ticketbot learn undo {change.id}' takes it back.")


def say(what: str, *, done: bool = True) -> NoReturn:
    """Show the page anew, with this above it."""
    st.session_state[SAID] = (what, done)
    st.rerun()


def quality() -> None:
    """Which labels people kept and changed."""
    selection = selected()
    parts.about(selection)
    found = kept_scoreboard(given().settings.state_folder, selection.since, selection.until)
    if found is None:
        st.info("No labels were confirmed or changed in this period. 'ticketbot learn collect' reads some.")
        return
    for table in scoreboard_tables(found):
        parts.table(table)


parts.head("Review and quality")
st.caption("What people changed teaches only what a person approves here, or with 'ticketbot learn approve'.")
decisions()
st.subheader("Quality")
selected = choose()
parts.live(quality)
