"""Numbers of things in sentences."""

from __future__ import annotations

import pytest

from ticket_processor.core.wording import many


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
