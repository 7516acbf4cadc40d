"""What a write of ours took from people all the same is put back: whatever they do since, and nothing besides."""

from __future__ import annotations

import pytest

from ticket_processor.core.errors import OutcomeUnknown
from ticket_processor.core.models import Change, Overwrite, Priority
from ticket_processor.reporting.run_words import Seen, difference, outcome_line

from ..support.fakes import a_ticket
from ..support.memory_helpdesk import ALWAYS, Office, Open, wants

LOW, URGENT = Priority.LOW, Priority.URGENT
WORDS = "Mrs Smith of 12 Elm Road"


@pytest.fixture
def office(open_office: Open) -> Office:
    return open_office(a_ticket(1, tags=("vip",)))


def robbed(office: Office, **fields: object) -> None:
    """A run has taken away what a person did in the second of the stamp."""
    office.desk.unseen[1] = fields
    office.run()
    assert office.waiting() == [(1, "repair", 0)]


# On which tickets


@pytest.mark.parametrize("status", ["pending", "hold", "solved"])
def test_a_repair_is_made_although_a_person_has_moved_the_ticket_on(office: Office, status: str) -> None:
    robbed(office, tags=("vip", "theirs"))
    office.desk.person(1, status=status)
    office.run()
    assert office.ends()[1] == ("updated", "put_back_what_was_overwritten")
    assert "theirs" in office.desk.tickets[1].tags
    assert office.waiting() == []


# What is put back


def test_a_ticket_that_somebody_wants_left_alone_is_not_even_repaired(office: Office) -> None:
    robbed(office, tags=("vip", "theirs"))
    office.desk.person(1, tags=(*office.desk.tickets[1].tags, "ai_hands_off"))
    office.run()
    assert (office.ends()[1], office.desk.written) == (("skipped", "hands_off"), [])


def test_a_persons_words_in_a_field_are_put_back_and_stand_in_no_log_and_on_no_screen(office: Office) -> None:
    office.desk.unseen[1] = {"fields": {20: WORDS}}
    office.run(wants(f20="billing"))
    assert office.desk.tickets[1].fields == {20: "billing"}
    office.run(wants(f20="billing"))
    assert office.desk.tickets[1].fields == {20: WORDS}
    (outcome,) = office.ended
    assert WORDS not in office.logged()
    assert "(as it was)" in office.logged()
    assert WORDS not in outcome_line(Seen(outcome)) + difference(Seen(outcome))


def test_what_a_person_had_is_put_back_and_not_what_the_settings_want_today(office: Office) -> None:
    """The write that completes another can take something away as well, and be refused a part."""
    office.desk.refuses = lambda change: "priority" if change.priority else None
    office.run()
    assert office.waiting() == [(1, "incomplete", 0)]
    office.desk.refuses = lambda _change: None
    office.desk.unseen[1] = {"priority": LOW}
    office.run(policy=ALWAYS)
    assert office.waiting() == [(1, "repair", 0)]
    office.run(policy=ALWAYS)
    assert office.desk.tickets[1].priority is LOW


def test_a_tag_that_a_person_took_off_and_our_write_put_on_again_is_taken_off_by_the_repair(office: Office) -> None:
    robbed(office, tags=())
    assert "vip" in office.desk.tickets[1].tags
    (said,) = office.alerts("overwrote")
    assert (said["ticket_id"], said["parts"]) == (1, ["tags"])
    office.run()
    assert "vip" not in office.desk.tickets[1].tags
    assert "ai_processed" in office.desk.tickets[1].tags


# How it is noticed


def test_a_write_that_was_confirmed_by_reading_is_compared_with_its_record_too(office: Office) -> None:
    def lose(change: Change) -> None:
        office.desk.apply(change)
        raise OutcomeUnknown("lost")

    office.desk.updates = [lose]
    robbed(office, tags=("vip", "theirs"), priority=LOW)
    assert office.ends()[1] == ("updated", "confirmed_by_reading")
    (said,) = office.alerts("overwrote")
    assert said["parts"] == ["tags", "priority"]
    office.run()
    assert "theirs" in office.desk.tickets[1].tags
    assert office.desk.tickets[1].priority is LOW


# What a write keeps its hands off in the first place


@pytest.mark.parametrize("rule", list(Overwrite))
def test_the_group_of_an_assigned_ticket_is_never_replaced(open_office: Open, rule: Overwrite) -> None:
    office = open_office(a_ticket(1, assignee=55, group=8))
    policy = ALWAYS.model_copy(update={"group": ALWAYS.group.model_copy(update={"overwrite": rule})})
    office.run(wants(9), policy=policy)
    assert office.ends()[1][0] == "updated"
    assert office.desk.tickets[1].group == 8
