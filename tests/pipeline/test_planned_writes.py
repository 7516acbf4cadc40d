from __future__ import annotations

from ticket_processor.core.models import Ticket
from ticket_processor.pipeline.planned_writes import PlanFile, planned_writes
from ticket_processor.state.records import Verdict
from ticket_processor.state.store import State

from ..support.fakes import a_ticket
from ..support.memory_helpdesk import Office, Open

ACCOUNT = "https://acme.zendesk.com"


def planned(office: Office, **options: object) -> list[Verdict]:
    """What a dry run keeps, read back from its file; it leaves nothing in the state."""
    state, office.state = office.state, State(None)
    state._db.backup(office.state._db)
    office.run(dry_run=True, since=0.0, **options)  # type: ignore[arg-type]
    assert office.desk.written == []
    path = office.folder / "planned.jsonl"
    kept = PlanFile(path, ACCOUNT)
    for outcome in office.ended:
        kept.keep(outcome, office.state)
    kept.close()
    office.state = state
    return list(planned_writes(path, ACCOUNT))


def written(office: Office) -> list[int]:
    return [change.ticket_id for change in office.desk.written]


def several(count: int) -> list[Ticket]:
    return [a_ticket(number) for number in range(1, count + 1)]


def test_a_ticket_that_changed_is_left_alone_and_the_others_are_written_once(open_office: Open) -> None:
    office = open_office(*several(3))
    plan = planned(office)
    office.desk.person(2, tags=("vip",))
    office.run(planned=plan)
    assert written(office) == [1, 3]
    assert office.ends()[2] == ("skipped", "changed_since_dry_run")
    office.run(planned=plan)
    assert written(office) == []
    assert office.ends()[1] == ("skipped", "already_done")


def test_those_that_are_done_or_given_up_are_not_even_read_and_stay_so(open_office: Open) -> None:
    office = open_office(*several(3))
    plan = planned(office)
    office.run(only=(1,))
    office.state.retry_later(2, "broken", failed=True, max_attempts=1)
    office.state.drop(3)
    office.run(planned=plan)
    assert office.ends() == {
        1: ("skipped", "already_done"),
        2: ("skipped", "dead_letter"),
        3: ("skipped", "retry_dropped"),
    }
    assert (written(office), office.desk.times("fetch")) == ([], 0)
    assert [item.dead for item in office.state.retries()] == [True]
    assert office.state.dropped() == {3}
