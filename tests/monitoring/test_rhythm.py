"""How often runs come is seen from when they came: whatever a scheduler's jitter, and not where there is none."""

from __future__ import annotations

import random
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.monitoring.run_metrics import DAY, FEWEST, HOUR, LOOKED_AT, MINUTE, period

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


def test_a_changed_schedule_is_known_after_half_a_dozen_runs() -> None:
    hourly = [number * HOUR for number in range(50)]
    quick = [hourly[-1] + number * 10 * MINUTE for number in range(1, 50)]
    assert period([*hourly, *quick[:4]]) == HOUR
    assert period([*hourly, *quick[:7]]) == 10 * MINUTE


def test_few_runs_many_sizes_of_intervals_and_a_clock_that_stands_still_have_no_rhythm() -> None:
    assert period([]) is None
    assert period([number * 600.0 for number in range(FEWEST)]) is None
    assert period(list(accumulate([60.0, 600, 4000, 9000, 20_000, 50_000, 90_000, 5]))) is None
    assert period([5.0] * 20) is None
