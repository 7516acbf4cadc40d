"""Burn rates over runs: what pages, what does not, and how often a healthy desk is woken up for nothing."""

from __future__ import annotations

import pytest

from ticket_processor.core.run_summary import RunRecord
from ticket_processor.monitoring.run_metrics import DAY, WINDOW_S, SloTally, burning, tally

from ..support.recorded_runs import NOW, PERIOD_S, history, recorded, year

OBJECTIVE = 0.995


def runs(*pairs: tuple[int, int]) -> list[RunRecord]:
    """(tickets, failures) of runs ten minutes apart, the last one now."""
    return history(*({"ok": tickets - failed, "failed": failed} for tickets, failed in pairs))


BAD = ((3, 0), (3, 2), (3, 2))


@pytest.mark.parametrize(
    ("objective", "pairs", "told"),
    [
        pytest.param(0.995, [*[(3, 0)] * 35, (3, 1)], None, id="one failure on a quiet desk, a third of its run"),
        pytest.param(0.995, [*[(3, 0)] * 4, (3, 2), (3, 1)], None, id="three on a quiet desk"),
        pytest.param(0.995, [*[(3, 0)] * 4, (3, 2), (3, 2)], SloTally(18, 4), id="four on a quiet desk"),
        pytest.param(0.995, [*[(10, 0)] * 3, (10, 9), (10, 0), (10, 0)], None, id="they have stopped"),
        pytest.param(0.995, [(100, 8)] * 6, SloTally(600, 48), id="just above 14.4 times the budget"),
        pytest.param(0.995, [(100, 7)] * 6, None, id="just below"),
        pytest.param(0.995, BAD, SloTally(9, 4), id="four of nine"),
        pytest.param(0.995, [*BAD, *[(0, 0)] * 20], SloTally(9, 4), id="runs without tickets end nothing"),
        pytest.param(0.995, [(100, 2)] * 6, None, id="within the objective"),
        pytest.param(0.999, [(100, 2)] * 6, SloTally(600, 12), id="a stricter objective"),
    ],
)
def test_failures_page_where_they_are_many_and_go_on(
    objective: float, pairs: list[tuple[int, int]], told: SloTally | None
) -> None:
    assert burning(runs(*pairs), objective, NOW) == told


def test_what_is_older_than_the_window_s_time_does_not_count_however_few_runs_there_were() -> None:
    early = [recorded(NOW - WINDOW_S - 1, ok=0, failed=10), recorded(NOW - 60, ok=0)]
    assert burning(early, OBJECTIVE, NOW) is None


def test_a_window_takes_the_last_runs_that_had_tickets() -> None:
    some = runs((5, 1), (0, 0), (7, 0), (9, 2))
    assert tally(some, NOW - DAY, 2) == SloTally(16, 2)
    assert tally(some, NOW - DAY) == SloTally(21, 3)
    assert tally(some, NOW - PERIOD_S) == SloTally(16, 2)
    assert tally([], NOW - DAY).error_rate == 0.0


def test_a_ticket_that_fails_again_and_again_has_failed_once_and_skipped_ones_do_not_count() -> None:
    first = recorded(NOW - 600, ok=3, failed=1, reasons={"x": 1})
    again = recorded(NOW, ok=2, outcomes={"updated": 2, "failed": 1, "skipped": 9, "suggested": 1}, newly_failed=0)
    assert tally([first, again], NOW - DAY) == SloTally(7, 1)
    assert tally([first, again], NOW) == SloTally(3, 0)


def test_only_scheduled_runs_count() -> None:
    assert tally([recorded(kind="retry"), recorded(kind="apply")], NOW - DAY) == SloTally()


@pytest.mark.parametrize("tickets_a_day", [100, 500, 2000])
def test_a_healthy_desk_is_woken_up_less_than_once_in_a_quarter(tickets_a_day: int) -> None:
    pages, paging = 0, False
    for after_a_run in year(tickets_a_day, seed=tickets_a_day, days=92):
        now = after_a_run[-1].finished
        was, paging = paging, burning(after_a_run, OBJECTIVE, now) is not None
        pages += paging and not was
    assert pages == 0


@pytest.mark.parametrize("tickets_a_day", [100, 500, 2000])
def test_a_desk_where_every_ticket_begins_to_fail_pages_within_two_runs_that_have_any(tickets_a_day: int) -> None:
    healthy = list(year(tickets_a_day, seed=1, days=2))[-1]
    each = max(2, tickets_a_day // 144)
    now = healthy[-1].finished
    bad = [recorded(now + PERIOD_S * n, ok=0, failed=each) for n in (1, 2)]
    assert burning([*healthy, *bad], OBJECTIVE, now + 2 * PERIOD_S) is not None
