"""What a year is made of: a clock, tickets all day, a model, what goes wrong at which run, and who is told."""

from __future__ import annotations

import os
import random
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

from ticket_processor.analysis.text.redact import RedactedText
from ticket_processor.core.clock import iso
from ticket_processor.core.errors import AnalysisFailed, HelpdeskDown, UpdateConflict, UpdateRefused
from ticket_processor.core.models import Analysis, Change, Sentiment, Ticket, Urgency
from ticket_processor.core.run_summary import RunRecord, RunSummary, Statement
from ticket_processor.helpdesk.protocol import Fetched, JobStatus, Page
from ticket_processor.helpdesk.ticket_history import Edit, History
from ticket_processor.monitoring.memory import AlertStore, Receiver, after, after_sending, owed
from ticket_processor.monitoring.rules import Severity, look
from ticket_processor.settings.schema import Settings

PERIOD_S = 600.0
DAY_S = 86_400.0
RUNS_A_DAY = 144
KEPT_S = 5 * DAY_S
"""Longer than any outage lasts."""
TEXTS = (
    ("Charged twice", "Hello, I was charged twice for my subscription this month. Please check my invoice.", "billing"),
    ("Error on login", "The app shows an error and crashes whenever I try to log in.", "technical"),
    ("Where is my order?", "My parcel has not arrived, the tracking page says nothing. Thank you.", "order"),
    ("Close my account", "Please close my account and delete my data.", "account"),
)
NAMES = tuple(name for _, _, name in TEXTS)
_BY_HOUR = [0.2] * 6 + [0.6] * 2 + [1.8] * 10 + [1.0] * 4 + [0.4] * 2


@dataclass(frozen=True)
class Trouble:
    """Something that goes wrong from one run to another, the last not included."""

    kind: str
    first: int
    runs: int
    by: float = 0.0

    def on(self, number: int) -> bool:
        """Whether it strikes this run."""
        return self.first <= number < self.first + self.runs


EXPECTED: Mapping[str, frozenset[str]] = {
    "helpdesk down": frozenset({"helpdesk_unreachable"}),
    "model down": frozenset(),
    "disk full": frozenset({"state_unusable"}),
    "log read-only": frozenset({"state_unusable"}),
    "crash": frozenset(),
    "clock": frozenset(),
    "machine off": frozenset(),
}
"""What somebody may be woken up for by each kind of trouble."""


def troubles(days: int, dice: random.Random) -> list[Trouble]:
    """A bad year: outages of every kind, at moments of their own, one after the other."""
    menu: list[tuple[str, int, int]] = [
        *[("helpdesk down", 18, 60)] * 6,
        *[("model down", 144, 144)] * 3,
        *[("disk full", 6, 6)] * 4,
        *[("log read-only", 6, 12)] * 3,
        *[("machine off", 200, 400)] * 2,
        *[("clock", 2, 5)] * 8,
        *[("crash", 1, 1)] * 60,
    ]
    share = days / 365
    chosen = [one for one in menu if dice.random() < share] if share < 0.9 else menu
    chosen = chosen or menu[:1]
    dice.shuffle(chosen)
    room = days * RUNS_A_DAY // len(chosen)
    found = []
    for place, (kind, least, most) in enumerate(chosen):
        runs = min(dice.randint(least, most), max(1, room - 12))
        first = place * room + dice.randint(6, max(6, room - runs))
        found.append(Trouble(kind, first, runs, dice.choice((-26, -3, 0.5, 7)) * 3600.0 if kind == "clock" else 0.0))
    return found


class Clock:
    """Virtual time; waiting moves it on. ``wrong_by`` seconds it is ahead of everybody else's."""

    def __init__(self, now: float) -> None:
        self.true = now
        self.wrong_by = 0.0

    def now(self) -> float:
        return self.true + self.wrong_by

    def monotonic(self) -> float:
        return self.true

    def wait(self, seconds: float) -> None:
        self.true += max(0.0, seconds)

    def check(self) -> None:
        """No signals in here."""


