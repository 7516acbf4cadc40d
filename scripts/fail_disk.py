"""Have every operation on the disk fail, in run after run, and check what is left.

    python scripts/fail_disk.py                # every one in every way: 5,800 stories, half an hour
    python scripts/fail_disk.py --every 20     # one operation in twenty

A story is a run of the real command against a sandbox in which one operation on the log or the state fails, or all from
that one on: the disk is full (and half of what was being written is written), read-only, or broken; an operation may
also be done and fail all the same. Before a write arrives at the helpdesk, what announces it must surely be on the
disk; the run must end with exit code 3 and name the folder, or do all of its work without what failed. Then the disk
works again, and the next runs must settle every ticket exactly once, with receipts, in a log whose chain holds.
See tests/cli/disk_stories.py. Needs the development packages (pip install -e ".[dev]").
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import development  # noqa: F401 - for its effect

from tests.cli.disk_stories import FAULTS, SCENES, Ended, Fault, Scene, operations, play


def story(scene: Scene, fault: Fault) -> Ended:
    """One story, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="fail-disk-") as name:
        return play(scene, fault, Path(name) / "story")


def length(scene: Scene) -> int:
    """How many operations a whole run has."""
    with tempfile.TemporaryDirectory(prefix="fail-disk-") as name:
        return len(operations(scene, Path(name) / "whole"))


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="strike one operation in so many")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1), help="stories at the same time")
    options = parser.parse_args()
    began = time.perf_counter()
    counts: Counter[str] = Counter()
    broken = 0
    print(f"{'scene':<31} {'disk':<30} {'stories':>7} {'exit 3':>7} {'exit 0':>7} {'writes':>7} {'violations':>10}")
    with ProcessPoolExecutor(options.processes) as pool:
        for scene in SCENES:
            numbers = range(1, length(scene) + 1, options.every)
            for kind in FAULTS:
                ended = list(pool.map(story, [scene] * len(numbers), map(kind.at_operation, numbers), chunksize=4))
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


if __name__ == "__main__":
    sys.exit(main())
