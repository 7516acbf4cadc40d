"""What became of drafts, by ``ticketbot report`` against the imitated helpdesk."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ticket_processor.audit.lines import encode

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


def noted(desk: Desk) -> None:
    """The first ticket's note had a draft."""
    log_more(desk, offered=OFFERED, note=f"Triage: billing.\nDraft of a reply:\n{DRAFT}")


def test_tables_page_and_csv_tell_of_drafts_and_of_nobodys_words(triaged: Desk) -> None:
    noted(triaged)
    said(triaged, "Hello Melody, the money is on its way.")
    assert triaged(*PERIOD, "--replies").out.splitlines()[2] == "What became of drafts"
    screen = triaged(*PERIOD, "--replies", "--details", "--out", "report.html", "--out", "report.csv").out
    page = (triaged.folder / "report.html").read_text(encoding="utf-8")
    rows = [*csv.reader(io.StringIO((triaged.folder / "report.csv").read_text(encoding="utf-8")))]
    for text in (screen, page):
        assert "Drafts by use" in text
    assert ["Drafts by use", "ignored", "1"] in [row[:3] for row in rows]
    for text in (screen, page, str(rows)):
        assert "Melody" not in text
        assert "sometimes charged" not in text


def test_no_draft_is_judged_where_ticketbot_itself_has_answered(triaged: Desk) -> None:
    noted(triaged)
    said(triaged, "Hello, the money is on its way.")
    log_more(triaged, offered=None, reply={"category": "billing", "threshold": 0.9, "draft": "00"})
    assert replies(triaged)["offered"] == 0
    assert "No note of this period offered a draft." in triaged(*PERIOD, "--replies").out


def test_without_answers_from_articles_a_report_tells_nothing_of_them(account: Callable[..., Desk]) -> None:
    desk = account(KNOWLEDGE)
    desk("run", "--since", "7d")
    desk.helpdesk_requests()
    found = desk(*PERIOD, "--json").object
    assert (found["replies"], desk.helpdesk_requests()) == (None, [])
    assert "No note of this period offered a draft." in desk(*PERIOD, "--replies").out
    assert desk.helpdesk_requests() == []


def test_on_freshdesk_too_a_draft_is_compared_with_what_was_sent(tmp_path: Path) -> None:
    with freshdesk(tmp_path) as desk:
        number = desk.add("Charged twice", "I was charged twice for my subscription this month.")
        desk.advance(3600)
        desk("run", "--since", "7d")
        log_more(desk, offered=OFFERED, note=f"Draft of a reply:\n{DRAFT}")
        desk.advance(60)
        desk.sandbox.desk.person_edit(number, comment=f"Dear Ada,\n\n{LINE}", public=True)
        found = desk(*PERIOD, "--replies", "--json").object["replies"]
    assert (found["used"], found["ignored"], found["ended_early"]) == (1, 0, None)
