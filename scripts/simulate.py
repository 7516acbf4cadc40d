"""Play stories of the deterministic simulation and check the invariants after each.

    python scripts/simulate.py 20000                 # seeds 0 to 19999
    python scripts/simulate.py 1 --first 4711 --show # one story, its log printed
    python scripts/simulate.py 2000 --mutations      # take guards away: each must be noticed

Needs the development packages (pip install -e ".[dev]").
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.simulation.invariants import violations
from tests.simulation.mutations import MUTATIONS, mutation
from tests.simulation.world import World

CHUNK = 50


def play(seed: int) -> World:
    """One story, to its end."""
    world = World(seed)
    world.play()
    return world


def play_many(seeds: range) -> tuple[list[tuple[int, list[str]]], Counter[str]]:
    """The seeds that broke a promise, with the promises, and what the stories held."""
    broken = []
    held: Counter[str] = Counter()
    for seed in seeds:
        world = play(seed)
        found = violations(world)
        if found:
            broken.append((seed, found))
        held.update(census(world))
    return broken, held


def census(world: World) -> Counter[str]:
    """What one story held: so that nobody mistakes an empty simulation for a good one."""
    held: Counter[str] = Counter(stories=1, runs=len(world.ends))
    held["runs that crashed"] = sum("crashed" in str(end) for end in world.ends if isinstance(end, str))
    held["requests"] = len(world.wire)
    for _run, method, _path, _tickets, end in world.wire:
        if method == "PUT":
            held[f"updates that ended in {'no clear answer' if end == 'lost' or end[0] == '5' else end}"] += 1
    for ticket in world.sandbox.store.tickets.values():
        held["tickets"] += 1
        for audit in ticket.audits:
            held[f"changes by {audit.actor}"] += 1
    for line in world.log:
        if line["event"] == "ticket" and line["reason"] == "confirmed_by_reading":
            held["writes confirmed by reading"] += 1
        elif line["event"] == "ticket" and line["reason"].startswith("deferred"):
            held["tickets deferred"] += 1
    held["paid model answers"] = len(world.model_calls)
    return held


def fan_out(first: int, count: int, processes: int) -> tuple[list[tuple[int, list[str]]], Counter[str]]:
    """Many stories on several processes."""
    parts = [range(at, min(at + CHUNK, first + count)) for at in range(first, first + count, CHUNK)]
    broken: list[tuple[int, list[str]]] = []
    held: Counter[str] = Counter()
    with ProcessPoolExecutor(processes) as pool:
        for number, (some, counted) in enumerate(pool.map(play_many, parts), start=1):
            broken += some
            held += counted
            if sys.stderr.isatty():
                print(f"\r{number * CHUNK} stories, {len(broken)} broken", end="", file=sys.stderr)
    return broken, held


def hunt(first: int, count: int) -> int:
    """Take each guard away until the simulation notices; returns how many were not noticed."""
    missed = 0
    for name in MUTATIONS:
        with mutation(name):
            for seed in range(first, first + count):
                found = violations(play(seed))
                if found:
                    print(f"noticed   {name}: seed {seed}: {found[0]}")
                    break
            else:
                missed += 1
                print(f"NOT NOTICED in {count} stories: {name}")
    return missed


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int, nargs="?", default=300)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--show", action="store_true", help="print the log and the requests of one story")
    parser.add_argument("--mutations", action="store_true", help="check that missing guards are noticed")
    options = parser.parse_args()
    if options.mutations:
        return 1 if hunt(options.first, options.count) else 0
    if options.show:
        world = play(options.first)
        for line in world.log:
            print(json.dumps(line, ensure_ascii=False))
        for entry in world.wire:
            print(*entry)
        print(*violations(world) or ["no violation"], sep="\n")
        return 0
    started = time.perf_counter()
    broken, held = fan_out(options.first, options.count, options.processes)
    for seed, found in broken[:20]:
        print(f"seed {seed}:", *found, sep="\n  ")
    for what, number in sorted(held.items()):
        print(f"{number:>10} {what}")
    seconds = time.perf_counter() - started
    print(f"{options.count} stories, {len(broken)} with violations, {options.count / seconds:.0f} stories a second")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
