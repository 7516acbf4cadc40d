"""Two settings files share the tickets: nothing is written twice, nothing is left out, whatever goes wrong."""

from __future__ import annotations

import pytest

from .invariants import violations
from .seeds import first_seeds
from .split_world import SPLIT_MUTATIONS, SplitWorld

SEEDS = 300
PART = 10


def _broken(seed: int) -> list[str]:
    world = SplitWorld(seed)
    world.play()
    return violations(world)


@pytest.mark.parametrize("first", first_seeds(PART, seeds=SEEDS, in_default_set=PART))
def test_no_promise_is_broken_where_two_settings_files_decide(first: int) -> None:
    broken = {seed: found for seed in range(first, first + PART) if (found := _broken(seed))}
    assert not broken, "replay with: python scripts/simulate.py 1 --split --show --first SEED"


@pytest.mark.parametrize("name", SPLIT_MUTATIONS)
def test_settings_that_must_not_be_split_are_noticed(name: str) -> None:
    with SPLIT_MUTATIONS[name]():
        assert any(_broken(seed) for seed in range(10))
