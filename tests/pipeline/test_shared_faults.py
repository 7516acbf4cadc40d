from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from ticket_processor.core.errors import TicketError, TicketUnreadable, UpdateRefused
from ticket_processor.core.models import Change, Ticket
from ticket_processor.helpdesk.protocol import Page
from ticket_processor.helpdesk.ticket_history import Edit, History

from ..support.fakes import a_ticket
from ..support.memory_helpdesk import Office, Open, TrueDesk

TIMED_OUT = TicketUnreadable("Zendesk answers with HTTP 504")
REFUSED = UpdateRefused("Zendesk refused the update (HTTP 422, RecordInvalid)")


def touched(*numbers: int) -> list[Ticket]:
    """Tickets that somebody has changed since they were made, so that their record is read."""
    return [a_ticket(number, touched=600.0) for number in numbers]


class Faulty:
    """Makes an office's helpdesk fail for certain tickets."""

    def __init__(self, office: Office) -> None:
        self.audits: set[int] = set()
        self.updates: set[int] = set()
        self.error: TicketError = TIMED_OUT
        self.rows: dict[int, TicketError] = {}
        self.asked: list[int] = []
        self.takes_s = 0.0
        desk: TrueDesk = office.desk
        history, update, pages = desk.history, desk.update, desk.pages

        def told(ticket_id: int) -> History:
            self.asked.append(ticket_id)
            if ticket_id in self.audits:
                office.clock.advance(self.takes_s)
                raise self.error
            return history(ticket_id)

        def written(change: Change) -> Edit | None:
            if change.ticket_id in self.updates:
                raise REFUSED
            return update(change)

        def shown(cursor: str | None, since: float) -> Iterator[Page]:
            for page in pages(cursor, since):
                good = tuple(ticket for ticket in page.tickets if ticket.id not in self.rows)
                yield Page(good, page.cursor, page.last, self.rows)

        desk.history, desk.update, desk.pages = told, written, shown  # type: ignore[method-assign]


def updated(office: Office) -> list[int]:
    return [number for number, (status, _) in office.ends().items() if status == "updated"]


def dead(office: Office) -> list[int]:
    return [item.ticket_id for item in office.state.retries() if item.dead]


def test_several_different_tickets_in_a_row_are_the_helpdesks_fault_and_count_against_none(open_office: Open) -> None:
    office = open_office(*touched(1, 2, 3, 4, 5))
    faulty = Faulty(office)
    faulty.audits = {1, 2, 3, 4, 5}
    summary = office.run()
    assert (summary.exit_code, summary.stopped_by) == (3, "HelpdeskDown")
    assert "5 different tickets in a row, the last of them 3, 4, 5" in str(summary.stopped)
    assert [attempts for _, _, attempts in office.waiting()] == [0, 0, 0, 0, 0]
    assert faulty.asked == [1, 2, 3, 4, 5]


def test_where_the_helpdesk_shows_no_other_ticket_any_more_three_in_a_row_are_enough(open_office: Open) -> None:
    office = open_office(*touched(1, 2, 3, 4, 5))
    faulty = Faulty(office)
    faulty.audits = {1, 2, 3, 4, 5}
    office.desk.unread = dict.fromkeys(range(1, 6), TIMED_OUT)
    summary = office.run()
    assert (summary.exit_code, summary.stopped_by) == (3, "HelpdeskDown")
    assert "3 different tickets in a row, the last of them 1, 2, 3" in str(summary.stopped)
    assert faulty.asked == [1, 2, 3]
    assert office.ends()[5] == ("skipped", "deferred_record_unreadable")


@pytest.mark.parametrize("kind", ["audits", "updates"])
@pytest.mark.parametrize("first", [1, 36, 71], ids=["first", "in the middle", "last"])
def test_many_poisoned_tickets_together_delay_no_good_one_by_a_run(open_office: Open, kind: str, first: int) -> None:
    office = open_office(*touched(*range(1, 101)))
    poison = set(range(first, first + 30))
    setattr(Faulty(office), kind, poison)
    summary = office.run()
    assert sorted(updated(office)) == sorted(set(range(1, 101)) - poison)
    assert {number for number, _, _ in office.waiting()} == poison
    assert summary.exit_code == 1


def test_a_fault_of_the_whole_account_buries_no_ticket_and_they_come_back_by_themselves(open_office: Open) -> None:
    numbers = range(1, 9)
    office = open_office(*(a_ticket(number) for number in numbers))
    faulty = Faulty(office)
    faulty.updates = set(numbers)
    for _ in range(8):
        summary = office.run()
        assert summary.exit_code == 3
        assert "HTTP 422" in str(summary.stopped)
    assert dead(office) == []
    faulty.updates = set()
    done: list[int] = []
    for _ in range(2):
        office.run()
        done += updated(office)
    assert sorted(done) == list(numbers)
    assert office.state.retries() == []


def test_a_ticket_whose_record_could_not_be_read_comes_back_although_no_other_record_is_needed(
    open_office: Open,
) -> None:
    office = open_office(a_ticket(1, touched=100.0))
    faulty = Faulty(office)
    faulty.audits = {1}
    for _ in range(5):
        office.run()
    assert dead(office) == [1]
    faulty.asked.clear()
    office.run()
    assert (dead(office), faulty.asked) == ([1], [1]), "one record is asked for in each run"
    faulty.audits = set()
    office.run()
    assert (dead(office), office.ends()) == ([], {})
    office.run()
    assert updated(office) == [1]
    faulty.asked.clear()
    office.run()
    assert faulty.asked == []


def test_a_row_that_makes_no_sense_waits_and_the_rest_of_the_page_is_triaged(open_office: Open) -> None:
    office = open_office(a_ticket(1), a_ticket(2))
    odd: Mapping[int, Any] = {7: TicketError("Zendesk shows this ticket in a form that cannot be read")}
    faulty = Faulty(office)
    faulty.rows = dict(odd)
    office.desk.unread = dict(odd)
    for _ in range(6):
        office.run()
        office.desk.tickets[max(office.desk.tickets) + 1] = a_ticket(max(office.desk.tickets) + 1)
    assert dead(office) == [7]
    assert office.alerts("dead_letter")[0]["ticket_id"] == 7
