"""``run.retriage_on_reply``: the customer answers a ticket that was triaged, and it is looked at again, once."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Desk, OpenDesk
from .test_privacy import CORPUS, handed_over, leaks

MONEY = "I was charged twice for my subscription this month. Please check my invoice."
OUTAGE = "Now the app shows an error and crashes whenever I try to log in. This is urgent, nobody here can work!"


def configure(desk: Desk, more: str = "") -> None:
    desk.configure(f"[run]\nretriage_on_reply = true\n{more}")


def says(desk: Desk, words: str, number: int = 1, **fields: Any) -> None:
    """The customer answers; the helpdesk gives such changes out after a minute."""
    customer = desk.ticket(number)["requester_id"]
    desk.sandbox.store.person_edit(number, comment=words, public=True, author_id=customer, **fields)
    desk.advance(120)


def audits_read(desk: Desk) -> int:
    return sum(request.endswith("/audits") for request in desk.helpdesk_requests())


@pytest.fixture
def triaged(open_desk: OpenDesk) -> Desk:
    """One ticket about money that a model has triaged, and whose write the export has given back."""
    desk = open_desk([{"subject": "Charged twice", "body": MONEY, "age": 7200.0}], model=True)
    configure(desk)
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

    asked = desk.sandbox.llm_calls
    desk.advance(120)
    desk.seen.clear()
    again = desk("run")
    assert "nothing to do" in again.out
    assert audits_read(desk) == 1
    assert (desk.sandbox.llm_calls, len(desk.notes(1))) == (asked, 2)


def test_nothing_planted_in_an_answer_is_kept_printed_or_sent(open_desk: OpenDesk) -> None:
    people = [ticket for ticket in CORPUS if ticket.planted and ticket.kind != "machine"][:12]
    desk = open_desk(handed_over(people), model=True)
    configure(desk)
    desk("run", "--since", "2d")
    desk.advance(120)
    customers = {number: desk.ticket(number)["requester_id"] for number in desk.tickets}
    for number, answered in zip(customers, [*people[1:], people[0]], strict=True):
        desk.sandbox.store.person_edit(
            number,
            comment=f"{answered.body} Nothing works any more, this is urgent!",
            public=True,
            author_id=customers[number],
        )
    desk.advance(120)
    desk.seen.clear()
    ended = desk("run")
    chats = [request.body.decode("utf-8") for request in desk.model_requests() if request.path.endswith("completions")]
    assert len(chats) >= len(people)
    assert {value for chat in chats for value in leaks(chat)} == set()
    assert leaks(ended.out) == []
    for path in desk.folder.rglob("*"):
        if path.is_file():
            assert leaks(path.read_bytes().decode("utf-8", "replace")) == [], path.name
    assert all(leaks(note["plain_body"]) == [] for number in desk.tickets for note in desk.notes(number))
    assert any(len(desk.notes(number)) == 2 for number in desk.tickets)
