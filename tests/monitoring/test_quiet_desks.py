"""Desks where little goes on, and machines that are not always there: nobody is woken up, and hardly anybody told."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from ticket_processor.core.run_summary import RunRecord, RunSummary
from ticket_processor.monitoring.memory import Memory, Owed, Receiver, after, after_sending, owed
from ticket_processor.monitoring.rules import HISTORY_S, Severity, look
from ticket_processor.monitoring.run_metrics import DAY, HOUR, MINUTE
from ticket_processor.settings.schema import Settings

SETTINGS = Settings.model_validate({"models": {"names": ["m-1"]}})
W, C = Severity.WARNING, Severity.CRITICAL
MONDAY = datetime(2026, 10, 5, tzinfo=UTC).timestamp()
DOWN = {"stopped_by": "HelpdeskDown", "stopped": "Zendesk cannot be reached"}
LATE = {"stopped_by": "DeadlineReached", "stopped": "the run's time is used up"}


class Played:
    """A desk whose runs are kept for ``kept_s``. ``said`` is what everybody was told, with the moment."""

    def __init__(self, *, kept_s: float = HISTORY_S, memory: Memory | None = None) -> None:
        self.said: list[tuple[float, Owed]] = []
        self.memory = memory or Memory()
        self._records: deque[RunRecord] = deque()
        self._kept_s = kept_s

    def run(self, started: float, *, took: float = 20.0, kept_out: bool = False, **summary: Any) -> list[Owed]:
        """A scheduled run, which was ``kept_out`` or came to this summary; what everybody is told after it."""
        now = started + took
        if not kept_out:
            known = {"caught_up": not summary.get("stopped_by"), **summary}
            made = RunSummary(run_id=f"run-{started:.0f}", dry_run=False, **known)
            self._records.append(RunRecord(run_id=made.run_id, started=started, finished=now, summary=made))
        while self._records and self._records[0].finished < now - self._kept_s:
            self._records.popleft()
        holding, over = look(list(self._records), SETTINGS, now)
        memory = after(self.memory, holding, now, over=over)
        news = owed(memory, [Receiver("everybody")], now)
        for one in news:
            memory = after_sending(memory, one)
            self.said.append((now, one))
        self.memory = memory
        return news

    def begun(self, severity: Severity) -> list[str]:
        """The rules that began, of this severity."""
        return [one.rule for _, one in self.said if one.what != "over" and one.severity is severity]


def updated(count: int, failed: int = 0, **more: int) -> dict[str, object]:
    outcomes = {name: number for name, number in (("updated", count), ("failed", failed)) if number}
    return {"outcomes": outcomes, "newly_failed": failed, "sources": {"model": count} if count else {}, **more}


def every(minutes: float, days: float, start: float = MONDAY) -> Iterator[float]:
    yield from (start + number * minutes * MINUTE for number in range(int(days * 1440 / minutes)))


@pytest.mark.slow
@pytest.mark.parametrize("minutes", [10, 60, 1440])
def test_a_desk_of_five_tickets_a_day_is_not_woken_by_one_that_fails_for_good(minutes: int) -> None:
    desk, dice, dead, tried = Played(kept_s=3.1 * DAY), random.Random(1), 0, 0
    for number, started in enumerate(every(minutes, 25)):
        tickets = sum(dice.random() < 5 / 1440 * minutes / 20 for _ in range(20))
        failed = int(number % (10 * 1440 // minutes) == 3)
        tried = (tried or failed) and (tried + 1) % 6
        dead += int(tried == 5)
        desk.run(started, **updated(tickets, failed, new_dead_letters=int(tried == 5), dead_letters=dead))
    assert desk.begun(C) == []
    assert set(desk.begun(W)) <= {"dead_letters"}


def test_the_first_day_with_its_trials_and_its_backlog_wakes_nobody() -> None:
    desk = Played()
    for ago, tried in (
        (200, {"caught_up": False}),
        (140, {"caught_up": False}),
        (139, DOWN),
        (95, {"caught_up": False}),
    ):
        desk.run(MONDAY - ago * MINUTE, **tried)
    for started in every(10, 0.05):
        desk.run(started, took=540, **{**updated(300), **LATE})
    for started in every(10, 0.5, MONDAY + 0.05 * DAY):
        desk.run(started, **updated(3))
    assert desk.said == []


def test_who_runs_it_by_hand_is_told_nothing_of_when() -> None:
    desk, dice, started = Played(), random.Random(2), MONDAY
    for number in range(300):
        started += dice.choice((3, 20, 60, 200, 500, 900, 3000)) * dice.uniform(0.5, 2) * MINUTE
        kind = DOWN if number % 37 == 0 else {"caught_up": False} if number % 5 == 0 else updated(3)
        desk.run(started, kept_out=number % 41 == 0, **kind)
    assert desk.said == []


OLD_MEMORY = """
{
  "saved": 1791183600.0, "seen": 1791183600.0,
  "conditions": {
    "slow": {"severity": "warning", "message": "5 of 20", "since": 1791180000.0, "told": ["everybody"]},
    "spend": {"severity": "warning", "message": "$5", "since": 1791180000.0, "told": ["everybody"], "tickets": [1]}
  },
  "ended_at": {"spend": 1791180000.0},
  "summaries": {"everybody": "2026-10-04"},
  "escalated": [{"ticket_id": 5, "reasons": ["security"], "at": 1791183600.0, "told": ["everybody"]}],
  "breakers": {"everybody": {"failures": 3, "open_until": 1791184000.0}}
}
"""
"""As earlier versions kept it, with what has been removed since."""


def test_an_upgrade_goes_on_with_what_was_open_and_drops_what_there_is_no_more() -> None:
    memory = Memory.model_validate_json(OLD_MEMORY)
    assert set(memory.open) == {"spend"}
    assert [one.ticket_id for one in memory.escalated] == [5]
    desk = Played(memory=memory)
    for number in range(12):
        desk.run(1_791_184_200 + number * 600, **updated(3))
    assert [(one.what, one.rule) for _, one in desk.said] == [("over", "spend")]


@pytest.mark.parametrize("change", [-HOUR, HOUR])
def test_a_schedule_of_office_hours_tells_nobody_anything_nor_does_a_change_of_clocks(change: float) -> None:
    desk, changed = Played(kept_s=8 * DAY), MONDAY + 10 * DAY
    for started in every(15, 20):
        hour, weekday = (started - MONDAY) % DAY / HOUR, (started - MONDAY) // DAY % 7
        if 8 <= hour < 18 and weekday < 5:
            desk.run(started + (change if started > changed else 0), **updated(2))
    assert desk.said == []
