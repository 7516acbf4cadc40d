"""``ticketbot run --retry-fallbacks``: what rules answered while the model was down gets a second look, once."""

from __future__ import annotations

import pytest

from ticket_processor.state.records import Dependencies

from ..imitation import FaultPlan, FaultRule
from .conftest import Desk, OpenDesk, is_update

DOWN = [FaultRule(kind="error-before", path="/v1/", status=503)]


@pytest.fixture
def recovered(open_desk: OpenDesk) -> Desk:
    """Three tickets that rules had to answer, and a model that is up again."""
    desk = open_desk(3, model=True)
    desk.sandbox.faults = FaultPlan(DOWN, 0)
    desk("run", "--since", "1d")
    assert all("ai_fallback" in desk.ticket(number)["tags"] for number in desk.tickets)
    desk.sandbox.faults = FaultPlan()
    desk.advance(120)
    (desk.state / "state.sqlite3").stat()
    return desk


def forget_the_breaker(desk: Desk) -> None:
    from ticket_processor.core.circuit_breaker import BreakerMemory
    from ticket_processor.state.store import FILE_NAME, State

    state = State(desk.state / FILE_NAME)
    Dependencies(state).keep_breaker(desk.model_breaker, BreakerMemory())
    state.close()


def test_without_being_asked_nobody_looks_again(recovered: Desk) -> None:
    forget_the_breaker(recovered)
    recovered("run")
    assert recovered.sandbox.llm_calls == 0
    recovered.assert_done()


def test_the_models_labels_take_the_place_of_the_rules(recovered: Desk) -> None:
    forget_the_breaker(recovered)
    recovered.sandbox.store.person_edit(2, add_tags=("vip",))
    recovered.advance(60)
    ended = recovered("run", "--retry-fallbacks")
    assert "3 updated" in ended.out
    assert recovered.sandbox.llm_calls == 3
    for number in recovered.tickets:
        tags = recovered.ticket(number)["tags"]
        assert "ai_fallback" not in tags
        assert "ai_processed" in tags
        assert sum(tag.startswith("ai_urgency_") for tag in tags) == 1
        assert sum(tag.startswith("ai_sentiment_") for tag in tags) == 1
        assert len(recovered.notes(number)) <= 2
    assert "vip" in recovered.ticket(2)["tags"]
    lines = [
        line
        for line in recovered.events("ticket")
        if line["change"] and "ai_fallback" in line["change"]["tags_removed"]
    ]
    assert len(lines) == 3


def test_a_second_look_is_taken_once(recovered: Desk) -> None:
    forget_the_breaker(recovered)
    recovered("run", "--retry-fallbacks")
    recovered.seen.clear()
    recovered.advance(120)
    recovered("run", "--retry-fallbacks")
    assert recovered.sandbox.llm_calls == 3
    assert not [request for request in recovered.seen if is_update(request)]


def test_a_person_who_judged_the_ticket_meanwhile_is_left_in_peace(recovered: Desk) -> None:
    forget_the_breaker(recovered)
    store = recovered.sandbox.store
    store.person_edit(1, remove_tags=("ai_fallback",))
    store.person_edit(2, status="solved")
    recovered.advance(60)
    before = {number: recovered.ticket(number)["tags"] for number in (1, 2)}
    recovered("run", "--retry-fallbacks")
    assert {number: recovered.ticket(number)["tags"] for number in (1, 2)} == before
    reasons = {line["ticket_id"]: line["reason"] for line in recovered.events("ticket") if line["outcome"] == "skipped"}
    assert reasons == {1: "person_changed_our_tags", 2: "solved"}
    assert "ai_fallback" not in recovered.ticket(3)["tags"]


def test_while_the_model_is_still_down_everything_stays_and_waits(recovered: Desk) -> None:
    recovered.sandbox.faults = FaultPlan(DOWN, 0)
    before = {number: recovered.ticket(number)["tags"] for number in recovered.tickets}
    ended = recovered("run", "--retry-fallbacks")
    assert "again no model answered: 3" in ended.out
    assert {number: recovered.ticket(number)["tags"] for number in recovered.tickets} == before
    recovered.sandbox.faults = FaultPlan()
    forget_the_breaker(recovered)
    assert "3 updated" in recovered("run", "--retry-fallbacks").out


def test_a_dry_run_shows_the_second_look_and_writes_nothing(recovered: Desk) -> None:
    forget_the_breaker(recovered)
    before = {number: recovered.ticket(number)["tags"] for number in recovered.tickets}
    shown = recovered("run", "--retry-fallbacks", "--dry-run")
    assert "- tag ai_fallback" in shown.out
    assert {number: recovered.ticket(number)["tags"] for number in recovered.tickets} == before


def test_a_model_that_makes_nothing_of_a_ticket_is_asked_three_times_at_most(recovered: Desk) -> None:
    forget_the_breaker(recovered)
    recovered.sandbox.faults = FaultPlan([FaultRule(kind="html", path="/v1/")], 0)
    for _ in range(4):
        recovered("run", "--retry-fallbacks")
    asked = len(recovered.model_requests())
    recovered.sandbox.faults = FaultPlan()
    recovered("run", "--retry-fallbacks")
    assert len(recovered.model_requests()) == asked
    assert all("ai_fallback" in recovered.ticket(number)["tags"] for number in recovered.tickets)
