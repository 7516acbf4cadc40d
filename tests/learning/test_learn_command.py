"""``ticketbot learn``: corrections are grouped, decided by a person, pinned, told of, and taken back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ticket_processor.cli import app
from ticket_processor.core.errors import ConfigError
from ticket_processor.evaluation.data import read_file
from ticket_processor.learning.gate import PinnedCase, pin, pinned
from ticket_processor.learning.scoreboard import decided_by_people
from ticket_processor.learning.store import FILE_NAME, Correction, LearningStore, Reaction

CORRECTION = Correction(0, 7, "category", "billing", "account", 12, "person", 100.0, text="I cannot log in.")
CASE = PinnedCase(0, 9, "urgency", "at_least", "high", "The shop is down.")


def corrected(ticket: int, author: int | None, ours: str | None = "general", theirs: str = "refund") -> Correction:
    return Correction(0, ticket, "category", ours, theirs, author, "person", 100.0, text="I want my money back.")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LearningStore:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TICKETBOT_STATE_DIR", str(tmp_path))
    return LearningStore(tmp_path / FILE_NAME)


def told(*arguments: str, code: int = 0) -> str:
    ended = CliRunner().invoke(app, ["learn", *arguments])
    assert ended.exit_code == code, ended.output
    return ended.output


def test_a_decision_is_told_and_taken_back(store: LearningStore) -> None:
    store.keep([], [CORRECTION])
    store.decide([1], "approved", "ana", 300.0)
    log = told("log")
    assert "1 correction approved by ana" in log
    assert "I cannot log in" not in log
    told("undo", "1")
    assert [item.status for item in store.corrections()] == ["pending"]
    [change] = json.loads(told("log", "--json"))["changes"]
    assert change["undone_at"]
    assert "learn log" in told("undo", "1", code=2)


@pytest.mark.parametrize("kind", ["unpin", "release"])
def test_what_cannot_be_taken_back_is_refused_and_stays_as_it_is(store: LearningStore, kind: str) -> None:
    store.record(kind, "ana", {"tickets": [7]}, 300.0)
    assert f"change 1 ({kind}) cannot be taken back" in told("undo", "1", code=2)
    assert [item.undone_at for item in store.changes()] == [None]


# Review


def test_the_same_change_is_one_group_with_its_accounts(store: LearningStore) -> None:
    store.keep([], [corrected(1, 11), corrected(2, 12), corrected(3, 12), corrected(4, 12, None, "billing")])
    first, second = json.loads(told("review", "--json"))["pending"]
    assert (first["ours"], first["theirs"], first["tickets"]) == ("general", "refund", 3)
    assert first["people"] == [[12, 2], [11, 1]]
    assert (second["ours"], second["theirs"]) == (None, "billing")
    assert "12 (2)" in told("review")


def test_a_ticket_whose_correction_was_rejected_is_not_said_to_be_decided_by_people(
    store: LearningStore, tmp_path: Path
) -> None:
    found = [Reaction(n, "category", "general", "general", "refund", "changed", "person", 11, 1.0, 2.0) for n in (1, 2)]
    store.keep(found, [corrected(1, 11), corrected(2, 11)])
    told("reject", "1")
    assert decided_by_people(tmp_path) == {2}


def test_nobody_decides_twice_or_by_half_a_name(store: LearningStore) -> None:
    store.keep([], [corrected(1, 11)])
    told("approve", "1")
    assert "does not wait" in told("approve", "1", code=2)
    by_both = ["1", "--field", "category"]
    for words in ([], ["--theirs", "refund"], by_both, [*by_both, "--theirs", "refund"], ["1", "--ours", "general"]):
        assert "name corrections" in told("approve", *words, code=2)


def test_who_reviews_can_read_some_of_the_redacted_words(store: LearningStore) -> None:
    store.keep([], [replace(corrected(number, 66), text=f"words of {number}\n\x1b[31mred") for number in range(1, 6)])
    assert "words of 1" not in told("review")
    assert "ticket 3: words of 3 " in told("review", "--texts")
    assert "words of 4" not in told("review", "--texts")
    [group] = json.loads(told("review", "--texts", "--json"))["pending"]
    assert [(one["ticket"], "\x1b" in one["text"]) for one in group["texts"]] == [(1, False), (2, False), (3, False)]


def test_who_approves_what_nobody_corrected_is_told_so(store: LearningStore) -> None:
    store.keep([], [corrected(1, 66)])
    assert "no correction of category to refnud waits" in told(
        "approve", "--field", "category", "--theirs", "refnud", code=2
    )
    assert store.changes() == []


# Pins


def test_only_an_approved_correction_can_be_pinned(store: LearningStore) -> None:
    store.keep([], [CORRECTION])
    assert "approve it first" in told("pin", "1", code=2)
    store.decide([1], "approved", "ana", 300.0)
    assert "ticket 7, category account" in told("pin", "1")
    assert "ticket 7  category account" in told("pins")
    assert "I cannot log in" not in told("log")


def test_to_take_a_later_pin_back_brings_the_earlier_one_back(store: LearningStore) -> None:
    pin(store, [CASE], "ana", 1.0)
    pin(store, [replace(CASE, value="critical"), replace(CASE, ticket_id=10)], "ana", 2.0)
    assert [case.wanted for case in pinned(store)] == ["urgency at least critical", "urgency at least high"]
    told("undo", "2")
    assert [(case.id, case.wanted) for case in pinned(store)] == [(1, "urgency at least high")]


def test_a_case_that_is_pinned_already_is_not_pinned_again(store: LearningStore) -> None:
    pin(store, [CASE], "ana", 1.0)
    assert [case.id for case in pin(store, [CASE], "ana", 2.0)] == [1]
    assert len(store.changes()) == 1


def test_all_leaves_out_what_cannot_be_pinned(store: LearningStore) -> None:
    store.keep([], [CORRECTION, replace(CORRECTION, field="field 2001", ours="a", theirs="b")])
    store.decide([1, 2], "approved", "ana", 300.0)
    output = told("pin", "--all")
    assert "ticket 7, category account" in output
    assert "left out: 1 correction" in output


def test_pins_are_rows_that_eval_reads(store: LearningStore, tmp_path: Path) -> None:
    pin(store, [CASE, replace(CASE, field="category", bound="is", value="technical")], "ana", 1.0)
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
        pin(store, [case], "ana", 1.0)
    assert not pinned(store)


def test_an_erased_case_is_gone_from_the_file(store: LearningStore, tmp_path: Path) -> None:
    pin(store, [CASE, replace(CASE, ticket_id=10)], "ana", 1.0)
    assert store.known([9, 10]) == {9, 10}
    assert store.forget([9, 10]) == 2
    assert not pin(store, [replace(CASE, ticket_id=10)], "ana", 2.0)
    store.close()
    assert b"shop is down" not in (tmp_path / FILE_NAME).read_bytes()
