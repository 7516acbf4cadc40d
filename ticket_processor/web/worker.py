"""The durable queue of tickets that the helpdesk has told of, and the thread that plays runs on them, one at a time.

The queue is a SQLite file of its own in the state folder, for several processes: ``ticketbot serve`` fills and empties
it, a scheduled run takes its tickets first. It holds numbers, times and hashes, and no word of a ticket. Losing it
costs time: the scheduled run, which the thread plays too if asked, sees every ticket.

A ticket leaves the queue when a run has given it an end, or has it on the retry list. Whatever keeps a run from being
played, such as another one under way, a helpdesk that is down or a kill switch, leaves the queue as it is.
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
"""Nothing is put off for longer: what lies further ahead was written under a clock that was wrong."""
JOIN_S = 2.0
"""Deliveries for one ticket within so many seconds are one job: a form or a macro saves a ticket several times."""
KEPT_S = 600.0
"""So long a delivery is known again; a signature is good for half of it."""
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
class ToldTicket:
    """The helpdesk has told of a ticket. A repetition is known by its ``key``, if it has one."""

    ticket_id: int
    key: str = ""


@dataclass(frozen=True)
class Waiting:
    """A ticket on the queue: when it was first told of (Unix seconds), how often, and how often it was tried."""

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

    def put(self, deliveries: Sequence[ToldTicket], now: float) -> list[bool]:
        """Store deliveries, all in one transaction; for each, whether it is new."""
        with self.transaction() as db:
            db.execute("DELETE FROM seen WHERE at < ?", (now - KEPT_S,))
            return [self._put(db, delivery, now) for delivery in deliveries]

    def _put(self, db: sqlite3.Connection, delivery: ToldTicket, now: float) -> bool:
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
        """These tickets have an end, or are the retry list's; what was told of them since waits for its own turn."""
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
        """These tickets have no end yet, and are tried again at a moment."""
        rows = [(until, self._helpdesk, item.ticket_id) for item in tried]
        self.write_many("UPDATE queue SET ready_at = ?, tries = tries + 1 WHERE helpdesk = ? AND ticket_id = ?", rows)

    def length(self, now: float) -> tuple[int, float]:
        """How many tickets wait, and for how many seconds the oldest does."""
        query = "SELECT count(*), min(first_at) FROM queue WHERE helpdesk = ?"
        [(count, first)] = self.all(query, self._helpdesk)
        return count, 0.0 if first is None else max(0.0, now - first)


MOST_IN_A_RUN = 200
LOOK_S = 0.25
"""Seconds between looks at the queue, into which other processes may write."""
OPEN_S = 30.0
"""Seconds in which a run takes in new tickets; after that others have a turn with the lock."""
LOCKED_S = 0.5
"""How soon a run is tried again while another one is active."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 5.0, 300.0
"""Pauses after runs that could not be made."""
SOON_S = 3.0
"""After this a ticket is tried again that could not be written because it had just changed."""
MOST_TRIES = 20
"""Maximum number of tries for a ticket that a person goes on changing; the retry list has it afterwards."""
SOON = (reasons.DEFERRED, reasons.NOT_FOUND, reasons.RECORD_UNREADABLE)
"""These ends are looked at again soon: the ticket changed just now, or the copy that was read does not have it yet."""
Heard = Callable[[Outcome], None]


class TakenFirst:
    """Hands a run the tickets of the queue, and takes off those that it gives an end. For one thread.

    ``begun`` are those that the run has already.
    """

    def __init__(self, queue: DeliveryQueue, now: Callable[[], float], begun: Sequence[Waiting] = ()) -> None:
        self._queue = queue
        self._now = now
        self._next = float("-inf")
        self._given = {item.ticket_id: item for item in begun}
        self._open = dict(self._given)

    def __call__(self) -> Sequence[int]:
        """The tickets that came since it was last asked."""
        now = self._now()
        if not 0 <= self._next - now <= LOOK_S:
            self._next = now + LOOK_S
            with suppress(StateUnusable):  # the run sees every ticket all the same
                new = {item.ticket_id: item for item in self._queue.due(now) if item.ticket_id not in self._given}
                self._given |= new
                self._open |= new
                return list(new)
        return ()

    def heard(self, outcome: Outcome) -> None:
        """Take a ticket off that has its end, or have it tried again soon."""
        item = self._open.pop(outcome.ticket_id, None)
        if item is None:
            return
        with suppress(StateUnusable):
            if outcome.reason in SOON and item.tries < MOST_TRIES:
                self._queue.put_off([item], self._now() + SOON_S)
            else:
                self._queue.done([item])

    def known(self, tickets: Sequence[Waiting]) -> None:
        """Take those of these tickets off that a run has looked at and said nothing of: they need nothing."""
        self._queue.done(item for item in tickets if item.ticket_id in self._open)


class Worker(threading.Thread):
    """Empties the queue until :meth:`stop`, by runs that ``play`` plays.

    ``every_s`` is from one scheduled run to the next, if there are any.
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
        """Runs and tickets by what became of them."""

    def wake(self) -> None:
        """Something may be on the queue. From any thread."""
        self._news.set()

    def stop(self) -> None:
        """Begin nothing more; the run under way comes to its end. From any thread."""
        self._stopping.set()
        self._news.set()

    def run(self) -> None:
        """The thread's work. Nothing ends it but a stop."""
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
        """Play what is due; false where nothing is."""
        moment = self._clock.monotonic()
        if self._every_s is not None and moment >= self._next_run:
            self._next_run = moment + self._every_s
            first = TakenFirst(self._queue, self._clock.now)
            self._ended(self._play(RunArguments(told_of=first), first.heard))
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
        summary = self._play(RunArguments(kind="webhook", tickets=tickets, told_of=more), heard)
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
    """The tickets that a scheduled run takes first; ``None`` where there is no queue. ``stack`` closes it."""
    try:
        if not is_there(settings.state_folder / FILE_NAME):
            return None
        queue = DeliveryQueue(settings.state_folder, settings.helpdesk)
    except StateUnusable:
        return None  # the run sees every ticket all the same
    stack.callback(queue.close)
    return TakenFirst(queue, now)
