from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ticket_processor.analysis import cache
from ticket_processor.analysis.cache import DAY_S, FILE_NAME, AnswerStore
from ticket_processor.core.models import Usage

from ..support.fakes import ManualClock, an_analysis

ANSWER = an_analysis(model="m", usage=Usage(input=300, output=40), cost_usd=0.001, attempts=2)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(clock: ManualClock) -> AnswerStore:
    return AnswerStore(None, clock)


@pytest.mark.parametrize("other", ["CHARGED TWICE", "Charged twice!", "Charged 2", "", "Charged twice [EMAIL_1]"])
def test_shouting_and_other_words_and_marks_do(store: AnswerStore, other: str) -> None:
    store.put("m", "Charged twice", ANSWER)
    assert store.get("m", other) is None


def test_answers_grow_old_and_are_swept_away(tmp_path: Path, clock: ManualClock) -> None:
    store = AnswerStore(tmp_path / FILE_NAME, clock, days=2)
    store.put("m", "old", ANSWER)
    clock.advance(DAY_S)
    store.put("m", "young", ANSWER)
    clock.advance(1.5 * DAY_S)
    assert store.get("m", "old") is None
    assert store.get("m", "young") is not None
    store.close()
    AnswerStore(tmp_path / FILE_NAME, clock, days=2).close()
    with sqlite3.connect(tmp_path / FILE_NAME) as db:
        assert db.execute("SELECT count(*) FROM answers").fetchone() == (1,)
    db.close()


def test_the_oldest_go_when_there_are_too_many(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = AnswerStore(tmp_path / FILE_NAME, clock)
    for number in range(5):
        clock.advance(1)
        store.put("m", f"text {number}", ANSWER)
    store.close()
    monkeypatch.setattr(cache, "MOST_ANSWERS", 2)
    store = AnswerStore(tmp_path / FILE_NAME, clock)
    assert [store.get("m", f"text {number}") is not None for number in range(5)] == [False] * 3 + [True] * 2
    store.close()


def test_the_file_holds_no_word_of_a_ticket_and_is_the_users_own(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / FILE_NAME
    store = AnswerStore(path, clock)
    store.put("m", "CANARY in a ticket", ANSWER)
    store.close()
    assert b"CANARY" not in path.read_bytes()
    assert b"canary" not in path.read_bytes()


def test_what_was_spent_is_counted_by_utc_day(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / FILE_NAME
    for store in (AnswerStore(path, clock), AnswerStore(path, clock)):
        store.spend("m", Usage(input=100, output=10, cached=50), 0.25)
        store.spend("n", Usage(input=1, output=1), 0.0)
        store.close()
    store = AnswerStore(path, clock)
    assert store.spent_today() == 0.5
    clock.advance(DAY_S)
    assert store.spent_today() == 0.0
    store.close()


def test_a_damaged_file_is_put_aside_and_a_new_one_begun(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(b"no database at all, whatever its name says" * 200)
    store = AnswerStore(path, clock)
    assert store.trouble is not None
    assert "put aside" in store.trouble
    store.put("m", "Charged twice", ANSWER)
    store.close()
    assert path.with_suffix(".damaged").exists()
    assert AnswerStore(path, clock).get("m", "Charged twice") is not None


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_damaged_in_the_file_no_run_fails_for_it(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "fuzzed.sqlite3"
    for old in tmp_path.glob("fuzzed*"):
        old.unlink()
    store = AnswerStore(path, ManualClock())
    store.put("m", "Charged twice", ANSWER)
    store.spend("m", Usage(input=5), 0.1)
    store.close()
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 30))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    store = AnswerStore(path, ManualClock())
    store.get("m", "Charged twice")
    store.put("m", "Another", ANSWER)
    store.spent_today()
    store.close()
