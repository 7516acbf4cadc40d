"""Kill real runs, the portal or erasures at random moments, or have the disk fail, and check what is left.

    python scripts/kill_runs.py 500                  # so many kills of runs, ten in each story
    python scripts/kill_runs.py 10 --first 42 --keep FOLDER    # one story; its state and log stay there
    python scripts/kill_runs.py 1000 --portal
    python scripts/kill_runs.py 200 --erasures
    python scripts/kill_runs.py --disk               # every operation in every way: 5,800 stories, half an hour
    python scripts/kill_runs.py --disk --every 20    # one operation in twenty

Every story of runs has a sandbox of its own, a state folder of its own, faults and a person at work; see
tests/cli/killed.py. Real time is part of a story, so a seed chooses it without repeating it to the byte.

``--portal``: four customers submit at the same moment, each a ticket with a file; the real ``ticketbot portal`` gets
SIGKILL at a random moment of that, and starts again. Whoever got an answer must find the ticket, once; whoever got none
sends the form again, and it is one ticket. ``--erasures``: ``ticketbot local erase`` is killed, and what goes on with
it (the same command, another erasure, a run, a start of the portal) as well: each has to be finished, with no byte of
the customer in any file. See tests/web/portal/kills.py.

``--disk``: a story is a run of the real command against a sandbox in which one operation on the log or the state fails,
or all from that one on: the disk is full (and half of what was being written is written), read-only, or broken; an
operation may also be done and fail all the same. Before a write arrives at the helpdesk, what announces it must surely
be on the disk; the run must end with exit code 3 and name the folder, or do all of its work without what failed. Then
the disk works again, and the next runs must settle every ticket exactly once, with receipts, in a log whose chain
holds. See tests/cli/disk_stories.py.

Exit code 1 where anything else was found. Needs the development packages (pip install -e ".[dev]").
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import development  # noqa: F401 - for its effect

from tests.cli.disk_stories import FAULTS, SCENES, Ended, Fault, Scene, operations
from tests.cli.disk_stories import play as play_on_disk
from tests.cli.killed import Ending, Story
from tests.web.portal.kills import KilledErasures, KilledPortal

KILLS_EACH = 10


def play(seed: int, deaths: int, keep: Path | None) -> Ending:
    """One story, in a folder that is kept when it is asked for."""
    if keep is not None:
        folder = keep / str(seed)
        folder.mkdir(parents=True)
        return Story(seed, folder).play(deaths)
    with tempfile.TemporaryDirectory(prefix="kill-runs-") as name:
        return Story(seed, Path(name)).play(deaths)


def stories(kills: int, first: int, processes: int, keep: Path | None) -> Iterator[Ending]:
    """Stories with so many kills in all, as they end."""
    each = [KILLS_EACH] * (kills // KILLS_EACH) + ([kills % KILLS_EACH] if kills % KILLS_EACH else [])
    with ProcessPoolExecutor(processes) as pool:
        futures = [pool.submit(play, first + number, deaths, keep) for number, deaths in enumerate(each)]
        for number, future in enumerate(futures, start=1):
            yield future.result()
            if sys.stderr.isatty():
                print(f"\r{number} of {len(each)} stories", end="", file=sys.stderr)


def runs(options: argparse.Namespace) -> int:
    """Kill runs."""
    began = time.perf_counter()
    kills = 0
    counts: Counter[str] = Counter()
    broken = without_receipt = 0
    for ending in stories(options.kills, options.first, options.processes, options.keep):
        kills += ending.kills
        counts["stories"] += 1
        counts["runs that ended before they were killed"] += ending.ended_first
        counts["writes on the helpdesk"] += ending.writes
        counts["of them with a receipt from a later run, by reading"] += ending.recovered
        without_receipt += sum("has no receipt" in each for each in ending.wrong)
        broken += len(ending.wrong)
        if ending.wrong:
            print(f"story {ending.seed}:", *ending.wrong[:20], sep="\n  ", flush=True)
    for what, number in sorted(counts.items()):
        print(f"{number:>8} {what}")
    minutes = (time.perf_counter() - began) / 60
    print(f"{kills} kills in {minutes:.1f} minutes")
    print(f"{broken} violations, {without_receipt} effects without receipt")
    return 1 if broken else 0


def portal(kills: int, seed: int, *, erasures: bool) -> int:
    """Kill the portal, or erasures."""
    began = time.perf_counter()

    def told(done: int) -> None:
        if done % 100 == 0:
            print(f"  {done} kills, {time.perf_counter() - began:.0f} s", file=sys.stderr)

    with tempfile.TemporaryDirectory(prefix="portal-", ignore_cleanup_errors=True) as name:
        killed = (KilledErasures if erasures else KilledPortal)(Path(name), seed)
        killed.play(kills, told)
    counted = ", ".join(f"{what}: {number}" for what, number in killed.counted.items())
    print(f"{kills} kills in {time.perf_counter() - began:.0f} s; {counted}; faults: {len(killed.faults)}")
    for fault in killed.faults[:20]:
        print(f"  {fault}")
    return 1 if killed.faults else 0


def disk_story(scene: Scene, fault: Fault) -> Ended:
    """One story, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="fail-disk-") as name:
        return play_on_disk(scene, fault, Path(name) / "story")


def length(scene: Scene) -> int:
    """How many operations a whole run has."""
    with tempfile.TemporaryDirectory(prefix="fail-disk-") as name:
        return len(operations(scene, Path(name) / "whole"))


def disk(every: int, processes: int) -> int:
    """Have operations on the disk fail."""
    began = time.perf_counter()
    counts: Counter[str] = Counter()
    broken = 0
    print(f"{'scene':<31} {'disk':<30} {'stories':>7} {'exit 3':>7} {'exit 0':>7} {'writes':>7} {'violations':>10}")
    with ProcessPoolExecutor(processes) as pool:
        for scene in SCENES:
            numbers = range(1, length(scene) + 1, every)
            for kind in FAULTS:
                ended = list(pool.map(disk_story, [scene] * len(numbers), map(kind.at_operation, numbers), chunksize=4))
                codes = Counter(end.code for end in ended)
                wrong = [(at, end) for at, end in zip(numbers, ended, strict=True) if end.wrong]
                row = (len(ended), codes[3], codes[0], sum(end.effects for end in ended), len(wrong))
                print(f"{scene.name:<31} {kind.name:<30}", *(f"{number:>7,}" for number in row), flush=True)
                for at, end in wrong[:5]:
                    print(f"  operation {at}, {end.struck}: exit code {end.code}", *end.wrong, sep="\n    ")
                broken += len(wrong)
                counts.update(stories=len(ended), refused=codes[3], writes=row[3])
    minutes = (time.perf_counter() - began) / 60
    print(
        f"{counts['stories']:,} stories in {minutes:.1f} minutes, {counts['refused']:,} ended with 3, "
        f"{counts['writes']:,} writes announced before they were sent; {broken} violations"
    )
    return 1 if broken else 0


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kills", type=int, nargs="?", default=50)
    parser.add_argument("--first", type=int, default=0, metavar="SEED")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1), help="stories at the same time")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep every story's state and log in here")
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--portal", action="store_true", help="kill the portal while customers submit tickets")
    other.add_argument("--erasures", action="store_true", help="kill erasures of customers")
    other.add_argument("--disk", action="store_true", help="have operations on the disk fail")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="disk: strike one operation in so many")
    options = parser.parse_args()
    if options.disk:
        return disk(options.every, options.processes)
    if options.portal or options.erasures:
        return portal(options.kills, options.first, erasures=options.erasures)
    return runs(options)


if __name__ == "__main__":
    sys.exit(main())
