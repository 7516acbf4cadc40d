"""Stories on the local helpdesk: every promise holds there as well, and missing guards are noticed."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import Any

import orjson
import pytest

from .local_invariants import violations
from .local_mutations import LOCAL_MUTATIONS, NOTICED_BY
from .local_world import LocalWorld
from .reply_invariants import sent_in
from .seeds import first_seeds

SEEDS = 500
IN_DEFAULT_SET = 60
PART = 60
HUNTED = 2000


def _play(seed: int, **options: Any) -> LocalWorld:
    world = LocalWorld(seed, **options)
    world.play()
    return world


def _held(world: LocalWorld) -> Counter[str]:
    held = Counter(sent_in(world))
    ends = [end if isinstance(end, str) else end.stopped_by for end in world.ends]
    held["portals that died"] += ends.count("the portal crashed")
    held["runs that died"] += sum("crashed" in str(end) for end in ends) - ends.count("the portal crashed")
    held["files that failed"] += ends.count("HelpdeskDown")
    held["conflicts"] += sum(end == "409" for *_, end in world.wire)
    held["pages refused"] += world.account.refused
    held.update(f"changes by {audit.actor}" for audit in world.account.history)
    return held


@lru_cache(IN_DEFAULT_SET)
def _seen(seed: int) -> tuple[list[str], Counter[str]]:
    """The story's broken promises, and what was in it: the default set asks for both."""
    world = _play(seed)
    return violations(world), _held(world)


@pytest.mark.parametrize("first", first_seeds(PART, seeds=SEEDS, in_default_set=IN_DEFAULT_SET))
def test_no_promise_is_broken_whatever_goes_wrong(first: int) -> None:
    broken = {seed: found for seed in range(first, first + PART) if (found := _seen(seed)[0])}
    assert not broken, "replay with: python scripts/simulate.py 1 --local --show --first SEED"


def test_the_same_seed_tells_the_same_story_to_the_byte() -> None:
    once, again = _play(7), _play(7, quick=False)
    assert [orjson.dumps(line) for line in once.log] == [orjson.dumps(line) for line in again.log]
    assert (once.wire, once.account.history) == (again.wire, again.account.history)


@pytest.mark.parametrize("name", LOCAL_MUTATIONS)
def test_a_missing_guard_is_noticed(name: str) -> None:
    with LOCAL_MUTATIONS[name]():
        seeds = [NOTICED_BY.get(name, 0), *range(HUNTED)]
        assert any(violations(_play(seed)) for seed in seeds), f"{name}: nothing was noticed"


def test_the_stories_hold_what_they_are_meant_to_hold() -> None:
    held = sum((_seen(seed)[1] for seed in range(IN_DEFAULT_SET)), Counter[str]())
    wanted = ("public replies", "statuses behind them", "replies cancelled for a touch", "replies confirmed by reading")
    chances = ("runs that died", "portals that died", "files that failed", "conflicts", "pages refused")
    assert min(held[what] for what in (*wanted, *chances, "changes by api", "changes by person")) > 0
