from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.analysis.model_server import answer
from ticket_processor.analysis.text.redact import redact
from ticket_processor.policy import note

from ..support.cases import for_each
from .hostile import (
    FRAGMENTS,
    LINKS,
    MARKUP,
    MENTIONS,
    PLACEHOLDERS,
    harm,
    harm_in_words,
    harm_of,
)

STORIES = 2_000
"""More of them: python scripts/fuzz.py answers 100000"""

TEXT = redact("Charged twice\nOrder 10442, €49.90.")
LABELS = {"category": "billing", "urgency": "critical", "sentiment": "negative", "confidence": 0.9}


@pytest.mark.parametrize(
    "first", [0, *(pytest.param(first, marks=pytest.mark.slow) for first in range(500, STORIES, 500))]
)
def test_whatever_a_model_answers_nothing_is_written_that_nobody_allowed(first: int) -> None:
    found = {seed: harm for seed in range(first, first + 500) if (harm := harm_of(seed))}
    assert found == {}, "look at one with: python scripts/fuzz.py answers 1 --show --first SEED"


@for_each("fragment", FRAGMENTS)
def test_no_hostile_fragment_survives_in_a_free_text(fragment: str) -> None:
    text = redact(f"Hello\n{fragment} and {fragment}")
    said = {
        **LABELS,
        "summary": f"Look: {fragment}",
        "evidence": [fragment],
        "entities": {"product": fragment},
        "secondary": [fragment],
        "language": fragment,
        "risk": fragment,
    }
    assert harm(text, json.dumps(said), model=fragment) == []


@given(summary=st.text(max_size=60), joint=st.sampled_from(FRAGMENTS), rest=st.text(max_size=20))
def test_no_summary_at_all_becomes_more_than_words(summary: str, joint: str, rest: str) -> None:
    assert harm(TEXT, json.dumps({**LABELS, "summary": summary + joint + rest})) in ([], None)


# The judge is no sleeper


@for_each("text", [*LINKS[:6], *MARKUP[:5], *PLACEHOLDERS[:4], *MENTIONS[:4], "\u202ex", "\u200bx"])
def test_the_judge_knows_harm_when_it_sees_it(text: str) -> None:
    assert harm_in_words(f"Look at {text} please") != []


def test_a_gate_that_lets_words_through_as_they_are_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def as_it_is(text: str, limit: int = 300) -> str:
        return text.encode("utf-8", "replace").decode("utf-8")[:limit]

    monkeypatch.setattr(answer, "leaving_line", as_it_is)
    seeds = random.Random(1).sample(range(10_000), 50)
    assert sum(bool(harm_of(seed)) for seed in seeds) > 20
    monkeypatch.setattr(note, "plain_line", as_it_is)
    monkeypatch.setattr(note, "leaving_line", as_it_is)
    assert any("link" in (harm_of(seed) or ()) for seed in seeds)
