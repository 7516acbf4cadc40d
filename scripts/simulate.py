"""Play stories of the deterministic simulation and check the invariants after each.

    python scripts/simulate.py 20000                      # seeds 0 to 19999
    python scripts/simulate.py 1000000 --minutes 60       # as many of them as an hour allows, and where to go on
    python scripts/simulate.py 1 --first 4711 --show      # one story, its log printed
    python scripts/simulate.py 2000 --mutations           # take guards away: each must be noticed
    python scripts/simulate.py 10000 --freshdesk          # on Freshdesk, which guards nothing; counts losses
    python scripts/simulate.py 10000 --replies            # with public replies and the statuses behind them
    python scripts/simulate.py 3000 --thanks              # customers reopen solved tickets, some with mere thanks
    python scripts/simulate.py 3000 --shards              # two drivers, each with a shard of the account
    python scripts/simulate.py 3000 --split               # two settings files share the tickets
    python scripts/simulate.py 3000 --apply               # dry runs keep what they would write, and it is written later
    python scripts/simulate.py 3000 --local               # on the local helpdesk, whose file runs and people write to
    python scripts/simulate.py 1500 --service-times       # tickets have service times, and some runs come late
    python scripts/simulate.py 3000 --cluster             # with a cluster that loses, repeats and delays
    python scripts/simulate.py --year all                 # years of runs, one every ten minutes: about an hour
    python scripts/simulate.py --year bad --days 30 --per-day 100 --first 7

Of the years ``bad`` has outages: the helpdesk down for hours, the model for days, the disk full for an hour, the log
read-only, processes that die in the middle of a write, a wrong clock, a machine that is off; its log is kept for 30
days, so that disk use has to level off. ``leap`` is the same with the 29th of February in it. ``good`` has no outages,
and two weeks more than the log's 365 days. In these, run, log, upkeep, state and alerts are the real ones; in
``drawn-...``, healthy years with so many tickets a day, only the alerts are. Local time is New York's, and nothing may
depend on it. See tests/simulation/year.py.

Exit code 1 when a promise was broken; the seeds are listed. Needs the development packages (pip install -e ".[dev]").
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from multiprocessing import Pool
from multiprocessing import TimeoutError as MultiprocessingTimeout
from pathlib import Path

import development  # noqa: F401 - for its effect

from tests.simulation.kinds import KINDS, census
from tests.simulation.year import LONG_DAYS, Year
from tests.simulation.year_desk import Severity, Told, drawn_year

CHUNK = 50
RECYCLED_AFTER = 200
"""Chunks that a process plays before another takes its place, so that no run grows, however long it is."""
TOLD = 20
"""So many broken stories are told in full; of the others only the seeds."""
PATIENCE_S = 600.0
"""A chunk takes a second or two."""
EVERY_S = 60.0
"""Seconds between two lines of progress where nobody watches a terminal."""

Broken = list[tuple[int, list[str]]]


def play_many(part: tuple[range, str]) -> tuple[Broken, Counter[str]]:
    """The seeds that broke a promise, with the promises, and what the stories held."""
    broken = []
    held: Counter[str] = Counter()
    seeds, name = part
    kind = KINDS[name]
    for seed in seeds:
        try:
            world = kind.play(seed)
            found = kind.violations(world)
        except Exception:  # noqa: BLE001 - the other stories are worth playing all the same
            broken.append((seed, ["the story could not be played to its end", traceback.format_exc()]))
            continue
        if found:
            broken.append((seed, found))
        held.update(census(world, kind))
    return broken, held


def ready() -> None:
    """What a process does first: leave Ctrl-C to the one that started it, and take what is loaded for no garbage."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.collect()
    gc.freeze()


def fan_out(first: int, count: int, processes: int, kind: str) -> Iterator[tuple[int, Broken, Counter[str]]]:
    """Many stories on several processes: chunk after chunk, in order, how many it held and what came of them.

    Raises ``TimeoutError`` when a process has died, and took its chunk with it.
    """
    end = first + count
    parts = [range(at, min(at + CHUNK, end)) for at in range(first, end, CHUNK)]
    with Pool(processes, initializer=ready, maxtasksperchild=RECYCLED_AFTER) as pool:
        chunks = pool.imap(play_many, [(part, kind) for part in parts])
        for part in parts:
            try:
                broken, held = chunks.next(timeout=PATIENCE_S)
            except MultiprocessingTimeout:
                raise TimeoutError(f"the stories from {part.start} to {part.stop - 1} did not come back") from None
            yield len(part), broken, held


