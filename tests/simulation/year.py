"""A year at a desk, run after run, every ten minutes of virtual time.

Real: the run (:class:`Run`: intake, write-back, books), the log on a disk with its chain, upkeep, key and retention,
the state file, the lock, the check for room, the alert rules, their memory and its file, and the log's verification.
Imitated: time; the helpdesk, which is a dictionary, and the model, which knows one answer; whoever is told of alerts;
and the disk's trouble, which is raised instead of the system's call. Power is never cut, so nothing is synced.

Every alert rule is asked after every run, over the last four days, which is as far back as any of them looks.
"""

from __future__ import annotations

import ctypes
import functools
import gc
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from ticket_processor.analysis.chain import Understanding
from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.analysis.text.redact import redact
from ticket_processor.audit.files import LogFile, log_keys, read_lines
from ticket_processor.audit.receipts import LOG_HEAD, AuditLog, look_after
from ticket_processor.audit.verify import VerificationReport, check
from ticket_processor.audit.writer import Head
from ticket_processor.core.clock import Deadline
from ticket_processor.core.errors import TicketbotError
from ticket_processor.core.guards import check_room
from ticket_processor.core.run_summary import RunRecord, RunSummary
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.monitoring.rules import Severity
from ticket_processor.pipeline.analyse import Judge
from ticket_processor.pipeline.context import Parts, RunOptions
from ticket_processor.pipeline.fan_out import Threads
from ticket_processor.pipeline.jobs import Delivery
from ticket_processor.pipeline.run import Run
from ticket_processor.policy.decide import Policy
from ticket_processor.state.store import FILE_NAME, State
from ticket_processor.wiring.parts import lock, new_run_id

from ..support.bad_disk import Died, Disk, Dying, Failing
from ..support.fakes import Hosted
from .virtual import SerialExecutor
from .year_desk import (
    DAY_S,
    EXPECTED,
    PERIOD_S,
    RUNS_A_DAY,
    TEXTS,
    Alarms,
    Clock,
    Helpdesk,
    Model,
    Trouble,
    not_synced,
    troubles,
)

RULES = RulesAnalyser(default_taxonomy())
MOST_MEMORY = 20_000
"""Bytes that the alerts' memory may take."""
LONG_DAYS = 300
"""A shorter year still fills what a month of runs, a process's buffers and caches may hold: nothing levels off."""


class _Log(AuditLog):
    """The real log, which counts its lines."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.lines = 0

    def _append(self, lines: Sequence[Mapping[str, object]], text: str, *, sync: bool) -> None:
        super()._append(lines, text, sync=sync)
        self.lines += len(lines)


class _Way:
    """The connection to the desk, as far as a run asks it for the desk's clock."""

    counts: Mapping[str, int] = {}

    def __init__(self, year: Year) -> None:
        self._year = year

    @property
    def date(self) -> float | None:
        return None if self._year.desk.down else self._year.clock.true


@dataclass(frozen=True)
class Day:
    """What lay on the disk at the end of a day, in bytes, and the oldest day of the log."""

    log: int
    state: int
    oldest: str


