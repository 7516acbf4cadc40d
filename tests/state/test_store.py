"""What survives between runs, and what happens to a file that is damaged or too new."""

from __future__ import annotations

import gc
import os
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from ticket_processor.core.clock import iso
from ticket_processor.core.errors import StateUnusable
from ticket_processor.core.guards import BreakerMemory
from ticket_processor.core.run_summary import RunRecord, RunSummary
from ticket_processor.helpdesk.local_reading import LocalFile
from ticket_processor.knowledge.store import KnowledgeStore
from ticket_processor.learning.store import LearningStore
from ticket_processor.state.records import Open, Retry, Verdict
from ticket_processor.state.store import CURSOR, DONE_KEPT_S, FILE_NAME, HELPDESK_DATE, HORIZON, RUNS_KEPT_S, State

from ..support.fakes import START, a_change, a_decision, an_analysis


def a_verdict(ticket_id: int = 1, **fields: object) -> Verdict:
    given: dict[str, object] = {
        "ticket_id": ticket_id,
        "key": "k" * 32,
        "analysis": an_analysis(),
        "decision": a_decision(ticket_id),
        "clean_stamp": "2026-11-21T02:30:00Z",
        **fields,
    }
    return Verdict.model_validate(given)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "account" / FILE_NAME


@pytest.fixture
def state(path: Path) -> Iterator[State]:
    state = State(path)
    yield state
    state.close()


def reopened(path: Path, state: State) -> State:
    state.close()
    return State(path)


def test_a_missing_folder_and_file_are_made(path: Path, state: State) -> None:
    assert path.is_file()
    assert state.fact("cursor") is None
    assert state.unsettled() == []
    assert state.retries() == []
    assert state.breaker("x") is None
    assert state.not_before("x", 0.0) == 0.0


def test_everything_is_there_again_after_reopening(path: Path, state: State) -> None:
    state.remember(cursor="c1", horizon="h")
    state.remember(cursor="c2")
    state.keep_verdict(a_verdict(3))
    state.open_intent(a_change(3))
    state.retry_later(4, "busy", failed=True, max_attempts=5)
    state.settled(5, done=("run", "key"))
    state.keep_breaker("desk", BreakerMemory(5, 12.5))
    state.keep_not_before("desk", 99.5, 50.0)
    again = reopened(path, state)
    assert (again.fact("cursor"), again.fact("horizon")) == ("c2", "h")
    assert again.unsettled() == [Open(a_verdict(3), (a_change(3),))]
    assert again.retries() == [Retry(4, 1, "busy", False)]
    assert again.is_done(5)
    assert not again.is_done(6)
    assert again.breaker("desk") == BreakerMemory(5, 12.5)
    assert again.not_before("desk", 60.0) == 99.5
    assert again.not_before("desk", 40.0) == 0.0  # told by a clock that was wrong
    again.close()


def test_a_verdict_is_read_that_an_earlier_version_made_under_a_release(path: Path, state: State) -> None:
    state.keep_verdict(a_verdict(3))
    state.close()
    with closing(sqlite3.connect(path)) as db, db:
        older = '"release":"3fa2c1d0","against":"","source":'
        db.execute("UPDATE verdicts SET verdict=replace(verdict, '\"source\":', ?)", (older,))
        assert older in db.execute("SELECT verdict FROM verdicts").fetchone()[0]
    assert State(path).verdict(3) == a_verdict(3)


def test_beginning_again_sets_the_horizon_drops_the_cursor_and_revives_the_dead(state: State) -> None:
    state.remember(**{CURSOR: "c", HORIZON: "old"})
    state.retry_later(1, "refused", failed=True, max_attempts=1)
    state.retry_later(2, "busy", failed=True, max_attempts=5)
    state.settled(3, done=("run", "key"))
    state.begin_again("2026-11-20T00:00:00Z")
    assert state.fact(CURSOR) is None
    assert state.fact(HORIZON) == "2026-11-20T00:00:00Z"
    assert state.retries() == [Retry(2, 1, "busy", False)]
    assert state.is_done(3)


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps access lists instead")
def test_nobody_else_can_read_the_file(path: Path, state: State) -> None:
    state.remember(cursor="c")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_commit_that_fails_is_rolled_back_and_the_state_goes_on(path: Path, state: State) -> None:
    state.remember(cursor="before")
    real = state._db

    class Failing:
        def execute(self, sql: str, *arguments: object) -> sqlite3.Cursor:
            if sql == "COMMIT":
                raise sqlite3.OperationalError("disk I/O error")
            return real.execute(sql, *arguments)

        def __getattr__(self, name: str) -> object:
            return getattr(real, name)

    state._db = Failing()  # type: ignore[assignment]
    with pytest.raises(StateUnusable):
        state.remember(cursor="lost")
    state._db = real
    assert state.fact("cursor") == "before"
    state.remember(cursor="after")
    assert state.fact("cursor") == "after"


def test_a_file_of_a_newer_program_is_refused_and_left_as_it_is(path: Path, state: State) -> None:
    state.remember(cursor="c")
    state.close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(StateUnusable, match="newer ticketbot"):
        State(path)
    db = sqlite3.connect(path)
    assert db.execute("SELECT value FROM facts").fetchall() == [("c",)]
    db.close()
    gc.collect()  # a connection left open would warn here


