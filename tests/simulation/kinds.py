"""The kinds of stories: what is played, what must hold, what must be noticed, and what must have happened in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import (
    apply_world,
    cluster_world,
    freshdesk_invariants,
    invariants,
    reply_world,
    service_world,
    shard_world,
    thanks_world,
)
from .apply_world import APPLY_MUTATIONS, ApplyWorld
from .cluster_world import CLUSTER_MUTATIONS, FATES, ClusterWorld
from .freshdesk_mutations import FRESHDESK_MUTATIONS
from .freshdesk_world import FreshdeskWorld
from .guards import Guard
from .local_mutations import LOCAL_MUTATIONS
from .local_world import LocalWorld
from .mutations import MUTATIONS
from .reply_world import REPLY_MUTATIONS, ReplyWorld
from .service_world import SERVICE_MUTATIONS, ServiceWorld
from .shard_world import FIRST, SECOND, SHARD_MUTATIONS, ShardWorld
from .split_world import SPLIT_MUTATIONS, SplitWorld
from .thanks_world import THANKS_MUTATIONS, ThanksWorld
from .world import World


@dataclass(frozen=True)
class Kind:
    """One kind of stories; ``option`` is what ``scripts/simulate.py`` is told for it."""

    world: type[World]
    violations: Callable[[Any], list[str]]
    guards: Mapping[str, Guard]
    """What must be noticed when it is gone."""
    part: int
    """So many stories are one test; the first part is in the default set."""
    seeds: int
    """So many the slow set plays: of those that differ from the usual ones in a few things, enough for each guard of
    theirs to be noticed when it is gone."""
    hunted: int = 2000
    """In so many stories a missing guard has to be noticed."""
    tells: Callable[[Any], Mapping[str, int]] = lambda _world: {}
    """What else the stories hold, for the command to print."""
    looks: Callable[[Any], Mapping[str, int]] = lambda _world: {}
    """What else they hold, for the test of it alone."""
    wanted: tuple[str, ...] = ()
    """What has to be among what the first part's stories hold, or they would break no promise by doing nothing."""
    at_least: int = 1
    """So often."""
    option: str = ""

    def play(self, seed: int, **options: Any) -> Any:
        """One story, to its end."""
        world = self.world(seed, **options)
        world.play()
        return world

    def holds(self, world: World) -> Counter[str]:
        """All that a story held."""
        return census(world, self) + Counter(self.looks(world))


def census(world: World, kind: Kind) -> Counter[str]:
    """What one story held: so that nobody mistakes an empty simulation for a good one."""
    held: Counter[str] = Counter(stories=1, runs=len(world.ends))
    held["runs that crashed"] = sum("crashed" in str(end) for end in world.ends if isinstance(end, str))
    held["requests"] = len(world.wire)
    for _run, method, _path, _tickets, end in world.wire:
        if method == "PUT":
            held[f"updates that ended in {'no clear answer' if end == 'lost' or end[0] == '5' else end}"] += 1
            held["updates whose reply was lost"] += end == "lost"
    held.update(kind.tells(world))
    held["tickets"] += len(world.tickets)
    for ticket in world.sandbox.store.tickets.values():
        for audit in ticket.audits:
            held[f"changes by {audit.actor}"] += 1
    for line in world.log:
        if line["event"] == "ticket" and line["reason"] == "confirmed_by_reading":
            held["writes confirmed by reading"] += 1
        elif line["event"] == "ticket" and line["reason"].startswith("deferred"):
            held["tickets deferred"] += 1
    held["paid model answers"] = len(world.model_calls)
    return held


def _labels(world: World) -> Counter[str]:
    lines = [line for line in world.log if line["event"] == "ticket"]
    held = Counter(line["reason"] for line in lines)
    for change in filter(None, (line["change"] for line in lines)):
        group, added = change["group"], change["tags_added"]
        held["filled"] += bool(change["fields"]) and group["from"] != group["to"]
        held["kept"] += group["from"] is not None
        held["groupless"] += "desk_technical" in added and group["to"] is None
        held["also"] += any(tag.startswith("ai_also_") for tag in added)
        held["swapped"] += any(tag.startswith("ai_also_") for tag in change["tags_removed"])
    held["second looks"] = sum(len(world.our_writes(number)) > 1 for number in world.tickets)
    return held


def _on_freshdesk(world: FreshdeskWorld) -> Counter[str]:
    held = freshdesk_invariants.losses(world)
    held["notes deleted again"] = freshdesk_invariants.notes_deleted(world)
    return held


def _by_whom(world: FreshdeskWorld) -> Counter[str]:
    lost = sum(end == "lost" for *_, end in world.wire)
    return Counter({"lost replies": lost}) + Counter(
        f"{edit.actor} {edit.comment_was if edit.comment else None}" for edit in world.sandbox.store.history
    )


