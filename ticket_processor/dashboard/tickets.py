"""Tickets: a table that is searched, sorted and paged where the log is, and one ticket's story."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from ..reporting import queries
from ..reporting.queries import LogSelection
from ..reporting.story import days_of, lines_about, moments
from ..wiring.parts import keyring
from . import parts
from .parts import ask, choose
from .server import given

ROWS = 50
SORTS = {
    "Newest first": ("at", True),
    "Oldest first": ("at", False),
    "Ticket, highest first": ("ticket_id", True),
    "Ticket, lowest first": ("ticket_id", False),
    "Least sure first": ("confidence", False),
    "Dearest first": ("cost_usd", True),
    "Slowest first": ("total_ms", True),
}

COLUMNS = {
    "When": st.column_config.DatetimeColumn("When (UTC)", format="YYYY-MM-DD HH:mm:ss", timezone="UTC"),
    "Ticket": st.column_config.NumberColumn(format="%d"),
    "Link": parts.LINK,
    "Confidence": st.column_config.ProgressColumn(min_value=0, max_value=1, format="percent"),
    "Tags": st.column_config.ListColumn(),
    "Seconds": st.column_config.NumberColumn(format="%.2f"),
    "Cost": st.column_config.NumberColumn("Cost ($)", format="%.6f"),
}


def events_of(ticket_id: int) -> list[dict[str, Any]]:
    """What the log has about a ticket, oldest first. Raises ``CannotRun`` when it cannot be read."""
    settings = given().settings
    return lines_about(ticket_id, ask(days_of, ticket_id), settings.log_dir, keyring(settings))


def rows_of(lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row for each of the log's lines about tickets."""
    return [
        {
            "When": line["at"],
            "Ticket": line["ticket_id"],
            "Link": given().settings.ticket_url(line["ticket_id"]) or None,
            "Outcome": line["outcome"],
            "Reason": line["reason"],
            "Category": " / ".join(filter(None, (line["category"], line["subcategory"]))),
            "Urgency": line["urgency"],
            "Sentiment": line["sentiment"],
            "Risk": line["risk"],
            "Language": line["language"],
            "Answered by": line["model"] or line["analyser"],
            "Confidence": line["confidence"],
            "Priority": " → ".join(dict.fromkeys(filter(None, (line["priority_from"], line["priority_to"])))),
            "Tags": (line["tags"] or "").split(),
            "Seconds": line["total_ms"] / 1000,
            "Cost": line["cost_usd"],
        }
        for line in lines
    ]


def opened() -> None:
    """Open the ticket of the row that was clicked on."""
    rows = st.session_state["rows"].selection.rows
    if rows:
        st.session_state["ticket"] = st.session_state["shown"][rows[0]]


def one(number: int) -> None:
    """A ticket's story."""
    if st.session_state.get("ticket") != number:
        st.rerun()
    st.button("Back to the table", icon=":material/arrow_back:", on_click=lambda: st.session_state.update(ticket=None))
    shown_moments = moments(events_of(number))
    if url := given().settings.ticket_url(number):
        st.link_button("Open in the helpdesk", url, icon=":material/open_in_new:")
    if not shown_moments:
        st.info("The log has nothing about this ticket.")
        return
    st.caption(f"{len(shown_moments)} events, the last one first")
    for moment in reversed(shown_moments):
        with st.container(border=True):
            when = moment.at[:19].replace("T", " ")
            st.text(f"{when} UTC   {moment.headline}" + ("   (dry run)" if moment.dry_run else ""))
            if moment.summary is not None:
                st.caption("Redacted summary")
                st.text(moment.summary)
            left, right = st.columns(2)
            if moment.changes:
                changes = [{"What": what, "Before": old, "After": new} for what, old, new in moment.changes]
                left.dataframe(changes, hide_index=True, height=parts.height(len(changes)))
            facts = [*moment.facts, ("Run", moment.run_id), ("Event", moment.kind)]
            rows = [{"Fact": name, "Value": value} for name, value in facts]
            right.dataframe(rows, hide_index=True, height=parts.height(len(rows)))


def table(selection: LogSelection, order: str) -> None:
    """The page of the table that is asked for."""
    if st.session_state.get("ticket") is not None:
        st.rerun()  # a row was clicked on: what is outside of this part has to know
    parts.about(selection)
    if parts.nothing(replace(selection, text="")):
        return
    column, descending = SORTS[order]
    _, total = ask(queries.page, selection, limit=0)
    if not total:
        st.info("Nothing that is like this. Look for numbers, labels, tags, reasons or the name of a model.")
        return
    pages = -(-total // ROWS)
    if st.session_state.get("page", 1) > pages:
        st.session_state["page"] = 1
    where = st.container()
    number = st.pagination(pages, key="page", bind="query-params")
    found, _ = ask(
        queries.page, selection, order_by=column, descending=descending, limit=ROWS, offset=(number - 1) * ROWS
    )
    st.session_state["shown"] = [line["ticket_id"] for line in found]
    with where:
        first, last = (number - 1) * ROWS + 1, min(number * ROWS, total)
        st.caption(
            f"{total:,} receipt{'s' * (total != 1)}; {first:,} to {last:,} are here. The box before a row opens the "
            "ticket; a click on a heading sorts these rows only."
        )
        st.dataframe(
            rows_of(found),
            hide_index=True,
            height=min(600, parts.height(len(found))),
            column_config=COLUMNS,
            placeholder="–",
            on_select=opened,
            selection_mode="single-row",
            key="rows",
        )


def tickets() -> None:
    """The page of tickets."""
    parts.head("Tickets")
    chosen = choose()
    left, middle, right = st.columns([3, 2, 1])
    text = left.text_input("Search", key="q", bind="query-params", icon=":material/search:", max_chars=200)
    order = middle.selectbox("Sort", list(SORTS), key="sort", bind="query-params")
    ticket = right.number_input("Ticket number", min_value=1, value=None, step=1, key="ticket", bind="query-params")
    if ticket is None:
        parts.live(lambda: table(replace(chosen(), text=text or ""), order))
    else:
        parts.live(partial(one, ticket))
