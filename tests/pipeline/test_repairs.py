from __future__ import annotations

import pytest

from ticket_processor.reporting.run_words import Seen, difference, outcome_line

from ..support.fakes import a_ticket
from ..support.memory_helpdesk import Office, Open, wants

WORDS = "Mrs Smith of 12 Elm Road"


@pytest.fixture
def office(open_office: Open) -> Office:
    return open_office(a_ticket(1, tags=("vip",)))


def robbed(office: Office, **fields: object) -> None:
    """A run has taken away what a person did in the second of the stamp."""
    office.desk.unseen[1] = fields
    office.run()
    assert office.waiting() == [(1, "repair", 0)]


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


def test_a_tag_that_a_person_took_off_and_our_write_put_on_again_is_taken_off_by_the_repair(office: Office) -> None:
    robbed(office, tags=())
    assert "vip" in office.desk.tickets[1].tags
    (said,) = office.alerts("overwrote")
    assert (said["ticket_id"], said["parts"]) == (1, ["tags"])
    office.run()
    assert "vip" not in office.desk.tickets[1].tags
    assert "ai_processed" in office.desk.tickets[1].tags
