"""Review of corrections: grouped, decided by a person, taken back, and never by one account alone unseen."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ticket_processor.cli import app
from ticket_processor.learning.model import Correction, Reaction
from ticket_processor.learning.scoreboard import decided_by_people
from ticket_processor.learning.store import FILE_NAME, LearningStore


def correction(ticket: int, author: int | None, ours: str | None = "general", theirs: str = "refund") -> Correction:
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


def test_the_same_change_is_one_group_with_its_accounts(store: LearningStore) -> None:
    store.keep([], [correction(1, 11), correction(2, 12), correction(3, 12), correction(4, 12, None, "billing")])
    first, second = json.loads(told("review", "--json"))["pending"]
    assert (first["ours"], first["theirs"], first["tickets"]) == ("general", "refund", 3)
    assert first["people"] == [[12, 2], [11, 1]]
    assert (second["ours"], second["theirs"]) == (None, "billing")
    assert "12 (2)" in told("review")


def test_what_is_approved_can_teach_and_an_undo_takes_it_back(store: LearningStore) -> None:
    store.keep([], [correction(1, 11), correction(2, 12), correction(3, 12, "order")])
    assert "2 corrections approved" in told("approve", "--field", "category", "--ours", "general", "--theirs", "refund")
    assert [item.ticket_id for item in store.examples("category")] == [1, 2]
    assert "1 correction rejected" in told("reject", "3")
    assert "no correction waits" in told("review")
    told("undo", "1")
    assert store.examples("category") == []
    assert [item.id for item in store.corrections("pending")] == [1, 2]


def test_a_ticket_whose_correction_was_rejected_is_not_said_to_be_decided_by_people(
    store: LearningStore, tmp_path: Path
) -> None:
    found = [Reaction(n, "category", "general", "general", "refund", "changed", "person", 11, 1.0, 2.0) for n in (1, 2)]
    store.keep(found, [correction(1, 11), correction(2, 11)])
    told("reject", "1")
    assert decided_by_people(tmp_path) == {2}


def test_nobody_decides_twice_or_by_half_a_name(store: LearningStore) -> None:
    store.keep([], [correction(1, 11)])
    told("approve", "1")
    assert "does not wait" in told("approve", "1", code=2)
    by_both = ["1", "--field", "category"]
    for words in ([], ["--theirs", "refund"], by_both, [*by_both, "--theirs", "refund"], ["1", "--ours", "general"]):
        assert "name corrections" in told("approve", *words, code=2)


def test_who_reviews_can_read_some_of_the_redacted_words(store: LearningStore) -> None:
    store.keep([], [replace(correction(number, 66), text=f"words of {number}\n\x1b[31mred") for number in range(1, 6)])
    assert "words of 1" not in told("review")
    assert "ticket 3: words of 3 " in told("review", "--texts")
    assert "words of 4" not in told("review", "--texts")
    [group] = json.loads(told("review", "--texts", "--json"))["pending"]
    assert [(one["ticket"], "\x1b" in one["text"]) for one in group["texts"]] == [(1, False), (2, False), (3, False)]


def test_who_approves_what_nobody_corrected_is_told_so(store: LearningStore) -> None:
    store.keep([], [correction(1, 66)])
    assert "no correction of category to refnud waits" in told(
        "approve", "--field", "category", "--theirs", "refnud", code=2
    )
    assert store.changes() == []
