"""``ticketbot report --overrides`` and ``--replies``: what people changed of labels, and what they sent of drafts."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ticket_processor.audit.lines import encode
from ticket_processor.sandbox.fill import fill_help_center
from ticket_processor.sandbox.store import BOT_ID, PERSON_ID

from ..imitation import FaultPlan
from .conftest import Command, Desk, OpenDesk
from .freshdesk_desk import freshdesk
from .test_articles_in_notes import KNOWLEDGE, account

PERIOD = ("report", "--since", "1d")
BILLING, ACCOUNT, ORDER, REFUND = range(4)
"""What the tickets are about, in turn; the last ones are in German."""

SYSTEM = -1


@pytest.fixture
def triaged(open_desk: OpenDesk) -> Desk:
    """24 tickets, six about each, triaged by rules: priority normal, but high for accounts."""
    desk = open_desk(24)
    desk("run", "--since", "1d")
    desk.seen.clear()
    return desk


def about(desk: Desk, kind: int) -> list[int]:
    return sorted(desk.tickets)[kind::4]


def solve(desk: Desk, *numbers: int) -> None:
    for number in numbers:
        desk.sandbox.store.person_edit(number, status="solved")


def people(desk: Desk, *options: str) -> tuple[Any, Any]:
    """What was read, and the scoreboard."""
    told = desk(*PERIOD, "--overrides", "--json", *options).object
    return told["collected"], told["scoreboard"]


def counts(found: Any, part: str, label: str | None = None) -> tuple[int, ...]:
    """Judged, kept, changed, removed, changed by rules."""
    (row,) = (row for row in found["parts"] if row["part"] == part)
    if label is not None:
        (row,) = (item for item in row["labels"] if item["label"] == label)
    return tuple(row[name] for name in ("judged", "kept", "changed", "removed", "reverted_by_rule"))


def audits_read(desk: Desk) -> int:
    return sum("/audits" in line for line in desk.helpdesk_requests())


def test_what_people_changed_is_counted_exactly_and_what_others_changed_is_not_theirs(triaged: Desk) -> None:
    desk, store = triaged, triaged.sandbox.store
    billing, account, order, refund = (about(desk, kind) for kind in range(4))
    # Two swap the category, one of them also raises the priority to urgent.
    store.person_edit(billing[0], remove_tags=["ai_billing"], add_tags=["ai_refund"], priority="urgent")
    store.person_edit(billing[1], remove_tags=["ai_billing"], add_tags=["ai_refund"])
    # One changes it and changes it back; one only takes the mark off.
    store.person_edit(billing[2], remove_tags=["ai_billing"], add_tags=["ai_refund"])
    store.person_edit(billing[2], remove_tags=["ai_refund"], add_tags=["ai_billing"])
    store.person_edit(billing[3], remove_tags=["ai_processed"])
    # A colleague's app takes the mood off through the API; another program under our own user is nobody.
    tags = [tag for tag in desk.ticket(account[0])["tags"] if not tag.startswith("ai_sentiment")]
    store.change(desk.tickets[account[0]], {"tags": tags}, actor="api", author_id=PERSON_ID)
    store.change(desk.tickets[account[1]], {"priority": "low"}, actor="api", author_id=BOT_ID)
    store.person_edit(account[2], priority="low")
    # Rules tidy up, and one of them solves a ticket that nobody has looked at.
    without = [tag for tag in desk.ticket(order[0])["tags"] if tag != "ai_order"]
    store.change(desk.tickets[order[0]], {"tags": without}, actor="system", author_id=SYSTEM)
    store.change(desk.tickets[order[1]], {"status": "solved"}, actor="system", author_id=SYSTEM)
    # Ours is taken back: no person has changed anything.
    desk.advance(60)
    desk("undo", "latest", "--ticket", str(order[2]))
    solve(desk, *billing, *account, order[0], *order[2:], *refund[:4])
    store.delete(refund[5])

    read, found = people(desk)
    assert (read["histories"], read["left_out"], read["ended_early"]) == (
        22,
        {"not solved yet": 1, "deleted since": 1},
        None,
    )
    assert counts(found, "category") == (19, 17, 2, 0, 1)
    assert counts(found, "category", "billing") == (6, 4, 2, 0, 0)
    assert counts(found, "category", "order") == (3, 3, 0, 0, 1)
    assert counts(found, "sentiment") == (20, 19, 0, 1, 0)
    assert counts(found, "urgency") == (20, 20, 0, 0, 0)
    assert counts(found, "priority") == (19, 17, 2, 0, 1)
    assert counts(found, "priority", "high") == (5, 4, 1, 0, 1)
    (category,) = (part for part in found["parts"] if part["part"] == "category")
    assert category["accuracy"] == pytest.approx(17 / 19, abs=1e-6)
    assert [(pair["part"], pair["ours"], pair["theirs"], pair["tickets"]) for pair in found["pairs"]] == [
        ("category", "billing", "refund", 2),
        ("priority", "high", "low", 1),
        ("priority", "normal", "urgent", 1),
    ]


def test_a_part_costs_as_many_requests_as_it_says_is_the_same_each_time_and_keeps_nothing(triaged: Desk) -> None:
    solve(triaged, *triaged.tickets)
    first, board = people(triaged, "--limit", "5")
    asked = triaged.helpdesk_requests()
    assert {line.partition(" ")[0] for line in asked} == {"GET", "POST"}  # POST asks for a token
    assert (first["histories"], sum("/audits" in line for line in asked), board["tickets"]) == (5, 5, 5)
    assert first["requests"] == len(asked) == 7
    assert people(triaged, "--limit", "5") == (first, board)
    assert not [*triaged.state.glob("learning*")]


def test_what_goes_wrong_at_the_helpdesk_costs_the_report_only_its_part(triaged: Desk) -> None:
    early = triaged(*PERIOD, "--overrides", "--json").object
    assert (early["scoreboard"], early["collected"]["left_out"]) == (None, {"not solved yet": 24})
    assert audits_read(triaged) == 0
    assert (
        "No ticket of this period is settled yet.\n  Not judged: 24 not solved yet."
        in triaged(*PERIOD, "--overrides").out
    )

    solve(triaged, *triaged.tickets)
    triaged.sandbox.faults = FaultPlan.parse("status:GET:/audits:status=403")
    forbidden = triaged(*PERIOD, "--overrides")
    assert "histories of tickets cannot be read: Zendesk refuses this ticket's audits (HTTP 403" in forbidden.err
    assert "billing" in forbidden.out
    assert audits_read(triaged) == 3

    triaged.sandbox.faults = FaultPlan.parse("unauthorised:GET")
    closed = triaged(*PERIOD, "--overrides", "--knowledge", "--json").object
    assert closed["totals"]["tickets"] == 24
    assert "refused the credentials" in closed["collected"]["ended_early"]
    assert "refused the credentials" in closed["knowledge"]["ended_early"]
    assert (closed["collected"]["waiting"], closed["scoreboard"]) == (24, None)


def test_the_helpdesk_is_asked_only_when_that_is_wanted_and_has_to_be_named_then(triaged: Desk) -> None:
    data = triaged(*PERIOD, "--json", ZENDESK_URL="").object
    assert (data["collected"], data["knowledge"], triaged.helpdesk_requests()) == (None, None, [])
    ended = triaged(*PERIOD, "--overrides", "--knowledge", code=2, ZENDESK_URL="")
    assert "ZENDESK_URL" in ended.err


def test_tables_page_and_csv_tell_the_same_and_none_of_a_tickets_words(triaged: Desk) -> None:
    desk, store, billing = triaged, triaged.sandbox.store, about(triaged, BILLING)
    fill_help_center(store)
    store.person_edit(billing[0], remove_tags=["ai_billing"], add_tags=["ai_refund"], comment="Melody Maker wants it")
    solve(desk, *desk.tickets)
    changes = len(store.history)
    asked = (*PERIOD, "--overrides", "--knowledge")
    screen = desk(*asked, "--out", "report.html", "--out", "report.csv").out
    page = (desk.folder / "report.html").read_text(encoding="utf-8")
    figures = [*csv.reader(io.StringIO((desk.folder / "report.csv").read_text(encoding="utf-8")))]

    def rows(title: str) -> dict[tuple[str, ...], list[str]]:
        return {tuple(row[1:3]): row[3:] for row in figures if row[0] == title}

    assert any("24 tickets collected, 24 of them touched by a person" in row[1] for row in figures)
    assert rows("Kept as ticketbot set it")["", "billing"][:3] == ["6", "5", "1"]
    assert rows("Changed most often")["category", "billing"][:2] == ["refund", "1"]
    assert rows("Without an article")["refund", "category"][:3] == ["de", "6", "no article"]
    for text in (screen, page):
        assert "24 tickets collected, 24 of them touched by a person" in text
        assert "1 of 4 topics and languages have no article" in text
    for text in (screen, page, str(figures)):
        for words in ("Melody", "charged twice", "tracking page", "Gerät"):
            assert words not in text
    assert len(store.history) == changes
    assert {line for line in desk.helpdesk_requests() if not line.startswith("GET ")} == {"POST /oauth/tokens"}


__all__ = ["account"]
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
def drafted(account: Callable[..., Desk]) -> Desk:
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


def test_tables_page_and_csv_tell_of_drafts_and_of_nobodys_words(drafted: Desk) -> None:
    noted(drafted)
    said(drafted, "Hello Melody, the money is on its way.")
    assert drafted(*PERIOD, "--replies").out.splitlines()[2] == "What became of drafts"
    screen = drafted(*PERIOD, "--replies", "--details", "--out", "report.html", "--out", "report.csv").out
    page = (drafted.folder / "report.html").read_text(encoding="utf-8")
    rows = [*csv.reader(io.StringIO((drafted.folder / "report.csv").read_text(encoding="utf-8")))]
    for text in (screen, page):
        assert "Drafts by use" in text
    assert ["Drafts by use", "ignored", "1"] in [row[:3] for row in rows]
    for text in (screen, page, str(rows)):
        assert "Melody" not in text
        assert "sometimes charged" not in text


def test_no_draft_is_judged_where_ticketbot_itself_has_answered(drafted: Desk) -> None:
    noted(drafted)
    said(drafted, "Hello, the money is on its way.")
    log_more(drafted, offered=None, reply={"category": "billing", "threshold": 0.9, "draft": "00"})
    assert replies(drafted)["offered"] == 0
    assert "No note of this period offered a draft." in drafted(*PERIOD, "--replies").out


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
        desk.sandbox.store.person_edit(number, comment=f"Dear Ada,\n\n{LINE}", public=True)
        found = desk(*PERIOD, "--replies", "--json").object["replies"]
    assert (found["used"], found["ignored"], found["ended_early"]) == (1, 0, None)
