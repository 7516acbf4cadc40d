from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.reporting.figures import error_rate, success_rate
from ticket_processor.reporting.glossary import percent


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"), (0.0, "0.0%"), (0.00001, "<0.01%"), (0.0046, "0.46%"), (0.123, "12.3%"), (0.98, "98.0%"),
        (0.9952, "99.52%"), (0.99996, ">99.99%"), (1.0, "100.0%"),
    ],
)  # fmt: skip
def test_shares_have_more_digits_near_the_ends(value: float | None, text: str) -> None:
    assert percent(value) == text


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_single_failure_is_never_rounded_away(written: int, failed: int) -> None:
    good, bad = success_rate(written, failed), error_rate(written, failed)
    assert (good is None) == (bad is None) == (written + failed == 0)
    assert (percent(good) == "100.0%") == (failed == 0 < written)
    assert (percent(bad) == "0.0%") == (failed == 0 < written)