@dataclass
class Year:
    """One year, or some days of one. Build it, :meth:`play` it, then look at what it left."""

    folder: Path
    days: int = 365
    per_day: int = 500
    retention: int = 365
    seed: int = 0
    first_day: date = date(2026, 7, 1)
    bad: bool = True
    planned: Sequence[Trouble] | None = None
    """What goes wrong, and when; drawn, unless it is given or nothing is to go wrong (``bad``)."""
    errors: float = 0.001
    measure_memory: bool = True

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        start = datetime(self.first_day.year, self.first_day.month, self.first_day.day, tzinfo=UTC).timestamp()
        self.clock = Clock(start)
        self.desk = Helpdesk(self.clock, self.per_day, self.errors, self.dice)
        self.model = Model(self.clock, self.dice)
        if self.planned is None:
            self.planned = troubles(self.days, self.dice) if self.bad else ()
        self._troubles = self.planned
        self.logs, self.state = self.folder / "logs", self.folder / "state"
        self.alarms = Alarms(self.state, self.clock)
        self.by_day: list[Day] = []
        self.counts: Counter[str] = Counter()
        self.exit_codes: Counter[int] = Counter()
        self.memory: list[int] = []
        self.remarks: Counter[str] = Counter()

    def play(self, day_done: Callable[[int], None] = lambda _day: None) -> None:
        """Every run of it."""
        start = self.clock.true
        for _, body, _ in TEXTS:  # what is loaded when no model answers, is loaded
            RULES.analyse(redact(body))
        measured = {max(1, self.days // 10): 0, self.days: 1}
        with mock.patch.object(os, "fsync", not_synced):
            for number in range(self.days * RUNS_A_DAY):
                self.clock.true = max(self.clock.true, start + number * PERIOD_S)
                self.desk.customers_write(self.clock.true)
                self._one(number)
                if number % RUNS_A_DAY == RUNS_A_DAY - 1:
                    day = number // RUNS_A_DAY + 1
                    self.by_day.append(self._weighed())
                    if self.measure_memory and day in measured:
                        self.memory.append(memory_in_use())
                    day_done(day)
            self._quiet_end(self.days * RUNS_A_DAY)

    def _quiet_end(self, number: int) -> None:
        """Nothing goes wrong any more: what is open is brought to its end."""
        self._troubles = ()
        for more in range(2):
            self.clock.true += PERIOD_S
            self._one(number + more)

    def on(self, number: int, kind: str) -> Trouble | None:
        """The trouble of this kind that strikes a run."""
        return next((one for one in self._troubles if one.kind == kind and one.on(number)), None)

    def _one(self, number: int) -> None:
        if self.on(number, "machine off"):
            return
        wrong = self.on(number, "clock")
        self.clock.wrong_by = wrong.by if wrong else 0.0
        self.desk.down = self.on(number, "helpdesk down") is not None
        self.model.down = self.on(number, "model down") is not None
        started = self.clock.now()
        self.counts["runs"] += 1
        try:
            with self._disk(number):
                summary = self._run()
                record = RunRecord(run_id=summary.run_id, started=started, finished=self.clock.now(), summary=summary)
                self.alarms.after_run(number, record)
        except Died:
            self.counts["died"] += 1
            return
        self.exit_codes[summary.exit_code] += 1
        self.remarks.update(remark.partition(":")[0] for remark in summary.remarks)

    @contextmanager
    def _disk(self, number: int) -> Iterator[None]:
        disk: Disk | None = None
        if trouble := self.on(number, "disk full"):
            at = self.dice.randint(1, 120) if number == trouble.first else 1
            disk = Failing(at, "full", self.logs, self.state)
        elif self.on(number, "log read-only"):
            disk = Failing(1, "read-only", self.logs)
        elif self.on(number, "crash"):
            disk = Dying(self.dice.randint(1, 45), "half", self.logs, self.state)
        with disk.at_work() if disk else nullcontext():
            yield

    def _run(self) -> RunSummary:
        """As :func:`assembly.run` does it, with the parts of this desk."""
        clock, run_id = self.clock, new_run_id(self.clock)
        try:
            with ExitStack() as stack:
                stack.enter_context(lock(self.state))
                state = State(self.state / FILE_NAME)
                stack.callback(state.close)
                audit = _Log(self.logs, clock, run_id, key=log_keys((), self.state)[0])
                stack.callback(audit.close)
                stack.callback(lambda: self.counts.update(lines=audit.lines))
                begun = state.fact("horizon") is not None
                work = Run(
                    Parts(
                        desk=self.desk,
                        judge=Judge(Understanding([self.model], RULES, clock=clock), Policy(), default_taxonomy()),
                        threads=Threads(SerialExecutor()),
                        state=state,
                        audit=audit,
                        deadline=Deadline(clock, 540.0),
                        host=Hosted(
                            transport=_Way(self),
                            check_room=functools.partial(check_room, self.logs, self.state, 1),
                            upkeep=lambda now, left: look_after(audit, now, left, self.retention, None, state),
                        ),
                    ),
                    RunOptions(
                        run_id=run_id,
                        since=None if begun else clock.now() - DAY_S,
                        delivery=Delivery("single"),
                        verify=20,
                    ),
                )
                return work.execute()
        except TicketbotError as error:
            return RunSummary(
                run_id=run_id,
                dry_run=False,
                stopped=str(error),
                stopped_by=type(error).__name__,
                exit_code=int(error.exit_code),
            )

    # What it left

    def _weighed(self) -> Day:
        names = [path.name[10:20] for path in self.logs.glob("ticketbot-*")]
        return Day(_bytes(self.logs), _bytes(self.state), min(names, default=""))

    def verified(self) -> VerificationReport:
        """The log's chain, up to the end that the state knows."""
        with closing(State(self.state / FILE_NAME)) as state:
            left = state.fact(LOG_HEAD)
        anchors = [("the state", Head.parse(left))] if left else []
        return check(self.logs, log_keys((), self.state), None, anchors)

    def lines(self) -> tuple[int, str]:
        """How many lines the log has, in all of its files, and the moment of the oldest, at least its day."""
        count, oldest = 0, "9999"
        for path in self.logs.glob("*.jsonl"):
            file = LogFile.at(path)
            for item in read_lines(file):
                count += 1
                oldest = min(oldest, max((item.line or {}).get("ts", "9999"), file.day))
        return count, oldest

    def oldest_kept(self) -> str:
        """The first day that the log may have."""
        return (datetime.fromtimestamp(self.clock.true, UTC).date() - timedelta(days=self.retention)).isoformat()

    def unsettled(self) -> int:
        """Tickets that some run still has to do."""
        with closing(State(self.state / FILE_NAME)) as state:
            return len(state.unsettled()) + len(state.retries())

    def outages_noticed(self) -> list[tuple[Trouble, int | None]]:
        """Each outage of the helpdesk, and in which of its runs somebody was told."""
        told_at = [run for run, rule in self.alarms.told.begun(Severity.CRITICAL) if rule == "helpdesk_unreachable"]
        planned = [one for one in self.planned or () if one.kind == "helpdesk down"]
        return [(one, next((run - one.first + 1 for run in told_at if one.on(run)), None)) for one in planned]

    def unexplained(self) -> list[tuple[int, str]]:
        """What somebody was woken up for, though nothing that was planned explains it."""
        pages = self.alarms.told.begun(Severity.CRITICAL)
        return [
            (run, rule)
            for run, rule in pages
            if not any(one.on(run) and rule in EXPECTED[one.kind] for one in self.planned or ())
        ]

    def plateau(self, what: Callable[[Day], int]) -> float:
        """How much larger the last quarter's peak is than that of the quarter before; 0.02 are two percent."""
        quarter = max(1, len(self.by_day) // 4)
        last, before = (max(map(what, days)) for days in (self.by_day[-quarter:], self.by_day[-2 * quarter : -quarter]))
        return last / before - 1

    def growth(self) -> float | None:
        """How much more memory was in use at the end than after a tenth; ``None`` where that was not measured."""
        return self.memory[1] / self.memory[0] - 1 if len(self.memory) == 2 and self.memory[0] else None

    def problems(
        self, report: VerificationReport, *, most_growth: float = 0.01, most_change: float = 0.05
    ) -> list[str]:
        """Everything that should not be, as sentences; nothing when all is well."""
        found = [str(flaw) for flaw in (*report.flaws, *report.unchecked)]
        _, oldest = self.lines()
        if oldest < self.oldest_kept():
            found.append(f"the log has a line of {oldest}, and should begin on {self.oldest_kept()}")
        names = [path.name for path in self.logs.iterdir() if path.name[10:20] < self.oldest_kept()]
        found += [f"too old: {name}" for name in names if name.startswith("ticketbot-")]
        if self.desk.twice:
            found.append(f"{len(self.desk.twice)} tickets were written to twice")
        if self.unsettled() or self.desk.written != self.desk.made:
            found.append(f"of {self.desk.made} tickets {self.desk.written} were written, {self.unsettled()} are open")
        growth = self.growth()
        if growth is not None and growth > most_growth and self.days >= LONG_DAYS:
            found.append(f"memory grew by {growth:.1%}")
        if self.retention < self.days / 2 and abs(self.plateau(lambda day: day.log)) > most_change:
            found.append(f"the log's size changed by {self.plateau(lambda day: day.log):.1%} in the last quarter")
        if self.days >= LONG_DAYS and self.plateau(lambda day: day.state) > most_change:
            found.append(f"the state's size changed by {self.plateau(lambda day: day.state):.1%} in the last quarter")
        if self.alarms.memory_bytes > MOST_MEMORY:
            found.append(f"the alerts' memory took {self.alarms.memory_bytes} bytes")
        found += [f"in run {run} somebody was woken up by {rule} for nothing" for run, rule in self.unexplained()]
        for outage, noticed in self.outages_noticed():
            if noticed is None or noticed > 2:
                found.append(f"the outage from run {outage.first} on was told in its run {noticed}")
        return found


def memory_in_use() -> int:
    """Bytes that the process holds, after everything that can be given back was; 0 where nobody can tell."""
    gc.collect()
    with suppress(OSError, AttributeError, TypeError):  # there is no such thing elsewhere
        ctypes.CDLL(None).malloc_trim(0)
    with suppress(OSError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    return 0


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
