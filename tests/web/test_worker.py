from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ticket_processor.core import reasons
from ticket_processor.core.clock import SystemClock
from ticket_processor.core.errors import CannotRun, RunLocked, StateUnusable
from ticket_processor.core.models import Outcome, OutcomeStatus
from ticket_processor.core.run_summary import RunSummary
from ticket_processor.web import worker as module
from ticket_processor.web.worker import FAR_S, FILE_NAME, KEPT_S, DeliveryQueue, TakenFirst, WebhookTicket, Worker
from ticket_processor.wiring.runs import RunArguments

from .conftest import until

Ends = dict[int, str]
"""Reasons by ticket; a ticket that is not there is known to need nothing."""


class Played:
    """Plays scripted runs: an error, or the reasons with which tickets end and why the run was stopped."""

    def __init__(self, *script: Exception | tuple[Ends, str | None]) -> None:
        self.script = list(script)
        self.asked: list[list[int]] = []

    def __call__(self, asked: RunArguments, heard: module.Heard) -> RunSummary:
        self.asked.append(sorted(asked.tickets))
        step = self.script.pop(0) if self.script else ({}, None)
        if isinstance(step, Exception):
            raise step
        for number, reason in step[0].items():
            heard(Outcome(ticket_id=number, status=OutcomeStatus.SKIPPED, reason=reason))
        return RunSummary(run_id="r", dry_run=False, stopped=step[1], exit_code=3 if step[1] else 0)


Begin = Callable[..., Worker]


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[DeliveryQueue]:
    made = DeliveryQueue(tmp_path, "zendesk", join_s=0)
    yield made
    made.close()


