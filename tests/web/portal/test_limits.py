"""Limits count what is tried, not what turned out to be right."""

from __future__ import annotations

import pytest

pytest.importorskip("fastapi", reason="the extra 'serve' is not installed")


from ticket_processor.web.portal.parts import Buckets

MOST = 5


def test_tokens_are_taken_whole_and_come_back() -> None:
    now = 0.0
    buckets = Buckets(MOST, 100.0, lambda: now)
    assert [buckets.take("an address") for _ in range(MOST)] == [0.0] * MOST
    assert buckets.take("an address") == pytest.approx(20.0)
    assert buckets.take("another") == 0.0
    buckets.give_back("an address")
    assert buckets.take("an address", 2) > 0
    assert buckets.take("an address") == 0.0


def test_a_token_that_comes_back_late_makes_no_bucket_overflow() -> None:
    now = 0.0
    buckets = Buckets(MOST, 100.0, lambda: now)
    buckets.take("an address", 2)
    now = 100.0
    buckets.give_back("an address")
    buckets.give_back("an address")
    assert buckets.take("an address", MOST) == 0.0
    assert buckets.take("an address") == pytest.approx(20.0)
