from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.reporting.figures import error_rate, success_rate
from ticket_processor.reporting.glossary import dollars, percent, points, seconds


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


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "±0 pts"), (0.00001, "±0 pts"), (0.0035, "+0.35 pts"), (-0.25, "-25.0 pts")]
)
def test_differences_between_shares_are_in_points(value: float, text: str) -> None:
    assert points(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"), (0.0, "$0.00"), (1234.5, "$1,234.50"), (0.24, "$0.24"), (0.0999, "$0.10"), (0.0321, "$0.032"),
        (0.00999, "$0.010"), (0.000213, "$0.00021"), (0.00001, "$0.000010"),
        (-0.0321, "$-0.032"), (-1234.5, "$-1,234.50"),
    ],
)  # fmt: skip
def test_small_sums_keep_two_digits(value: float | None, text: str) -> None:
    assert dollars(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (0.4, "0 ms"), (340, "340 ms"), (999.6, "1.0 s"), (14_960, "15.0 s")]
)
def test_times_are_in_the_unit_that_fits(value: float | None, text: str) -> None:
    assert seconds(value) == text
