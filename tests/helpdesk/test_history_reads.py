"""What a ticket's history is read for, and how often: on a busy account it costs more than all other reads."""

from __future__ import annotations

import pytest

from ticket_processor.core.models import Overwrite, Priority
from ticket_processor.helpdesk.ticket_history import Edit
from ticket_processor.policy.decide import FieldPolicy, Policy
from ticket_processor.tags import write_key

from ..support.fakes import START, a_ticket
from ..support.memory_helpdesk import Open, wants

BOT_SET = Policy(
    priority=FieldPolicy(overwrite=Overwrite.BOT_SET),
    group=FieldPolicy(overwrite=Overwrite.BOT_SET),
    fields=FieldPolicy(overwrite=Overwrite.BOT_SET),
)
THEIRS = {"priority": Priority.LOW, "group": 8, "fields": {20: "theirs"}}


def test_a_ticket_that_nobody_has_touched_needs_none_although_bot_set_values_may_be_replaced(open_office: Open) -> None:
    office = open_office(*(a_ticket(number, **THEIRS) for number in range(1, 21)))
    office.run(wants(9, f20="money"), policy=BOT_SET)
    assert {end for end, _ in office.ends().values()} == {"updated"}
    assert office.desk.histories() == []
    assert {ticket.priority for ticket in office.desk.tickets.values()} == {Priority.LOW}


def test_a_touched_ticket_on_which_nothing_is_to_be_replaced_needs_one_for_our_key_only(open_office: Open) -> None:
    wanted = {"priority": Priority.HIGH, "group": 9, "fields": {20: "money"}}
    office = open_office(a_ticket(1, touched=100.0, **wanted))
    office.run(wants(9, f20="money"), policy=BOT_SET)
    assert office.ends()[1][0] == "updated"
    assert office.desk.histories() == [1]


@pytest.mark.parametrize("policy", [Policy(), BOT_SET], ids=["never", "bot-set"])
def test_a_touched_ticket_costs_one_read_and_not_two(open_office: Open, policy: Policy) -> None:
    office = open_office(*(a_ticket(number, touched=100.0) for number in range(1, 11)))
    office.run(wants(9, f20="money"), policy=policy)
    assert {end for end, _ in office.ends().values()} == {"updated"}
    assert sorted(map(str, office.desk.histories())) == sorted(map(str, range(1, 11)))


def test_what_was_taken_off_is_known_from_that_one_read(open_office: Open) -> None:
    office = open_office(a_ticket(1, priority=Priority.LOW, group=9, fields={20: "x"}, tags=("vip", "ai_billing")))
    office.desk.person(1, priority=None, group=None, fields={}, tags=("vip",))
    office.run(wants(9, f20="money"))
    assert office.desk.histories() == [1]
    ticket = office.desk.tickets[1]
    assert (ticket.priority, ticket.group, ticket.fields) == (None, None, {})
    assert "ai_processed" in ticket.tags
    assert "ai_billing" not in ticket.tags


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


def test_a_read_that_may_lack_the_latest_edit_is_not_relied_on(open_office: Open) -> None:
    """The ticket was changed in the second of the read, which its record need not show yet."""
    office = open_office(a_ticket(1, touched=2.0, group=None))
    office.run(wants(9))
    assert office.ends()[1] == ("skipped", "deferred_changed_just_now")
    (item,) = office.state.unsettled()
    assert item.verdict.taken_off is None


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
