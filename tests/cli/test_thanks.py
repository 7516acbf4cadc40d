"""``policy.thanks_keep_solved``: a customer's thanks reopen a solved ticket, which is solved again, or called done."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Desk, OpenDesk, is_update

THANKS = "Thank you very much, it works now!"


def configure(desk: Desk, mode: str, more: str = "") -> None:
    settings = f'[policy]\nthanks_keep_solved = "{mode}"\n{more}'
    desk.configure(settings)


def solve(desk: Desk, number: int = 1) -> None:
    desk.sandbox.store.person_edit(number, comment="Please try again.", public=True, status="solved")
    desk.advance(3600)


def says(desk: Desk, words: str, number: int = 1, **fields: Any) -> None:
    """The customer answers, which reopens the ticket; the helpdesk gives such changes out after a minute."""
    customer = desk.ticket(number)["requester_id"]
    desk.sandbox.store.person_edit(number, comment=words, public=True, author_id=customer, status="open", **fields)
    desk.advance(120)


@pytest.fixture
def solved(open_desk: OpenDesk) -> Desk:
    """A ticket that a run has triaged and an agent has solved."""
    desk = open_desk([{"subject": "Cannot log in", "body": "My password is not accepted.", "age": 7200.0}])
    desk("run", "--since", "1d")
    desk.advance(120)
    desk("run")
    solve(desk)
    desk.seen.clear()
    return desk


def test_applied_it_is_solved_again_with_one_note_and_one_receipt_and_can_be_taken_back(solved: Desk) -> None:
    desk = solved
    configure(desk, "apply")
    before = desk.ticket(1)
    says(desk, THANKS)
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
    says(desk, THANKS)
    seen = len(desk.events("ticket"))
    desk.seen.clear()
    assert "nothing to do" in desk("run").out
    assert not [line for line in desk.helpdesk_requests() if "audits" in line]
    assert (desk.ticket(1)["status"], len(desk.events("ticket"))) == ("open", seen)
    assert "thanks" not in str(desk.events("run_started"))
