"""Tickets found by search: none is lost that the index shows late, and what is listed again costs nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.core.models import Outcome
from ticket_processor.helpdesk import zendesk_reads
from ticket_processor.pipeline.intake import Intake, IntakeOptions
from ticket_processor.policy.skip_rules import Selection, SkipRules, SkipSettings
from ticket_processor.state.store import SEARCHED, State
from ticket_processor.zendesk import Zendesk

from ..helpdesk.test_zendesk import Account
from ..support.fakes import START
from ..support.intake_rig import Gate, Screening

PERIOD_S = 600.0
HOUR = 3600.0
VOICE = Selection(SkipRules(SkipSettings(channels=("voice",))))


class Story:
    """Runs that find their tickets by search, through the real client, at an account in memory."""

    def __init__(self, *, window_s: float = 6 * HOUR, **options: Any) -> None:
        self.account = Account(0, bot_role="agent", **options)
        self.window_s = window_s
        self.state = State(None)
        self.worked: Counter[int] = Counter()
        self.skipped: Counter[int] = Counter()
        self.late: list[float] = []

    def add(self, *, late: float = 0.0, age: float = 0.0, **row: Any) -> int:
        number = self.account.add(age=age, **row)
        if late:
            self.account.store.index_late[number] = late
        return number

    def run(self, *, limit: int | None = None, settles: bool = True, replies: bool = False) -> list[int]:
        """A run ten minutes after the last; the tickets that it has understood, and how many requests it took."""
        self.account.clock.advance(PERIOD_S)
        self.account.sent.clear()

        def skipped(outcome: Outcome) -> None:
            self.skipped[outcome.ticket_id] += 1
            self.state.settled(outcome.ticket_id)
            intake.settled(outcome.ticket_id)

        desk = Zendesk(self.account.transport)
        options = IntakeOptions(START - HOUR, replies=replies)
        intake = Intake(desk, self.state, Screening(desk, VOICE), Gate(), skipped, options)
        intake.limit = limit
        with mock.patch.object(zendesk_reads, "SEARCH_WINDOW_S", self.window_s):
            works = [work.ticket.id for work in intake]
        for number in works if settles else ():
            self.worked[number] += 1
            self.state.settled(number, done=("run", "k" * 32))
            intake.settled(number)
        self.late.append(intake.index_late_s or 0.0)
        return works

    def requests(self) -> Counter[str]:
        return Counter(request.path.rsplit("/", 1)[-1] for request in self.account.sent)

    def kept(self) -> int:
        return int(self.state.all("SELECT count(*) FROM listed")[0][0])


@pytest.fixture
def story() -> Iterator[Story]:
    story = Story()
    yield story
    story.state.close()


def test_one_that_is_later_than_the_window_is_lost_which_is_why_health_tells_how_late_it_was() -> None:
    story = Story(window_s=HOUR)
    lost, found = story.add(late=3 * HOUR), story.add(late=0.8 * HOUR)
    for _ in range(24):
        story.add()
        story.run()
    assert (story.worked[lost], story.worked[found]) == (0, 1)
    assert max(story.late) > 0.6 * HOUR
    story.state.close()


def test_what_was_left_alone_is_told_once_and_again_when_somebody_changes_it(story: Story) -> None:
    voice, pending = story.add(channel="voice"), story.add()
    story.account.store.person_edit(pending, status="pending")
    for _ in range(4):
        story.run()
    assert story.skipped == Counter([voice, pending])
    story.account.store.person_edit(voice, add_tags=("vip",))
    story.account.store.person_edit(pending, status="open")
    for _ in range(4):
        story.run()
    assert story.skipped == Counter([voice, voice, pending])
    assert story.worked == Counter([pending])


def test_a_ticket_that_no_run_gets_to_for_longer_than_the_window_does_not_count_as_shown_late() -> None:
    story = Story(window_s=2 * HOUR)
    numbers = []
    for number in range(14):
        if number in (0, 9, 13):
            numbers.append(story.add())
        story.run(settles=False)
    story.run()
    assert (story.worked, max(story.late)) == (Counter(numbers), 0.0)
    story.state.close()


def test_done_tickets_are_not_asked_about_in_every_listing_when_answers_are_wanted(story: Story) -> None:
    for _ in range(20):
        story.add()
    story.run(replies=True)
    for _ in range(3):
        story.run(replies=True)
        assert story.requests() == {"export": 1}


def test_2000_tickets_a_day_take_a_dozen_requests_a_run_and_no_more_memory_than_the_window_holds() -> None:
    story = Story()
    numbers = []
    for _ in range(6 * 7):
        numbers += [story.add() for _ in range(14)]  # 2,000 a day, by ten minutes
        story.run()
    assert story.worked == Counter(numbers)
    assert story.requests() == {"export": -(-14 * 37 // 100)}  # of six hours and the run itself
    assert story.kept() <= 14 * 38
    story.state.close()


def test_with_since_everything_is_listed_as_if_for_the_first_time(story: Story) -> None:
    voice = story.add(channel="voice")
    story.run()
    story.state.begin_again("2026-11-21T00:00:00Z")
    assert (story.kept(), story.state.fact(SEARCHED)) == (0, None)
    story.run()
    assert story.skipped == Counter({voice: 2})


def test_a_ticket_that_people_had_closed_meanwhile_makes_no_index_late(story: Story) -> None:
    number = story.add()
    story.account.store.person_edit(number, status="solved")
    story.run()
    story.account.clock.advance(3 * HOUR)
    story.run()
    story.account.store.person_edit(number, status="open")
    assert story.run() == [number]
    assert story.late[-1] == 0.0


@given(data=st.data())
def test_whatever_is_late_within_the_window_is_understood_once(data: st.DataObject) -> None:
    story = Story(window_s=2 * HOUR, search_lag=data.draw(st.sampled_from((0.0, 90.0, 900.0)), "lag"))
    numbers = []
    for _ in range(data.draw(st.integers(3, 14), "runs")):
        for _ in range(data.draw(st.integers(0, 3), "tickets")):
            numbers.append(story.add(late=data.draw(st.sampled_from((0.0, 0.0, 1000.0, 1.7 * HOUR)), "late")))
        story.run(limit=data.draw(st.none() | st.integers(0, 3), "limit"), settles=data.draw(st.booleans(), "settles"))
    for _ in range(14):
        story.run()
    assert story.worked == Counter(numbers)
    assert max(story.late) <= 1.7 * HOUR + PERIOD_S
    story.state.close()
