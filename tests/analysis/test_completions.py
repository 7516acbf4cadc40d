from __future__ import annotations

from collections.abc import Callable

import pytest

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


def test_a_field_value_that_was_refused_is_asked_for_once_a_run(open_office: Open) -> None:
    office = open_office(*many(20))
    office.desk.refuses = any_field
    office.run(wants(f20="money"))
    assert sum(bool(change.fields) for change in office.desk.written) == 1
    assert {outcome.missing for outcome in office.ended} == {("fields",)}


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


def test_a_group_that_was_corrected_in_the_settings_is_the_one_that_is_set(open_office: Open) -> None:
    office = open_office(*many(2))
    office.desk.refuses = lambda change: "group" if change.group == 77 else None
    office.run(wants(77))
    assert [reason for _, reason, _ in office.waiting()] == ["incomplete"] * 2
    office.run(wants(78))
    assert [change.group for change in office.desk.written] == [78, 78]
    assert {ticket.group for ticket in office.desk.tickets.values()} == {78}
    assert office.waiting() == []


def test_a_group_that_no_setting_names_any_more_is_waited_for_no_longer(open_office: Open) -> None:
    office = open_office(*many(1))
    office.desk.refuses = any_group
    office.run(wants(77))
    office.run(wants())
    assert office.ends()[1] == ("skipped", "nothing_left_to_change")
    assert (office.desk.written, office.waiting()) == ([], [])


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


@pytest.mark.parametrize("part", [any_group, any_field], ids=["group", "fields"])
def test_what_is_refused_again_costs_one_request_a_run_however_many_tickets_wait_for_it(
    open_office: Open, part: Callable[[Change], MissingPart | None]
) -> None:
    office = open_office(*many(20))
    settings = wants(77) if part is any_group else wants(f20="money")
    office.desk.refuses = part
    office.run(settings)
    office.run(settings)
    assert len(office.desk.written) == 1
    assert len(set(office.desk.histories())) == 1
    (end,) = set(office.ends().values())
    assert end == ("skipped", "incomplete_group" if part is any_group else "incomplete_fields")
    assert {attempts for _, _, attempts in office.waiting()} == {1}
