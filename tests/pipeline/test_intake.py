from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.core.models import Outcome, OutcomeStatus, Ticket
from ticket_processor.helpdesk.protocol import Page
from ticket_processor.helpdesk.ticket_history import Edit
from ticket_processor.pipeline.intake import Intake, PageLedger, Wanted
from ticket_processor.pipeline.select import Work
from ticket_processor.policy.skip_rules import Selection, SkipRules
from ticket_processor.state.store import State

from ..support.fakes import START, FakeDesk, a_ticket
from ..support.intake_rig import CursorState, Gate, Screening

# The ledger

PAGES = st.lists(st.lists(st.integers(1, 6), max_size=4), min_size=1, max_size=5)


@given(pages=PAGES, dice=st.randoms(use_true_random=False))
def test_the_stored_cursor_never_lies_behind_a_ticket_that_is_not_settled(pages: list[list[int]], dice: Any) -> None:
    """Pages are read and tickets settled in any order; a ticket may come back on a later page, settled or not."""
    stored: list[str] = []
    ledger = PageLedger(stored.append)
    begun: list[set[int]] = []  # by page: tickets begun there and not settled since
    read = 0  # pages looked at to their end

    def settle() -> None:
        unsettled = sorted(set().union(*begun)) if begun else []
        if not unsettled:
            return
        ticket = dice.choice(unsettled)
        for left in begun:
            left.discard(ticket)
        ledger.settled(ticket)
        check()

    def check() -> None:
        earned = 0
        for number, left in enumerate(begun):
            if left or number >= read:
                break
            earned += 1
        assert stored == [f"c{number}" for number in range(earned)]

    for number, tickets in enumerate(pages):
        ledger.open(Page((), f"c{number}", last=False))
        begun.append(set())
        for ticket in tickets:
            ledger.begin(ticket)
            begun[-1].add(ticket)
            check()
            while dice.random() < 0.4:
                settle()
        ledger.exhausted()
        read += 1
        check()
    while any(begun):
        settle()
    assert stored == [f"c{number}" for number in range(len(pages))]


# The intake


