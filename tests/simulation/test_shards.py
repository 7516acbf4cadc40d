"""Two drivers on one account: nothing is written twice, nothing is left out, whatever goes wrong."""

from __future__ import annotations

import pytest

from ticket_processor.helpdesk.shards import Shard

from .seeds import first_seeds
from .shard_world import FIRST, SECOND, SHARD_MUTATIONS, ShardWorld, broken_promises

SEEDS = 300
IN_DEFAULT_SET = 50
PART = 50
HUNTED = 400


def _play(seed: int) -> ShardWorld:
    world = ShardWorld(seed)
    world.play()
    return world


@pytest.mark.parametrize("first", first_seeds(PART, seeds=SEEDS, in_default_set=IN_DEFAULT_SET))
def test_no_promise_is_broken_between_two_drivers(first: int) -> None:
    broken = {seed: found for seed in range(first, first + PART) if (found := broken_promises(_play(seed)))}
    assert not broken, "replay with: python scripts/simulate.py 1 --shards --show --first SEED"


@pytest.mark.parametrize("first", first_seeds(PART, seeds=SEEDS, in_default_set=PART))
def test_where_the_guard_holds_two_drivers_that_both_take_every_ticket_write_once(
    first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Shard, "has", lambda _shard, _ticket_id: True)
    guarded = [world for seed in range(first, first + PART) if not (world := _play(seed)).mishaps.unguarded]
    broken = {world.seed: found for world in guarded if (found := broken_promises(world))}
    assert len(guarded) > PART / 2
    assert not broken


@pytest.mark.parametrize("name", SHARD_MUTATIONS)
def test_a_hole_between_the_shards_is_noticed(name: str) -> None:
    with SHARD_MUTATIONS[name]():
        assert any(broken_promises(_play(seed)) for seed in range(HUNTED))


def test_both_drivers_have_tickets_and_write_on_them() -> None:
    writes = {FIRST: 0, SECOND: 0}
    for seed in range(20):
        world = _play(seed)
        for number in world.tickets:
            for shard in writes:
                writes[shard] += shard.has(number) and bool(world.our_writes(number))
    assert min(writes.values()) > 10