def _on_a_file(world: LocalWorld) -> Counter[str]:
    ends = [end if isinstance(end, str) else end.stopped_by for end in world.ends]
    died = ends.count("the portal crashed")
    return Counter(
        {
            "portals that died": died,
            "runs that died": sum("crashed" in str(end) for end in ends) - died,
            "files that failed": ends.count("HelpdeskDown"),
            "pages refused": world.account.refused,
        }
    ) + Counter(f"account changed by {audit.actor}" for audit in world.account.history)


def _fates(world: ClusterWorld) -> Counter[str]:
    return Counter(f"requests that ended {fate}" for played in world.played for fate in played.fates)


def _by_driver(world: ShardWorld) -> Counter[str]:
    written = [number for number in world.tickets if world.our_writes(number)]
    drivers = (("first", FIRST), ("second", SECOND))
    return Counter(
        f"written by the {name} driver" for number in written for name, shard in drivers if shard.has(number)
    )


_REPLIES = ("public replies", "statuses behind them", "replies cancelled for a touch", "replies confirmed by reading")

KINDS: Mapping[str, Kind] = {
    kind.option: kind
    for kind in (
        Kind(
            World,
            invariants.violations,
            MUTATIONS,
            part=128,
            seeds=1024,
            looks=_labels,
            wanted=(
                *(f"updates that ended in {end}" for end in ("200", "409", "no clear answer")),
                "updates whose reply was lost",
                *("runs that crashed", "changes by person", "second looks"),
                *("confirmed_by_reading", "deferred_changed_just_now", "person_changed_our_tags"),
                *("filled", "kept", "groupless", "also", "swapped"),
            ),
        ),
        Kind(
            FreshdeskWorld,
            freshdesk_invariants.violations,
            FRESHDESK_MUTATIONS,
            part=30,
            seeds=480,
            tells=_on_freshdesk,
            looks=_by_whom,
            wanted=(
                *("updates", "tags of others lost in the gap", "runs that crashed", "lost replies"),
                *("api created", "api deleted", "person edited", "customer created"),
            ),
            option="freshdesk",
        ),
        Kind(
            ReplyWorld,
            reply_world.violations,
            REPLY_MUTATIONS,
            part=30,
            seeds=480,
            tells=reply_world.sent_in,
            wanted=(*_REPLIES, "replies cancelled for a changed article", "runs that crashed"),
            hunted=1000,
            option="replies",
        ),
        Kind(
            ThanksWorld,
            thanks_world.violations,
            THANKS_MUTATIONS,
            part=20,
            seeds=200,
            tells=thanks_world.thanked_in,
            hunted=1000,
            option="thanks",
        ),
        Kind(
            LocalWorld,
            lambda world: [*world.account.faults, *reply_world.violations(world)],
            LOCAL_MUTATIONS,
            part=40,
            seeds=240,
            tells=reply_world.sent_in,
            looks=_on_a_file,
            wanted=(
                *_REPLIES,
                *("runs that died", "portals that died", "files that failed", "pages refused"),
                *("updates that ended in 409", "account changed by api", "account changed by person"),
            ),
            option="local",
        ),
        Kind(
            ClusterWorld,
            cluster_world.violations,
            CLUSTER_MUTATIONS,
            part=25,
            seeds=250,
            tells=_fates,
            wanted=tuple(f"requests that ended {fate}" for fate in FATES),
            hunted=300,
            option="cluster",
        ),
        Kind(
            ShardWorld,
            shard_world.broken_promises,
            SHARD_MUTATIONS,
            part=25,
            seeds=150,
            looks=_by_driver,
            wanted=("written by the first driver", "written by the second driver"),
            at_least=11,
            hunted=400,
            option="shards",
        ),
        Kind(SplitWorld, invariants.violations, SPLIT_MUTATIONS, part=10, seeds=100, hunted=10, option="split"),
        Kind(
            ServiceWorld,
            service_world.violations,
            SERVICE_MUTATIONS,
            part=25,
            seeds=150,
            hunted=1000,
            tells=service_world.timed_in,
            wanted=("tickets escalated for their time", "notes with a time"),
            option="service-times",
        ),
        Kind(
            ApplyWorld,
            apply_world.broken_promises,
            APPLY_MUTATIONS,
            part=25,
            seeds=200,
            tells=apply_world.applied_in,
            wanted=tuple(f"planned writes {what}" for what in ("made", "left out: changed since", "left out: done")),
            option="apply",
        ),
    )
}
"""By what ``scripts/simulate.py`` is told for them, ``""`` for the usual ones."""
