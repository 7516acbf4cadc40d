"""How often a healthy desk is alarmed for nothing, and how many runs trouble takes to be noticed.

    python scripts/measure_alerts.py                    # 4 years for each volume, a run every ten minutes
    python scripts/measure_alerts.py --years 20 --volumes 100 500
    python scripts/measure_alerts.py --every 5 10 30 60 --years 5 --whole 5

Simulated runs, in numbers only; 0.1% of the tickets fail by chance. With ``--whole`` years are played through all rules
and what is remembered of them, with days and nights, weekends, and now and then a run that is kept out, is killed, or
does not reach the helpdesk. Exit code 1 when a desk is paged for nothing once a quarter or more. Needs the development
packages (pip install -e ".[dev]").
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
from collections import Counter
from typing import Any

import development  # noqa: F401 - for its effect

from tests.support.alert_rounds import Played
from tests.support.recorded_runs import NOW, busy, poisson, year
from ticket_processor.monitoring.facts import Severity
from ticket_processor.monitoring.slo import DAY, FAST, HOUR, MINUTE, RunCounts

OBJECTIVE = 0.995
TROUBLES = ((1.0, "every ticket fails"), (0.3, "30% fail"), (0.1, "10% fail"), (0.05, "5% fail"))
STORIES, LONGEST = 40, 2000
LOOKED_BACK_S = 1.1 * DAY
"""As far as any rule looks."""
KEPT_OUT, KILLED, UNREACHED = 1 / 2000, 1 / 5000, 1 / 5000
"""How often a healthy run meets with an accident: kept out by another one, killed, the helpdesk restarted."""


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--years", type=int, default=4, metavar="N", help="healthy years of failing tickets alone")
    parser.add_argument("--whole", type=int, default=0, metavar="N", help="healthy years of all rules (minutes each)")
    parser.add_argument("--volumes", type=int, nargs="+", default=[100, 500, 2000], metavar="N", help="tickets a day")
    parser.add_argument("--every", type=int, nargs="+", default=[10], metavar="N", help="minutes from run to run")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    worst = 0.0
    for minutes in asked.every:
        every = minutes * MINUTE
        print(f"a run every {minutes} minutes")
        if asked.years:
            print(f"  failing tickets alone, healthy years (0.1% of the tickets fail), {asked.years} for each volume")
        for volume in asked.volumes if asked.years else ():
            found = [healthy_year(volume, asked.seed + 1000 * volume + n, every) for n in range(asked.years)]
            worst = max(worst, sum(found) / asked.years / 4)
            print(f"    {volume:>5} tickets a day: {sum(found)} false pages", flush=True)
        if asked.whole:
            print(f"  all rules, healthy years with small accidents, {asked.whole} for each volume")
        for volume in asked.volumes if asked.whole else ():
            told = sum((whole_year(volume, asked.seed + n, every) for n in range(asked.whole)), Counter[str]())
            pages, warnings = told["critical"], told["warning"]
            worst = max(worst, pages / asked.whole / 4)
            named = ", ".join(f"{name}: {count}" for name, count in sorted(told.items()) if name not in set(Severity))
            print(
                f"    {volume:>5} tickets a day: {pages} false pages, {warnings} false warnings"
                + (f" ({named})" if named else ""),
                flush=True,
            )
        print(f"  runs from the beginning of trouble to the page ({STORIES} stories each: median, longest)")
        print(f"    the helpdesk cannot be reached: {until_paged(every, stopped_by='HelpdeskDown')}, at any volume")
        print(f"    no run looks at all tickets: {until_paged(every, caught_up=False)}, at any volume")
        for share, words in TROUBLES:
            for volume in asked.volumes:
                runs = sorted(noticed(volume, share, random.Random(asked.seed + n), every) for n in range(STORIES))
                longest = f"{runs[-1]}" if runs[-1] < LONGEST else f"more than {LONGEST}"
                print(f"    {words}, {volume:>5} tickets a day: {statistics.median(runs):g}, {longest}", flush=True)
    sys.exit(int(worst >= 1))


def healthy_year(volume: int, seed: int, every: float) -> int:
    """Pages about failing tickets that began in it."""
    pages, paging = 0, False
    for runs in year(volume, seed, every=every):
        was, paging = paging, FAST.over(runs, OBJECTIVE, runs[-1].finished) is not None
        pages += paging and not was
    return pages


def whole_year(volume: int, seed: int, every: float) -> Counter[str]:
    """How often each rule began in it, and each severity. Fewer tickets come at night, and at weekends."""
    desk, dice = Played(kept_s=LOOKED_BACK_S), random.Random(f"{volume} {seed} {every}")
    for number in range(round(365 * DAY / every)):
        at = NOW + number * every
        weekly = 0.3 if at // DAY % 7 in (2, 3) else 1.28
        daily = 1.6 if 8 <= at % DAY / HOUR < 20 else 0.4
        tickets = poisson(volume * weekly * daily * every / DAY, dice)
        accident = dice.random()
        if accident < KILLED:
            continue
        kept_out, unreached = accident < KILLED + KEPT_OUT, accident > 1 - UNREACHED
        came_to = {"stopped_by": "HelpdeskDown"} if unreached else healthy(tickets, dice)
        desk.run(at + dice.uniform(0, 30), kept_out=kept_out, **came_to)
    begun = [one for _, one in desk.said if one.what != "over"]
    return Counter(one.rule for one in begun) + Counter(one.severity.value for one in begun)


def healthy(tickets: int, dice: random.Random) -> dict[str, Any]:
    """What a run came to in which nothing was wrong: 0.1% fail, 1% are answered without a model."""
    failed, silent = (sum(dice.random() < share for _ in range(tickets)) for share in (0.001, 0.01))
    done = tickets - failed
    return {
        "outcomes": {name: count for name, count in (("updated", done), ("failed", failed)) if count},
        "newly_failed": failed,
        "sources": {name: count for name, count in (("model", tickets - silent), ("rules", silent)) if count},
        "fallbacks": {"model_http_503": silent} if silent else {},
    }


def noticed(volume: int, share: float, dice: random.Random, every: float) -> int:
    """After how many runs of this trouble somebody is paged; the longest there is, when nobody is."""
    well, sick = busy(volume, 0.001, dice, every=every), busy(volume, share, dice, every=every)
    before = round(3 * DAY / every)
    runs = [RunCounts(n * every, *well()) for n in range(before)]
    for number in range(1, LONGEST):
        now = (before + number) * every
        runs.append(RunCounts(now, *sick()))
        if FAST.over(runs, OBJECTIVE, now) is not None:
            return number
    return LONGEST


def until_paged(every: float, **came_to: Any) -> int:
    """After how many runs that came to this a critical alert begins."""
    desk = Played()
    for number in range(100):
        desk.run(NOW + number * every)
    for number in range(1, 100):
        desk.run(NOW + (99 + number) * every, **came_to)
        if desk.begun(Severity.CRITICAL):
            return number
    return 100


if __name__ == "__main__":
    main()
