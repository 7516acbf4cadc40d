"""Kill real runs, the portal or erasures at random moments, over real sockets, and check what is left.

    python scripts/kill_runs.py 500                  # so many kills of runs, ten in each story
    python scripts/kill_runs.py 10 --first 42 --keep FOLDER    # one story; its state and log stay there
    python scripts/kill_runs.py 1000 --portal
    python scripts/kill_runs.py 200 --erasures

Every story of runs has a sandbox of its own, a state folder of its own, faults and people at work; see
tests/cli/killed.py. Real time is part of a story, so a seed chooses it without repeating it to the byte.

``--portal``: four customers submit at the same moment, each a ticket with a file; the real ``ticketbot portal`` gets
SIGKILL at a random moment of that, and starts again. Whoever got an answer must find the ticket, once; whoever got none
sends the form again, and it is one ticket. ``--erasures``: ``ticketbot local erase`` is killed, and what goes on with
it (the same command, another erasure, a run, a start of the portal) as well: each has to be finished, with no byte of
the customer in any file. See tests/web/portal/kills.py.

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

from tests.cli.killed import PHASES, Ending, Story
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
    kills: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    broken = without_receipt = 0
    for ending in stories(options.kills, options.first, options.processes, options.keep):
        kills += ending.kills
        counts += ending.counts
        counts["stories"] += 1
        counts["writes on the helpdesk"] += ending.writes
        counts["of them with a receipt from a later run, by reading"] += ending.recovered
        without_receipt += ending.without_receipt
        broken += len(ending.violations)
        if ending.violations:
            print(f"story {ending.seed}:", *ending.violations[:20], sep="\n  ", flush=True)
    for phase in PHASES:
        print(f"{kills[phase]:>8} kills {phase}")
    for what, number in sorted(counts.items()):
        print(f"{number:>8} {what}")
    minutes = (time.perf_counter() - began) / 60
    print(f"{kills.total()} kills in {minutes:.1f} minutes")
    print(f"{broken} violations, {without_receipt} effects without receipt")
    return 1 if broken or without_receipt else 0


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
    options = parser.parse_args()
    if options.portal or options.erasures:
        return portal(options.kills, options.first, erasures=options.erasures)
    return runs(options)


if __name__ == "__main__":
    sys.exit(main())
