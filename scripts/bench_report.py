"""How fast a report is, against reading the same lines with ``json.loads``, in the same run of the script.

python scripts/bench_report.py [LINES] [--days N] [--packed] [--keep INDEX_FOLDER]

The log is made up (1,000,000 lines over 365 days, unless told otherwise): every ten minutes a run with its tickets, an
intent and a receipt for each, some left alone, some failed and tried again, with the fields and lengths that receipts
have. ``--packed`` gzips all days but the last, as a log in use is. ``--keep`` leaves it in a folder, to be looked at.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import development  # noqa: F401 - for its effect

from tests.support.made_up_log import write_log
from ticket_processor.audit.files import INDEX_FOLDER, log_files
from ticket_processor.reporting.index import LogIndex
from ticket_processor.reporting.report import gather

ROOT = Path(__file__).resolve().parent.parent


def plain_loop(folder: Path) -> int:
    """What a report would have to do at least without an index: every line through ``json.loads``."""
    count = 0
    for file in log_files(folder):
        with file.open() as lines:
            for line in lines:
                json.loads(line)
                count += 1
    return count


def report(folder: Path, since: float, until: float) -> int:
    """A report of all of it."""
    with LogIndex(folder, time.time) as index:
        return gather(index, since, until).totals.tickets


def command(folder: Path, *words: str) -> None:
    """The whole command in a process of its own."""
    environment = {**os.environ, "TICKETBOT_LOG_DIR": str(folder), "PYTHONPATH": str(ROOT)}
    words = (sys.executable, "-m", "ticket_processor", "report", *words, "--json")
    subprocess.run(words, cwd=folder, env=environment, check=True, capture_output=True)


@dataclass(frozen=True)
class Took:
    """The quickest of several times: seconds, and of processors, all threads and processes together."""

    wall_s: float
    processor_s: float


def timed(work: Callable[[], Any], times: int = 1) -> Took:
    """How long it took."""
    found = []
    for _ in range(times):
        begin, spent = time.perf_counter(), processor_time()
        work()
        found.append(Took(time.perf_counter() - begin, processor_time() - spent))
    return min(found, key=lambda took: took.wall_s)


def processor_time() -> float:
    """Of this process, and of those that it has started and that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lines", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--packed", action="store_true")
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-report-") as temporary:
        folder = asked.keep or Path(temporary)
        since, until = write_log(folder, asked.lines, asked.days, packed=asked.packed)
        size = sum(file.path.stat().st_size for file in log_files(folder))
        count = plain_loop(folder)  # so that the first to be measured does not pay for the disk
        print(f"{count:,} lines in {asked.days} files, {size / 1e6:,.0f} MB{' packed' if asked.packed else ''}")
        loop = timed(lambda: plain_loop(folder), 2)
        show("json.loads, each line", loop, loop)
        index = folder / INDEX_FOLDER
        shutil.rmtree(index, ignore_errors=True)
        show("report of all, no index yet (cold)", timed(lambda: report(folder, since, until)), loop)
        show("report of all, index there (warm)", timed(lambda: report(folder, since, until), 5), loop)
        words = ("--since", f"{asked.days + 1}d")
        show("the same as a whole command", timed(lambda: command(folder, *words), 3), loop)
        stored = sum(path.stat().st_size for path in index.iterdir())
        shutil.rmtree(index)
        show("ticketbot report (7 days), cold", timed(lambda: command(folder)), loop)
        show("ticketbot report (7 days), warm", timed(lambda: command(folder), 3), loop)
        print(f"the index takes {stored / 1e6:.1f} MB, {100 * stored / size:.1f}% of the log")


def show(name: str, took: Took, loop: Took) -> None:
    """One measurement, and how many times as fast as the loop it was: by the clock, and in processor time."""
    times, of_processor = loop.wall_s / took.wall_s, loop.processor_s / took.processor_s
    print(f"{name:36} {took.wall_s:7.2f} s {times:6.1f}x   processor {took.processor_s:7.2f} s {of_processor:6.1f}x")


if __name__ == "__main__":
    main()
