from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ticket_processor.core.errors import NotAuthorised
from ticket_processor.core.models import Change, Priority
from ticket_processor.helpdesk.ticket_history import Edit
from ticket_processor.pipeline import job_trust
from ticket_processor.pipeline.jobs import Delivery

from ..support.fakes import ItemFate, a_ticket
from ..support.writeback_rig import Bench, opened

BATCH = Delivery("batch")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Seven tickets on an account whose jobs were seen to hold."""
    with opened(tmp_path, *(a_ticket(number) for number in range(1, 8))) as bench:
        yield bench


def trimmed(change: Change) -> Edit:
    return Edit(at="", key=change.key, intent=change.intent, dropped=frozenset({"tags", "priority"}))


def told(bench: Bench) -> dict[int, list[str]]:
    return {line["ticket_id"]: line["parts"] for line in bench.lines() if line.get("what") == "trimmed"}


# Single updates


def test_three_writes_in_a_row_without_a_part_end_the_run_with_what_to_check(bench: Bench) -> None:
    whole = bench.desk.made
    bench.desk.updates = [trimmed, trimmed, whole, trimmed, trimmed, trimmed, whole]
    write_back = bench.write_back()
    write_back.take(bench.verdicts())
    ended = write_back.finish()
    assert [next(ended).outcome.ticket_id for _ in range(6)] == [1, 2, 3, 4, 5, 6]
    with pytest.raises(NotAuthorised, match="right to edit tags"):
        next(ended)
    assert len(bench.desk.written) == 6


def test_a_completion_of_which_a_part_came_is_made_again_by_a_later_run(bench: Bench) -> None:
    """Its key is on record by then, which proves no more than that some of it was written."""
    bench.desk.updates = [trimmed]
    bench.run(bench.verdicts(1))
    lacks = {"dropped": frozenset({"priority"})}
    bench.desk.updates = [lambda change: bench.desk.apply(change, "no priority").model_copy(update=lacks)]
    bench.run()
    assert (bench.desk.tickets[1].tags, bench.desk.tickets[1].priority) == (("ai_processed", "ai_billing"), None)
    bench.desk.updates = [bench.desk.made]
    bench.run()
    assert bench.desk.tickets[1].priority is Priority.HIGH
    assert (bench.state.retries(), bench.state.unsettled(), len(bench.desk.written)) == ([], [], 3)


# Jobs


@pytest.mark.parametrize("known", [True, False], ids=["known account", "trial"])
@pytest.mark.parametrize("fate", ["no tags", "no priority"])
def test_three_items_in_a_row_without_a_part_end_the_run_and_later_runs_complete_all(
    bench: Bench, fate: ItemFate, known: bool
) -> None:
    if not known:
        bench.state.forget(job_trust.TRUST)
    bench.desk.items = dict.fromkeys(bench.desk.tickets, fate)
    with pytest.raises(NotAuthorised, match="right to edit tags"):
        bench.run(bench.verdicts(), delivery=BATCH)
    part = fate.removeprefix("no ")
    assert list(told(bench).values()) == [[part]] * 3

    # The user has the right by now; what the earlier run left in the middle is no reason to stop again.
    bench.desk.items.clear()
    bench.desk.updates = [bench.desk.made] * 20
    for _ in range(3):
        bench.clock.advance(700)
        bench.run(delivery=BATCH)
    for number, ticket in bench.desk.tickets.items():
        assert "ai_processed" in ticket.tags, number
        assert ticket.priority is Priority.HIGH, number
        notes = [edit for edit in bench.desk.edits[number] if edit.comment]
        assert len(notes) == 1, number
    assert (bench.state.retries(), bench.state.unsettled()) == ([], [])
