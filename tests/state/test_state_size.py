"""The state file does not grow with the years: what only saves time is forgotten after some of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ticket_processor.core.clock import iso
from ticket_processor.core.run_summary import RunRecord, RunSummary
from ticket_processor.state.store import DONE_KEPT_S, HELPDESK_DATE, RUNS_KEPT_S, State

from ..support.fakes import START

DAY_S = 86_400.0


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path / "state.sqlite3")
    yield state
    state.close()


def run_id(moment: float) -> str:
    return iso(moment).replace("-", "").replace(":", "") + "-1a2b3c"


def ends(state: State, moment: float, *tickets: int, fallback: bool = False) -> None:
    """A run has written on these tickets."""
    for ticket in tickets:
        if fallback:
            state.remember_fallback(ticket, ("ai_fallback",))
        state.settled(ticket, done=(run_id(moment), "k" * 32))
    summary = RunSummary(run_id=run_id(moment), dry_run=False)
    state.remember(**{HELPDESK_DATE: repr(moment)})
    state.keep_run(RunRecord(run_id=run_id(moment), started=moment, finished=moment + 5, summary=summary))


def test_tickets_done_long_ago_are_forgotten_for_their_marker_and_their_key_say_so(state: State) -> None:
    ends(state, START, 1, 2, fallback=True)
    ends(state, START + DONE_KEPT_S - DAY_S, 3, fallback=True)
    assert [number for number in (1, 2, 3) if state.is_done(number)] == [1, 2, 3]
    ends(state, START + DONE_KEPT_S + DAY_S, 4)
    assert [number for number in (1, 2, 3, 4) if state.is_done(number)] == [3, 4]
    assert set(state.fallbacks()) == {3}


@pytest.mark.parametrize("days_ahead", [400, -400])
def test_a_clock_that_is_wrong_makes_nothing_be_forgotten(state: State, days_ahead: int) -> None:
    ends(state, START, 1, fallback=True)
    for true, wrong_by in ((START + 600, 0.0), (START + 1200, days_ahead * DAY_S), (START + 1800, 0.0)):
        moment = true + wrong_by
        state.remember(**{HELPDESK_DATE: repr(true)})
        summary = RunSummary(run_id=run_id(moment), dry_run=False)
        state.keep_run(RunRecord(run_id=run_id(moment), started=moment, finished=moment + 5, summary=summary))
    assert state.is_done(1)
    assert set(state.fallbacks()) == {1}
    assert {START + 600, START + 1800} <= {record.started for record in state.runs(0.0)}


def test_runs_of_more_than_a_month_ago_are_forgotten_once_the_helpdesk_says_how_late_it_is(state: State) -> None:
    ends(state, START)
    ends(state, START + RUNS_KEPT_S + DAY_S)
    assert [record.started for record in state.runs(0.0)] == [START + RUNS_KEPT_S + DAY_S]


def test_forgetting_costs_nothing_but_once_a_day(state: State) -> None:
    statements: list[str] = []
    ends(state, START, 1)
    state._db.set_trace_callback(statements.append)
    ends(state, START + 600, 2)
    ends(state, START + 1200, 3)
    assert not [each for each in statements if "DELETE FROM done" in each]
    ends(state, START + DAY_S, 4)
    assert [each for each in statements if "DELETE FROM done" in each]
