"""Texts to which the imitated model has the answers beforehand."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ticket_processor.sandbox.openai_answers import KnownAnswers, answer_for

from .test_openai import SCHEMA

MAIL = "Charged twice\nHello, my name is Jane Doe and you have taken $49.90 twice for February. Please check."
REDACTED = "Charged twice\nHello, my name is [NAME_1] and you have taken $49.90 twice for February. Please check."
KNOWN = {"category": "billing", "urgency": "high", "summary": "A second charge.", "confidence": 0.9, "unheard_of": 1}
VALUES = st.none() | st.booleans() | st.floats(0, 1) | st.text(max_size=200) | st.lists(st.text(max_size=5), max_size=3)


def answered(text: str, known: dict[str, Any], schema: dict[str, Any] = SCHEMA) -> Any:
    wanted = {"type": "json_schema", "schema": schema}
    return json.loads(answer_for([{"role": "user", "content": text}], wanted, KnownAnswers([(MAIL, known)])))


def test_a_known_text_gets_its_answer_though_it_was_redacted() -> None:
    for text in (MAIL, REDACTED):
        answer = answered(text, KNOWN)
        assert {name: answer[name] for name in ("category", "urgency", "summary", "confidence")} == {
            name: value for name, value in KNOWN.items() if name != "unheard_of"
        }
        assert answer["sentiment"] == "neutral"


def test_another_text_is_answered_by_its_words() -> None:
    assert answered("My parcel did not come", KNOWN)["category"] == "order"
    assert answered("", KNOWN)["summary"] != KNOWN["summary"]


def test_a_known_value_that_the_schema_has_no_room_for_is_not_used() -> None:
    schema = {**SCHEMA, "properties": {**SCHEMA["properties"], "category": {"enum": ["money", "other"]}}}
    assert answered(MAIL, {**KNOWN, "summary": "x" * 81}, schema)["category"] == "other"
    assert len(answered(MAIL, {**KNOWN, "summary": "x" * 81})["summary"]) <= 80


@given(st.dictionaries(st.sampled_from(["category", "urgency", "sentiment"]), VALUES))
def test_whatever_is_known_the_answer_fits_the_schema(known: dict[str, Any]) -> None:
    Draft202012Validator(SCHEMA).validate(answered(MAIL, known))
