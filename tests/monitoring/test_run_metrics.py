"""What the runs of a day come to, when failures use up the error budget too fast, and how often runs come."""

from __future__ import annotations

import random
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.core.models import Usage
from ticket_processor.core.run_summary import Latencies, RunRecord, RunSummary
from ticket_processor.monitoring.run_metrics import (
    DAY,
    FEWEST,
    LOOKED_AT,
    MINUTE,
    WINDOW_S,
    RunMetrics,
    SloTally,
    burning,
    metrics_of,
    period,
    tally,
)

from ..support.fakes import START
from ..support.recorded_runs import NOW, PERIOD_S, history, recorded


def a_record(number: int = 0, *, kind: str = "run", **summary: Any) -> RunRecord:
    run_id = f"run-{number}"
    begun = START + 600 * number
    return RunRecord(
        run_id=run_id,
        kind=kind,
        started=begun,
        finished=begun + 5,
        summary=RunSummary(run_id=run_id, dry_run=False, **summary),
    )


def times(*milliseconds: float) -> dict[str, int]:
    latencies = Latencies()
    for each in milliseconds:
        latencies.add(each)
    return latencies.bands


def test_tickets_that_are_left_alone_are_neither_success_nor_failure() -> None:
    outcomes = {"updated": 6, "suggested": 1, "failed": 1, "skipped": 992}
    found = metrics_of([a_record(outcomes=outcomes, newly_failed=1)])
    assert found.outcomes == outcomes
    assert found.success_rate == pytest.approx(7 / 8)
    assert found.error_rate == pytest.approx(1 / 8)
    quiet = metrics_of([a_record(outcomes={"skipped": 3})])
    assert quiet.success_rate is None


def test_what_a_person_applied_or_took_back_says_nothing_of_the_service() -> None:
    wide = {"outcomes": {"failed": 50}, "requests": {"GET /x": 7}}
    found = metrics_of([a_record(0, kind="undo", **wide), a_record(1, kind="apply", **wide)])
    assert found == RunMetrics()
    assert metrics_of([a_record(kind="retry", **wide)]).outcomes == {"failed": 50}


def test_shares_of_what_was_understood_count_classifier_and_rules_as_fallbacks() -> None:
    found = metrics_of(
        [a_record(0, sources={"model": 7, "rules": 2}, reviews=3), a_record(1, sources={"classifier": 1})]
    )
    assert found.answers == 10
    assert found.fallback_rate == pytest.approx(0.3)
    assert found.review_rate == pytest.approx(0.3)


def test_latencies_of_all_runs_are_pooled_and_not_averaged() -> None:
    quick, slow = a_record(0, latencies=times(*[100] * 94)), a_record(1, latencies=times(*[9000] * 6))
    found = metrics_of([quick, slow])
    assert found.p50_ms == pytest.approx(100, rel=0.1)
    assert found.p95_ms == pytest.approx(9000, rel=0.1)


counts = st.integers(0, 500)
records = st.builds(
    lambda updated, failed, model, rules, cents, tokens, asked: a_record(
        outcomes={"updated": updated, "failed": failed},
        newly_failed=failed,
        sources={"model": model, "rules": rules},
        cost_usd=cents / 100,
        usage=Usage(input=tokens, output=tokens // 3),
        requests={"GET /a": asked, "PUT /b": asked},
        latencies=times(*[10.0 * (each + 1) for each in range(model % 7)]),
    ),
    counts, counts, counts, counts, counts, counts, counts,
)  # fmt: skip


@given(st.lists(records, max_size=6), st.randoms(use_true_random=False))
def test_sums_are_sums_in_any_order_and_shares_lie_between_0_and_1(runs: list[RunRecord], dice: Any) -> None:
    found = metrics_of(runs)
    parts = [metrics_of([run]) for run in runs]
    for name in ("runs", "answers", "requests"):
        assert getattr(found, name) == sum(getattr(part, name) for part in parts)
    assert found.cost_usd == pytest.approx(sum(part.cost_usd for part in parts))
    assert found.usage.input == sum(part.usage.input for part in parts)
    for share in (found.success_rate, found.error_rate, found.fallback_rate, found.review_rate):
        assert share is None or 0 <= share <= 1
    if found.success_rate is not None and found.error_rate is not None:
        assert found.success_rate + found.error_rate == pytest.approx(1, abs=1e-5)
    shuffled = list(runs)
    dice.shuffle(shuffled)
    assert metrics_of(shuffled) == found


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


SCHEDULES = st.sampled_from([5, 10, 12, 15, 20, 30, 60, 120, 360, 720, 1440])


@given(SCHEDULES, st.lists(st.floats(0, 30), min_size=FEWEST + 1, max_size=60))
def test_a_schedule_is_recognised_although_runs_begin_a_little_late(minutes: int, late: list[float]) -> None:
    found = period([number * minutes * MINUTE + each for number, each in enumerate(late)])
    assert found == pytest.approx(minutes * MINUTE, abs=61)


@given(SCHEDULES, st.integers(0, LOOKED_AT // 2 - 1), st.randoms(use_true_random=False))
def test_a_few_gaps_and_runs_by_hand_change_nothing(minutes: int, strange: int, dice: random.Random) -> None:
    intervals = [minutes * MINUTE] * LOOKED_AT
    for place in dice.sample(range(LOOKED_AT), strange):
        intervals[place] = dice.choice([1.0, 0.4 * intervals[place], 9 * intervals[place], 3 * DAY])
    assert period([0.0, *accumulate(intervals)]) == minutes * MINUTE


def test_few_runs_many_sizes_of_intervals_and_a_clock_that_stands_still_have_no_rhythm() -> None:
    assert period([]) is None
    assert period([number * 600.0 for number in range(FEWEST)]) is None
    assert period(list(accumulate([60.0, 600, 4000, 9000, 20_000, 50_000, 90_000, 5]))) is None
    assert period([5.0] * 20) is None