@dataclass
class Report:
    """What has been played so far, told as it comes in."""

    first: int
    count: int
    started: float = field(default_factory=time.perf_counter)
    played: int = 0
    broken: Broken = field(default_factory=list)
    held: Counter[str] = field(default_factory=Counter)
    _told_at: float = 0.0

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.perf_counter() - self.started

    def take(self, stories: int, broken: Broken, held: Counter[str]) -> None:
        """Take in a chunk."""
        self.played += stories
        self.held.update(held)
        for seed, found in broken:
            self.broken.append((seed, found))
            if len(self.broken) <= TOLD:
                self._over()
                print(f"seed {seed}:", *found, sep="\n  ", flush=True)
        self._progress()

    def _progress(self) -> None:
        line = f"{self.played} of {self.count} stories, {len(self.broken)} broken, {self._pace:.0f} a second"
        if sys.stderr.isatty():
            print(f"\r{line} ", end="", file=sys.stderr, flush=True)
        elif self.seconds - self._told_at >= EVERY_S:
            self._told_at = self.seconds
            print(line, file=sys.stderr, flush=True)

    @property
    def _pace(self) -> float:
        return self.played / self.seconds

    def _over(self) -> None:
        if sys.stderr.isatty():
            print(file=sys.stderr)

    def end(self) -> None:
        """The sums, the seeds to look at, and where to go on."""
        self._over()
        for what, number in sorted(self.held.items()):
            print(f"{number:>12} {what}")
        print(
            f"{self.played} stories in {self.seconds:.0f} s, {len(self.broken)} with violations, "
            f"{self._pace:.0f} stories a second"
        )
        if self.broken:
            print("broken seeds:", *(seed for seed, _ in self.broken))
            print(f"replay with: python scripts/simulate.py 1 --show --first {self.broken[0][0]}")
        if self.played < self.count:
            place = self.first + self.played
            print(f"go on with: python scripts/simulate.py {self.count - self.played} --first {place}")


def hunt(first: int, count: int, kind: str) -> int:
    """Take each guard away until the simulation notices; returns how many were not noticed."""
    missed = 0
    played = KINDS[kind]
    for name, guard in played.guards.items():
        with guard.taken_away():
            for seed in (guard.seed, *range(first, first + count)):
                found = played.violations(played.play(seed))
                if found:
                    print(f"noticed   {name}: seed {seed}: {found[0]}")
                    break
            else:
                missed += 1
                print(f"NOT NOTICED in {count} stories: {name}")
    return missed


# Years

YEARS: Mapping[str, Mapping[str, object]] = {
    "bad": {"retention": 30, "per_day": 200},
    "leap": {"retention": 30, "per_day": 50, "days": 366, "first_day": date(2027, 7, 1), "seed": 1},
    "good": {"bad": False, "per_day": 500, "days": 379},
}
DRAWN = (100, 500, 2000)
ROWS = (
    "runs",
    "tickets a day",
    "of them killed",
    "exit codes",
    "log lines written",
    "days kept",
    "log, largest, MB",
    "log, last quarter against the one before",
    "state, largest, MB",
    "state, last quarter against the one before",
    "memory, from 10% to 100% of the runs",
    "lines verified at the end",
    "oldest line, first day that may be kept",
    "outages of the helpdesk, told in run",
    "woken up: for a reason, for nothing",
    "warnings",
    "alerts' memory, largest, bytes",
    "minutes",
)


def year_played(
    name: str, given: Mapping[str, object], show: Callable[[int], None]
) -> tuple[dict[str, str], list[str]]:
    """One year in the numbers of the table, and what is wrong with it."""
    began = time.process_time()
    with tempfile.TemporaryDirectory(prefix="simulate-year-") as folder:
        if name.startswith("drawn-"):
            per_day, days = int(name.partition("-")[2]), int(str(given.get("days", 365)))
            alarms = drawn_year(Path(folder), per_day, days=days, seed=int(str(given.get("seed", 0))))
            pages = alarms.told.begun(Severity.CRITICAL)
            row = {"runs": f"{days * 144:,}", "tickets a day": str(per_day), **year_alerts(alarms.told, len(pages))}
            row["alerts' memory, largest, bytes"] = f"{alarms.memory_bytes:,}"
            wrong = [f"in run {run} somebody was woken up by {rule} for nothing" for run, rule in pages]
        else:
            year = Year(Path(folder), **given)  # type: ignore[arg-type]
            year.play(show)
            row, wrong = year_numbers(year)
    row["minutes"] = f"{(time.process_time() - began) / 60:.1f}"
    return row, wrong


def year_numbers(year: Year) -> tuple[dict[str, str], list[str]]:
    report = year.verified()
    growth, noticed = year.growth(), Counter(run for _, run in year.outages_noticed())
    too_short = "" if year.days >= LONG_DAYS else " (too few days to tell)"
    levels = year.retention < year.days / 2
    return {
        "runs": f"{year.counts['runs']:,}",
        "tickets a day": str(year.per_day),
        "of them killed": str(year.counts["died"]),
        "exit codes": ", ".join(f"{code}: {count:,}" for code, count in sorted(year.exit_codes.items())),
        "log lines written": f"{year.counts['lines']:,}",
        "days kept": str(year.retention),
        "log, largest, MB": f"{max(day.log for day in year.by_day) / 1e6:.1f}",
        "log, last quarter against the one before": f"{year.plateau(lambda day: day.log):+.1%}" if levels else "",
        "state, largest, MB": f"{max(day.state for day in year.by_day) / 1e6:.1f}",
        "state, last quarter against the one before": f"{year.plateau(lambda day: day.state):+.1%}",
        "memory, from 10% to 100% of the runs": "" if growth is None else f"{growth:+.2%}{too_short}",
        "lines verified at the end": f"{report.lines:,}, {'all hold' if report.holds else 'NOT all hold'}",
        "oldest line, first day that may be kept": f"{year.lines()[1][:10]}, {year.oldest_kept()}",
        "outages of the helpdesk, told in run": ", ".join(f"{run}: {count}" for run, count in sorted(noticed.items())),
        "alerts' memory, largest, bytes": f"{year.alarms.memory_bytes:,}",
        **year_alerts(year.alarms.told, len(year.unexplained())),
    }, year.problems(report)


