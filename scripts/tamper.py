"""Tamper with a log at random, in every way that somebody without its key has, and count what verification notices.

    python scripts/tamper.py                  # 10,000 times
    python scripts/tamper.py 500 --seed 3
    python scripts/tamper.py --benchmark      # only how many lines a second are verified

A log of several days: expired and erased ones, with a changed key and a clock that was put back; every second
one encrypted. What leaves the content as it was does not count. Exit code 1 when anything went unnoticed.
Needs the development packages (pip install -e ".[dev]").
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

import development  # noqa: F401 - for its effect

from tests.support.log_days import receipt
from tests.support.log_tamperings import KEY, KINDS, NEED_AN_ANCHOR, Tally, tamper, written
from ticket_processor.audit.verify import check
from ticket_processor.audit.writer import LogWriter

TIMES_A_LOG = 250
BENCHMARK_DAYS, BENCHMARK_LINES = 5, 20_000


def tampered(times: int, seed: int) -> bool:
    """Print what was noticed of each kind; whether all of it was."""
    tallies = {kind: Tally() for kind in KINDS}
    begun, done = time.monotonic(), 0
    for number in range(-(-times // TIMES_A_LOG)):
        rng = random.Random(f"{seed} {number}")
        with tempfile.TemporaryDirectory() as folder:
            log = written(Path(folder), rng, encrypted=number % 2 == 1)
            if not log.check().holds:
                sys.exit(f"the log itself does not hold (seed {seed}, log {number}): {log.check().flaws}")
            before = done
            while done < min(times, before + TIMES_A_LOG):
                kind = list(KINDS)[done % len(KINDS)]
                earlier = tallies[kind].done
                tamper(log, kind, rng, tallies[kind], unanchored=kind in NEED_AN_ANCHOR)
                done += tallies[kind].done - earlier
    print(f"{done} tamperings, seed {seed}, {time.monotonic() - begun:.0f} s\n")
    print(f"{'':42}{'done':>8}{'noticed':>9}{'without an anchor':>19}")
    for kind, tally in tallies.items():
        without = str(tally.without_anchor) if kind in NEED_AN_ANCHOR else ""
        print(f"{kind:42}{tally.done:8}{tally.noticed:9}{without:>19}")
    noticed = sum(tally.noticed for tally in tallies.values())
    print(f"{'all':42}{done:8}{noticed:9}")
    return noticed == done


def benchmark() -> None:
    """Print how many lines a second are verified."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        writer = LogWriter(folder, KEY)
        for day in range(1, BENCHMARK_DAYS + 1):
            lines = [receipt(number, f"11-{day:02} 08:30") for number in range(BENCHMARK_LINES)]
            writer.append(f"2026-11-{day:02}", lines)
        writer.close()
        size = sum(path.stat().st_size for path in folder.iterdir())
        begun = time.process_time()
        report = check(folder, [KEY])
        took = time.process_time() - begun
        rate = f"{report.lines / took:,.0f} lines a second of one processor"
        print(f"verified {report.lines:,} lines, {size / 1e6:.0f} MB: {rate}, holds: {report.holds}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("times", type=int, nargs="?", default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--benchmark", action="store_true", help="only measure")
    asked = parser.parse_args()
    with mock.patch.object(os, "fsync", return_value=None):  # nobody pulls a plug here
        all_noticed = asked.benchmark or tampered(asked.times, asked.seed)
        benchmark()
    sys.exit(not all_noticed)
