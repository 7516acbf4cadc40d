"""Stories with a cluster that loses, repeats and delays: no ticket notices, nothing is paid twice unsaid."""

from __future__ import annotations

from collections import Counter

import pytest

from .cluster_mutations import CLUSTER_MUTATIONS
from .cluster_world import FATES, ClusterWorld, violations
from .seeds import first_seeds

SEEDS = 500
IN_DEFAULT_SET = 50
PART = 50
HUNTED = 300


def _play(seed: int) -> ClusterWorld:
    world = ClusterWorld(seed)
    world.play()
    return world


@pytest.mark.parametrize("first", first_seeds(PART, seeds=SEEDS, in_default_set=IN_DEFAULT_SET))
def test_no_promise_is_broken_whatever_is_lost(first: int) -> None:
    broken = {seed: found for seed in range(first, first + PART) if (found := violations(_play(seed)))}
    assert not broken, "replay with: python scripts/simulate.py 1 --cluster --show --first SEED"


@pytest.mark.parametrize("name", CLUSTER_MUTATIONS)
def test_a_missing_guard_is_noticed(name: str) -> None:
    with CLUSTER_MUTATIONS[name]():
        assert any(violations(_play(seed)) for seed in range(HUNTED)), f"{name}: nothing was noticed"


def test_the_stories_hold_what_they_are_meant_to_hold() -> None:
    fates = Counter(fate for seed in range(40) for played in _play(seed).played for fate in played.fates)
    assert set(fates) == set(FATES)
