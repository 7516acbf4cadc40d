"""Numbers in sentences."""

from __future__ import annotations

import pytest

from ticket_processor.core.text import many, p_value


@pytest.mark.parametrize(
    ("count", "noun", "plural", "told"),
    [
        (1, "run", "", "1 run"),
        (0, "run", "", "0 runs"),
        (2000, "reply", "", "2,000 replies"),
        (2, "day", "", "2 days"),
        (1, "piece of advice", "pieces of advice", "1 piece of advice"),
        (3, "piece of advice", "pieces of advice", "3 pieces of advice"),
    ],
)
def test_one_thing_has_no_plural(count: int, noun: str, plural: str, told: str) -> None:
    assert many(count, noun, plural) == told


@pytest.mark.parametrize(("p", "told"), [(0.0314, "p = 0.031"), (1.0, "p = 1.000"), (0.0, "p < 0.001")])
def test_a_small_chance_is_never_told_as_none(p: float, told: str) -> None:
    assert p_value(p) == told
