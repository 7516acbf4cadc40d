"""When the breaker opens, who gets the trial, and what it remembers."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from ticket_processor.core.guards import Admission, Breaker, BreakerMemory, Crowded

from ..support.fakes import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def admitted(breaker: Breaker) -> Admission:
    admission = breaker.admit()
    assert admission is not None
    return admission


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        breaker.failure(admitted(breaker))


def tripped(clock: ManualClock, **options: object) -> Breaker:
    breaker = Breaker("desk", clock, **options)  # type: ignore[arg-type]
    fail(breaker, 5)
    return breaker


def test_the_fifth_failure_in_a_row_opens_the_circuit(clock: ManualClock) -> None:
    breaker = tripped(clock)
    assert breaker.admit() is None
    assert breaker.seconds_until_trial() == 60.0


def test_the_circuit_stays_open_for_sixty_seconds_and_not_longer(clock: ManualClock) -> None:
    breaker = tripped(clock)
    clock.advance(59.9)
    assert breaker.admit() is None
    clock.advance(0.1)
    assert admitted(breaker).trial


def test_exactly_one_of_sixteen_threads_gets_the_trial(clock: ManualClock) -> None:
    breaker = tripped(clock)
    clock.advance(60)
    gate = threading.Barrier(16)

    def ask(_: int) -> Admission | None:
        gate.wait()
        return breaker.admit()

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(16)))
    given = [answer for answer in answers if answer is not None]
    assert len(given) == 1
    assert given[0].trial


def test_a_good_trial_closes_the_circuit_and_forgets_the_failures(clock: ManualClock) -> None:
    breaker = tripped(clock)
    clock.advance(60)
    breaker.success(admitted(breaker))
    assert breaker.memory() == BreakerMemory(0, 0.0)
    fail(breaker, 4)
    assert not admitted(breaker).trial


def test_a_failed_trial_opens_the_circuit_for_another_sixty_seconds(clock: ManualClock) -> None:
    breaker = tripped(clock)
    clock.advance(60)
    breaker.failure(admitted(breaker))
    assert breaker.admit() is None
    assert breaker.seconds_until_trial() == 60.0


def test_a_late_success_from_before_the_trip_leaves_the_circuit_open(clock: ManualClock) -> None:
    breaker = Breaker("desk", clock)
    slow = admitted(breaker)
    fail(breaker, 5)
    breaker.success(slow)
    assert breaker.admit() is None
    assert breaker.seconds_until_trial() == 60.0


def test_a_trial_that_never_reports_loses_its_right_after_sixty_seconds(clock: ManualClock) -> None:
    breaker = tripped(clock)
    clock.advance(60)
    lost = admitted(breaker)
    assert breaker.admit() is None
    assert breaker.seconds_until_trial() == 60.0
    clock.advance(60)
    second = admitted(breaker)
    assert second.trial
    breaker.success(second)
    breaker.failure(lost)  # comes back after all, and has no say any more
    assert not admitted(breaker).trial


def test_what_a_breaker_remembers_keeps_the_next_run_out_for_the_rest_of_the_time(clock: ManualClock) -> None:
    memory = tripped(clock).memory()
    clock.advance(45)
    again = Breaker("desk", clock, memory=memory)
    assert again.admit() is None
    assert again.seconds_until_trial() == pytest.approx(15)
    clock.advance(15)
    assert admitted(again).trial


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0, -1e12])
def test_a_wall_clock_that_jumped_cannot_keep_the_circuit_open_longer_than_usual(
    clock: ManualClock, jump: float
) -> None:
    memory = tripped(clock).memory()
    clock.jump(jump)
    again = Breaker("desk", clock, memory=memory)
    assert again.seconds_until_trial() <= 60.0
    clock.advance(60)
    assert admitted(again).trial


def test_every_change_is_told_with_the_memory_to_keep(clock: ManualClock) -> None:
    told: list[tuple[str, BreakerMemory]] = []
    breaker = Breaker("desk", clock, on_change=lambda name, memory: told.append((name, memory)))
    breaker.success(admitted(breaker))
    assert told == []  # nothing has changed
    fail(breaker, 5)
    assert told[-1] == ("desk", BreakerMemory(5, clock.now() + 60))
    clock.advance(60)
    breaker.success(admitted(breaker))
    assert told[-1] == ("desk", BreakerMemory(0, 0.0))


def careful(clock: ManualClock) -> Breaker:
    return Breaker("model", clock, proven=False)


def test_a_dependency_that_is_down_is_asked_five_times_however_many_would_ask_at_once(clock: ManualClock) -> None:
    breaker = careful(clock)
    under_way = [admitted(breaker) for _ in range(5)]
    for _ in range(100):
        with pytest.raises(Crowded):
            breaker.admit()
    for admission in under_way:
        breaker.failure(admission)
    assert breaker.admit() is None


def test_once_one_call_has_gone_well_all_are_let_through_until_one_fails(clock: ManualClock) -> None:
    breaker = careful(clock)
    breaker.success(admitted(breaker))
    under_way = [admitted(breaker) for _ in range(50)]
    breaker.failure(under_way[0])
    with pytest.raises(Crowded):
        breaker.admit()
    breaker.success(under_way[1])
    admitted(breaker)


def test_a_permission_that_led_to_no_call_is_given_back(clock: ManualClock) -> None:
    breaker = careful(clock)
    for _ in range(20):
        breaker.release(admitted(breaker))
    fail(breaker, 5)
    clock.advance(60)
    breaker.release(admitted(breaker))
    assert admitted(breaker).trial


def test_whoever_comes_while_the_trial_is_under_way_is_asked_to_wait_for_it(clock: ManualClock) -> None:
    breaker = careful(clock)
    fail(breaker, 5)
    clock.advance(60)
    trial = admitted(breaker)
    with pytest.raises(Crowded):
        breaker.admit()
    breaker.failure(trial)
    assert breaker.admit() is None, "the trial has failed"
    clock.advance(60)
    hung = admitted(breaker)
    clock.advance(60)
    assert admitted(breaker).trial
    breaker.success(hung)  # too late: it is another's turn
    with pytest.raises(Crowded):
        breaker.admit()


@pytest.mark.parametrize("end", ["success", "release"])
def test_whoever_waits_for_a_trial_goes_on_as_soon_as_it_ends(clock: ManualClock, end: str) -> None:
    breaker = careful(clock)
    fail(breaker, 5)
    clock.advance(60)
    trial = admitted(breaker)
    let_in: list[Admission | None] = []
    waiting = [threading.Thread(target=lambda: let_in.append(breaker.admit(wait_s=60.0))) for _ in range(2)]
    waiting = waiting if end == "success" else waiting[:1]
    for thread in waiting:
        thread.start()
    getattr(breaker, end)(trial)
    for thread in waiting:
        thread.join(30.0)
    assert [admission is not None for admission in let_in] == [True] * len(waiting)
