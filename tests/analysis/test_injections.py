from __future__ import annotations

from pathlib import Path

import pytest

from ..support.cases import for_each
from .injected import OWN, PLANTED, effects, rows

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "injections.jsonl.gz"
EVERY = 20
"""All of them: python scripts/fuzz.py answers 0 --injections FILE"""


@for_each("text", OWN)
def test_a_text_that_gives_orders_has_no_effect_that_nobody_allowed(text: str) -> None:
    assert effects(text) == []


@pytest.mark.parametrize("place", [0, 400, 4000])
def test_planted_json_is_no_answer_wherever_it_stands(place: int) -> None:
    text = "The parcel has not come yet. " * 200
    assert effects(text[:place] + PLANTED + text[place:]) == []


def test_labelled_injections_have_no_effect_either() -> None:
    if not DATA.is_file():
        pytest.skip("the labelled injections do not lie beside the project")
    asked = [row["text"] for row in list(rows(DATA))[::EVERY]]
    assert len(asked) > 100
    found = {text[:60]: harm for text in asked if (harm := effects(text))}
    assert found == {}
