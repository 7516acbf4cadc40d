"""Alerts over a year: rules, memory and its file are real, and whom they would reach is noted down."""

from __future__ import annotations

import os
import random
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

from tests.simulation.year_desk import DAY_S, NAMES, PERIOD_S, RUNS_A_DAY, Clock, expected, not_synced, poisson
from ticket_processor import alert_rules, slo
from ticket_processor.alert_memory import Target, after, owed, told, without_strangers
from ticket_processor.alert_store import AlertStore
from ticket_processor.alert_view import HISTORY_S, Facts, Severity
from ticket_processor.latency import Latencies
from ticket_processor.models import RunRecord, RunSummary, Statement

LOOKED_BACK_S = 4 * DAY_S
"""As far as any rule looks but ``label_drift``."""
PAGER, EVERYBODY = Target("pager", critical_only=True), Target("everybody")
_COUNTED = slo._counted


@dataclass
class Told:
    """What alerts were sent: the run, what, rule and severity, for each target."""

    sent: list[tuple[int, str, str, Severity, str]] = field(default_factory=list)

    def begun(self, severity: Severity) -> list[tuple[int, str]]:
        """Runs and rules that everybody was told of, of this severity."""
        return [
            (run, rule)
            for run, what, rule, how, target in self.sent
            if target == EVERYBODY.id and what in ("begun", "worse") and how is severity
        ]


class Alarms:
    """What goes on after a run: real rules, memory and store; what would be sent is noted down."""

    def __init__(self, folder: Path, clock: Clock, whole: Callable[[float], list[RunRecord]]) -> None:
        """``whole`` gives every run since a moment."""
        self.told = Told()
        self.memory_bytes = 0
        self._clock, self._whole = clock, whole
        self._store = AlertStore(folder, folder.with_name("spare"))
        self._recent: deque[RunRecord] = deque()
        self._counted: dict[str, slo.Counted] = {}

    def after_run(self, number: int, record: RunRecord, started: float, events: Sequence[str]) -> None:
        """Look, tell, remember. ``events`` are what the log said of itself."""
        now = self._clock.now()
        self._recent.append(record)
        while self._recent[0].finished < now - LOOKED_BACK_S:
            self._recent.popleft()
        with self._store.alone(patience_s=1.0):
            memory = self._store.load()
            for event in events:
                memory = memory.happened(event, now)
            facts = Facts(now=now, models=True, started=started, seen=memory.seen, events=memory.events)
            whole = number % RUNS_A_DAY == 0
            with _shortcuts(self._counted, whole=whole):
                found = alert_rules.look(self._whole(now - HISTORY_S) if whole else list(self._recent), facts)
            if whole:
                self._counted.clear()
            else:
                found = alert_rules.Found(found.conditions, found.unknown | {"label_drift"})
            memory = without_strangers(after(memory, found, now), [PAGER, EVERYBODY]).model_copy(update={"seen": now})
            for news in owed(memory, [PAGER, EVERYBODY], now, 3600.0):
                memory = told(memory, news)
                self.told.sent.append((number, news.what, news.rule, news.severity, news.target))
            self._store.save(memory, now)
        self.memory_bytes = max(self.memory_bytes, len(memory.model_dump_json(exclude_defaults=True)))


def drawn_year(folder: Path, per_day: int, *, days: int = 365, errors: float = 0.001, seed: int = 0) -> Alarms:
    """The alerts of a healthy year in which what each run came to is drawn: rules, memory and its file are real.

    Fewer tickets at night and at weekends; one in a thousand fails once; models fail for one in a hundred; half of the
    tickets take more than three seconds, and 0.4% more than 15.
    """
    dice, clock = random.Random(seed), Clock(datetime(2026, 7, 1, tzinfo=UTC).timestamp())
    records: deque[RunRecord] = deque()
    alarms = Alarms(folder / "state", clock, lambda since: [one for one in records if one.finished >= since])
    (folder / "state").mkdir(parents=True)
    again = 0
    with mock.patch.object(os, "fsync", not_synced):
        for number in range(days * RUNS_A_DAY):
            weekly = 0.4 if datetime.fromtimestamp(clock.true, UTC).weekday() > 4 else 1.24
            new = poisson(expected(per_day * weekly, clock.true), dice)
            failed = sum(dice.random() < errors for _ in range(new))
            done, again = new - failed + again, failed
            silent = sum(dice.random() < 0.01 for _ in range(done))
            took = Latencies()
            for _ in range(done):
                took.add(dice.lognormvariate(8.0, 0.6))
            outcomes = {name: count for name, count in (("updated", done), ("failed", failed)) if count}
            summary = RunSummary(
                run_id=f"run{number}",
                dry_run=False,
                seen=new,
                outcomes=outcomes,
                sources={name: count for name, count in (("model", done - silent), ("rules", silent)) if count},
                fallbacks={"model_http_503": silent} if silent else {},
                categories=dict(Counter(dice.choices(NAMES, (4, 3, 2, 1), k=done))),
                newly_failed=failed,
                latencies=took.bands,
                statement=Statement(written=done),
                caught_up=True,
                exit_code=1 if failed else 0,
            )
            clock.true += 20.0
            records.append(
                RunRecord(run_id=f"run{number}", started=clock.true - 20.0, finished=clock.true, summary=summary)
            )
            while records[0].finished < clock.true - HISTORY_S:
                records.popleft()
            alarms.after_run(number, records[-1], clock.true - 20.0, ())
            clock.true += PERIOD_S - 20.0
    return alarms


@contextmanager
def _shortcuts(known: dict[str, slo.Counted], *, whole: bool) -> Iterator[None]:
    """Within this block no run is counted twice, and ``label_drift`` is asked only when the ``whole`` past is there."""

    def counted_once(record: RunRecord) -> slo.Counted:
        one = known.get(record.run_id)
        if one is None or one.finished != record.finished:
            one = known[record.run_id] = _COUNTED(record)
        return one

    with mock.patch.object(slo, "_counted", counted_once), mock.patch.dict(alert_rules.RULES):
        if not whole:
            del alert_rules.RULES["label_drift"]
        yield
