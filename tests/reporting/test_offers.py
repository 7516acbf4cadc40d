"""What notes offered and what was sent, counted from the log alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ticket_processor.reporting.figures import LogSelection
from ticket_processor.reporting.index import LogIndex
from ticket_processor.reporting.offers import (
    OfferCount,
    offer_counts,
    offers,
    sent_replies,
    tickets_about,
)

from ..support.fakes import START
from ..support.log_days import at, receipt, write_log

PERIOD = LogSelection(since=at("11-19 00:00"), until=at("11-20 00:00"))


def line(ticket_id: int, when: str, **facts: Any) -> dict[str, Any]:
    """A receipt whose change has more: ``offered``, ``reply`` or ``close``."""
    more = {name: facts.pop(name) for name in ("offered", "reply", "close") if name in facts}
    made = receipt(ticket_id, when, **facts)
    made["change"] |= more
    return made


def offered(kind: str, *articles: str, partial: bool = False) -> dict[str, Any]:
    reason = kind if kind == "no_answer" else ""
    return {"kind": kind, "articles": list(articles), "draft": "", "partial": partial, "reason": reason}


def reply(category: str = "billing") -> dict[str, Any]:
    return {"category": category, "threshold": 0.9, "draft": "00"}


def opened(folder: Path) -> LogIndex:
    return LogIndex(folder, lambda: START)


def test_the_last_note_of_a_ticket_counts_and_replies_and_statuses_stand_beside_it(tmp_path: Path) -> None:
    write_log(
        tmp_path,
        [
            line(1, "11-19 08:00", offered=offered("no_answer")),
            line(1, "11-19 09:00", offered=offered("draft", "help/a b.md", "zendesk:2", partial=True)),
            line(1, "11-19 09:10", analysis=None, reply=reply()),
            line(1, "11-19 09:20", category="billing", close={"status": "pending", "category": "billing"}),
            line(2, "11-19 08:00", offered=offered("articles", "zendesk:2"), category="refund"),
            line(3, "11-19 08:00", offered=offered("draft"), outcome="failed"),
            line(4, "11-18 08:00", offered=offered("draft")),
            line(5, "11-19 08:00", offered=offered("draft"), dry_run=True),
            line(6, "11-19 08:00"),
            line(7, "11-19 08:00", offered=offered("no_answer"), category="refund"),
            line(8, "11-19 08:00", offered={**offered("no_answer"), "reason": "timeout"}, category="refund"),
        ],
    )
    with opened(tmp_path) as index:
        assert offer_counts(index, PERIOD) == [
            OfferCount("billing", drafts=1, partial=1, replies=1, pending=1),
            OfferCount("refund", articles=1, no_answer=1),
        ]
        assert [(item.ticket_id, item.kind, item.partial, item.articles) for item in offers(index, PERIOD)] == [
            (1, "draft", True, ("help/a b.md", "zendesk:2")),
            (2, "articles", False, ("zendesk:2",)),
            (7, "no_answer", False, ()),
            (8, "no_answer", False, ()),
        ]
        (sent,) = sent_replies(index, PERIOD)
        assert (sent.ticket_id, sent.category, sent.at.timestamp()) == (1, "billing", at("11-19 09:10"))


def test_tickets_on_a_topic_are_known_by_what_they_were_first_understood_as(tmp_path: Path) -> None:
    write_log(
        tmp_path,
        [
            line(1, "11-18 08:00", category="billing"),
            line(1, "11-19 08:00", category="refund"),
            line(2, "11-19 08:00", category="refund"),
            line(3, "11-19 08:00", category="billing"),
            line(4, "11-21 08:00", category="refund"),
        ],
    )
    with opened(tmp_path) as index:
        assert tickets_about(index, "refund", PERIOD.since, PERIOD.until) == {2}
