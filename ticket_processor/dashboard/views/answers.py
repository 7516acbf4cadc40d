"""Answers: what notes offered from articles, which topics lack an answer, and what people made of it."""

from __future__ import annotations

import streamlit as st

from ticket_processor.dashboard import parts, tables
from ticket_processor.dashboard.data import ask, replies
from ticket_processor.dashboard.options import given
from ticket_processor.dashboard.sidebar import choose
from ticket_processor.reporting.offers import offer_counts, offers
from ticket_processor.reporting.reply_counts import Replies
from ticket_processor.reporting.unanswered import unanswered_topics

AT_LEAST = 5
"""Tickets of a topic that lacks an answer."""

SHARE = st.column_config.ProgressColumn(min_value=0, max_value=1, format="percent")


def table(title: str, rows: list[dict[str, object]]) -> None:
    st.markdown(f"**{title}**")
    st.dataframe(rows, hide_index=True, column_config={"Of use": SHARE}, placeholder="–")


def body() -> None:
    selection = selected()
    parts.about(selection)
    if parts.nothing(selection):
        return
    counts = ask(offer_counts, selection)
    if not counts:
        st.info("No note of this period offered anything from articles. 'replies.mode' makes them.")
        return
    with st.grid(min_column_width=135):
        for name, field in (
            ("Articles", "articles"),
            ("Drafts", "drafts"),
            ("No answer", "no_answer"),
            ("Public replies", "replies"),
        ):
            st.metric(name, parts.count(sum(getattr(row, field) for row in counts)), border=True)
    table("By category", tables.offers(counts))
    read = replies()
    fallback = given().settings.taxonomy.fallback
    lacking = unanswered_topics(
        ask(offers, selection), frozenset(read.ignored if read else ()), at_least=AT_LEAST, fallback=fallback
    )
    if lacking:
        table("Topics without an answer", tables.gaps(sorted(lacking, key=lambda item: -item.tickets)))
    if read is None:
        st.caption("'ticketbot report --replies' reads what agents did with it.")
    else:
        what_people_made_of_it(read)


def what_people_made_of_it(read: Replies) -> None:
    """What the last reading found, whatever period is shown."""
    st.caption(f"Read on {read.made[:10]} of tickets from {read.since[:10]} to {read.until[:10]}, a random sample")
    if read.categories:
        table("What agents did with it", tables.uses(read.categories))
    if read.articles:
        table("By article", tables.uses(read.articles))
    if read.public.fates:
        rows: list[dict[str, object]] = [
            {"Public replies": words, "Tickets": count} for words, count in read.public.fates
        ]
        table("What became of public replies", rows)


parts.head("Answers")
selected = choose()
parts.live(body)