def year_alerts(told: Told, for_nothing: int) -> dict[str, str]:
    warnings = Counter(rule for _, rule in told.begun(Severity.WARNING))
    return {
        "woken up: for a reason, for nothing": f"{len(told.begun(Severity.CRITICAL)) - for_nothing}, {for_nothing}",
        "warnings": ", ".join(f"{rule}: {count}" for rule, count in sorted(warnings.items())) or "none",
    }


def years(names: Sequence[str], asked: Mapping[str, object]) -> int:
    """Play years, the table of which is printed; returns how many problems there were."""
    if hasattr(time, "tzset"):
        os.environ["TZ"] = "America/New_York"
        time.tzset()
    table: dict[str, dict[str, str]] = {}
    broken = 0
    for name in names:

        def show(day: int, name: str = name) -> None:
            if sys.stderr.isatty():
                print(f"\r{name}: day {day}", end="", file=sys.stderr, flush=True)

        table[name], wrong = year_played(name, {**YEARS.get(name, {}), **asked}, show)
        broken += len(wrong)
        print(*(f"{name}: {sentence}" for sentence in wrong), sep="\n", end="\n" if wrong else "", flush=True)
    width = max(map(len, ROWS))
    print(f"\n{'year':<{width}}", *table, sep=" | ")
    for what in ROWS:
        print(f"{what:<{width}}", *(row.get(what, "") for row in table.values()), sep=" | ")
    print(f"\n{broken} problems")
    return broken


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int, nargs="?", default=300)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--minutes", type=float, help="stop after so long, and say where to go on")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--show", action="store_true", help="print the log and the requests of one story")
    parser.add_argument("--mutations", action="store_true", help="check that missing guards are noticed")
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument(
        "--freshdesk", dest="kind", action="store_const", const="freshdesk", help="play on Freshdesk instead of Zendesk"
    )
    kinds.add_argument(
        "--replies", dest="kind", action="store_const", const="replies", help="send public replies and statuses as well"
    )
    kinds.add_argument("--thanks", dest="kind", action="store_const", const="thanks", help="reopen solved tickets")
    kinds.add_argument("--shards", dest="kind", action="store_const", const="shards", help="have two drivers share it")
    kinds.add_argument("--split", dest="kind", action="store_const", const="split", help="split it between settings")
    kinds.add_argument("--apply", dest="kind", action="store_const", const="apply", help="write what dry runs planned")
    kinds.add_argument(
        "--service-times", dest="kind", action="store_const", const="service-times", help="give tickets service times"
    )
    kinds.add_argument("--local", dest="kind", action="store_const", const="local", help="play on the local helpdesk")
    kinds.add_argument(
        "--cluster", dest="kind", action="store_const", const="cluster", help="ask models through a cluster with losses"
    )
    parser.set_defaults(kind="")
    names = [*YEARS, *(f"drawn-{count}" for count in DRAWN)]
    kinds.add_argument("--year", choices=["all", *names], help="play this year of runs, not stories")
    parser.add_argument("--days", type=int, help="of a year")
    parser.add_argument("--per-day", type=int, help="tickets, of a year")
    options = parser.parse_args()
    if options.year:
        asked = {"days": options.days, "per_day": options.per_day, "seed": options.first}
        given = {name: value for name, value in asked.items() if value}
        return 1 if years(names if options.year == "all" else [options.year], given) else 0
    if options.mutations:
        return 1 if hunt(options.first, options.count, options.kind) else 0
    if options.show:
        kind = KINDS[options.kind]
        world = kind.play(options.first)
        for line in world.log:
            print(json.dumps(line, ensure_ascii=False))
        for entry in world.wire:
            print(*entry)
        print(*kind.violations(world) or ["no violation"], sep="\n")
        return 0
    report = Report(options.first, options.count)
    chunks = fan_out(options.first, options.count, options.processes, options.kind)
    code = 0
    try:
        for stories, broken, held in chunks:
            report.take(stories, broken, held)
            if options.minutes is not None and report.seconds >= 60 * options.minutes:
                break
    except (KeyboardInterrupt, TimeoutError) as early:
        print(f"\nstopped: {str(early) or 'as you wished'}", file=sys.stderr)
        code = 1
    finally:
        chunks.close()
    report.end()
    return 1 if report.broken else code


if __name__ == "__main__":
    sys.exit(main())
