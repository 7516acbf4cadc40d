"""Far more than usual: found where it is so, not where it is chance, and told in words that can be checked."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.reporting import spikes
from ticket_processor.reporting.index import LogIndex
from ticket_processor.reporting.spikes import Compared, Spike

from ..support.fakes import START
from ..support.log_days import at, receipt, write_log

LIKE_THAT = [[12, 11, 13, 12]] * 60


def one(tickets: int, *before: int, topic: str = "refund") -> Compared:
    return Compared("category", topic, None, tickets, before)


def test_three_times_the_usual_is_told_with_what_is_usual() -> None:
    (found,) = spikes.judge([one(37, 11, 12, 12, 14), one(12, 11, 12, 12, 14, topic="order")], LIKE_THAT)
    assert (found.topic, found.tickets, found.usual, found.weeks) == ("refund", 37, 12.0, 4)
    assert found.text == "37 tickets, 3.1 times the usual 12"
    assert found.chance < 0.001


def test_what_there_usually_is_none_of_is_told_so() -> None:
    (found,) = spikes.judge([one(30, 0, 0, 0, 0)], LIKE_THAT)
    assert (found.ratio, found.text) == (None, "30 tickets, usually none")


@pytest.mark.parametrize(
    ("tickets", "before"),
    [(9, (0, 0, 0, 0)), (16, (11, 12, 12, 14)), (12, (11, 12, 12, 14)), (3, (11, 12, 12, 14)), (1300, (1000,) * 4)],
)
def test_few_tickets_a_little_more_and_less_are_no_spikes(tickets: int, before: tuple[int, ...]) -> None:
    assert spikes.judge([one(tickets, *before)], LIKE_THAT) == []


def test_one_bad_week_before_neither_hides_a_spike_nor_makes_ordinary_weeks_look_calm() -> None:
    reference = [*LIKE_THAT, [12, 300, 11, 12]]
    (found,) = spikes.judge([one(40, 12, 300, 11, 12)], reference)
    assert found.usual == 12.0
    assert spikes.judge([one(18, 12, 300, 11, 12)], reference) == []


def test_where_counts_always_vary_much_it_takes_more() -> None:
    wild = [[2, 25, 8, 14], [30, 4, 11, 9], [5, 19, 28, 3]] * 20
    assert spikes.judge([one(30, 11, 12, 12, 14)], LIKE_THAT)
    assert spikes.judge([one(30, 11, 12, 12, 14)], wild) == []
    assert spikes.judge([one(120, 11, 12, 12, 14)], wild)


def test_the_more_is_looked_at_the_surer_it_has_to_be() -> None:
    doubtful = one(25, 9, 10, 10, 11)
    assert spikes.judge([doubtful], LIKE_THAT)
    others = [one(10, 9, 10, 10, 11, topic=f"topic-{number}") for number in range(400)]
    assert spikes.judge([doubtful, *others], LIKE_THAT) == []


@given(st.integers(0, 400), st.lists(st.integers(0, 400), min_size=2, max_size=4))
def test_whatever_the_counts_a_spike_is_at_least_half_as_many_again_and_a_chance_is_a_chance(
    tickets: int, before: list[int]
) -> None:
    for found in spikes.judge([one(tickets, *before)], [before]):
        assert found.tickets >= max(spikes.LEAST_TICKETS, spikes.LEAST_RATIO * found.usual)
        assert 0 <= found.chance <= spikes.FALSE_ALARMS


def _weekly(dice: random.Random, rate: float, variation: float) -> int:
    """A count with this mean, and so many times a fair draw's variance."""
    size = rate / (variation - 1)
    mean = dice.gammavariate(size, rate / size)
    limit, count, product = 2.718281828459045**-mean, 0, dice.random()
    while product > limit:
        count, product = count + 1, product * dice.random()
    return count


def test_ordinary_weeks_raise_hardly_any_alarm_and_a_threefold_day_does() -> None:
    dice = random.Random(11)
    week = (1.2, 1.1, 1.0, 1.0, 0.9, 0.3, 0.2)
    rates = (60.0, 30.0, 24.0, 15.0, 12.0, 6.0)

    def draw(rate: float, day: int) -> int:
        return _weekly(dice, rate * week[day], 2.0)

    alarms = noticed = 0
    for _ in range(120):
        compared, reference = [], []
        for number, rate in enumerate(rates):
            for day in range(7):
                before = tuple(draw(rate, day) for _ in range(4))
                compared.append(Compared("category", f"c{number}", date(2026, 11, 1 + day), draw(rate, day), before))
                reference.append([draw(rate, day) for _ in range(4)])
        alarms += bool(spikes.judge(compared, reference))
        struck = 9  # the second topic's third day
        day = _weekly(dice, 3 * rates[1] * week[2], 2.0)
        compared[struck] = Compared("category", "c1", compared[struck].day, day, compared[struck].before)
        noticed += any(found.topic == "c1" for found in spikes.judge(compared, reference))
    assert alarms <= 6
    assert noticed >= 110


