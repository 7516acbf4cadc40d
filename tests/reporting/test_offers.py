"""What notes offered and what was sent, counted from the log alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ticket_processor.reporting.index import LogIndex
from ticket_processor.reporting.queries import LogSelection, OfferCount, OfferedDraft, offer_counts, offered_drafts

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
            line(9, "11-19 08:00", offered=offered("draft", "help/a b.md")),
            line(10, "11-19 08:00", offered=offered("draft")),
            line(10, "11-19 09:00", offered=offered("articles"), category="refund"),
        ],
    )
    with opened(tmp_path) as index:
        assert offer_counts(index, PERIOD) == [
            OfferCount("billing", drafts=2, partial=1, replies=1, pending=1),
            OfferCount("refund", articles=2, no_answer=1),
        ]
        assert offered_drafts(index, PERIOD) == [OfferedDraft(9, "20261120T080000Z-aaaaaa")]
