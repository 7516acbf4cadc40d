from __future__ import annotations

from ticket_processor.core.models import Priority, Urgency

from ..support.fakes import a_ticket, an_analysis
from ..support.memory_helpdesk import Office, Open


def noted(office: Office) -> list[tuple[int, bool]]:
    """What was sent, and whether with a note."""
    return [(change.ticket_id, change.note is not None) for change in office.desk.written]


def undone(office: Office, number: int) -> None:
    """An undo of ours has taken the write back, as its record says."""
    ticket = office.desk.tickets[number]
    gone = frozenset(tag for tag in ticket.tags if tag.startswith("ai_"))
    tags = tuple(tag for tag in ticket.tags if tag not in gone)
    office.desk.person(number, ago=None, tags=tags, priority=None)
    edits = office.desk.edits[number]
    edits[-1] = edits[-1].model_copy(update={"key": "undo", "intent": "undo-1", "author": None})


def test_after_an_undo_a_ticket_is_triaged_anew_under_another_key_with_everything(open_office: Open) -> None:
    office = open_office(a_ticket(1))
    office.run()
    (first,) = office.desk.written
    undone(office, 1)
    office.run()
    assert office.desk.written == [], "a run by itself leaves alone what was taken back"
    office.run(only=(1,), anew=True)
    (second,) = office.desk.written
    assert second.key != first.key
    assert (second.note is not None, second.priority) == (True, Priority.HIGH)
    assert set(second.tags_added) == set(first.tags_added)
    office.run()
    assert office.desk.written == []


def test_labels_that_are_still_there_are_replaced_and_told_in_a_note(open_office: Open) -> None:
    office = open_office(a_ticket(1))
    office.run()
    office.model.analysis = an_analysis(category="technical", urgency=Urgency.LOW)
    office.run(only=(1,), anew=True)
    (change,) = office.desk.written
    assert set(change.tags_removed) == {"ai_billing", "ai_urgency_high"}
    assert {"ai_technical", "ai_urgency_low"} <= set(change.tags_added)
    assert change.priority is None, "the priority stays, whoever set it"
    assert change.note is not None


def test_a_ticket_whose_labels_a_person_has_changed_is_left_to_them(open_office: Open) -> None:
    office = open_office(a_ticket(1))
    office.run()
    kept = tuple(tag for tag in office.desk.tickets[1].tags if tag != "ai_billing")
    office.desk.person(1, tags=(*kept, "sales"))
    office.model.analysis = an_analysis(category="technical", urgency=Urgency.LOW)
    office.run(only=(1,), anew=True)
    assert (office.ends(), noted(office)) == ({1: ("skipped", "person_changed_our_tags")}, [])
