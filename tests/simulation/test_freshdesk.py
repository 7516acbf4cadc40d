"""Stories on Freshdesk: what can be promised there holds, what cannot is rare, and missing guards are noticed."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import orjson
import pytest

from .crash_matrix import play_crashes
from .freshdesk_invariants import losses, violations
from .freshdesk_mutations import FRESHDESK_MUTATIONS, NOTICED_BY
from .freshdesk_world import FreshdeskWorld
from .seeds import first_seeds

SEEDS = 500
IN_DEFAULT_SET = 60
PART = 60
HUNTED = 2000


def _play(seed: int) -> FreshdeskWorld:
    world = FreshdeskWorld(seed)
    world.play()
    return world


def _held(world: FreshdeskWorld) -> Counter[str]:
    held = Counter(losses(world))
    held["crashes"] += sum("crashed" in str(end) for end in world.ends if isinstance(end, str))
    held["lost replies"] += sum(end == "lost" for *_, end in world.wire)
    held.update(f"{edit.who} {edit.conversation}" for edit in world.sandbox.desk.edits)
    return held


@lru_cache(IN_DEFAULT_SET)
def _seen(seed: int) -> tuple[list[str], Counter[str]]:
    """The story's broken promises, and what was in it: the default set asks for both."""
    world = _play(seed)
    return violations(world), _held(world)


@pytest.mark.parametrize("first", first_seeds(PART, seeds=SEEDS, in_default_set=IN_DEFAULT_SET))
def test_no_promise_is_broken_whatever_goes_wrong(first: int) -> None:
    broken = {seed: found for seed in range(first, first + PART) if (found := _seen(seed)[0])}
    assert not broken, "replay with: python scripts/simulate.py 1 --freshdesk --show --first SEED"


def test_runs_that_die_between_any_two_calls_break_no_promise() -> None:
    broken: dict[int, list[str]] = {}
    held: Counter[str] = Counter()
    for seed, found, what in play_crashes(range(10_000, 10_040)):
        broken |= {seed: found} if found else {}
        held += what
    assert not broken
    wanted = ("GET tickets/{id}", "POST tickets/{id}/notes", "PUT tickets/{id}")
    assert min(held[f"died after {what}"] for what in wanted) > 0


def test_the_same_seed_tells_the_same_story_to_the_byte() -> None:
    once, again = (_play(7) for _ in range(2))
    assert [orjson.dumps(line) for line in once.log] == [orjson.dumps(line) for line in again.log]
    assert (once.wire, once.sandbox.desk.edits) == (again.wire, again.sandbox.desk.edits)


@pytest.mark.parametrize("name", FRESHDESK_MUTATIONS)
def test_a_missing_guard_is_noticed(name: str) -> None:
    with FRESHDESK_MUTATIONS[name]():
        seeds = [NOTICED_BY.get(name, 0), *range(HUNTED)]
        assert any(violations(_play(seed)) for seed in seeds), f"{name}: nothing was noticed"


def test_the_stories_hold_what_they_are_meant_to_hold() -> None:
    """Also what no client can prevent: a simulation in which nothing is ever lost would not play Freshdesk."""
    held = sum((_seen(seed)[1] for seed in range(IN_DEFAULT_SET)), Counter[str]())
    assert held["tags of others lost in the gap"] < held["updates"] / 10
    wanted = ("updates", "tags of others lost in the gap", "crashes", "lost replies", "bot created", "bot deleted")
    assert min(held[what] for what in (*wanted, "agent edited", "customer created")) > 0
