"""A second look at what rules answered: our labels may go, a person's judgement stays."""

from __future__ import annotations

import pytest

from ticket_processor.models import Priority
from ticket_processor.policy import Policy
from ticket_processor.second_look import replacing, still_ours
from ticket_processor.state import State
from ticket_processor.tags import merge

from .fakes import a_decision, a_ticket

POLICY = Policy()
OURS = ("ai_processed", "ai_general", "ai_urgency_low", "ai_fallback", "ai_review")
TICKET = a_ticket(1, tags=("vip", *OURS), priority=Priority.NORMAL)
NEW = a_decision(
    1, tags=("ai_processed", "ai_billing", "ai_urgency_low"), priority=Priority.HIGH, note="Triage: billing."
)
SAME = a_decision(1, tags=("ai_processed", "ai_general", "ai_urgency_low"), priority=Priority.NORMAL, note="Triage.")


def test_labels_that_no_longer_hold_go_and_nothing_else() -> None:
    change = merge(TICKET, replacing(NEW, TICKET, OURS, POLICY), key="k")
    assert set(change.tags) == {"vip", "ai_processed", "ai_urgency_low", "ai_billing"}
    assert set(change.tags_removed) == {"ai_general", "ai_fallback", "ai_review"}
    assert change.tags_added == ("ai_billing",)


def test_a_priority_stays_whoever_set_it_and_another_is_suggested() -> None:
    decision = replacing(NEW, TICKET, OURS, POLICY)
    assert merge(TICKET, decision, key="k").priority is None
    assert decision.note is not None
    assert "stays normal; high is suggested" in decision.note
    empty = TICKET.model_copy(update={"priority": None})
    assert merge(empty, replacing(NEW, empty, OURS, POLICY), key="k").priority is Priority.HIGH


def test_a_model_that_agrees_takes_the_fallback_tag_off_without_a_second_note() -> None:
    decision = replacing(SAME, TICKET, OURS, POLICY)
    assert decision.note is None
    assert set(merge(TICKET, decision, key="k").tags_removed) == {"ai_fallback", "ai_review"}


@pytest.mark.parametrize("taken", OURS)
def test_whoever_took_one_of_our_tags_off_has_judged_the_ticket(taken: str) -> None:
    assert still_ours(TICKET, OURS, POLICY)
    left = tuple(tag for tag in TICKET.tags if tag != taken)
    assert not still_ours(TICKET.model_copy(update={"tags": left}), OURS, POLICY)


def test_a_write_that_was_no_fallback_gets_no_second_look() -> None:
    assert not still_ours(TICKET, ("ai_processed", "ai_general"), POLICY)


def test_the_list_of_fallbacks_survives_and_forgets_what_is_done() -> None:
    state = State(None)
    state.remember_fallback(7, OURS)
    state.remember_fallback(3, ("ai_processed", "ai_fallback"))
    assert list(state.fallbacks().items()) == [(3, ("ai_processed", "ai_fallback")), (7, OURS)]
    state.forget_fallback(3)
    assert list(state.fallbacks()) == [7]
    state.close()
