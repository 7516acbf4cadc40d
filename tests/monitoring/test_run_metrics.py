from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.core.models import Usage
from ticket_processor.core.run_summary import Latencies, RunRecord, RunSummary
from ticket_processor.monitoring.run_metrics import (
    FEWEST,
    MINUTE,
    SloTally,
    burning,
    metrics_of,
    period,
)

from ..support.fakes import START
from ..support.recorded_runs import NOW, history


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


SCHEDULES = st.sampled_from([5, 10, 12, 15, 20, 30, 60, 120, 360, 720, 1440])


@given(SCHEDULES, st.lists(st.floats(0, 30), min_size=FEWEST + 1, max_size=60))
def test_a_schedule_is_recognised_although_runs_begin_a_little_late(minutes: int, late: list[float]) -> None:
    found = period([number * minutes * MINUTE + each for number, each in enumerate(late)])
    assert found == pytest.approx(minutes * MINUTE, abs=61)
