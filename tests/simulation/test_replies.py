"""Stories with public replies: sent at most once, announced, late enough, and never behind anybody's back."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import pytest

from .reply_invariants import sent_in, violations
from .reply_mutations import NOTICED_BY, REPLY_MUTATIONS
from .reply_world import ReplyWorld
from .seeds import first_seeds

SEEDS = 500
IN_DEFAULT_SET = 60
PART = 60
HUNTED = 1000


def _play(seed: int) -> ReplyWorld:
    world = ReplyWorld(seed)
    world.play()
    return world


def _held(world: ReplyWorld) -> Counter[str]:
    held = Counter(sent_in(world))
    held["crashes"] += sum("crashed" in str(end) for end in world.ends if isinstance(end, str))
    return held


@lru_cache(IN_DEFAULT_SET)
def _seen(seed: int) -> tuple[list[str], Counter[str]]:
    """The story's broken promises, and what was in it: the default set asks for both."""
    world = _play(seed)
    return violations(world), _held(world)


@pytest.mark.parametrize("first", first_seeds(PART, seeds=SEEDS, in_default_set=IN_DEFAULT_SET))
def test_no_promise_is_broken_whatever_goes_wrong(first: int) -> None:
    broken = {seed: found for seed in range(first, first + PART) if (found := _seen(seed)[0])}
    assert not broken, "replay with: python scripts/simulate.py 1 --replies --show --first SEED"


@pytest.mark.parametrize("name", REPLY_MUTATIONS)
def test_a_missing_guard_is_noticed(name: str) -> None:
    with REPLY_MUTATIONS[name]():
        seeds = [NOTICED_BY.get(name, 0), *range(HUNTED)]
        assert any(violations(_play(seed)) for seed in seeds), f"{name}: nothing was noticed"


def test_the_stories_hold_what_they_are_meant_to_hold() -> None:
    held = sum((_seen(seed)[1] for seed in range(IN_DEFAULT_SET)), Counter[str]())
    wanted = ("public replies", "statuses behind them", "replies cancelled for a touch", "replies confirmed by reading")
    assert min(held[what] for what in (*wanted, "replies cancelled for a changed article", "crashes")) > 0
