"""``ticketbot run --retry-fallbacks``: what rules answered while the model was down gets a second look, once."""

from __future__ import annotations

from contextlib import closing

import pytest

from ticket_processor.core.circuit_breaker import BreakerMemory
from ticket_processor.state.records import Dependencies
from ticket_processor.state.store import FILE_NAME, State

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
    recover(desk)
    desk.advance(120)
    return desk


def recover(desk: Desk) -> None:
    """The model is up again, and the breaker has been told."""
    desk.sandbox.faults = FaultPlan()
    with closing(State(desk.state / FILE_NAME)) as state:
        Dependencies(state).keep_breaker(desk.model_breaker, BreakerMemory())


def test_a_model_looks_only_where_it_is_asked_and_its_labels_take_the_place_of_the_rules_once(recovered: Desk) -> None:
    recovered("run")
    assert recovered.sandbox.llm_calls == 0
    recovered.assert_done()
    recovered.sandbox.store.person_edit(2, add_tags=("vip",))
    recovered.advance(60)
    before = {number: recovered.ticket(number)["tags"] for number in recovered.tickets}
    assert "- tag ai_fallback" in recovered("run", "--retry-fallbacks", "--dry-run").out
    assert {number: recovered.ticket(number)["tags"] for number in recovered.tickets} == before
    assert "3 updated" in recovered("run", "--retry-fallbacks").out
    assert recovered.sandbox.llm_calls == 3, "the dry run has paid for them"
    for number in recovered.tickets:
        tags = recovered.ticket(number)["tags"]
        assert "ai_fallback" not in tags
        assert "ai_processed" in tags
        assert sum(tag.startswith("ai_urgency_") for tag in tags) == 1
        assert sum(tag.startswith("ai_sentiment_") for tag in tags) == 1
        assert len(recovered.notes(number)) <= 2
    assert "vip" in recovered.ticket(2)["tags"]
    changes = [line["change"] for line in recovered.events("ticket") if line["change"] and not line["dry_run"]]
    assert sum("ai_fallback" in change["tags_removed"] for change in changes) == 3
    recovered.seen.clear()
    recovered.advance(120)
    recovered("run", "--retry-fallbacks")
    assert recovered.sandbox.llm_calls == 3
    assert not [request for request in recovered.seen if is_update(request)]


def test_a_person_who_judged_the_ticket_meanwhile_is_left_in_peace(recovered: Desk) -> None:
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
    assert "again no model answered: 3" in recovered("run", "--retry-fallbacks").out
    assert {number: recovered.ticket(number)["tags"] for number in recovered.tickets} == before
    recover(recovered)
    assert "3 updated" in recovered("run", "--retry-fallbacks").out