@pytest.fixture
def begin(queue: DeliveryQueue, monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    """Puts tickets on the queue, and starts a worker that is in a hurry."""
    for name in ("SOON_S", "LOCKED_S", "FIRST_PAUSE_S"):
        monkeypatch.setattr(module, name, 0.05)
    started: list[Worker] = []
    said: list[str] = []

    def start(player: Played, *tickets: int) -> Worker:
        queue.put([WebhookTicket(number) for number in tickets], SystemClock().now())
        started.append(Worker(queue, player, SystemClock(), said.append))
        started[-1].start()
        return started[-1]

    yield start
    for each in started:
        each.stop()
        each.join(10)
        assert not each.is_alive()


def length(queue: DeliveryQueue) -> int:
    return queue.length(0.0)[0]


def test_what_has_an_end_or_is_known_leaves(queue: DeliveryQueue, begin: Begin) -> None:
    player = Played(({1: reasons.CLOSED}, None))
    begin(player, 1, 2)
    until(lambda: length(queue) == 0, within=10)
    assert player.asked == [[1, 2]]


def test_what_changed_just_now_is_tried_again_soon(queue: DeliveryQueue, begin: Begin) -> None:
    player = Played(({1: reasons.DEFERRED, 2: reasons.CLOSED}, None), ({1: reasons.CLOSED}, None))
    begin(player, 1, 2)
    until(lambda: length(queue) == 0, within=10)
    assert player.asked == [[1, 2], [1]]


@pytest.mark.slow
def test_what_is_changed_again_and_again_is_left_to_the_retry_list(queue: DeliveryQueue, begin: Begin) -> None:
    player = Played(*[({1: reasons.DEFERRED}, None)] * (module.MOST_TRIES + 1))
    begin(player, 1)
    until(lambda: length(queue) == 0, within=20)
    assert len(player.asked) == module.MOST_TRIES + 1


@pytest.mark.parametrize(
    "hindrance",
    [RunLocked("another run"), CannotRun("the helpdesk is down"), ValueError("a bug"), ({1: reasons.CLOSED}, "halted")],
    ids=["another run", "no helpdesk", "a bug", "stopped early"],
)
def test_whatever_keeps_runs_from_it_keeps_the_queue(
    queue: DeliveryQueue, begin: Begin, hindrance: Exception | tuple[Ends, str | None]
) -> None:
    player = Played(hindrance)
    begin(player, 1, 2)
    until(lambda: length(queue) == 0, within=10)
    assert [number for number in (1, 2) if number in player.asked[0]] == [1, 2]
    assert 2 in player.asked[1]


def test_a_scheduled_run_is_handed_each_ticket_once(queue: DeliveryQueue) -> None:
    now = [1000.0]
    queue.put([WebhookTicket(1)], 999.0)
    first = TakenFirst(queue, lambda: now[0])
    assert list(first()) == [1]
    queue.put([WebhookTicket(2)], 1000.0)
    assert list(first()) == []  # not asked for so soon again
    now[0] += 1
    assert list(first()) == [2]
    first.heard(Outcome(ticket_id=2, status=OutcomeStatus.UPDATED, reason="model"))
    now[0] += 1
    assert (list(first()), length(queue)) == ([], 1)


NOW = 1_795_000_000.0
Opened = Callable[[], DeliveryQueue]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    """Opens the queue of one folder, as a process would."""
    queues: list[DeliveryQueue] = []

    def make() -> DeliveryQueue:
        queues.append(DeliveryQueue(tmp_path, "zendesk", join_s=2.0))
        return queues[-1]

    yield make
    for each in queues:
        each.close()


def ids(queue: DeliveryQueue, seconds: float = 2.0) -> list[int]:
    return [item.ticket_id for item in queue.due(NOW + seconds)]


def test_deliveries_for_one_ticket_become_one_job_after_a_moment(opened: Opened) -> None:
    queue = opened()
    assert queue.put([WebhookTicket(1), WebhookTicket(2), WebhookTicket(1)], NOW) == [True, True, True]
    queue.put([WebhookTicket(1)], NOW + 1.5)  # which does not put it off
    assert ids(queue, 1.9) == []
    assert [(item.ticket_id, item.events) for item in queue.due(NOW + 2)] == [(1, 3), (2, 1)]
    assert queue.length(NOW + 2) == (2, 2.0)


def test_a_repetition_is_known_also_after_a_restart(opened: Opened) -> None:
    assert opened().put([WebhookTicket(1, "signature a")], NOW) == [True]
    again = opened()
    assert again.put([WebhookTicket(1, "signature a"), WebhookTicket(1, "signature b")], NOW) == [False, True]
    assert again.due(NOW + 2)[0].events == 2


def test_keys_are_forgotten_and_the_queue_is_not(opened: Opened) -> None:
    queue = opened()
    queue.put([WebhookTicket(1, "a")], NOW)
    assert queue.put([WebhookTicket(1, "a")], NOW + KEPT_S - 1) == [False]
    assert queue.put([WebhookTicket(1, "a")], NOW + KEPT_S + 1) == [True]
    assert ids(queue) == [1]


def test_what_is_done_leaves_and_what_was_told_since_has_a_turn_of_its_own(opened: Opened) -> None:
    queue = opened()
    queue.put([WebhookTicket(1), WebhookTicket(2)], NOW)
    taken = queue.due(NOW + 2)
    queue.put([WebhookTicket(2)], NOW + 3)
    opened().done(taken)  # by another process
    assert ids(queue, 4.9) == []
    assert [(item.ticket_id, item.events, item.first_at) for item in queue.due(NOW + 5)] == [(2, 1, NOW + 3)]


def test_what_is_put_off_comes_again_and_counts_its_tries(opened: Opened) -> None:
    queue = opened()
    queue.put([WebhookTicket(1)], NOW)
    queue.put_off(queue.due(NOW + 2), NOW + 8)
    assert ids(queue, 7.9) == []
    assert [item.tries for item in queue.due(NOW + 8)] == [1]


def test_a_clock_that_was_wrong_puts_nothing_off_for_long(opened: Opened) -> None:
    queue = opened()
    queue.put([WebhookTicket(1)], NOW + 2 * FAR_S)
    assert ids(queue) == [1]


def test_each_helpdesk_has_its_own_numbers(opened: Opened, tmp_path: Path) -> None:
    opened().put([WebhookTicket(1)], NOW)
    other = DeliveryQueue(tmp_path, "freshdesk")
    assert ids(other) == []
    other.close()


def test_a_damaged_file_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"no database" * 100)
    with pytest.raises(StateUnusable):
        DeliveryQueue(tmp_path, "zendesk")
