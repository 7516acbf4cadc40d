"""The durable queue of tickets from webhooks, and the thread that plays runs on them, one at a time.

The queue is its own SQLite file in the state folder, shared by processes: ``ticketbot serve`` fills and empties it, a
scheduled run takes its tickets first. It holds numbers, times and hashes, and no word of a ticket. If it is lost,
tickets only wait longer: scheduled runs, which the thread can play too, see every ticket.

A ticket leaves the queue when a run has settled it or put it on the retry list. If a run cannot be played, for example
because another one is active, the helpdesk is down or the kill switch is set, the queue stays as it is.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from ..core import reasons
from ..core.clock import SystemClock
from ..core.errors import ExitCode, RunLocked, StateUnusable, TicketbotError, unexpected
from ..core.models import Outcome
from ..core.run_summary import RunSummary
from ..settings.schema import Settings
from ..state.sqlite import Database, is_there
from ..wiring.runs import RunArguments

FILE_NAME = "serve.sqlite3"
FAR_S = 3600.0
"""No ticket is put off for longer; a time further ahead was written under a wrong clock, so the ticket is due now."""
JOIN_S = 2.0
"""Seconds within which deliveries for one ticket become one job: forms and macros save a ticket several times."""
KEPT_S = 600.0
"""Seconds for which a repeated delivery is recognised: twice as long as its signature is valid."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS seen (key TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seen_by_time ON seen (at);
CREATE TABLE IF NOT EXISTS queue (
    helpdesk TEXT NOT NULL,
    ticket_id INTEGER NOT NULL,
    first_at REAL NOT NULL,
    last_at REAL NOT NULL,
    ready_at REAL NOT NULL,
    events INTEGER NOT NULL DEFAULT 1,
    tries INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (helpdesk, ticket_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS queue_by_time ON queue (ready_at);
"""


@dataclass(frozen=True)
class WebhookTicket:
    """A delivery about a ticket. A repetition has the same ``key``; without a key, repetitions are not recognised."""

    ticket_id: int
    key: str = ""


@dataclass(frozen=True)
class Waiting:
    """A ticket on the queue: time of its first delivery (Unix seconds), number of deliveries, number of tries."""

    ticket_id: int
    first_at: float
    events: int
    tries: int


class DeliveryQueue(Database):
    """The queue of one helpdesk. Deliveries for one ticket within ``join_s`` become one job."""

    migrations, outlives_power_cuts = (_SCHEMA,), True

    def __init__(self, folder: Path, helpdesk: str, *, join_s: float = JOIN_S) -> None:
        super().__init__(folder / FILE_NAME)
        self._helpdesk = helpdesk
        self._join_s = join_s

    def put(self, deliveries: Sequence[WebhookTicket], now: float) -> list[bool]:
        """Store deliveries in one transaction; returns for each whether it is new."""
        with self.transaction() as db:
            db.execute("DELETE FROM seen WHERE at < ?", (now - KEPT_S,))
            return [self._put(db, delivery, now) for delivery in deliveries]

    def _put(self, db: sqlite3.Connection, delivery: WebhookTicket, now: float) -> bool:
        seen = "INSERT OR IGNORE INTO seen VALUES (?, ?)"
        if delivery.key and not db.execute(seen, (delivery.key, now)).rowcount:
            return False
        db.execute(
            "INSERT INTO queue (helpdesk, ticket_id, first_at, last_at, ready_at) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET last_at = excluded.last_at, events = events + 1",
            (self._helpdesk, delivery.ticket_id, now, now, now + self._join_s),
        )
        return True

    def due(self, now: float, *, most: int = 100) -> list[Waiting]:
        """The tickets whose turn has come, oldest first."""
        rows = self.all(
            "SELECT ticket_id, first_at, events, tries FROM queue WHERE helpdesk = ? AND "
            "(ready_at <= ? OR ready_at > ?) ORDER BY ready_at, ticket_id LIMIT ?",
            *(self._helpdesk, now, now + FAR_S, most),
        )
        return [Waiting(*row) for row in rows]

    def done(self, handled: Iterable[Waiting]) -> None:
        """Take settled tickets, and those on the retry list, off the queue; newer deliveries for them stay on it."""
        with self.transaction() as db:
            for item in handled:
                which = (self._helpdesk, item.ticket_id, item.events)
                db.execute("DELETE FROM queue WHERE helpdesk = ? AND ticket_id = ? AND events <= ?", which)
                db.execute(
                    "UPDATE queue SET first_at = last_at, ready_at = last_at + ?, events = events - ?, tries = 0 "
                    "WHERE helpdesk = ? AND ticket_id = ?",
                    (self._join_s, item.events, self._helpdesk, item.ticket_id),
                )

    def put_off(self, tried: Iterable[Waiting], until: float) -> None:
        """Try these tickets again at ``until`` (Unix seconds)."""
        rows = [(until, self._helpdesk, item.ticket_id) for item in tried]
        self.write_many("UPDATE queue SET ready_at = ?, tries = tries + 1 WHERE helpdesk = ? AND ticket_id = ?", rows)

    def length(self, now: float) -> tuple[int, float]:
        """How many tickets wait, and for how many seconds the oldest does."""
        query = "SELECT count(*), min(first_at) FROM queue WHERE helpdesk = ?"
        [(count, first)] = self.all(query, self._helpdesk)
        return count, 0.0 if first is None else max(0.0, now - first)


MOST_IN_A_RUN = 200
LOOK_S = 0.25
"""Seconds between looks at the queue; other processes may write to it."""
OPEN_S = 30.0
"""Seconds for which a run accepts new tickets; then other runs may take the lock."""
LOCKED_S = 0.5
"""Seconds until a run is tried again while another one is active."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 5.0, 300.0
"""Seconds of the pauses after runs that could not be played; each pause is twice as long as the one before."""
SOON_S = 3.0
"""Seconds until a ticket that ended with a reason of :data:`SOON` is tried again."""
MOST_TRIES = 20
"""Maximum number of tries for a ticket that a person keeps changing; then it is left to the retry list."""
SOON = (reasons.DEFERRED, reasons.NOT_FOUND, reasons.RECORD_UNREADABLE)
"""Reasons for which a ticket is tried again soon: it has just changed, or the copy that we read lacks it still."""
Heard = Callable[[Outcome], None]


class TakenFirst:
    """Gives a run the tickets of the queue, and takes off those that the run settles. For one thread.

    ``begun`` are tickets that the run has already.
    """

    def __init__(self, queue: DeliveryQueue, now: Callable[[], float], begun: Sequence[Waiting] = ()) -> None:
        self._queue = queue
        self._now = now
        self._next = float("-inf")
        self._given = {item.ticket_id: item for item in begun}
        self._open = dict(self._given)

    def __call__(self) -> Sequence[int]:
        """The tickets that came since the last call."""
        now = self._now()
        if not 0 <= self._next - now <= LOOK_S:
            self._next = now + LOOK_S
            with suppress(StateUnusable):  # the run sees every ticket all the same
                new = {item.ticket_id: item for item in self._queue.due(now) if item.ticket_id not in self._given}
                self._given |= new
                self._open |= new
                return list(new)
        return ()

    def heard(self, outcome: Outcome, _state: object = None) -> None:
        """Take the ticket of an outcome off the queue, or have it tried again soon."""
        item = self._open.pop(outcome.ticket_id, None)
        if item is None:
            return
        with suppress(StateUnusable):
            if outcome.reason in SOON and item.tries < MOST_TRIES:
                self._queue.put_off([item], self._now() + SOON_S)
            else:
                self._queue.done([item])

    def known(self, tickets: Sequence[Waiting]) -> None:
        """Take those of these tickets off for which the run reported no outcome: they need no work."""
        self._queue.done(item for item in tickets if item.ticket_id in self._open)


class Worker(threading.Thread):
    """Empties the queue with runs that ``play`` plays, until :meth:`stop`.

    ``every_s`` is the time between scheduled runs; ``None`` plays none.
    """

    def __init__(
        self,
        queue: DeliveryQueue,
        play: Callable[[RunArguments, Heard], RunSummary],
        clock: SystemClock,
        say: Callable[[str], object],
        *,
        every_s: float | None = None,
    ) -> None:
        super().__init__(name="worker", daemon=True)
        self._queue = queue
        self._play = play
        self._clock = clock
        self._say = say
        self._every_s = every_s
        self._next_run = clock.monotonic()
        self._not_before = 0.0
        self._pause_s = FIRST_PAUSE_S
        self._news = threading.Event()
        self._stopping = threading.Event()
        self.counted: Counter[str] = Counter()
        """Number of runs and tickets, by result."""

    def wake(self) -> None:
        """Look at the queue now. From any thread."""
        self._news.set()

    def stop(self) -> None:
        """Start no more runs; the current one is finished. From any thread."""
        self._stopping.set()
        self._news.set()

    def run(self) -> None:
        """The thread's work. Only :meth:`stop` ends it."""
        while not self._stopping.is_set():
            self._news.clear()
            try:
                if not self._one_run():
                    self._news.wait(LOOK_S)
            except RunLocked:
                self.counted["locked"] += 1
                self._stopping.wait(LOCKED_S)
            except TicketbotError as error:
                self._pause(str(error))
            except Exception as error:  # noqa: BLE001 - a bug in one run; the next may work, and the queue is kept
                self._pause(unexpected(error))

    def _one_run(self) -> bool:
        """Play a run if one is due; false if none is."""
        moment = self._clock.monotonic()
        if self._every_s is not None and moment >= self._next_run:
            self._next_run = moment + self._every_s
            first = TakenFirst(self._queue, self._clock.now)
            self._ended(self._play(RunArguments(webhook_tickets=first), first.heard))
            return True
        due = self._queue.due(self._clock.now(), most=MOST_IN_A_RUN) if moment >= self._not_before else []
        if not due:
            return False
        self._on_queue(due)
        return True

    def _on_queue(self, due: Sequence[Waiting]) -> None:
        first = TakenFirst(self._queue, self._clock.now, due)

        def heard(outcome: Outcome) -> None:
            self.counted[f"tickets_{outcome.status}"] += 1
            first.heard(outcome)

        until = self._clock.monotonic() + OPEN_S

        def more() -> Sequence[int]:
            return () if self._stopping.is_set() or self._clock.monotonic() > until else first()

        tickets = tuple(item.ticket_id for item in due)
        summary = self._play(RunArguments(kind="webhook", tickets=tickets, webhook_tickets=more), heard)
        if summary.stopped is None:
            first.known(due)
        self._ended(summary)

    def _ended(self, summary: RunSummary) -> None:
        self.counted["runs"] += 1
        if summary.stopped is not None and summary.exit_code not in (ExitCode.OK, ExitCode.TERMINATED):
            self._pause(summary.stopped)
        else:
            self._not_before, self._pause_s = 0.0, FIRST_PAUSE_S

    def _pause(self, why: str) -> None:
        self.counted["pauses"] += 1
        self._say(f"no run could be made: {why}; the queue is kept, and tried again in {self._pause_s:.0f} s")
        self._not_before = self._clock.monotonic() + self._pause_s
        self._pause_s = min(LONGEST_PAUSE_S, 2 * self._pause_s)
        self._news.wait(LOOK_S)


def taken_first(settings: Settings, now: Callable[[], float], stack: ExitStack) -> TakenFirst | None:
    """The queue's tickets, which a scheduled run takes first; ``None`` if there is no queue. ``stack`` closes it."""
    try:
        if not is_there(settings.state_folder / FILE_NAME):
            return None
        queue = DeliveryQueue(settings.state_folder, settings.helpdesk)
    except StateUnusable:
        return None  # the run sees every ticket all the same
    stack.callback(queue.close)
    return TakenFirst(queue, now)
