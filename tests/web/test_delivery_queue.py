"""The queue keeps what was told, joins what belongs together, and knows what came before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ticket_processor.core.errors import StateUnusable
from ticket_processor.web.worker import FAR_S, FILE_NAME, KEPT_S, DeliveryQueue, ToldTicket

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
    assert queue.put([ToldTicket(1), ToldTicket(2), ToldTicket(1)], NOW) == [True, True, True]
    queue.put([ToldTicket(1)], NOW + 1.5)  # which does not put it off
    assert ids(queue, 1.9) == []
    assert [(item.ticket_id, item.events) for item in queue.due(NOW + 2)] == [(1, 3), (2, 1)]
    assert queue.length(NOW + 2) == (2, 2.0)


def test_a_repetition_is_known_by_any_of_its_keys_also_after_a_restart(opened: Opened) -> None:
    assert opened().put([ToldTicket(1, ("signature a", "event 1"))], NOW) == [True]
    again = opened()
    assert again.put([ToldTicket(1, ("signature a", "event 1")), ToldTicket(1, ("signature b", "event 1"))], NOW) == [
        False,
        False,
    ]
    assert again.due(NOW + 2)[0].events == 1


def test_keys_are_forgotten_and_the_queue_is_not(opened: Opened) -> None:
    queue = opened()
    queue.put([ToldTicket(1, ("a",))], NOW)
    assert queue.put([ToldTicket(1, ("a",))], NOW + KEPT_S - 1) == [False]
    assert queue.put([ToldTicket(1, ("a",))], NOW + KEPT_S + 1) == [True]
    assert ids(queue) == [1]


def test_what_is_done_leaves_and_what_was_told_since_has_a_turn_of_its_own(opened: Opened) -> None:
    queue = opened()
    queue.put([ToldTicket(1), ToldTicket(2)], NOW)
    taken = queue.due(NOW + 2)
    queue.put([ToldTicket(2)], NOW + 3)
    opened().done(taken)  # by another process
    assert ids(queue, 4.9) == []
    assert [(item.ticket_id, item.events, item.first_at) for item in queue.due(NOW + 5)] == [(2, 1, NOW + 3)]


def test_what_is_put_off_comes_again_and_counts_its_tries(opened: Opened) -> None:
    queue = opened()
    queue.put([ToldTicket(1)], NOW)
    queue.put_off(queue.due(NOW + 2), NOW + 8)
    assert ids(queue, 7.9) == []
    assert [item.tries for item in queue.due(NOW + 8)] == [1]


def test_a_clock_that_was_wrong_puts_nothing_off_for_long(opened: Opened) -> None:
    queue = opened()
    queue.put([ToldTicket(1)], NOW + 2 * FAR_S)
    assert ids(queue) == [1]


def test_each_helpdesk_has_its_own_numbers(opened: Opened, tmp_path: Path) -> None:
    opened().put([ToldTicket(1)], NOW)
    other = DeliveryQueue(tmp_path, "freshdesk")
    assert ids(other) == []
    other.close()


def test_another_process_finds_a_queue_only_where_one_is(opened: Opened, tmp_path: Path) -> None:
    assert DeliveryQueue.of_others(tmp_path, "zendesk") is None
    assert not (tmp_path / FILE_NAME).exists()
    opened().put([ToldTicket(1)], NOW)
    found = DeliveryQueue.of_others(tmp_path, "zendesk")
    assert found is not None
    assert ids(found) == [1]
    found.close()


def test_a_damaged_file_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"no database" * 100)
    with pytest.raises(StateUnusable):
        DeliveryQueue(tmp_path, "zendesk")
