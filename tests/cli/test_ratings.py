"""Customers' ratings are read with ``ticketbot learn collect``, and shown by label and by what people made of it."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import pytest

from ticket_processor.helpdesk.freshdesk_ratings import score_of
from ticket_processor.helpdesk.local_model import NewTicket
from ticket_processor.learning.store import FILE_NAME, LearningStore
from ticket_processor.sandbox.faults import FaultPlan, FaultRule
from ticket_processor.sandbox.ratings import answer_survey, rate

from .accounts import LocalCommand
from .conftest import Command, Desk, OpenDesk, rows
from .freshdesk_desk import freshdesk
from .test_learn import zendesk_hands

SECRET = "melody says thank you"


def scores(desk: Command) -> dict[int, str]:
    store = LearningStore(desk.state / FILE_NAME, read_only=True)
    return dict(store.rows("SELECT ticket_id, score FROM rating ORDER BY ticket_id"))


def rated_badly(open_desk: OpenDesk) -> Desk:
    """A desk with two solved tickets, each with a bad rating."""
    desk = open_desk(2)
    desk("run", "--since", "1d")
    for number in (1, 2):
        desk.sandbox.store.person_edit(number, status="solved")
        rate(desk.sandbox.store, number, "bad")
    return desk


def test_on_zendesk_ratings_are_counted_by_category_and_by_what_people_made_of_it(open_desk: OpenDesk) -> None:
    billing = {"subject": "Invoice", "body": "I was charged twice on my invoice."}
    desk = open_desk([{**billing, "age": 7200.0 + place} for place in range(24)])
    desk("run", "--since", "1d")
    edit = zendesk_hands(desk)
    for number in range(1, 23):
        swap = {"remove": ["ai_billing"], "add": ["ai_refund"]} if number > 12 else {}
        edit(number, "person", status="solved", **swap)
    store = desk.sandbox.store
    for number in range(1, 22):
        rate(store, number, "good" if number <= 11 else "bad", SECRET)
    rate(store, 24, "bad")  # we wrote on it, and it is not solved yet
    desk.seen.clear()
    done = desk("learn", "collect", "--json").object
    assert (done["ratings"], done["unread"]) == (22, [])
    assert sum("satisfaction_ratings" in line for line in desk.helpdesk_requests()) == 1
    shown = desk("learn", "show", "--json").object
    told = {(row["by"], row["value"]): row for row in shown["ratings"]}
    assert shown["rated"] == 21
    assert {key: (row["good"], row["bad"]) for key, row in told.items()} == {
        ("category", "billing"): (11, 1),
        ("category", "refund"): (0, 9),
        ("our category was", "kept"): (11, 1),
        ("our category was", "changed"): (0, 9),
    }
    kept = told["our category was", "kept"]
    assert kept["share"] == pytest.approx(11 / 12, abs=1e-6)
    assert 0.6 < kept["share_at_least"] < kept["share"] < kept["share_at_most"] < 1
    assert told["category", "refund"]["share"] is None
    for text in (desk("learn", "show", "--details").out, desk("report", "--details").out):
        assert "How customers rated 21 of these tickets" in text
        assert "too few" in text
    desk("report", "--out", "report.csv")
    text = (desk.folder / "report.csv").read_text(encoding="utf-8")
    assert "How customers rated 21 of these tickets,category,billing,12,11,0,1," in text
    assert not any(SECRET.encode() in path.read_bytes() for path in desk.state.rglob("*") if path.is_file())


def test_a_rating_that_changes_counts_once_and_an_erased_ticket_has_none(open_desk: OpenDesk) -> None:
    desk = rated_badly(open_desk)
    desk("learn", "collect")
    desk.advance(60)
    rate(desk.sandbox.store, 1, "good")
    assert desk("learn", "collect", "--json").object["ratings"] == 1
    assert scores(desk) == {1: "good", 2: "bad"}
    desk("audit", "erase", "--ticket", "1", "--yes")
    desk("learn", "collect")
    assert scores(desk) == {2: "bad"}


def test_a_rating_without_a_date_is_none_and_the_others_are_read(open_desk: OpenDesk) -> None:
    desk = rated_badly(open_desk)
    desk.sandbox.store.ratings[0]["updated_at"] = "soon"
    desk("learn", "collect")
    assert scores(desk) == {2: "bad"}


def test_who_may_not_read_ratings_is_told_so_and_labels_are_collected_all_the_same(open_desk: OpenDesk) -> None:
    desk = open_desk(2, bot_role="agent")
    desk("run", "--since", "1d")
    for number in (1, 2):
        desk.sandbox.store.person_edit(number, status="solved")
    done = desk("learn", "collect", "--json").object
    assert done["histories"] == 2
    assert done["unread"] == ["Zendesk does not show its satisfaction ratings (HTTP 403)"]


def test_both_surveys_of_freshdesk_are_read(tmp_path: Path) -> None:
    with freshdesk(tmp_path) as desk:
        for row in rows(6):
            desk.add(row["subject"], row["body"])
        desk.advance(3600)
        desk("run", "--since", "1d")
        for number, answer in zip(desk.sandbox.desk.tickets, (1, 2, 3, 103, 100, -101), strict=True):
            answer_survey(desk.sandbox.desk, number, answer, SECRET)
        desk("learn", "collect")
        assert list(scores(desk).values()) == ["good", "neutral", "bad", "good", "neutral", "bad"]


@pytest.mark.parametrize("number", [None, 0, 4, 99, -100, 104, -104])
def test_a_number_that_neither_survey_has_is_no_rating(number: int | None) -> None:
    assert score_of(number) is None


def test_stars_of_the_local_helpdesk_are_read(tmp_path: Path) -> None:
    with closing(LocalCommand(tmp_path)) as desk:
        now = time.time()
        for place, row in enumerate(rows(3)):
            desk.store.create(NewTicket(row["subject"], row["body"], f"c{place}@example.com"), now - 3600)
        desk("run", "--since", "1d")
        for number, stars in ((1, 5), (2, 3), (3, 1)):
            desk.store.change(number, desk.agent, version=None, now=time.time(), status="resolved")
            desk.store.rate(number, stars, SECRET, time.time())
        desk("learn", "collect")
        assert scores(desk) == {1: "good", 2: "neutral", 3: "bad"}


def test_ratings_that_cannot_be_read_keep_no_run_from_collecting_labels(open_desk: OpenDesk) -> None:
    desk = open_desk(2)
    desk.configure("[learning]\ncollect_share = 0.05\n")
    desk("run", "--since", "1d")
    for number in desk.tickets:
        desk.sandbox.store.person_edit(number, status="solved")
    desk.advance(60)
    fault = FaultRule(kind="error-before", method="GET", path="/satisfaction_ratings", status=200)
    desk.sandbox.faults = FaultPlan([fault])
    with closing(LearningStore(desk.state / FILE_NAME)) as store:
        store.keep_fact("allowance", "50")
    assert "customers' ratings were not read: " in desk("run").err
    with closing(LearningStore(desk.state / FILE_NAME)) as store:
        assert {item.ticket_id for item in store.reactions()} == set(desk.tickets)
        assert float(store.fact("allowance") or 50) < 50


def test_a_run_reads_ratings_once_a_day_and_without_a_share_never(open_desk: OpenDesk) -> None:
    desk = open_desk(40)
    desk("run", "--since", "1d")
    assert not any("satisfaction" in line for line in desk.helpdesk_requests())
    for number in desk.tickets:
        desk.sandbox.store.person_edit(number, status="solved")
        rate(desk.sandbox.store, number, "good")
    desk.configure("[learning]\ncollect_share = 0.05\n")
    desk.seen.clear()
    for _ in range(6):
        for _ in range(20):
            desk.sandbox.store.create(subject="Charged twice", body="I was charged twice for it, check my invoice.")
        desk.advance(60)
        desk("run", code=None)
    assert sum("satisfaction" in line for line in desk.helpdesk_requests()) == 1
    assert set(scores(desk).values()) == {"good"}
