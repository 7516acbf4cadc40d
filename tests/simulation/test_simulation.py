"""The gate: stories without a violation, the same story twice alike, and missing guards noticed."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from unittest import mock

import orjson
import pytest

from ticket_processor.policy import decide as policy

from . import shortcuts
from .invariants import violations
from .mutations import MUTATIONS, NOTICED_BY, mutation
from .seeds import first_seeds
from .virtual import VirtualTime
from .world import World

SEEDS = 1000
IN_DEFAULT_SET = 100
PART = 100
HUNTED = 2000


def _play(seed: int, *, quick: bool = True) -> World:
    world = World(seed, quick=quick)
    world.play()
    return world


def _held(world: World) -> Counter[str]:
    held = Counter(f"updates that ended with {end}" for _run, method, *_, end in world.wire if method == "PUT")
    held["crashed"] += sum(isinstance(end, str) and "crashed" in end for end in world.ends)
    lines = [line for line in world.log if line["event"] == "ticket"]
    for change in filter(None, (line["change"] for line in lines)):
        group, added = change["group"], change["tags_added"]
        held["filled"] += bool(change["fields"]) and group["from"] != group["to"]
        held["kept"] += group["from"] is not None
        held["groupless"] += "desk_technical" in added and group["to"] is None
        held["also"] += any(tag.startswith("ai_also_") for tag in added)
        held["swapped"] += any(tag.startswith("ai_also_") for tag in change["tags_removed"])
    reasons = [line["reason"] for line in lines]
    held["confirmed"] += reasons.count("confirmed_by_reading")
    held["deferred"] += reasons.count("deferred_changed_just_now")
    held["judged"] += reasons.count("person_changed_our_tags")
    tickets = world.sandbox.store.tickets
    held["second"] += sum(len(world.our_writes(ticket_id)) > 1 for ticket_id in tickets)
    held["edits"] += sum(audit.actor == "person" for ticket in tickets.values() for audit in ticket.audits)
    return held


@lru_cache(IN_DEFAULT_SET)
def _seen(seed: int) -> tuple[list[str], Counter[str]]:
    """The story's broken promises, and what was in it: the default set asks for both."""
    world = _play(seed)
    return violations(world), _held(world)


def _told(world: World) -> list[object]:
    """All that can be seen of a story, to the byte."""
    desk = [(ticket.json, ticket.comments, ticket.audits) for ticket in world.sandbox.store.tickets.values()]
    return [[orjson.dumps(line) for line in world.log], world.wire, world.model_calls, world.ends, desk]


@pytest.mark.parametrize("first", first_seeds(PART, seeds=SEEDS, in_default_set=IN_DEFAULT_SET))
def test_no_promise_is_broken_whatever_goes_wrong(first: int) -> None:
    broken = {seed: found for seed in range(first, first + PART) if (found := _seen(seed)[0])}
    assert not broken, "replay with: python scripts/simulate.py 1 --show --first SEED"


@pytest.mark.parametrize("seed", [7, 23, 42])
def test_the_same_seed_tells_the_same_story_to_the_byte(seed: int) -> None:
    once, again = (_play(seed) for _ in range(2))
    assert _told(once) == _told(again)


@pytest.mark.parametrize("seed", first_seeds(75, seeds=SEEDS, in_default_set=IN_DEFAULT_SET))
def test_a_story_told_without_shortcuts_is_the_same_to_the_byte(seed: int) -> None:
    assert _told(_play(seed, quick=False)) == _told(_play(seed))


def test_every_shortcut_is_undone_behind_a_story() -> None:
    before = [getattr(owner, name) for owner, name, *_ in shortcuts.REPLACED]
    _play(1)
    assert [getattr(owner, name) for owner, name, *_ in shortcuts.REPLACED] == before


def test_a_mutation_is_not_covered_by_a_shortcut() -> None:
    with mock.patch.object(policy, "tag", return_value="mutated"):
        assert any("mutated" in ticket.tags for ticket in _play(0).sandbox.store.tickets.values())


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_missing_guard_is_noticed(name: str) -> None:
    with mutation(name):
        seeds = [NOTICED_BY.get(name, 0), *range(HUNTED)]
        assert any(violations(_play(seed)) for seed in seeds), f"{name}: nothing was noticed"


def test_the_stories_hold_what_they_are_meant_to_hold() -> None:
    """A simulation in which nothing happens would pass too."""
    held = sum((_seen(seed)[1] for seed in (*range(100), 127)), Counter[str]())
    assert min(held[f"updates that ended with {end}"] for end in ("200", "409", "lost")) > 0
    wanted = "crashed confirmed deferred edits filled kept groupless also swapped judged second"
    assert min(held[what] for what in wanted.split()) > 0


def test_processes_give_way_in_the_order_of_their_moments() -> None:
    time, seen = VirtualTime(0.0), []

    def process(name: str, pause: float) -> None:
        for _ in range(2):
            time.wait(pause)
            seen.append((name, time.now()))

    time.start(0.0, lambda: process("slow", 3.0))
    time.start(1.0, lambda: process("fast", 1.0))
    time.run()
    assert seen == [("fast", 2.0), ("slow", 3.0), ("fast", 3.0), ("slow", 6.0)]
