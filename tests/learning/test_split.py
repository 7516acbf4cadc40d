"""Two releases compared: tickets that people judged, and a p-value that holds however often one looks."""

from __future__ import annotations

import random

import pytest

from ticket_processor.learning.model import Fate, Reaction
from ticket_processor.learning.split import SplitArm, always_valid_p, comparisons


def reaction(ticket: int, release: str, fate: Fate = "kept", *, field: str = "category", **more: object) -> Reaction:
    against = {"a": "b", "b": "a"}[release]
    given = {"actor_kind": "person", "ours": "billing", "against": against, **more}
    return Reaction(
        ticket, field, "billing", theirs=None, fate=fate, author=1, at=1.0, settled_at=2.0, release=release, **given
    )  # type: ignore[arg-type]


def p(*counts: int) -> float:
    kept_1, judged_1, kept_2, judged_2 = counts
    return always_valid_p(SplitArm("a", judged_1, kept_1), SplitArm("b", judged_2, kept_2))


def test_a_ticket_counts_once_and_only_where_somebody_judged_it_in_a_split() -> None:
    found = comparisons(
        [
            reaction(1, "a"),
            reaction(1, "a", "changed", field="urgency"),
            reaction(2, "a"),
            reaction(3, "a", "untouched", actor_kind="unknown"),
            reaction(4, "a", "added", ours=None),
            reaction(5, "a", "changed", actor_kind="unknown"),
            reaction(6, "a", against=""),
            reaction(7, "b", "removed"),
        ]
    )
    assert [(item.first, item.second) for item in found] == [(SplitArm("a", 3, 1), SplitArm("b", 1, 0))]


def test_equal_shares_are_no_evidence_and_a_clear_fall_is() -> None:
    assert p(810, 900, 90, 100) == 1.0
    assert p(810, 900, 70, 100) < 0.001
    assert p(810, 900, 70, 100) == pytest.approx(p(70, 100, 810, 900))
    assert p(9, 10, 0, 1) > 0.05
    assert p(0, 0, 5, 5) == 1.0


def test_looking_every_day_finds_a_fall_and_seldom_one_that_is_none() -> None:
    dice = random.Random(0)

    def alarmed(rate: float, other: float) -> bool:
        counts = [0, 0, 0, 0]
        for _ in range(90):
            for place, share, tickets in ((0, rate, 36), (2, other, 4)):
                counts[place] += sum(dice.random() < share for _ in range(tickets))
                counts[place + 1] += tickets
            if p(*counts) <= 0.05:
                return True
        return False

    assert sum(alarmed(0.85, 0.85) for _ in range(60)) <= 4
    assert sum(alarmed(0.85, 0.75) for _ in range(30)) >= 24
