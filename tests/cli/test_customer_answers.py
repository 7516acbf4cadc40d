"""The customer answers: a triaged ticket is looked at again, once, and one that only says thanks stays solved."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Desk, OpenDesk

THANKS = "Thank you very much, it works now!"


def says(desk: Desk, words: str, **fields: Any) -> None:
    """The customer answers the first ticket; the helpdesk gives such changes out after a minute."""
    customer = desk.ticket(1)["requester_id"]
    desk.sandbox.store.person_edit(1, comment=words, public=True, author_id=customer, **fields)
    desk.advance(120)


@pytest.fixture
def solved(open_desk: OpenDesk) -> Desk:
    """A ticket that a run has triaged and an agent has solved."""
    desk = open_desk([{"subject": "Cannot log in", "body": "My password is not accepted.", "age": 7200.0}])
    desk("run", "--since", "1d")
    desk.advance(120)
    desk("run")
    desk.sandbox.store.person_edit(1, comment="Please try again.", public=True, status="solved")
    desk.advance(3600)
    desk.seen.clear()
    return desk


def test_thanks_that_are_applied_can_be_seen_first_and_taken_back(solved: Desk) -> None:
    desk = solved
    desk.configure('[policy]\nthanks_keep_solved = "apply"\n')
    says(desk, THANKS, status="open")
    assert "~ status -> solved" in desk("run", "--dry-run").out
    assert desk.ticket(1)["status"] == "open"
    desk("run")
    assert desk.ticket(1)["status"] == "solved"
    assert "only says thanks, so the ticket is solved again" in desk.notes(1)[-1]["plain_body"]
    for command in (("undo", "latest"), ("run",)):
        desk.advance(120)
        desk(*command)
        assert desk.ticket(1)["status"] == "open"


def test_by_default_thanks_cost_no_request_and_change_nothing(solved: Desk) -> None:
    desk = solved
    says(desk, THANKS, status="open")
    seen = len(desk.events("ticket"))
    desk.seen.clear()
    assert "nothing to do" in desk("run").out
    assert not [line for line in desk.helpdesk_requests() if "audits" in line]
    assert (desk.ticket(1)["status"], len(desk.events("ticket"))) == ("open", seen)
    assert "thanks" not in str(desk.events("run_started"))


MONEY = "I was charged twice for my subscription this month. Please check my invoice."
OUTAGE = "Now the app shows an error and crashes whenever I try to log in. This is urgent, nobody here can work!"


@pytest.fixture
def triaged(open_desk: OpenDesk) -> Desk:
    """One ticket about money that a model has triaged, and whose write the export has given back."""
    desk = open_desk([{"subject": "Charged twice", "body": MONEY, "age": 7200.0}], model=True)
    desk.configure("[run]\nretriage_on_reply = true\n")
    desk("run", "--since", "1d")
    assert "ai_billing" in desk.ticket(1)["tags"]
    desk.advance(120)
    desk("run")
    desk.seen.clear()
    return desk


def test_an_answer_is_shown_first_written_then_and_looked_at_once(triaged: Desk) -> None:
    desk = triaged
    before = set(desk.ticket(1)["tags"])
    says(desk, OUTAGE)

    shown = desk("run", "--dry-run")
    assert "+ tag ai_urgency_high" in shown.out
    assert "- tag ai_urgency_medium" in shown.out
    assert set(desk.ticket(1)["tags"]) == before

    desk("run")
    after = set(desk.ticket(1)["tags"])
    assert {"ai_processed", "ai_urgency_high"} <= after
    assert "ai_urgency_medium" not in after
    asked = desk.sandbox.openai.calls
    desk.advance(120)
    desk.seen.clear()
    assert "nothing to do" in desk("run").out
    assert sum(request.endswith("/audits") for request in desk.helpdesk_requests()) == 1
    assert (desk.sandbox.openai.calls, len(desk.notes(1))) == (asked, 2)
