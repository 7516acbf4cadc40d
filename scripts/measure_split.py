"""Measure a split of two releases: how often daily looks see a difference that is none, and how soon one that is.

    python scripts/measure_split.py            # 2,000 desks for each line: a minute

Desks of 60 and of 15 tickets a day, two thirds of which people judge; the candidate decides 10%. One looks every day.
"""

from __future__ import annotations

import argparse
import random
from statistics import median

import development  # noqa: F401 - for its effect

from ticket_processor.learning.split import LEVEL, SplitArm, always_valid_p

SHARE, JUDGED = 0.1, 2 / 3


def day_of_alarm(dice: random.Random, rates: tuple[float, float], a_day: int, days: int, drift: float) -> int | None:
    """The first day on which the two are told apart; kept-rates of both fall by ``drift`` until the end."""
    counts = [[0, 0], [0, 0]]
    for day in range(1, days + 1):
        for _ in range(a_day):
            if dice.random() < JUDGED:
                side = int(dice.random() < SHARE)
                counts[side][0] += dice.random() < rates[side] - drift * day / days
                counts[side][1] += 1
        if always_valid_p(*(SplitArm("", judged, kept) for kept, judged in counts)) <= LEVEL:
            return day
    return None


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--desks", type=int, default=2000)
    desks = parser.parse_args().desks
    for fall in (0.0, 0.1):
        for a_day, days in ((60, 90), (15, 180)):
            for rate, drift in ((0.6, 0.0), (0.85, 0.0), (0.95, 0.0), (0.98, 0.0), (0.95, 0.2)):
                dice = random.Random(f"{a_day} {rate} {drift}")
                found = [day_of_alarm(dice, (rate, rate - fall), a_day, days, drift) for _ in range(desks)]
                alarms = [day for day in found if day is not None]
                share, when = len(alarms) / desks, f", median day {median(alarms):.0f}" if alarms else ""
                what = "false alarms" if fall == 0 else "a fall of 10 points found"
                print(
                    f"kept {rate:.2f}, drift {drift:.1f}, {a_day}/day, {days} days: {what} {share:.3f}{when}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