@pytest.mark.parametrize("damage", [b"this is no database, not at all" * 200, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_told(path: Path, damage: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(damage)
    with pytest.raises(StateUnusable, match="the state"):
        State(path)
    gc.collect()


def test_a_scratch_copy_holds_the_same_and_leaves_the_original_alone(path: Path, state: State) -> None:
    state.remember(cursor="c")
    state.retry_later(1, "busy", failed=True, max_attempts=5)
    copy = State.scratch_copy(path)
    assert copy.fact("cursor") == "c"
    copy.remember(cursor="moved")
    copy.settled(1, done=("run", "key"))
    copy.keep_breaker("desk", BreakerMemory(5, 1.0))
    copy.close()
    assert state.fact("cursor") == "c"
    assert [item.ticket_id for item in state.retries()] == [1]
    assert state.breaker("desk") is None
    assert not state.is_done(1)


def test_failures_count_and_mere_waits_do_not(state: State) -> None:
    assert state.retry_later(1, "deferred", failed=False, max_attempts=3) == Retry(1, 0, "deferred", False)
    assert state.retry_later(1, "refused", failed=True, max_attempts=3) == Retry(1, 1, "refused", False)
    assert state.retry_later(1, "deferred", failed=False, max_attempts=3) == Retry(1, 1, "deferred", False)
    assert state.retry_later(1, "refused", failed=True, max_attempts=3) == Retry(1, 2, "refused", False)
    assert state.retries() == [Retry(1, 2, "refused", False)]


def test_a_ticket_that_failed_too_often_is_dead_and_leaves_nothing_open(state: State) -> None:
    state.keep_verdict(a_verdict(1))
    state.open_intent(a_change(1))
    for attempt in (1, 2):
        assert state.retry_later(1, "refused", failed=True, max_attempts=3) == Retry(1, attempt, "refused", False)
        assert [item.verdict.ticket_id for item in state.unsettled()] == [1]
    assert state.retry_later(1, "refused", failed=True, max_attempts=3) == Retry(1, 3, "refused", True)
    assert state.unsettled() == []
    assert state.retries() == [Retry(1, 3, "refused", True)]


def test_every_change_that_may_have_been_sent_is_kept_in_its_order(state: State) -> None:
    state.keep_verdict(a_verdict(1))
    changes = [a_change(1, intent=f"run-{number}", stamp=f"2026-11-21T02:30:0{number}Z") for number in range(4)]
    for change in changes:
        state.open_intent(change)
    state.keep_verdict(a_verdict(1, analyse_ms=7))  # a newer verdict does not forget what was sent
    (item,) = state.unsettled()
    assert item.sent == tuple(changes)
    assert item.verdict.analyse_ms == 7


def test_a_settled_ticket_leaves_nothing_open(state: State) -> None:
    state.keep_verdict(a_verdict(1))
    state.open_intent(a_change(1))
    state.retry_later(1, "busy", failed=True, max_attempts=5)
    state.settled(1)
    assert (state.unsettled(), state.retries()) == ([], [])
    assert not state.is_done(1)
    state.settled(1, done=("run", "key"))
    state.settled(1, done=("run", "key"))
    assert state.is_done(1)


def test_a_name_can_be_given_to_one_write_only_and_a_refusal_leaves_the_file_usable(state: State) -> None:
    state.open_intent(a_change(1, intent="run-1"))
    with pytest.raises(StateUnusable):
        state.open_intent(a_change(2, intent="run-1"))
    state.remember(cursor="still works")
    assert state.fact("cursor") == "still works"


def test_what_is_done_together_happens_whole_or_not_at_all(state: State) -> None:
    class Interrupted(Exception):
        pass

    def interrupted() -> None:
        with state.transaction():
            state.remember_fallback(1, ("ai_fallback",))
            state.settled(1, done=("run", "key"))
            raise Interrupted

    with pytest.raises(Interrupted):
        interrupted()
    assert (state.fallbacks(), state.is_done(1)) == ({}, False)
    with state.transaction():
        state.remember_fallback(1, ("ai_fallback",))
        state.settled(1, done=("run", "key"))
    assert (state.fallbacks(), state.is_done(1)) == ({1: ("ai_fallback",)}, True)


def test_many_threads_may_write_at_once(state: State) -> None:
    gate = threading.Barrier(8)

    def work(number: int) -> None:
        gate.wait()
        for step in range(10):
            state.retry_later(number, "busy", failed=True, max_attempts=100)
            state.keep_verdict(a_verdict(100 + number * 10 + step))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert [item.attempts for item in state.retries()] == [10] * 8
    assert len(state.unsettled()) == 80


@pytest.mark.parametrize("store", [State, LearningStore, KnowledgeStore, LocalFile])
def test_many_may_be_the_first_to_open_a_file(
    tmp_path: Path, store: Callable[[Path], State | LearningStore | KnowledgeStore | LocalFile]
) -> None:
    gate = threading.Barrier(8)

    def opening(name: str) -> None:
        gate.wait()
        store(tmp_path / name).close()

    with ThreadPoolExecutor(8) as pool:
        for turn in range(5):
            list(pool.map(opening, [f"{turn}.sqlite3"] * 8))


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


DAY_S = 86_400.0


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
