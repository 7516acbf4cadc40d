"""What people changed and which topics lack an article, by ``ticketbot report`` against the imitated helpdesk."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from ticket_processor.sandbox.faults import FaultPlan
from ticket_processor.sandbox.zendesk_help_center import fill_help_center

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


def people(desk: Desk, *options: str) -> Any:
    return desk(*PERIOD, "--overrides", "--json", *options).object["overrides"]


def audits_read(desk: Desk) -> int:
    return sum("/audits" in line for line in desk.helpdesk_requests())


def test_a_sample_costs_as_many_requests_as_it_says_and_is_the_same_each_time(triaged: Desk) -> None:
    solve(triaged, *triaged.tickets)
    first = people(triaged, "--limit", "5")
    asked = triaged.helpdesk_requests()
    assert {line.partition(" ")[0] for line in asked} == {"GET", "POST"}  # POST asks for a token
    assert (first["histories"], sum("/audits" in line for line in asked)) == (5, 5)
    assert first["requests"] == len(asked) == 7
    assert people(triaged, "--limit", "5") == first


def test_what_goes_wrong_at_the_helpdesk_costs_the_report_only_its_part(triaged: Desk) -> None:
    early = triaged(*PERIOD, "--overrides").out
    assert "No person has dealt yet with a ticket that ticketbot labelled in this period." in early
    assert "24 not solved yet" in early
    assert audits_read(triaged) == 0

    solve(triaged, *triaged.tickets)
    triaged.sandbox.faults = FaultPlan.parse("status:GET:/audits:status=403")
    forbidden = triaged(*PERIOD, "--overrides")
    assert "histories of tickets cannot be read: Zendesk refuses this ticket's audits (HTTP 403" in forbidden.err
    assert "billing" in forbidden.out
    assert audits_read(triaged) == 3

    triaged.sandbox.faults = FaultPlan.parse("unauthorised:GET")
    closed = triaged(*PERIOD, "--overrides", "--knowledge", "--json").object
    assert closed["totals"]["tickets"] == 24
    assert "refused the credentials" in closed["overrides"]["ended_early"]
    assert "refused the credentials" in closed["knowledge"]["ended_early"]
    assert (closed["overrides"]["written"], closed["overrides"]["judged"]) == (24, 0)

    triaged.sandbox.faults = FaultPlan.parse("slow:GET:/audits:seconds=0.3")
    slow = people(triaged, "--within", "1.5")
    assert slow["histories"] < 24
    assert slow["judged"] == slow["histories"]
    assert slow["ended_early"] == "the time allowed for it is used up"


def test_the_helpdesk_is_asked_only_when_that_is_wanted_and_has_to_be_named_then(triaged: Desk) -> None:
    data = triaged(*PERIOD, "--json", ZENDESK_URL="").object
    assert (data["overrides"], data["knowledge"], triaged.helpdesk_requests()) == (None, None, [])
    ended = triaged(*PERIOD, "--overrides", "--knowledge", code=2, ZENDESK_URL="")
    assert "ZENDESK_URL" in ended.err


def test_tables_page_and_csv_tell_the_same_and_none_of_a_tickets_words(triaged: Desk) -> None:
    desk, store = triaged, triaged.sandbox.store
    fill_help_center(store)
    store.person_edit(1, remove_tags=["ai_billing"], add_tags=["ai_refund"], comment="Melody Maker wants it")
    solve(desk, *desk.tickets)
    changes = len(store.history)
    asked = (*PERIOD, "--overrides", "--knowledge")
    screen = desk(*asked, "--out", "report.html", "--out", "report.csv").out
    page = (desk.folder / "report.html").read_text(encoding="utf-8")
    figures = [*csv.reader(io.StringIO((desk.folder / "report.csv").read_text(encoding="utf-8")))]

    def rows(title: str) -> dict[tuple[str, ...], list[str]]:
        return {tuple(row[1:3]): row[3:] for row in figures if row[0] == title}

    assert any("On 1 of 24 tickets that people have dealt with" in row[1] for row in figures)
    assert rows("Kept as ticketbot set it")["", "billing"][:3] == ["6", "5", "1"]
    assert rows("Changed most often")["category", "billing"][:2] == ["refund", "1"]
    assert rows("Without an answer")["refund", "category"][:3] == ["de", "6", "no article"]
    # The confidence is the one that the receipt of the write holds.
    sure = [line["analysis"]["confidence"] for line in desk.events("ticket")]
    (judged,) = (
        {key[0]: key[1] for key in rows(title)} for title in {row[0] for row in figures if "How sure" in row[0]}
    )
    for low, high in ((0, 0.5), (0.5, 0.7), (0.7, 0.85), (0.85, 1)):
        inside = sum(low <= each < high or each == high == 1 for each in sure)
        assert judged[f"{low:g} to {high:g}"] == str(inside)
    for text in (screen, page):
        assert "On 1 of 24 tickets that people have dealt with (4%; at most 20% of all such)" in text
        assert "1 of 4 topics and languages have no article" in text
    for text in (screen, page, str(figures)):
        for words in ("Melody", "charged twice", "tracking page", "Gerät"):
            assert words not in text
    assert len(store.history) == changes
    assert {line for line in desk.helpdesk_requests() if not line.startswith("GET ")} == {"POST /oauth/tokens"}
