from __future__ import annotations

from ticket_processor.helpdesk.ticket_history import Edit
from ticket_processor.tags import write_key

from ..support.fakes import START, a_ticket
from ..support.memory_helpdesk import Open, wants


def test_what_somebody_takes_off_after_that_read_is_looked_up_anew(open_office: Open) -> None:
    office = open_office(a_ticket(1, touched=100.0, group=9))
    understood, model = [], office.model.analyse

    def meanwhile(text: object) -> object:
        understood.append(1)
        office.desk.person(1, group=None)
        return model(text)  # type: ignore[arg-type]

    office.model.analyse = meanwhile  # type: ignore[assignment, method-assign]
    office.run(wants(9))
    assert understood
    assert office.ends()[1][0] == "updated"
    assert office.desk.tickets[1].group is None
    assert office.desk.histories() == [1, 1]


def test_a_record_that_was_read_right_after_a_change_is_read_again_before_the_write(open_office: Open) -> None:
    """It may lack what made that change, which here is another run's write: of a follow-up no tag tells of it."""
    fresh = a_ticket(1, touched=2.0, tags=("ai_processed",), follow_up=True)
    office = open_office(fresh)
    office.run()
    assert office.ends()[1] == ("skipped", "deferred_changed_just_now")
    office.desk.edits[1] = [Edit(at=fresh.updated_at, key=write_key(fresh), intent="run9-1")]
    office.desk.tickets[1] = fresh.model_copy(update={"read_at": START + 600.0})
    office.run()
    assert office.ends()[1] == ("skipped", "already_done")
    assert office.desk.written == []
