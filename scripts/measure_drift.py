"""How often quiet weeks are told as drift, and how soon a topic that triples is.

    python scripts/measure_drift.py                   # 20 years of quiet weeks, 200 stories
    python scripts/measure_drift.py --years 2 --stories 20 --weekly 60 300 2000

Simulated desks, in numbers only, through all alert rules and what is remembered of them, one run a day. Eight topics;
weekends have a fifth of a weekday's tickets. Counts are drawn fairly, or vary more: by the day (variance by mean), by
the week for all topics, and by the week for each. In a story the topic with 7% of the tickets triples on some weekday.
Exit code 1 when the first two kinds have more than one false alarm in 52 weeks at 300 tickets a week, or fair draws are
found in the first week in less than 95%. Needs the development packages (pip install -e ".[dev]").
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import development  # noqa: F401 - for its effect

from tests.support.alert_rounds import Played
from tests.support.recorded_runs import NOW, poisson
from ticket_processor.monitoring.open_alerts import Owed
from ticket_processor.monitoring.slo import DAY

SHARES = (0.28, 0.20, 0.15, 0.12, 0.09, 0.07, 0.05, 0.04)
TRIPLED = 5
WEEK = (1.2, 1.1, 1.0, 1.0, 0.9, 0.25, 0.2)
BEFORE = 37
"""Days until all that is looked back on is known."""
EVENING = NOW // DAY * DAY + 23.9 * 3600


@dataclass(frozen=True)
class Kind:
    """How much counts vary; 0.0 is as in fair draws."""

    name: str
    daily: float = 0.0
    weekly: float = 0.0
    topics: float = 0.0


KINDS = (
    Kind("fair draws"),
    Kind("varying days", daily=0.5, weekly=0.05, topics=0.02),
    Kind("wild weeks", daily=1.0, weekly=0.15, topics=0.1),
)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--years", type=int, default=20, metavar="N", help="of 52 quiet weeks each")
    parser.add_argument("--stories", type=int, default=200, metavar="N", help="topics that triple")
    parser.add_argument("--weekly", type=int, nargs="+", default=[300], metavar="N", help="tickets a week")
    asked = parser.parse_args()
    missed = False
    for volume in asked.weekly:
        for kind in KINDS:
            alarms = sum(quiet_year(volume, kind, seed) for seed in range(asked.years))
            days = [days_until_told(volume, kind, seed) for seed in range(asked.stories)]
            first, second = (sum(day is not None and day <= limit for day in days) / len(days) for limit in (7, 14))
            print(
                f"{volume} tickets a week, {kind.name}: {alarms / asked.years:.2f} false alarms in 52 weeks; a tripled "
                f"topic is found within a week in {first:.1%}, within two in {second:.1%}",
                flush=True,
            )
            if volume == 300 and kind in KINDS[:2]:
                missed |= alarms > asked.years or (kind is KINDS[0] and first < 0.95)
    return int(missed)


def quiet_year(volume: int, kind: Kind, seed: int) -> int:
    """Alarms in 52 weeks in which nothing happens."""
    desk = Played()
    for day, counts in enumerate(drawn(volume, kind, random.Random(f"quiet {volume} {kind} {seed}"), BEFORE + 364)):
        run(desk, day, counts)
    return sum(one.what == "begun" for _, one in desk.said)


def days_until_told(volume: int, kind: Kind, seed: int) -> int | None:
    """How many days of three times as many tickets it takes; ``None``: more than 28."""
    desk, begins = Played(), BEFORE + seed % 7
    dice = random.Random(f"tripled {volume} {kind} {seed}")
    for day, counts in enumerate(drawn(volume, kind, dice, begins + 28, begins)):
        if any(one.rule == f"drift:{TRIPLED}" for one in run(desk, day, counts)) and day >= begins:
            return day - begins + 1
    return None


def run(desk: Played, day: int, counts: list[int]) -> list[Owed]:
    """The run of one day; the news of it. The next morning's is made as well: it alone knows the whole day."""
    made = {str(number): count for number, count in enumerate(counts) if count}
    evening = desk.run(EVENING + day * DAY, categories=made)
    return evening + desk.run(EVENING + day * DAY + 600)


def drawn(volume: int, kind: Kind, dice: random.Random, days: int, triples: int | None = None) -> Iterator[list[int]]:
    """Each day's tickets by topic; from day ``triples`` on, one has three times as many."""
    for day in range(days):
        if day % 7 == 0:
            week = varied(1.0, kind.weekly, dice)
            topics = [week * varied(1.0, kind.topics, dice) for _ in SHARES]
        rate = volume * WEEK[day % 7] / sum(WEEK)
        rates = [rate * share * by for share, by in zip(SHARES, topics, strict=True)]
        if triples is not None and day >= triples:
            rates[TRIPLED] *= 3
        yield [count(mean, kind.daily, dice) for mean in rates]


def count(mean: float, more: float, dice: random.Random) -> int:
    """A count whose variance is its mean and so many times more."""
    rate = dice.gammavariate(mean / more, more) if more else mean
    return sum(poisson(part, dice) for part in [50.0] * int(rate // 50) + [rate % 50])


def varied(mean: float, by: float, dice: random.Random) -> float:
    """A number around ``mean``, with such a standard deviation."""
    return dice.gammavariate(1 / by**2, mean * by**2) if by else mean


if __name__ == "__main__":
    sys.exit(main())
