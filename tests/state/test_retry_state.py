"""Bringing tickets back to the retry list, and taking them off for good."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ticket_processor.state.records import Retry
from ticket_processor.state.store import FILE_NAME, State

from ..support.fakes import a_change
from .test_store import a_verdict


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path / FILE_NAME)
    yield state
    state.close()


def given_up(state: State, ticket_id: int) -> None:
    state.retry_later(ticket_id, "refused", failed=True, max_attempts=1)


def test_the_dead_come_back_as_if_they_had_never_failed_and_the_others_keep_their_count(state: State) -> None:
    given_up(state, 1)
    given_up(state, 2)
    state.retry_later(3, "busy", failed=True, max_attempts=5)
    state.revive([1, 3, 9])
    assert state.retries() == [
        Retry(1, 0, "refused", dead=False),
        Retry(2, 1, "refused", dead=True),
        Retry(3, 1, "busy", dead=False),
    ]


def test_what_is_dropped_leaves_nothing_behind_but_the_knowledge_of_it(state: State) -> None:
    state.keep_verdict(a_verdict(1))
    state.open_intent(a_change(1))
    state.remember_fallback(1, ("ai_fallback",))
    state.retry_later(1, "busy", failed=True, max_attempts=5)
    state.drop(1)
    state.drop(1)
    assert (state.retries(), state.unsettled(), state.fallbacks()) == ([], [], {})
    assert state.dropped() == {1}


def test_what_was_dropped_stays_dropped_when_everything_begins_again(state: State) -> None:
    state.drop(1)
    state.begin_again("2026-11-01T00:00:00Z")
    assert state.dropped() == {1}


def test_what_was_dropped_can_be_taken_back(state: State) -> None:
    state.drop(1)
    state.revive([1])
    state.revive([1])
    assert state.dropped() == frozenset()
    assert state.retries() == [Retry(1, 0, "taken_back", dead=False)]
