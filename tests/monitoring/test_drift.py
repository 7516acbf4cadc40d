"""Topics that are not as frequent as usual are told of, once each; busy weeks, holidays and busy weekdays are not."""

from __future__ import annotations

import pytest

from ticket_processor.monitoring.run_metrics import DAY

from ..support.alert_rounds import Played
from ..support.recorded_runs import NOW

MORNING = NOW // DAY * DAY + 8 * 3600
USUAL = {"account": 10, "billing": 20, "other": 30}
SUNDAY = {"account": 1, "billing": 12, "other": 2}


class Days:
    """A desk with one run a day, on six days of ``USUAL`` and a Sunday in every week."""

    def __init__(self, days: int) -> None:
        self.desk, self.day = Played(), 0
        self.go_on(days)

    def usual(self) -> dict[str, int]:
        return SUNDAY if self.day % 7 == 6 else USUAL

    def go_on(self, days: int, times: float = 1.0, **counts: int) -> list[str]:
        """So many days of this, or so many times the usual; what was told in them."""
        before = len(self.desk.said)
        for _ in range(days):
            categories = {name: round(count * times) for name, count in self.usual().items()} | counts
            self.desk.run(MORNING + self.day * DAY, categories=categories)
            self.day += 1
        return [f"{one.what} {one.rule}" for _, one in self.desk.said[before:]]


def test_usual_weeks_with_their_sundays_are_no_drift() -> None:
    assert Days(70).desk.said == []


def test_a_spike_is_told_once_and_ends_when_it_no_longer_stands_out() -> None:
    days = Days(37)
    assert days.go_on(1, account=40) == ["begun drift:account"]
    assert days.go_on(9) == ["over drift:account"]
    assert days.go_on(30) == []


def test_two_spikes_are_two_alerts_also_while_the_first_goes_on() -> None:
    days = Days(37)
    assert days.go_on(1, account=40) == ["begun drift:account"]
    assert days.go_on(1, account=40, billing=110) == ["begun drift:billing"]


def test_what_becomes_usual_is_over() -> None:
    days = Days(37)
    assert days.go_on(40, account=30) == ["begun drift:account", "over drift:account"]


def test_a_topic_that_stays_away_is_told_after_some_days_and_not_on_the_first() -> None:
    days = Days(37)
    assert days.go_on(1, billing=0) == []
    assert days.go_on(9, billing=0) == ["begun drift:billing"]


@pytest.mark.parametrize("times", [0.0, 0.4, 2.5, 4.0])
def test_weeks_in_which_everything_is_more_or_less_are_no_drift(times: float) -> None:
    days = Days(37)
    assert days.go_on(10, times=times) == []


def test_the_first_two_weeks_are_compared_with_nothing() -> None:
    days = Days(12)
    assert days.go_on(1, account=90) == []


def test_a_few_tickets_more_are_none() -> None:
    days = Days(37)
    assert days.go_on(1, rare=9) == []
    assert days.go_on(1, rare=30) == ["begun drift:rare"]
