"""Limits count what is tried, and not what turned out to be right."""

from __future__ import annotations

import pytest

pytest.importorskip("fastapi", reason="the extra 'serve' is not installed")

from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.web.portal.limits import Buckets, charge, give_back

MOST = 5


@given(st.lists(st.tuples(st.integers(0, 7), st.booleans()), max_size=30))
def test_tokens_are_taken_whole_and_come_back_once(steps: list[tuple[int, bool]]) -> None:
    one, other = (Buckets(most, 100.0, lambda: 0.0) for most in (MOST, MOST + 2))
    used = 0
    for count, is_right in steps:
        charges = (other, "a name", count), (one, "an address", count)
        wait_s = charge(*charges)
        assert (wait_s == 0.0) == (used + count <= MOST)
        if is_right and not wait_s:
            give_back(*charges)
        elif not wait_s:
            used += count
    assert one.take("an address", MOST - used) == 0.0
    assert one.take("an address") > 0
    assert other.take("a name", MOST + 2 - used) == 0.0
    assert other.take("a name") > 0


def test_a_token_that_comes_back_late_makes_no_bucket_overflow() -> None:
    now = 0.0
    buckets = Buckets(MOST, 100.0, lambda: now)
    buckets.take("an address", 2)
    now = 100.0
    buckets.give_back("an address", 2)
    assert buckets.take("an address", MOST) == 0.0
    assert buckets.take("an address") == pytest.approx(20.0)
