"""Every command against an imitated Freshdesk account, chosen by its settings alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .freshdesk_desk import FreshDesk, freshdesk

HIGH, RESOLVED = 3, 4
TEXTS = {
    "Charged twice": "I was charged twice for this invoice, please refund one payment.",
    "Login broken": "I cannot log in any more, my password is not accepted since today.",
    "Where is my parcel?": "The parcel should have been delivered on Monday.",
}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[FreshDesk]:
    """Three tickets of an hour ago."""
    with freshdesk(tmp_path) as found:
        for subject, text in TEXTS.items():
            found.add(subject, text)
        found.advance(3600)
        yield found


def test_tickets_that_begin_in_a_status_of_the_accounts_own_are_triaged_and_one_that_a_person_put_there_is_not(
    desk: FreshDesk,
) -> None:
    store = desk.sandbox.store
    store.statuses[8] = "Waiting on the bank"
    for number in (1, 2, 3):
        store.tickets[number].json["status"] = 8
    store.person_edit(2, comment="We have asked the bank.", public=True)
    desk.advance(60)
    desk("run", "--since", "1d")
    assert [number for number in (1, 2, 3) if desk.notes(number)] == [1, 3]
    desk.configure("[freshdesk]\nopen_statuses = [8]\n")
    desk("run", "--ticket", "2")
    assert desk.notes(2)


def test_a_ticket_that_is_named_has_its_requesters_name_taken_out_and_its_skip_rules_kept(desk: FreshDesk) -> None:
    number = desk.add("Invoice", "Ada Quist here, please send my invoice again.")
    desk.advance(60)
    assert "Ada" not in desk("analyse", str(number)).out
    desk.configure('[skip]\nrequesters = ["ada@example.com"]\n')
    ended = desk("run", "--ticket", str(number), "--json").object
    assert ended["reasons"] == {"skip_rule_requester": 1}
    assert desk.writes() == []


def test_people_and_past_are_read_for_reports_training_and_history(desk: FreshDesk) -> None:
    for number in range(5):  # a topic has at least so many
        desk.add("Charged twice", f"I was charged twice, case {number}.")
    desk.advance(60)
    desk("run", "--since", "1d")
    person = desk.sandbox.store.person_edit
    person(1, priority=HIGH, comment="Refunded.", public=True, status=RESOLVED)
    other = desk.add("Invoice", "Please send my invoice again.")
    person(other, add_tags=("billing",), priority=HIGH, comment="Here it is.", public=True, status=RESOLVED)
    desk.advance(600)
    desk.writes()
    report = desk("report", "--overrides", "--knowledge", "--json").object
    assert report["collected"]["histories"] == 1
    assert sum(part["unknown"] for part in report["scoreboard"]["parts"]) == 1, "nobody knows who raised the priority"
    assert report["knowledge"]["ended_early"] is None
    tested = desk("eval", "--from-helpdesk", "--since", "7d", "--json").object
    assert tested["compared"] == 1
    assert desk("retry", "list").out.startswith("the retry list is empty")
    assert desk("report", "--escalated", "--json").object
    assert "charged twice" in desk("analyse", "1").out.lower()
    found = desk("audit", "erase", "--requester", "ada@example.com", "--dry-run", "--json").object
    assert set(found["tickets"]) >= {1, 2, 3}
    desk("audit", "verify")
    assert desk.writes() == []


def test_a_refused_key_stops_everything_with_one_sentence(desk: FreshDesk) -> None:
    ended = desk("run", "--since", "1d", code=3, FRESHDESK_API_KEY="wr0ng")
    assert "Freshdesk refused the credentials (HTTP 401)" in ended.err
    assert "wr0ng" not in ended.out + ended.err


def test_a_production_account_is_not_seeded(tmp_path: Path) -> None:
    with freshdesk(tmp_path) as desk:
        hide = desk.sandbox.after_request
        hide.append(lambda _request, response: response.headers.pop("X-Ticketbot-Sandbox", None) and None)
        assert "this account looks like production" in desk("seed", "--count", "2", code=2).err
        assert desk.writes() == []
