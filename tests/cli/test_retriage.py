"""``run.retriage_on_reply``: the customer answers a ticket that was triaged, and it is looked at again, once."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from ticket_processor.core.circuit_breaker import BreakerMemory
from ticket_processor.state.records import Dependencies
from ticket_processor.state.store import FILE_NAME, State

from ..imitation import FaultPlan, FaultRule
from .conftest import Desk, OpenDesk, is_update, rows
from .test_privacy import CORPUS, handed_over, leaks

DOWN = [FaultRule(kind="error-before", path="/v1/", status=503)]
MONEY = "I was charged twice for my subscription this month. Please check my invoice."
OUTAGE = "Now the app shows an error and crashes whenever I try to log in. This is urgent, nobody here can work!"


def configure(desk: Desk, more: str = "") -> None:
    (desk.folder / "ticketbot.toml").write_text(f"[run]\nretriage_on_reply = true\n{more}", encoding="utf-8")


def says(desk: Desk, words: str, number: int = 1, **fields: Any) -> None:
    """The customer answers; the helpdesk gives such changes out after a minute."""
    customer = desk.ticket(number)["requester_id"]
    desk.sandbox.store.person_edit(number, comment=words, public=True, author_id=customer, **fields)
    desk.advance(120)


def receipts(desk: Desk, number: int = 1) -> list[tuple[str, str]]:
    return [(line["outcome"], line["reason"]) for line in desk.events("ticket") if line["ticket_id"] == number]


def audits_read(desk: Desk) -> int:
    return sum(request.endswith("/audits") for request in desk.helpdesk_requests())


def recover(desk: Desk) -> None:
    """The model is up again, and the breaker has been told."""
    desk.sandbox.faults = FaultPlan()
    state = State(desk.state / FILE_NAME)
    Dependencies(state).keep_breaker(desk.model_breaker, BreakerMemory())
    state.close()


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


def labels(desk: Desk, number: int = 1) -> set[str]:
    return {tag for tag in desk.ticket(number)["tags"] if tag.startswith("ai_")}


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

    ended = desk("run", "--verify", "all")
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


def test_by_default_an_answer_changes_nothing_and_costs_nothing(triaged: Desk) -> None:
    desk = triaged
    (desk.folder / "ticketbot.toml").unlink()
    asked, before = desk.sandbox.llm_calls, desk.ticket(1)["tags"]
    says(desk, OUTAGE)
    desk.seen.clear()
    assert "nothing to do" in desk("run").out
    assert audits_read(desk) == 0
    assert (desk.sandbox.llm_calls, desk.ticket(1)["tags"]) == (asked, before)


def test_an_answer_that_changes_nothing_has_one_receipt(triaged: Desk) -> None:
    desk = triaged
    before = desk.ticket(1)["tags"]
    says(desk, "The invoice of this month, I mean.")
    assert "the ticket has all that would be written: 1" in desk("run").out
    asked = desk.sandbox.llm_calls
    desk.sandbox.store.person_edit(1, comment="We look into it.", public=True)
    desk.advance(120)
    assert "nothing to do" in desk("run").out
    assert receipts(desk).count(("skipped", "nothing_left_to_change")) == 1
    assert (desk.sandbox.llm_calls, desk.ticket(1)["tags"], len(desk.notes(1))) == (asked, before, 1)


def test_while_the_model_is_down_an_answer_waits_for_it(triaged: Desk) -> None:
    desk = triaged
    before = desk.ticket(1)["tags"]
    says(desk, OUTAGE)
    desk.sandbox.faults = FaultPlan(DOWN, 0)
    assert "again no model answered: 1" in desk("run").out
    assert desk.ticket(1)["tags"] == before
    assert "still_no_model" in desk("retry", "list").out
    recover(desk)
    assert "1 updated" in desk("run").out
    assert "ai_urgency_high" in labels(desk)
    assert desk("retry", "list", "--json").object["tickets"] == []


def test_with_the_state_folder_lost_nothing_is_written_twice(triaged: Desk) -> None:
    desk = triaged
    says(desk, OUTAGE)
    desk("run")
    before = desk.ticket(1)["tags"]
    desk.advance(120)
    shutil.rmtree(desk.state)
    desk.seen.clear()
    desk("run", "--since", "1d")
    assert not [request for request in desk.seen if is_update(request)]
    assert (desk.ticket(1)["tags"], len(desk.notes(1))) == (before, 2)


def test_a_run_of_answers_can_be_taken_back_and_the_next_answer_is_looked_at(triaged: Desk) -> None:
    desk = triaged
    before = labels(desk)
    says(desk, OUTAGE)
    run_id = desk("run", "--json").object["run_id"]
    assert labels(desk) != before
    desk.advance(60)
    desk("undo", run_id)
    assert labels(desk) == before
    desk.advance(120)
    assert "nothing to do" in desk("run").out
    assert labels(desk) == before
    says(desk, f"{OUTAGE} Please hurry!")
    desk("run")
    assert "ai_urgency_high" in labels(desk)


def test_nobody_answers_a_ticket_whose_triage_was_taken_back(triaged: Desk) -> None:
    desk = triaged
    (run_id,) = {line["run_id"] for line in desk.events("ticket") if line["outcome"] == "updated"}
    desk("undo", run_id)
    assert labels(desk) == set()
    says(desk, OUTAGE)
    desk("run")
    assert labels(desk) == set()
    assert receipts(desk)[-1] == ("skipped", "person_changed_our_tags")


@pytest.mark.slow
def test_answers_are_written_by_jobs_as_well(open_desk: OpenDesk) -> None:
    desk = open_desk(rows(6))
    configure(desk, 'write_mode = "batch"\n')
    desk("run", "--since", "1d")
    desk.advance(120)
    before = {number: labels(desk, number) for number in desk.tickets}
    for number in desk.tickets:
        says(desk, OUTAGE, number)
    desk.seen.clear()
    desk("run", "--verify", "all")
    assert {request.path for request in desk.seen if is_update(request)} == {"/api/v2/tickets/update_many"}
    assert all(labels(desk, number) != before[number] for number in desk.tickets)
    assert not any("ai_fallback" in labels(desk, number) for number in desk.tickets)  # no model was configured
    assert all(len(desk.notes(number)) == 2 for number in desk.tickets)
    desk.advance(120)
    desk.seen.clear()
    desk("run")
    assert not [request for request in desk.seen if is_update(request)]


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
