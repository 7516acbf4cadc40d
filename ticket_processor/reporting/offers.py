"""What notes offered from articles and what was replied and closed with it: counted from the log's index."""

from __future__ import annotations

from dataclasses import dataclass

from .figures import LogSelection
from .index import LogIndex
from .queries import where

LACKING = ("no_answer", "no_article", "unsupported", "contradiction")
"""Why there is no draft where the articles are the reason, and no model or server."""
_WRITTEN = "outcome IN ('updated', 'suggested')"
_LAST = "QUALIFY row_number() OVER (PARTITION BY ticket_id ORDER BY ts DESC, day DESC, n DESC) = 1"


@dataclass(frozen=True)
class OfferCount:
    """Tickets of a category by what their last note offered; and those with a public reply or a status of ours.

    ``partial`` are drafts that leave a part of the question open, and count among ``drafts``. On ``no_answer`` the note
    offered nothing, since no article had an answer.
    """

    label: str
    articles: int = 0
    drafts: int = 0
    partial: int = 0
    no_answer: int = 0
    replies: int = 0
    solved: int = 0
    pending: int = 0


@dataclass(frozen=True)
class OfferedDraft:
    """A ticket whose last note with an offer held a draft, by its category."""

    ticket_id: int
    run_id: str
    category: str


def offer_counts(index: LogIndex, selection: LogSelection) -> list[OfferCount]:
    """The tickets of a period by category, the most first; empty where no note offered anything."""
    condition, values = where(selection)
    rows = index.query(
        f"""
        WITH chosen AS (SELECT * FROM lines WHERE {condition} AND {_WRITTEN}),
        each AS (
            SELECT category AS label, offered AS what, coalesce(offered_partial, false) AS part FROM chosen
            WHERE offered IS NOT NULL AND (offered <> 'no_answer' OR offered_reason IN {LACKING}) {_LAST}
            UNION ALL
            SELECT reply_category, 'reply', false FROM chosen WHERE reply_category IS NOT NULL {_LAST}
            UNION ALL
            SELECT category, closed_as, false FROM chosen WHERE closed_as IS NOT NULL {_LAST}
        )
        SELECT coalesce(label, '-'), count(*) FILTER (what = 'articles'), count(*) FILTER (what = 'draft'),
               count(*) FILTER (what = 'draft' AND part), count(*) FILTER (what = 'no_answer'),
               count(*) FILTER (what = 'reply'), count(*) FILTER (what = 'solved'), count(*) FILTER (what = 'pending')
        FROM each GROUP BY ALL ORDER BY count(*) DESC, 1
        """,
        values,
    )
    return [OfferCount(*row) for row in rows]


def offered_drafts(index: LogIndex, selection: LogSelection) -> list[OfferedDraft]:
    """The drafts of a period's notes, by ticket; none where ticketbot has answered the customer itself."""
    condition, values = where(selection)
    rows = index.query(
        f"""
        WITH chosen AS (SELECT * FROM lines WHERE {condition} AND {_WRITTEN}),
        noted AS (SELECT * FROM chosen WHERE offered IS NOT NULL {_LAST})
        SELECT ticket_id, run_id, coalesce(category, '-') FROM noted
        WHERE offered = 'draft' AND ticket_id NOT IN (SELECT ticket_id FROM chosen WHERE reply_category IS NOT NULL)
        ORDER BY ticket_id
        """,
        values,
    )
    return [OfferedDraft(*row) for row in rows]