class Helpdesk:
    """Tickets come in all day, and those of the last days are kept. One in so many updates is refused once."""

    def __init__(self, clock: Clock, per_day: int, errors: float, dice: random.Random) -> None:
        self.down = False
        self.made = self.written = 0
        self.twice: list[int] = []
        """Tickets with more than one write of ours."""
        self._clock, self._per_day, self._errors, self._dice = clock, per_day, errors, dice
        self._tickets: dict[int, Ticket] = {}
        self._edits: dict[int, Edit] = {}
        self._refused: set[int] = set()

    def customers_write(self, until: float) -> None:
        """The tickets of ten minutes; the export withholds the newest minute."""
        for _ in range(poisson(expected(self._per_day, until), self._dice)):
            self.made += 1
            subject, body, _ = self._dice.choice(TEXTS)
            at = iso(until - self._dice.uniform(60, 60 + PERIOD_S))
            self._tickets[self.made] = Ticket(
                id=self.made, subject=subject, description=body, created_at=at, updated_at=at, channel="web"
            )
        old = iso(until - KEPT_S)
        while self._tickets and (first := next(iter(self._tickets.values()))).created_at < old:
            del self._tickets[first.id]
            self._edits.pop(first.id, None)
            self._refused.discard(first.id)

    def pages(self, cursor: str | None, since: float) -> Iterator[Page]:
        self._answer()
        place = int(cursor or 0)
        found = tuple(self._read(ticket) for number, ticket in self._tickets.items() if number > place)
        yield Page(found, str(max((ticket.id for ticket in found), default=place)), last=True)

    def fetch(self, ticket_ids: Sequence[int]) -> Fetched:
        self._answer()
        return {number: self._read(self._tickets[number]) for number in ticket_ids if number in self._tickets}

    def history(self, ticket_id: int) -> History:
        self._answer()
        return History(edits=(self._edits[ticket_id],) if ticket_id in self._edits else ())

    def update(self, change: Change) -> Edit:
        self._answer()
        number = change.ticket_id
        ticket = self._tickets[number]
        if ticket.updated_at != change.stamp:
            raise UpdateConflict("changed")
        if number not in self._refused and self._dice.random() < self._errors:
            self._refused.add(number)
            raise UpdateRefused("Zendesk refused it (422)")
        now = iso(self._clock.true)
        if number in self._edits:
            self.twice.append(number)
        self.written += 1
        priority = change.priority or ticket.priority
        self._tickets[number] = ticket.model_copy(update={"tags": change.tags, "priority": priority, "updated_at": now})
        self._edits[number] = edit = Edit(
            at=now,
            way="api",
            key=change.key,
            intent=change.intent,
            tags_added=frozenset(change.tags_added),
            priority=None if change.priority is None else (ticket.priority, priority),
            comment="internal" if change.note else None,
        )
        return edit

    def withdraw(self, change: Change) -> None:
        """Nothing is ever left of a write that was not made."""

    def update_many(self, changes: Sequence[Change], *, stale: int | None = None) -> str:
        raise NotImplementedError("this desk is written to one by one")

    def jobs(self, job_ids: Sequence[str]) -> Mapping[str, JobStatus]:
        return {}

    def _answer(self) -> None:
        if self.down:
            raise HelpdeskDown("Zendesk gives no answer")
        self._clock.wait(0.2)

    def _read(self, ticket: Ticket) -> Ticket:
        return ticket.model_copy(update={"read_at": self._clock.true})


class Model:
    """Says what each text is about, within seconds; a model that is down says nothing."""

    def __init__(self, clock: Clock, dice: random.Random) -> None:
        self.down = False
        self._clock, self._dice = clock, dice

    def analyse(self, text: RedactedText) -> Analysis:
        self._clock.wait(self._dice.uniform(0.3, 2.5))
        if self.down:
            raise AnalysisFailed("model_http_503")
        category = next(name for _, body, name in TEXTS if body in text.text)
        return Analysis(
            category=category,
            urgency=Urgency.MEDIUM,
            sentiment=Sentiment.NEUTRAL,
            language="en",
            summary=f"Somebody writes about {category}.",
            confidence=0.9,
            source="model",
            model="m-1",
            attempts=1,
        )


def expected(per_day: float, now: float) -> float:
    """How many tickets are written in ten minutes: more of them by day, when so many come in a day."""
    hour = datetime.fromtimestamp(now, UTC).hour
    return per_day / RUNS_A_DAY * _BY_HOUR[hour] * 24 / sum(_BY_HOUR)


def poisson(mean: float, dice: random.Random) -> int:
    """So many events, when this is how many there are on the average."""
    count, left = 0, dice.expovariate(1.0)
    while left < mean:
        count, left = count + 1, left + dice.expovariate(1.0)
    return count


def not_synced(_descriptor: int) -> None:
    """In place of ``os.fsync``: power is never cut here. A mock would remember a million calls."""


# Alerts over a year


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
                memory = after_sending(memory, news)
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