class Run:
    """An intake with everything around it."""

    def __init__(
        self,
        *pages: Page,
        tickets: tuple[Ticket, ...] = (),
        selection: Selection | None = None,
        limit: int | None = None,
        again: Mapping[int, tuple[str, ...]] | None = None,
        wanted: Wanted | None = None,
    ) -> None:
        self.desk = FakeDesk(*tickets, pages=pages)
        self.state = CursorState()
        for ticket_id, tags in (again or {}).items():
            self.state.remember_fallback(ticket_id, tags)
        self.stored = self.state.cursors
        self.outcomes: list[Outcome] = []
        self.gate = Gate()
        self.triage = Screening(self.desk, selection)
        self.intake = Intake(
            self.desk, self.state, self.triage, self.gate, START - 86_400, wanted, second_looks=again is not None
        )
        self.intake.limit = limit

    def _skipped(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        if outcome.retry:
            failed = outcome.status is OutcomeStatus.FAILED
            self.state.retry_later(outcome.ticket_id, outcome.reason, failed=failed, max_attempts=5)
        else:
            self.state.settled(outcome.ticket_id)
        self.intake.settled(outcome.ticket_id)

    def each(self) -> Iterator[Work | None]:
        for item in self.intake:
            if isinstance(item, Outcome):
                self._skipped(item)
            else:
                yield item

    def works(self) -> list[int]:
        return [work.ticket.id for work in self.each()]

    def why(self) -> dict[int, str]:
        return {outcome.ticket_id: outcome.reason for outcome in self.outcomes}


@pytest.fixture(autouse=True)
def _closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    opened: list[State] = []
    original = State.__init__

    def remember(self: State, path: Any) -> None:
        opened.append(self)
        original(self, path)

    monkeypatch.setattr(State, "__init__", remember)
    yield
    for state in opened:
        state.close()


def page(*tickets: Ticket, cursor: str | None = "c", last: bool = True) -> Page:
    return Page(tickets, cursor, last)


@pytest.mark.parametrize(
    ("ticket", "reason"),
    [
        (a_ticket(1, status="closed"), "closed"),
        (a_ticket(1, status="solved"), "solved"),
        (a_ticket(1, status="deleted"), "deleted"),
        (a_ticket(1, status="pending"), "person_was_faster_pending"),
        (a_ticket(1, status="hold"), "person_was_faster_hold"),
        (a_ticket(1, sender="MAILER-DAEMON@example.com", subject="Undelivered Mail"), "machine_mail_bounce"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_ticket_that_needs_no_work_is_skipped_with_its_reason(ticket: Ticket, reason: str) -> None:
    run = Run(page(ticket))
    assert run.works() == []
    assert run.why() == {1: reason}
    assert run.stored == ["c"]


PASSED: dict[str, tuple[Ticket, Callable[[State], object]]] = {
    "older than asked for": (a_ticket(1, age=90_000, touched=60), lambda _state: None),
    "older, whatever its status": (a_ticket(1, age=90_000, touched=60, status="solved"), lambda _state: None),
    "marked, and in need of no work": (a_ticket(1, tags=("ai_processed",), status="solved"), lambda _state: None),
    "done by this installation": (a_ticket(1), lambda state: state.settled(1, done=("run", "key"))),
    "dead": (a_ticket(1), lambda state: state.retry_later(1, "refused", failed=True, max_attempts=1)),
    "dropped": (a_ticket(1), lambda state: state.drop(1)),
}


@pytest.mark.parametrize(("ticket", "before"), PASSED.values(), ids=PASSED)
def test_what_is_passed_over_has_no_line_and_is_not_looked_up(
    ticket: Ticket, before: Callable[[State], object]
) -> None:
    run = Run(page(ticket, a_ticket(2)))
    before(run.state)
    assert run.works() == [2]
    assert (run.outcomes, run.desk.times("history")) == ([], 0)
    run.intake.settled(2)
    assert run.stored == ["c"]


COPIED = Edit(at="", creation=True, way="api", tags_added=frozenset({"ai_processed", "vip"}))
LABELLED = Edit(at="", author=7, tags_added=frozenset({"beta"}))
MARKED = Edit(at="", author=7, tags_added=frozenset({"ai_processed"}))
THROUGH_THE_API = Edit(at="", author=9, way="api", comment="internal")


@pytest.mark.parametrize(
    ("edits", "triaged"),
    [
        ([COPIED], True),
        ([COPIED, LABELLED], True),
        ([COPIED, THROUGH_THE_API], False),
        ([Edit(at="", creation=True), MARKED], False),
        ([], False),
    ],
    ids=["copied", "labelled since", "changed by a program since", "marked by a person", "no record"],
)
def test_a_marker_that_a_ticket_was_born_with_says_nothing_where_no_write_of_ours_can_be(
    edits: list[Edit], triaged: bool
) -> None:
    run = Run(page(a_ticket(1, tags=("ai_processed", "vip"))))
    run.desk.edits[1] = edits
    assert run.works() == ([1] if triaged else [])
    assert run.why() == ({} if triaged else {1: "marked_by_others"})


def test_a_retried_ticket_that_is_gone_or_done_meanwhile_leaves_the_list() -> None:
    run = Run(tickets=(a_ticket(8, tags=("ai_processed",)), a_ticket(9, status="closed")))
    run.desk.edits[8] = [Edit(at="", key="k", intent="run7-1")]
    for ticket_id in (7, 8, 9):
        run.state.retry_later(ticket_id, "busy", failed=False, max_attempts=5)
    assert run.works() == []
    assert run.why() == {7: "deleted", 8: "already_done", 9: "closed"}
    assert run.state.retries() == []


@pytest.mark.parametrize("limit", [0, 1])
def test_the_limit_counts_retried_tickets_too_and_reads_no_more_than_it_needs(limit: int) -> None:
    run = Run(page(a_ticket(1)), tickets=(a_ticket(7),), limit=limit)
    run.state.retry_later(7, "busy", failed=False, max_attempts=5)
    assert run.works() == [7][:limit]
    assert (len(run.desk.asked), run.desk.times("pages"), run.stored) == (limit, 0, [])


@pytest.mark.parametrize(
    ("limit", "pages", "is_all"),
    [
        (2, [page(a_ticket(1), a_ticket(2))], True),
        (1, [page(a_ticket(1), a_ticket(2))], False),
        (1, [page(a_ticket(1), last=False), page(a_ticket(2))], False),
        (2, [page(a_ticket(1), last=False), page(a_ticket(2))], True),
        (1, [page(a_ticket(1), a_ticket(9, tags=("ai_processed",)))], True),
    ],
)
def test_who_has_looked_at_the_last_ticket_is_through_also_where_it_is_the_last_that_the_limit_allows(
    limit: int, pages: list[Page], is_all: bool
) -> None:
    run = Run(*pages, limit=limit)
    run.state.settled(9, done=("run", "k" * 32))
    for number in run.works():
        run.intake.settled(number)
    assert run.intake.caught_up is is_all
    assert len(run.desk.asked) <= limit


# What is left to people

LATE = Selection(SkipRules(leave_assigned=True), wait_s=1800)


def test_a_young_ticket_is_left_to_people_for_now_and_stays_on_the_list() -> None:
    run = Run(page(a_ticket(1, age=600), a_ticket(2, age=1800)), selection=LATE)
    run.triage.held = True
    assert run.works() == [2]
    assert run.desk.times("history") == 1, "nobody asks for earlier writes on a ticket that waits"
    (outcome,) = run.outcomes
    assert (outcome.ticket_id, outcome.status, outcome.reason) == (1, OutcomeStatus.SKIPPED, "waiting_for_people")
    assert outcome.retry
    run.intake.settled(2)
    assert run.stored == ["c"], "the list keeps it, so the cursor may move"


def test_a_ticket_whose_time_has_come_is_worked_on_unless_a_person_was_faster() -> None:
    run = Run(tickets=(a_ticket(1), a_ticket(2, assignee=77), a_ticket(3, status="pending")), selection=LATE)
    for ticket_id in (1, 2, 3):
        run.state.retry_later(ticket_id, "waiting_for_people", failed=False, max_attempts=5)
    assert run.works() == [1]
    assert run.why() == {2: "person_was_faster_assigned", 3: "person_was_faster_pending"}
    assert [item.ticket_id for item in run.state.retries()] == [1]
