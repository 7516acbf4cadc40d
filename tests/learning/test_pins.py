"""Pinned cases: from corrections and tickets, kept, exported, deleted and erased."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ticket_processor.cli import app
from ticket_processor.core.errors import ConfigError
from ticket_processor.evaluation.data import read_file
from ticket_processor.learning.model import Correction
from ticket_processor.learning.pins import PinnedCase, Pins
from ticket_processor.learning.store import FILE_NAME, LearningStore

CORRECTION = Correction(0, 7, "category", "billing", "account", 12, "person", 100.0, text="I cannot log in.")
CASE = PinnedCase(0, 9, "urgency", "at_least", "high", "The shop is down.")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LearningStore:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TICKETBOT_STATE_DIR", str(tmp_path))
    return LearningStore(tmp_path / FILE_NAME)


def told(*arguments: str, code: int = 0) -> str:
    ended = CliRunner().invoke(app, ["learn", *arguments])
    assert ended.exit_code == code, ended.output
    return ended.output


def test_only_an_approved_correction_can_be_pinned(store: LearningStore) -> None:
    store.keep([], [CORRECTION])
    assert "approve it first" in told("pin", "1", code=2)
    store.decide([1], "approved", "ana", 300.0)
    assert "ticket 7, category account" in told("pin", "1")
    assert "ticket 7  category account" in told("pins")
    assert "I cannot log in" not in told("log")


def test_a_pin_is_taken_back_like_anything_learnt(store: LearningStore) -> None:
    store.keep([], [CORRECTION])
    store.decide([1], "approved", "ana", 300.0)
    told("pin", "--all")
    told("undo", "2")
    assert "no case" in told("pins")
    told("pin", "--ticket", "7")
    assert [case.ticket_id for case in Pins(store).all()] == [7]


def test_to_take_a_later_pin_back_brings_the_earlier_one_back(store: LearningStore) -> None:
    Pins(store).pin([CASE], "ana", 1.0)
    Pins(store).pin([replace(CASE, value="critical"), replace(CASE, ticket_id=10)], "ana", 2.0)
    assert [case.wanted for case in Pins(store).all()] == ["urgency at least critical", "urgency at least high"]
    told("undo", "2")
    assert [(case.id, case.wanted) for case in Pins(store).all()] == [(1, "urgency at least high")]


def test_a_case_that_is_pinned_already_is_not_pinned_again(store: LearningStore) -> None:
    Pins(store).pin([CASE], "ana", 1.0)
    assert [case.id for case in Pins(store).pin([CASE], "ana", 2.0)] == [1]
    assert len(store.changes()) == 1


def test_all_leaves_out_what_cannot_be_pinned(store: LearningStore) -> None:
    store.keep([], [CORRECTION, replace(CORRECTION, field="field 2001", ours="a", theirs="b")])
    store.decide([1, 2], "approved", "ana", 300.0)
    output = told("pin", "--all")
    assert "ticket 7, category account" in output
    assert "1 correction was left out" in output


def test_pins_are_rows_that_eval_reads(store: LearningStore, tmp_path: Path) -> None:
    Pins(store).pin([CASE, replace(CASE, field="category", bound="is", value="technical")], "ana", 1.0)
    rows = json.loads(told("pins", "--json"))["pins"]
    (tmp_path / "pins.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    [example] = read_file(tmp_path / "pins.jsonl").examples
    assert (example.body, example.category, example.urgency) == ("The shop is down.", "technical", None)
    assert rows[0]["at_least"] == {"urgency": "high"}


@pytest.mark.parametrize(
    ("bound", "right"),
    [("is", {"high"}), ("at_least", {"high", "critical"})],
)
def test_a_bound_says_which_urgencies_are_right(bound: str, right: set[str]) -> None:
    case = replace(CASE, bound=bound)  # type: ignore[arg-type]
    assert {level for level in ("critical", "high", "medium", "low") if case.holds(level)} == right


@pytest.mark.parametrize(
    "case",
    [replace(CASE, value="huge"), replace(CASE, field="tag"), replace(CASE, field="category"), replace(CASE, text="")],
)
def test_a_case_that_no_answer_could_fulfil_is_refused(store: LearningStore, case: PinnedCase) -> None:
    with pytest.raises(ConfigError):
        Pins(store).pin([case], "ana", 1.0)
    assert not Pins(store).all()


def test_an_erased_case_is_gone_from_the_file(store: LearningStore, tmp_path: Path) -> None:
    Pins(store).pin([CASE, replace(CASE, ticket_id=10)], "ana", 1.0)
    assert store.known([9, 10]) == {9, 10}
    assert store.forget([9, 10]) == 2
    assert not Pins(store).pin([replace(CASE, ticket_id=10)], "ana", 2.0)
    store.close()
    assert b"shop is down" not in (tmp_path / FILE_NAME).read_bytes()
