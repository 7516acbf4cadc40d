"""Corrections as labelled tickets: what a person chose last, one a ticket, and never a better classifier made worse."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from ticket_processor.cli import app
from ticket_processor.core.taxonomy import Category, Taxonomy
from ticket_processor.evaluation.data import Example
from ticket_processor.learning.examples import corrected_examples, with_corrections
from ticket_processor.learning.store import ActorKind, Correction

TAXONOMY = Taxonomy(
    categories=(
        Category(name="billing", description="Money."),
        Category(name="double_charge", description="Paid twice.", parent="billing"),
        Category(name="general", description="Else."),
    )
)


def correction(ticket: int, field: str, theirs: str, at: float = 1.0, by: ActorKind = "person") -> Correction:
    return Correction(0, ticket, field, "general", theirs, 3, by, at, text=f"ticket {ticket} as of {at:.0f}")


def test_all_that_people_chose_on_a_ticket_is_one_example_and_the_newest_counts() -> None:
    [example] = corrected_examples(
        [
            correction(7, "category", "general", at=1.0),
            correction(7, "category", "billing", at=2.0),
            correction(7, "subcategory", "double_charge"),
            correction(7, "priority", "urgent"),
            correction(7, "sentiment", "negative"),
        ],
        TAXONOMY,
    )
    assert (example.id, example.body, example.category) == ("7", "ticket 7 as of 2", "double_charge")
    assert (example.urgency, example.sentiment) == ("critical", "negative")


def test_programs_and_names_that_are_gone_teach_nothing() -> None:
    told = [
        correction(1, "category", "billing", by="rule"),
        correction(2, "category", "legal"),
        correction(3, "group", "9"),
    ]
    assert corrected_examples(told, TAXONOMY) == []
    [kept] = corrected_examples(
        [correction(4, "category", "general"), correction(4, "subcategory", "double_charge")], TAXONOMY
    )
    assert kept.category == "general"


def test_a_solved_ticket_that_was_corrected_is_there_once_with_the_persons_labels() -> None:
    solved = [
        Example(id="1", body="a", category="general", urgency="low"),
        Example(id="2", body="b", category="general"),
    ]
    corrected = [Example(id="1", body="[NAME_1]", category="billing"), Example(id="3", body="c", category="billing")]
    among, others = with_corrections(solved, corrected)
    assert [(one.id, one.body, one.category, one.urgency) for one in among] == [
        ("1", "a", "billing", "low"),
        ("2", "b", "general", None),
    ]
    assert [one.id for one in others] == ["3"]


def test_without_approved_corrections_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TICKETBOT_STATE_DIR", str(tmp_path))
    (tmp_path / "own.jsonl").write_text('{"body": "a", "category": "billing"}\n', encoding="utf-8")
    asked = ["train", "own.jsonl", "--own-desk", "--from-corrections"]
    ended = CliRunner().invoke(app, asked)
    assert (ended.exit_code, "was approved" in ended.output) == (2, True)
