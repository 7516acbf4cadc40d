"""Stories with thanks: a ticket is solved again once, with its note, and never behind anybody's back."""

from __future__ import annotations

from collections import Counter

import pytest

from .seeds import first_seeds
from .thanks_invariants import thanked_in, violations
from .thanks_mutations import NOTICED_BY, THANKS_MUTATIONS
from .thanks_world import ThanksWorld

SEEDS = 500
IN_DEFAULT_SET = 20
PART = 20
HUNTED = 1000


def _play(seed: int) -> ThanksWorld:
    world = ThanksWorld(seed)
    world.play()
    return world


@pytest.mark.parametrize("first", first_seeds(PART, seeds=SEEDS, in_default_set=IN_DEFAULT_SET))
def test_no_promise_is_broken_whatever_goes_wrong(first: int) -> None:
    broken = {seed: found for seed in range(first, first + PART) if (found := violations(_play(seed)))}
    assert not broken, "replay with: python scripts/simulate.py 1 --thanks --show --first SEED"


@pytest.mark.parametrize("name", THANKS_MUTATIONS)
def test_a_missing_guard_is_noticed(name: str) -> None:
    with THANKS_MUTATIONS[name]():
        seeds = [NOTICED_BY.get(name, 0), *range(HUNTED)]
        assert any(violations(_play(seed)) for seed in seeds), f"{name}: nothing was noticed"


@pytest.mark.slow
def test_the_stories_hold_what_they_are_meant_to_hold() -> None:
    held: Counter[str] = Counter()
    for seed in range(100):
        held.update(thanked_in(_play(seed)))
    assert min(held.values()) > 0, held
