"""What notes offered from articles and what was replied and closed with it: counted from the log's index."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .figures import LogSelection
from .index import LogIndex
from .queries import stamp, utc, where

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
class Offer:
    """A ticket's last note with something from articles, or without it (``no_answer``); ``reason`` says why."""

    ticket_id: int
    run_id: str
    category: str
    subcategory: str
    language: str
    kind: str
    partial: bool
    articles: tuple[str, ...]
    reason: str = ""

    @property
    def unanswered(self) -> bool:
        """Whether articles had no answer, or only a part of one."""
        return self.partial or self.reason in LACKING

    @property
    def tells(self) -> bool:
        """Whether it says anything about the articles: not where a model gave no answer for another reason."""
        return self.kind != "no_answer" or self.unanswered


@dataclass(frozen=True)
class SentReply:
    """A public reply of ours."""

    ticket_id: int
    run_id: str
    category: str
    at: datetime


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


def offers(index: LogIndex, selection: LogSelection) -> list[Offer]:
    """What the last note of each ticket of a period offered, by ticket."""
    condition, values = where(selection)
    rows = index.query(
        f"SELECT ticket_id, run_id, coalesce(category, '-'), coalesce(subcategory, ''), coalesce(language, 'und'), "
        f"offered, coalesce(offered_partial, false), coalesce(offered_articles, ''), coalesce(offered_reason, '') "
        f"FROM lines "
        f"WHERE {condition} AND {_WRITTEN} AND offered IS NOT NULL {_LAST} ORDER BY ticket_id",
        values,
    )
    return [
        Offer(number, run_id, category, subcategory, language, kind, partial, tuple(filter(None, ids.split("\n"))), why)
        for number, run_id, category, subcategory, language, kind, partial, ids, why in rows
    ]


def sent_replies(index: LogIndex, selection: LogSelection) -> list[SentReply]:
    """The public replies of a period, by ticket."""
    condition, values = where(selection)
    rows = index.query(
        f"SELECT ticket_id, run_id, reply_category, ts FROM lines "
        f"WHERE {condition} AND {_WRITTEN} AND reply_category IS NOT NULL {_LAST} ORDER BY ticket_id",
        values,
    )
    return [SentReply(ticket_id, run_id, category, utc(at)) for ticket_id, run_id, category, at in rows]


def tickets_about(index: LogIndex, category: str, since: float, until: float) -> set[int]:
    """The tickets that were first understood in this time, as being of this category."""
    condition, values = where(LogSelection(since=0.0, until=until))
    rows = index.query(
        f"SELECT ticket_id FROM lines WHERE {condition} AND category IS NOT NULL GROUP BY ticket_id "
        f"HAVING min(ts) >= $first AND arg_min(category, ts) = $wanted",
        {**values, "first": stamp(since), "wanted": category},
    )
    return {ticket_id for (ticket_id,) in rows}
