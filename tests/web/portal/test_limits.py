"""Limits count what is tried, not what turned out to be right, and strangers apart from people the portal knows."""

from __future__ import annotations

import re
from html import unescape

import pytest

pytest.importorskip("fastapi", reason="the extra 'serve' is not installed")

from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.web.portal.parts import Buckets, charge, give_back

from .conftest import TYPED, PortalRig

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


def test_strangers_use_up_no_limit_of_a_customer_who_has_followed_a_mail(rig: PortalRig) -> None:
    rig.browser().submit(subject="First")
    customer = rig.browser()
    customer.get(f"/t/{rig.only_ticket().number}?k={rig.store.new_secret(rig.only_ticket().id)}")
    for number in range(45):  # from this customer's own address, and the first of them in this customer's name
        email = TYPED["email"] if number < 10 else f"{number}@example.com"
        rig.browser().submit(subject=f"No {number}", email=email, wait=4)
    assert rig.browser().submit(subject="Mine", email="new@example.com").status_code == 429
    assert rig.browser("198.51.100.1").submit(subject="Mine").status_code == 429
    answers = [customer.submit(subject=f"Mine {number}").status_code for number in range(11)]
    assert answers == [200] * 10 + [429]
    assert customer.submit(subject="Not mine", email="bob@example.com").status_code == 200


def test_who_has_only_submitted_in_somebody_s_name_counts_as_a_stranger(rig: PortalRig) -> None:
    stranger = rig.browser()
    [link] = set(re.findall(r'href="(http://help\.test/t/[^"]+)"', stranger.submit().text))
    assert stranger.get(unescape(link)).status_code == 200
    answers = [stranger.submit(subject=f"No {number}").status_code for number in range(10)]
    assert answers == [200] * 9 + [429]
