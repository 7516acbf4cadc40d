"""What became of answers from articles, by ``ticketbot report`` against the imitated helpdesk."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ticket_processor.audit.lines import encode
from ticket_processor.sandbox.faults import FaultPlan

from .conftest import Command, Desk
from .freshdesk_desk import freshdesk
from .test_articles_in_notes import KNOWLEDGE, account

__all__ = ["account"]
PERIOD = ("report", "--since", "1d")
LINE = "A card is sometimes charged twice for one subscription."
DRAFT = f"Hello,\n\n{LINE} [1]\n\nKind regards"
OFFERED = {
    "kind": "draft",
    "articles": ["help/charged.md"],
    "draft": hashlib.sha256(DRAFT.encode()).hexdigest(),
    "partial": False,
    "reason": "",
}


@pytest.fixture
def triaged(account: Callable[..., Desk]) -> Desk:
    """Two tickets, of which the first got an article into its note."""
    desk = account(f'[replies]\nmode = "note"\n{KNOWLEDGE}')
    desk("run", "--since", "7d")
    desk.helpdesk_requests()
    return desk


def said(desk: Desk, text: str, number: int = 1) -> None:
    desk.sandbox.store.person_edit(number, comment=text, public=True)


def replies(desk: Desk, *options: str) -> Any:
    return desk(*PERIOD, "--replies", "--json", *options).object["replies"]


def log_more(desk: Command, **change: Any) -> None:
    """Another receipt of the first ticket, whose change has more."""
    line = min(desk.events("ticket"), key=lambda event: int(event["ticket_id"]))
    (file,) = desk.logs.glob("*.jsonl")
    with file.open("ab") as log:
        log.write(encode({**line, "intent": f"{line['run_id']}-9", "change": {**line["change"], **change}}))


def test_an_article_whose_words_a_person_sent_was_of_use(triaged: Desk) -> None:
    said(triaged, f"Hello, {LINE[0].lower()}{LINE[1:]} We will see to it.")
    found = replies(triaged)
    (category,) = found["categories"]
    assert (category["kind"], category["used"], category["ignored"]) == ("articles", 1, 0)
    (article,) = found["articles"]
    assert ("charged.md" in article["label"], article["title"], article["used"]) == (True, "Charged twice", 1)
    assert (found["offered"], found["histories"], found["ignored"]) == (1, 1, [])
    assert sum("/audits" in line for line in triaged.helpdesk_requests()) == 1


def test_tables_page_and_csv_tell_of_answers_and_of_nobodys_words(triaged: Desk) -> None:
    said(triaged, "Hello Melody, the money is on its way.")
    log_more(triaged, offered=None, reply={"category": "billing", "threshold": 0.9, "draft": "00"})
    assert triaged(*PERIOD, "--replies").out.splitlines()[2] == "What became of answers"
    screen = triaged(*PERIOD, "--replies", "--details", "--out", "report.html", "--out", "report.csv").out
    page = (triaged.folder / "report.html").read_text(encoding="utf-8")
    rows = [*csv.reader(io.StringIO((triaged.folder / "report.csv").read_text(encoding="utf-8")))]
    for text in (screen, page):
        assert "Answers from articles" in text
        assert "too early to tell" in text
    assert ["Public replies", "too early to tell", "1"] in [row[:3] for row in rows]
    kept = (triaged.state / "replies.json").read_text(encoding="utf-8")
    for text in (screen, page, str(rows), kept):
        assert "Melody" not in text
        assert "sometimes charged" not in text
    assert json.loads(kept)["public"]["sent"] == 1


def test_what_the_helpdesk_refuses_costs_the_report_only_this_part(triaged: Desk) -> None:
    triaged.sandbox.faults = FaultPlan.parse("unauthorised:GET")
    ended = triaged(*PERIOD, "--replies", "--json")
    assert "refused the credentials" in ended.object["replies"]["ended_early"]
    assert ended.object["totals"]["tickets"] == 2
    assert ended.object["replies"]["offered"] == 1


def test_gaps_are_written_as_proposals_without_asking_the_helpdesk(triaged: Desk) -> None:
    said(triaged, "Hello, the money is on its way.")
    replies(triaged)
    triaged.helpdesk_requests()
    triaged(*PERIOD, "--gaps", "gaps.md", "--at-least", "1")
    text = (triaged.folder / "gaps.md").read_text(encoding="utf-8")
    assert "## 1. billing (category, en): 1 ticket" in text
    assert "1 whose answer people did not use" in text
    assert "Nearest articles: “Charged twice”" in text
    assert "/agent/tickets/1>)" in text
    assert "charged twice for my subscription" not in text
    assert triaged.helpdesk_requests() == []
    triaged(*PERIOD, "--gaps", "gaps.md")
    assert "No topic of this period lacks an answer." in (triaged.folder / "gaps.md").read_text(encoding="utf-8")


def test_without_answers_from_articles_a_report_tells_nothing_of_them(account: Callable[..., Desk]) -> None:
    desk = account(KNOWLEDGE)
    desk("run", "--since", "7d")
    desk.helpdesk_requests()
    found = desk(*PERIOD, "--json").object
    assert (found["offers"], found["replies"], desk.helpdesk_requests()) == ([], None, [])
    assert "Answers from articles" not in desk(*PERIOD).out
    assert "No note of this period offered an answer" in desk(*PERIOD, "--replies").out
    assert desk.helpdesk_requests() == []


def test_on_freshdesk_too_a_draft_is_compared_with_what_was_sent(tmp_path: Path) -> None:
    with freshdesk(tmp_path) as desk:
        number = desk.add("Charged twice", "I was charged twice for my subscription this month.")
        desk.advance(3600)
        desk("run", "--since", "7d")
        log_more(desk, offered=OFFERED, note=f"Draft of a reply:\n{DRAFT}")
        desk.advance(60)
        desk.sandbox.desk.person_edit(number, reply=f"Dear Ada,\n\n{LINE}")
        found = desk(*PERIOD, "--replies", "--json").object["replies"]
    (category,) = found["categories"]
    assert (category["kind"], category["used"], found["ended_early"]) == ("draft", 1, None)
