from __future__ import annotations

from ticket_processor.core.errors import MissingPart
from ticket_processor.core.models import Change, Priority, Ticket, Urgency

from ..support.fakes import a_ticket, an_analysis
from ..support.memory_helpdesk import ALWAYS, Open, wants


def many(count: int) -> list[Ticket]:
    return [a_ticket(number, tags=("vip",)) for number in range(1, count + 1)]


def any_group(change: Change) -> MissingPart | None:
    return "group" if change.group is not None else None


def any_field(change: Change) -> MissingPart | None:
    return "fields" if change.fields else None


def group_and_fields_and_priority(change: Change) -> MissingPart | None:
    return any_group(change) or any_field(change) or ("priority" if change.priority is not None else None)


def nothing(_change: Change) -> MissingPart | None:
    return None


# The write that goes without them


def test_three_refused_parts_cost_no_ticket_its_tags_and_its_note(open_office: Open) -> None:
    office = open_office(*many(1))
    office.desk.refuses = group_and_fields_and_priority
    summary = office.run(wants(77, f20="money"))
    (outcome,) = office.ended
    assert (outcome.status, outcome.attempts) == ("updated", 1)
    assert outcome.missing == ("fields", "group", "priority")
    assert "ai_processed" in office.desk.tickets[1].tags
    assert office.desk.record(1).edits[-1].comment == "internal"
    assert summary.writes.without == 1


# The write that completes it


def test_a_completion_never_lowers_what_a_person_has_raised_since(open_office: Open) -> None:
    office = open_office(*many(1))
    office.model.analysis = an_analysis(urgency=Urgency.CRITICAL)  # set is high; urgent is for a person to say
    office.desk.refuses = group_and_fields_and_priority
    office.run(policy=ALWAYS)
    assert office.waiting() == [(1, "incomplete", 0)]
    office.desk.refuses = nothing
    office.desk.person(1, priority=Priority.URGENT)
    office.run(policy=ALWAYS)
    assert office.ends()[1] == ("skipped", "nothing_left_to_change")
    assert office.desk.tickets[1].priority is Priority.URGENT


# Refused again


def test_a_part_that_is_refused_again_ends_as_incomplete_and_counts_towards_the_dead_letters(open_office: Open) -> None:
    office = open_office(*many(1))
    office.desk.refuses = any_group
    office.run(wants(77))
    for attempts in range(1, 5):
        summary = office.run(wants(77))
        assert office.ends()[1] == ("skipped", "incomplete_group")
        assert office.waiting() == [(1, "incomplete_group", attempts)]
        assert (summary.exit_code, summary.retry_list, summary.dead_letters) == (0, 1, 0)
    summary = office.run(wants(77))
    assert (summary.exit_code, summary.new_dead_letters, summary.dead_letters) == (1, 1, 1)
    office.run(wants(77))
    assert (office.ends(), office.desk.written) == ({}, [])
