"""Play years of runs, one every ten minutes of virtual time, and check what they leave.

    python scripts/simulate_year.py                 # five years: about an hour on one core
    python scripts/simulate_year.py --only bad      # one of them: bad, leap, good, drawn-100, drawn-500, drawn-2000
    python scripts/simulate_year.py --only bad --days 30 --per-day 100 --seed 7

``bad`` is a year with outages: the helpdesk down for hours, the model for days, the disk full for an hour, the log
read-only, processes that die in the middle of a write, a wrong clock, a machine that is off. Its log is kept for
30 days, so that disk use has to level off. ``leap`` is the same with the 29th of February in it, another seed and few
tickets. ``good`` is a year without outages, with the default of 365 days, and two weeks more, so that days expire. In
these, run, log, upkeep, state and alerts are the real ones, and helpdesk, model and time are imitated; in ``drawn-…``,
healthy years with so many tickets a day, what a run comes to is drawn, and only the alerts are real. See
tests/simulation/year.py. Local time is New York's, and nothing may depend on it.

Prints one table, and what is wrong, with exit code 1. Needs the development packages (pip install -e ".[dev]").
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import development  # noqa: F401 - for its effect

from tests.simulation.year import LONG_DAYS, Year
from tests.simulation.year_alarms import Severity, Told, drawn_year

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


def played(name: str, given: Mapping[str, object], show: Callable[[int], None]) -> tuple[dict[str, str], list[str]]:
    """One year in the numbers of the table, and what is wrong with it."""
    began = time.process_time()
    with tempfile.TemporaryDirectory(prefix="simulate-year-") as folder:
        if name.startswith("drawn-"):
            per_day, days = int(name.partition("-")[2]), int(str(given.get("days", 365)))
            alarms = drawn_year(Path(folder), per_day, days=days, seed=int(str(given.get("seed", 0))))
            pages = alarms.told.begun(Severity.CRITICAL)
            row = {"runs": f"{days * 144:,}", "tickets a day": str(per_day), **_alerts(alarms.told, len(pages))}
            row["alerts' memory, largest, bytes"] = f"{alarms.memory_bytes:,}"
            wrong = [f"in run {run} somebody was woken up by {rule} for nothing" for run, rule in pages]
        else:
            year = Year(Path(folder), **given)  # type: ignore[arg-type]
            year.play(show)
            row, wrong = _numbers(year)
    row["minutes"] = f"{(time.process_time() - began) / 60:.1f}"
    return row, wrong


def _numbers(year: Year) -> tuple[dict[str, str], list[str]]:
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
        **_alerts(year.alarms.told, len(year.unexplained())),
    }, year.problems(report)


def _alerts(told: Told, for_nothing: int) -> dict[str, str]:
    warnings = Counter(rule for _, rule in told.begun(Severity.WARNING))
    return {
        "woken up: for a reason, for nothing": f"{len(told.begun(Severity.CRITICAL)) - for_nothing}, {for_nothing}",
        "warnings": ", ".join(f"{rule}: {count}" for rule, count in sorted(warnings.items())) or "none",
    }


def main() -> int:
    """The command."""
    names = [*YEARS, *(f"drawn-{count}" for count in DRAWN)]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=names, metavar="YEAR", help="may be repeated")
    parser.add_argument("--days", type=int)
    parser.add_argument("--per-day", type=int, help="tickets")
    parser.add_argument("--seed", type=int)
    options = parser.parse_args()
    asked = {"days": options.days, "per_day": options.per_day, "seed": options.seed}
    if hasattr(time, "tzset"):
        os.environ["TZ"] = "America/New_York"
        time.tzset()
    table: dict[str, dict[str, str]] = {}
    broken = 0
    for name in options.only or names:
        given = {**YEARS.get(name, {}), **{key: value for key, value in asked.items() if value is not None}}

        def show(day: int, name: str = name) -> None:
            if sys.stderr.isatty():
                print(f"\r{name}: day {day}", end="", file=sys.stderr, flush=True)

        table[name], wrong = played(name, given, show)
        broken += len(wrong)
        print(*(f"{name}: {sentence}" for sentence in wrong), sep="\n", end="\n" if wrong else "", flush=True)
    width = max(map(len, ROWS))
    print(f"\n{'year':<{width}}", *table, sep=" | ")
    for what in ROWS:
        print(f"{what:<{width}}", *(row.get(what, "") for row in table.values()), sep=" | ")
    print(f"\n{broken} problems")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
