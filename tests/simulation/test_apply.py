"""Planned writes among runs, people and crashes: made once, and never of a ticket that has changed since."""

from __future__ import annotations

from collections import Counter

import pytest

from .apply_world import APPLY_MUTATIONS, ApplyWorld, applied_in, broken_promises
from .seeds import first_seeds

SEEDS = 200
IN_DEFAULT_SET = 25
PART = 25
HUNTED = 2000


def _play(seed: int) -> ApplyWorld:
    world = ApplyWorld(seed)
    world.play()
    return world


@pytest.mark.parametrize("first", first_seeds(PART, seeds=SEEDS, in_default_set=IN_DEFAULT_SET))
def test_no_promise_is_broken_by_planned_writes(first: int) -> None:
    broken, held = {}, Counter[str]()
    for seed in range(first, first + PART):
        world = _play(seed)
        held += applied_in(world)
        if found := broken_promises(world):
            broken[seed] = found
    assert not broken, "replay with: python scripts/simulate.py 1 --apply --show --first SEED"
    assert min(held[f"planned writes {what}"] for what in ("made", "left out: changed since", "left out: done")) > 0


@pytest.mark.parametrize("name", APPLY_MUTATIONS)
def test_a_missing_guard_of_planned_writes_is_noticed(name: str) -> None:
    with APPLY_MUTATIONS[name]():
        assert any(broken_promises(_play(seed)) for seed in range(HUNTED))
