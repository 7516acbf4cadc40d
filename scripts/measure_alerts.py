"""How often a healthy desk is alarmed for nothing, and how many runs trouble takes to be noticed.

    python scripts/measure_alerts.py                    # 4 years for each volume
    python scripts/measure_alerts.py --years 20 --volumes 100 500

Simulated runs every ten minutes, in numbers only; 0.1% of the tickets fail by chance. Exit code 1 when a desk is
paged for nothing once a quarter or more. Needs the development packages (pip install -e ".[dev]").
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.unit.recorded import PERIOD_S, busy, recorded, year
from ticket_processor.alert_checks import Facts, Severity
from ticket_processor.alert_rules import look
from ticket_processor.slo import DAY, FAST, SLOW, STEADY, Burn, Counted, Span

OBJECTIVE, MARK = 0.995, 0.99
TROUBLES = ((1.0, "every ticket fails"), (0.3, "30% fail"), (0.1, "10% fail"), (0.05, "5% fail"))
STORIES, LONGEST = 40, 2000


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--years", type=int, default=4, metavar="N", help="healthy years for each volume")
    parser.add_argument("--volumes", type=int, nargs="+", default=[100, 500, 2000], metavar="N", help="tickets a day")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    worst = 0.0
    print(f"healthy years (0.1% of the tickets fail), {asked.years} for each volume, a run every ten minutes")
    for volume in asked.volumes:
        pages = warnings = 0
        for number in range(asked.years):
            found = healthy_year(volume, asked.seed + 1000 * volume + number)
            pages, warnings = pages + found[0], warnings + found[1]
        worst = max(worst, pages / asked.years / 4)
        print(f"  {volume:>5} tickets a day: {pages} false pages, {warnings} false warnings")
    print(f"runs from the beginning of trouble to the page ({STORIES} stories each: median, longest)")
    print(f"  the helpdesk cannot be reached: {outage()} runs, at any volume")
    for share, words in TROUBLES:
        for volume in asked.volumes:
            runs = sorted(noticed(volume, share, random.Random(asked.seed + n)) for n in range(STORIES))
            print(f"  {words}, {volume:>5} tickets a day: {statistics.median(runs):g}, {runs[-1]}")
    sys.exit(int(worst >= 1))


def healthy_year(volume: int, seed: int) -> tuple[int, int]:
    """Pages and warnings that began in it."""
    pages = warnings = 0
    paging = warning = False
    for runs in year(volume, seed):
        now = runs[-1].finished
        was, paging = paging, over(runs, (FAST, SLOW), now)
        pages += paging and not was
        was, warning = warning, over(runs, (STEADY,), now) or below_mark(runs, now)
        warnings += warning and not was
    return pages, warnings


def over(runs: Sequence[Counted], burns: Sequence[Burn], now: float) -> bool:
    """Whether one of these rules speaks."""
    return any(burn.over(runs, OBJECTIVE, now) is not None for burn in burns)


def below_mark(runs: Sequence[Counted], now: float) -> bool:
    """Whether the day is worse than it may be; asked only where there was a failure."""
    if not runs[-1].failed:
        return False
    day = Span(DAY).tally(runs, now)
    return day.failed >= STEADY.least and 1 - day.share < MARK


def noticed(volume: int, share: float, dice: random.Random) -> int:
    """After how many runs of this trouble somebody is paged; the longest there is, when nobody is."""
    healthy, sick = busy(volume, 0.001, dice), busy(volume, share, dice)
    runs = [Counted(n * PERIOD_S, *healthy()) for n in range(432)]
    for number in range(1, LONGEST):
        now = (432 + number) * PERIOD_S
        runs.append(Counted(now, *sick()))
        if over(runs, (FAST, SLOW), now):
            return number
    return LONGEST


def outage() -> int:
    """After how many runs that could not reach the helpdesk a critical alert begins."""
    records = [recorded(n * PERIOD_S) for n in range(1, 100)]
    for number in range(1, 100):
        now = (100 + number) * PERIOD_S
        records.append(recorded(now, ok=0, stopped_by="HelpdeskDown"))
        if any(condition.severity is Severity.CRITICAL for condition in look(records, Facts(now)).conditions):
            return number
    return 100


if __name__ == "__main__":
    main()
