"""Alerts over a year: rules, memory and its file are real, and whom they would reach is noted down."""

from __future__ import annotations

import os
import random
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

from ticket_processor.core.run_summary import RunRecord, RunSummary, Statement
from ticket_processor.monitoring.memory import AlertStore, Receiver, after, owed, told
from ticket_processor.monitoring.rules import Severity, look
from ticket_processor.settings.schema import Settings

from .year_desk import DAY_S, PERIOD_S, RUNS_A_DAY, Clock, expected, not_synced, poisson

LOOKED_BACK_S = 4 * DAY_S
"""As far as any rule looks."""
PAGER, EVERYBODY = Receiver("pager", critical_only=True), Receiver("everybody")


@dataclass
class Told:
    """What alerts were sent: the run, what, rule and severity, for each target."""

    sent: list[tuple[int, str, str, Severity, str]] = field(default_factory=list)

    def begun(self, severity: Severity) -> list[tuple[int, str]]:
        """Runs and rules that everybody was told of, of this severity."""
        return [
            (run, rule)
            for run, what, rule, how, target in self.sent
            if target == EVERYBODY.id and what == "begun" and how is severity
        ]


class Alarms:
    """What goes on after a run: real rules, memory and store; what would be sent is noted down."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.told = Told()
        self.memory_bytes = 0
        self._settings = Settings.model_validate({"models": {"names": ["m-1"]}})
        self._clock = clock
        self._store = AlertStore(folder, folder.with_name("spare"))
        self._recent: deque[RunRecord] = deque()

    def after_run(self, number: int, record: RunRecord) -> None:
        """Look, tell, remember."""
        now = self._clock.now()
        self._recent.append(record)
        while self._recent[0].finished < now - LOOKED_BACK_S:
            self._recent.popleft()
        with self._store.alone(patience_s=1.0):
            memory = self._store.load()
            holding, over = look(list(self._recent), self._settings, now)
            memory = after(memory, holding, now, over=over)
            for news in owed(memory, [PAGER, EVERYBODY], now):
                memory = told(memory, news)
                self.told.sent.append((number, news.what, news.rule, news.severity, news.target))
            self._store.save(memory, now)
        self.memory_bytes = max(self.memory_bytes, len(memory.model_dump_json(exclude_defaults=True)))


def drawn_year(folder: Path, per_day: int, *, days: int = 365, errors: float = 0.001, seed: int = 0) -> Alarms:
    """The alerts of a healthy year in which what each run came to is drawn: rules, memory and its file are real.

    Fewer tickets at night and at weekends; one in a thousand fails once; models fail for one in a hundred.
    """
    dice, clock = random.Random(seed), Clock(datetime(2026, 7, 1, tzinfo=UTC).timestamp())
    alarms = Alarms(folder / "state", clock)
    (folder / "state").mkdir(parents=True)
    again = 0
    with mock.patch.object(os, "fsync", not_synced):
        for number in range(days * RUNS_A_DAY):
            weekly = 0.4 if datetime.fromtimestamp(clock.true, UTC).weekday() > 4 else 1.24
            new = poisson(expected(per_day * weekly, clock.true), dice)
            failed = sum(dice.random() < errors for _ in range(new))
            done, again = new - failed + again, failed
            silent = sum(dice.random() < 0.01 for _ in range(done))
            outcomes = {name: count for name, count in (("updated", done), ("failed", failed)) if count}
            summary = RunSummary(
                run_id=f"run{number}",
                dry_run=False,
                seen=new,
                outcomes=outcomes,
                sources={name: count for name, count in (("model", done - silent), ("rules", silent)) if count},
                fallbacks={"model_http_503": silent} if silent else {},
                newly_failed=failed,
                statement=Statement(written=done),
                caught_up=True,
                exit_code=1 if failed else 0,
            )
            clock.true += 20.0
            started = clock.true - 20.0
            record = RunRecord(run_id=f"run{number}", started=started, finished=clock.true, summary=summary)
            alarms.after_run(number, record)
            clock.true += PERIOD_S - 20.0
    return alarms
