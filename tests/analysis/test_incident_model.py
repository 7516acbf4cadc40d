"""Incidents in mails by hands that wrote neither word lists nor what the weights were learnt from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.analysis.rules.alarms import found_in, marks_of
from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.analysis.rules.incident_model import chances
from ticket_processor.analysis.rules.matcher import words_of
from ticket_processor.analysis.text.redact import redact
from ticket_processor.core.models import Urgency
from ticket_processor.core.taxonomy import default_taxonomy

HELD_BACK = Path(__file__).parent / "incident_texts" / "held_back.jsonl"
RULES = RulesAnalyser(default_taxonomy())

ENCRYPTED = (
    "Please call me\nGood morning, since last night all the files on our server have a strange ending and nobody in "
    "the office can open them. There is a text file that asks for money. What shall we do?"
)
DO_YOU_ENCRYPT = (
    "Question before we buy\nGood morning, we are comparing suppliers. Do you encrypt the backups on your servers, and "
    "what would happen to our files if somebody asked you for a ransom? Thank you for a short answer."
)


def raised(text: str) -> bool:
    return RULES.analyse(redact(text)).urgency in (Urgency.HIGH, Urgency.CRITICAL)


@pytest.mark.parametrize(("kind", "least", "most"), [("incident", 56, 60), ("none", 0, 3)])
def test_mails_by_another_hand_are_told_apart(kind: str, least: int, most: int) -> None:
    rows = [json.loads(line) for line in HELD_BACK.read_text(encoding="utf-8").splitlines()]
    assert least <= sum(raised(row["text"]) for row in rows if row["kind"] == kind) <= most


def test_an_incident_is_likelier_than_a_question_about_one() -> None:
    incident, question = (
        chances(words_of(text), marks_of(*found_in(text, "en"), text)) for text in (ENCRYPTED, DO_YOU_ENCRYPT)
    )
    assert incident is not None
    assert question is not None
    assert incident.of_any > 0.5 > question.of_any
    assert raised(ENCRYPTED)
    assert not raised(DO_YOU_ENCRYPT)


def test_of_a_few_words_nothing_is_said() -> None:
    assert chances(words_of("My account was hacked")) is None
    assert raised("My account was hacked")


@given(st.text(max_size=600))
def test_chances_are_shares_of_one(text: str) -> None:
    told = chances(words_of(text))
    assert told is None or (all(0 <= each <= 1 for each in told) and told.of_any <= 1 + 1e-9)
