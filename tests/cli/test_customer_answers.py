"""The customer answers: a triaged ticket is looked at again, once, and one that only says thanks stays solved."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Desk, OpenDesk, is_update

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


def test_applied_it_is_solved_again_with_one_note_and_one_receipt_and_can_be_taken_back(solved: Desk) -> None:
    desk = solved
    desk.configure('[policy]\nthanks_keep_solved = "apply"\n')
    before = desk.ticket(1)
    says(desk, THANKS, status="open")
    shown = desk("run", "--dry-run")
    assert "1 planned" in shown.out
    assert "~ status -> solved" in shown.out
    assert desk.ticket(1)["status"] == "open"

    ended = desk("run")
    assert "1 updated" in ended.out
    assert "0 human values changed, 0 foreign tags removed, 0 public comments" in ended.out
    after = desk.ticket(1)
    assert after["status"] == "solved"
    assert {name: after[name] for name in ("tags", "priority", "group_id", "assignee_id")} == {
        name: before[name] for name in ("tags", "priority", "group_id", "assignee_id")
    }
    assert "only says thanks, so the ticket is solved again" in desk.notes(1)[-1]["plain_body"]
    receipt = [line for line in desk.events("ticket") if line["reason"] == "only_thanks"][-1]
    assert (receipt["outcome"], receipt["change"]["status"]) == ("updated", "solved")
    assert len([line for line in desk.seen if is_update(line)]) == 1
    desk.advance(120)
    assert "nothing to do" in desk("run").out

    back = desk("undo", "latest")
    assert "1 taken back" in back.out or "1 updated" in back.out, back.out
    assert desk.ticket(1)["status"] == "open"
    desk.advance(120)
    assert "nothing to do" in desk("run").out
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


def audits_read(desk: Desk) -> int:
    return sum(request.endswith("/audits") for request in desk.helpdesk_requests())


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
    desk.sandbox.store.person_edit(1, add_tags=("vip", "ai_other_product"))
    before = set(desk.ticket(1)["tags"])
    says(desk, OUTAGE)

    shown = desk("run", "--dry-run")
    assert "+ tag ai_urgency_high" in shown.out
    assert "- tag ai_urgency_medium" in shown.out
    assert "1 planned" in shown.out
    assert set(desk.ticket(1)["tags"]) == before

    ended = desk("run")
    assert "1 updated" in ended.out
    assert "0 human values changed, 0 foreign tags removed, 0 public comments" in ended.out
    after = set(desk.ticket(1)["tags"])
    assert {"vip", "ai_other_product", "ai_processed", "ai_urgency_high"} <= after
    assert "ai_urgency_medium" not in after
    assert desk.ticket(1)["priority"] == "normal"
    first, second = desk.notes(1)
    assert "stays normal; high is suggested" in second["plain_body"]
    assert first["plain_body"].splitlines()[-1] != second["plain_body"].splitlines()[-1]

    asked = desk.sandbox.openai.calls
    desk.advance(120)
    desk.seen.clear()
    again = desk("run")
    assert "nothing to do" in again.out
    assert audits_read(desk) == 1
    assert (desk.sandbox.openai.calls, len(desk.notes(1))) == (asked, 2)
