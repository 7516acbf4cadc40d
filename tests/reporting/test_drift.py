"""Differences that chance explains are told from those that it does not."""

from __future__ import annotations

import random

import pytest

from ticket_processor.reporting.drift import LEAST_VARIATION, chance, discovered, variation_of


def test_the_chance_is_that_of_a_fair_draw() -> None:
    dice = random.Random(3)
    rounds, drawn, share = 4_000, 60, 0.2
    least = 19
    hits = sum(abs(sum(dice.random() < share for _ in range(drawn)) - drawn * share) >= 7 for _ in range(rounds))
    assert chance(least, drawn - least, 4) == pytest.approx(hits / rounds, abs=0.02)


def test_either_way_counts_and_what_varies_much_proves_less() -> None:
    assert chance(10, 40, 4) == 1.0
    assert chance(30, 40, 4) < 0.001 > chance(0, 80, 4)
    assert chance(30, 40, 4, variation=3.0) > 0.01
    assert chance(0, 0, 4) == 1.0


def test_among_many_only_the_surest_are_discovered_and_several_help_each_other() -> None:
    nothing = [0.2, 0.4, 0.6, 0.8] * 5
    assert discovered([0.002, *nothing], 0.01) < 0
    assert discovered([0.0004, *nothing], 0.01) == 0.0004
    assert discovered([0.0004, 0.0008, 0.0013, *nothing], 0.01) == 0.0013
    assert discovered([], 0.01) < 0


def test_one_outage_among_many_weeks_makes_them_no_wilder() -> None:
    calm = [[12, 11, 13, 12]] * 20
    assert variation_of([*calm, [12, 300, 11, 12]]) == LEAST_VARIATION
    assert variation_of([[2, 25, 8, 14], [30, 4, 11, 9]] * 10) > 5