# From a log


def a_log(folder: Path, per_day: int = 8, weeks: int = 5, **facts: Any) -> list[dict[str, Any]]:
    """So many tickets on each day of so many weeks until 2026-11-21, by day and night alike."""
    lines = []
    for back in range(7 * weeks):
        day = datetime(2026, 11, 20) - timedelta(days=back)
        for number in range(per_day):
            when = f"{day:%m-%d} {(number * 24 // per_day):02d}:{back % 60:02d}"
            lines.append(receipt(1000 * back + number, when, **facts))
    return lines


def found_in(folder: Path, lines: list[dict[str, Any]], since: str, until: str) -> list[Spike] | None:
    write_log(folder, lines)
    with LogIndex(folder, lambda: START) as index:
        first = min(line["ts"] for line in lines)[:10]
        return spikes.find(index, at(since), at(until), date.fromisoformat(first))


def test_a_bad_day_is_found_by_its_topics_and_its_date(tmp_path: Path) -> None:
    bad = [
        receipt(90_000 + number, "11-18 10:00", category="technical", subcategory="outage", alarms=["outage"])
        for number in range(60)
    ]
    found = found_in(tmp_path, a_log(tmp_path) + bad, "11-14 00:00", "11-21 00:00")
    assert found is not None
    by_topic = {(spike.kind, spike.topic, spike.day) for spike in found}
    on = date(2026, 11, 18)
    assert {
        ("all", "", on),
        ("category", "technical", on),
        ("subcategory", "technical / outage", on),
        ("alarm", "outage", on),
    } <= by_topic
    assert not any(spike.topic == "billing" for spike in found)
    (outage,) = [spike for spike in found if spike.kind == "alarm" and spike.day == on]
    assert (outage.tickets, outage.usual, outage.weeks) == (60, 0.0, 4)


def test_a_usual_week_has_no_spikes(tmp_path: Path) -> None:
    assert found_in(tmp_path, a_log(tmp_path), "11-14 00:00", "11-21 00:00") == []


def test_hours_are_compared_with_the_same_hours_of_the_week(tmp_path: Path) -> None:
    noon = [receipt(50_000 + number, "11-20 12:30") for number in range(40)]
    found = found_in(tmp_path, a_log(tmp_path, per_day=2) + noon, "11-20 12:00", "11-20 13:00")
    assert found is not None
    assert {(spike.tickets, spike.usual) for spike in found} == {(41, 1.0)}  # one each week, and forty in this
    quiet = found_in(tmp_path, a_log(tmp_path, per_day=2) + noon, "11-20 14:00", "11-20 20:00")
    assert quiet == []


def test_a_ticket_that_is_looked_at_again_the_same_day_counts_once(tmp_path: Path) -> None:
    again = [receipt(7, "11-18 10:00", intent=f"i{number}") for number in range(60)]
    assert found_in(tmp_path, a_log(tmp_path) + again, "11-14 00:00", "11-21 00:00") == []


def test_dry_runs_and_undoes_are_no_tickets(tmp_path: Path) -> None:
    dry = [{**receipt(90_000 + number, "11-18 10:00"), "dry_run": True} for number in range(60)]
    undone = [receipt(80_000 + number, "11-18 10:00", run_id=f"r{number}-undo") for number in range(60)]
    assert found_in(tmp_path, a_log(tmp_path) + dry + undone, "11-14 00:00", "11-21 00:00") == []


def test_two_weeks_before_are_enough_and_one_is_not(tmp_path: Path) -> None:
    lines = a_log(tmp_path, weeks=3)
    assert found_in(tmp_path, lines, "11-14 00:00", "11-21 00:00") == []
    assert found_in(tmp_path, lines, "11-07 00:00", "11-21 00:00") is None


def test_a_month_is_compared_with_the_months_before(tmp_path: Path) -> None:
    more = [
        receipt(90_000 + 100 * day + number, f"11-{day:02d} 10:00", category="refund")
        for day in range(1, 20)
        for number in range(4)
    ]
    found = found_in(tmp_path, a_log(tmp_path, per_day=4, weeks=16) + more, "11-01 00:00", "11-21 00:00")
    assert found is not None
    whole = [spike for spike in found if spike.topic == "refund" and spike.day is None]
    assert [(spike.tickets, spike.usual) for spike in whole] == [(76, 0.0)]
