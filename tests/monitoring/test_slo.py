"""Burn rates over runs: what pages, what does not, and how often a healthy desk is woken up for nothing."""

from __future__ import annotations

import pytest

from ticket_processor.monitoring.slo import DAY, FAST, RunCounts, RunWindow, SloTally, counted

from ..support.recorded_runs import NOW, PERIOD_S, recorded, year

OBJECTIVE = 0.995


def runs(*pairs: tuple[int, int]) -> list[RunCounts]:
    """(tickets, failures) of runs ten minutes apart, the last one now."""
    return [RunCounts(NOW - PERIOD_S * (len(pairs) - 1 - n), *pair) for n, pair in enumerate(pairs)]


def over(*pairs: tuple[int, int]) -> SloTally | None:
    return FAST.over(runs(*pairs), OBJECTIVE, NOW)


def test_one_failure_on_a_quiet_desk_pages_nobody_although_a_third_of_the_run_failed() -> None:
    assert over(*[(3, 0)] * 35, (3, 1)) is None


def test_three_failures_on_a_quiet_desk_page_nobody_either_and_four_do() -> None:
    assert over(*[(3, 0)] * 4, (3, 2), (3, 1)) is None
    assert over(*[(3, 0)] * 4, (3, 2), (3, 2)) == SloTally(18, 4)


def test_failures_that_have_stopped_page_nobody_any_more() -> None:
    assert over(*[(10, 0)] * 3, (10, 9), (10, 0), (10, 0)) is None


def test_a_share_just_above_fourteen_times_the_budget_pages_and_one_just_below_does_not() -> None:
    assert over(*[(100, 8)] * 6) is not None
    assert over(*[(100, 7)] * 6) is None


def test_runs_without_tickets_do_not_end_a_page() -> None:
    bad = [(3, 0), (3, 2), (3, 2)]
    assert over(*bad, *[(0, 0)] * 20) == over(*bad)


def test_what_is_older_than_the_window_s_time_does_not_count_however_few_runs_there_were() -> None:
    early = [RunCounts(NOW - FAST.long.seconds - 1, 10, 10), RunCounts(NOW - 60, 0, 0)]
    assert FAST.over(early, OBJECTIVE, NOW) is None


def test_a_stricter_objective_pages_earlier() -> None:
    few = runs(*[(100, 2)] * 6)
    assert FAST.over(few, 0.995, NOW) is None
    assert FAST.over(few, 0.999, NOW) is not None


def test_a_window_takes_the_last_runs_that_had_tickets() -> None:
    some = runs((5, 1), (0, 0), (7, 0), (9, 2))
    assert RunWindow(DAY, 2).tally(some, NOW) == SloTally(16, 2)
    assert RunWindow(DAY).tally(some, NOW) == SloTally(21, 3)
    assert RunWindow(PERIOD_S).tally(some, NOW) == SloTally(16, 2)
    assert RunWindow(DAY).tally([], NOW).error_rate == 0.0


def test_a_ticket_that_fails_again_and_again_has_failed_once_and_skipped_ones_do_not_count() -> None:
    first = recorded(NOW - 600, ok=3, failed=1, reasons={"x": 1})
    again = recorded(NOW, ok=2, outcomes={"updated": 2, "failed": 1, "skipped": 9, "suggested": 1}, newly_failed=0)
    assert counted([first, again]) == [RunCounts(NOW - 600, 4, 1), RunCounts(NOW, 3, 0)]


def test_only_scheduled_runs_count() -> None:
    assert counted([recorded(kind="retry"), recorded(kind="apply")]) == []


@pytest.mark.parametrize("tickets_a_day", [100, 500, 2000])
def test_a_healthy_desk_is_woken_up_less_than_once_in_a_quarter(tickets_a_day: int) -> None:
    pages, paging = 0, False
    for after_a_run in year(tickets_a_day, seed=tickets_a_day, days=92):
        now = after_a_run[-1].finished
        was, paging = paging, FAST.over(after_a_run, OBJECTIVE, now) is not None
        pages += paging and not was
    assert pages == 0


@pytest.mark.parametrize("tickets_a_day", [100, 500, 2000])
def test_a_desk_where_every_ticket_begins_to_fail_pages_within_two_runs_that_have_any(tickets_a_day: int) -> None:
    healthy = list(year(tickets_a_day, seed=1, days=2))[-1]
    each = max(2, tickets_a_day // 144)
    now = healthy[-1].finished
    bad = [RunCounts(now + PERIOD_S * n, each, each) for n in (1, 2)]
    assert FAST.over([*healthy, *bad], OBJECTIVE, now + 2 * PERIOD_S) is not None


def test_the_windows_are_as_they_are_published() -> None:
    assert (FAST.long.runs, FAST.short.runs, FAST.factor, FAST.least) == (6, 2, 14.4, 4)
