"""``ticketbot report --overrides`` and ``--replies``: what people changed of labels, and what they sent of drafts."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from ticket_processor.sandbox.app import fill_articles

from ..imitation import FaultPlan
from .conftest import Desk, OpenDesk

PERIOD = ("report", "--since", "1d")


@pytest.fixture
def triaged(open_desk: OpenDesk) -> Desk:
    """24 tickets, six about each, triaged by rules: priority normal, but high for accounts."""
    desk = open_desk(24)
    desk("run", "--since", "1d")
    desk.seen.clear()
    return desk


def solve(desk: Desk, *numbers: int) -> None:
    for number in numbers:
        desk.sandbox.store.person_edit(number, status="solved")


def people(desk: Desk, *options: str) -> tuple[Any, Any]:
    """What was read, and the scoreboard."""
    told = desk(*PERIOD, "--overrides", "--json", *options).object
    return told["collected"], told["scoreboard"]


def audits_read(desk: Desk) -> int:
    return sum("/audits" in line for line in desk.helpdesk_requests())


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
    desk, store = triaged, triaged.sandbox.store
    fill_articles(store)
    store.person_edit(1, remove_tags=["ai_billing"], add_tags=["ai_refund"], comment="Melody Maker wants it")
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
