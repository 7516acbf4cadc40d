from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor import zendesk
from ticket_processor.core.models import Outcome
from ticket_processor.pipeline.intake import Intake
from ticket_processor.policy.skip_rules import Selection, SkipRules, SkipSettings
from ticket_processor.state.store import State
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

    def add(self, *, late: float = 0.0, age: float = 0.0, **row: Any) -> int:
        number = self.account.add(age=age, **row)
        if late:
            self.account.store.index_late[number] = late
        return number

    def run(self, *, limit: int | None = None, settles: bool = True, replies: bool = False) -> list[int]:
        """A run ten minutes after the last; the tickets that it has understood, and how many requests it took."""
        self.account.clock.advance(PERIOD_S)
        self.account.sent.clear()
        desk = Zendesk(self.account.transport)
        intake = Intake(desk, self.state, Screening(desk, VOICE), Gate(), START - HOUR, replies=replies)
        intake.limit = limit
        with mock.patch.object(zendesk, "SEARCH_WINDOW_S", self.window_s):
            works = []
            for item in intake:
                if not isinstance(item, Outcome):
                    works.append(item.ticket.id)
                    continue
                self.skipped[item.ticket_id] += 1
                self.state.settled(item.ticket_id)
                intake.settled(item.ticket_id)
        for number in works if settles else ():
            self.worked[number] += 1
            self.state.settled(number, done=("run", "k" * 32))
            intake.settled(number)
        return works

    def requests(self) -> Counter[str]:
        return Counter(request.path.rsplit("/", 1)[-1] for request in self.account.sent)


@pytest.fixture
def story() -> Iterator[Story]:
    story = Story()
    yield story
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
    story.state.close()
