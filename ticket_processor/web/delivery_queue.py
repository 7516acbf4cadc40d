"""The durable queue of tickets that the helpdesk has told of, and the keys of deliveries that came before.

It is a SQLite file of its own in the state folder, for several processes: ``ticketbot serve`` fills and empties it, a
scheduled run takes its tickets first. It holds numbers, times and hashes, and no word of a ticket. Losing it costs
time: the scheduled run sees every ticket.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..state.sqlite import is_there, opened, transaction, translated

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
    """The helpdesk has told of a ticket. ``keys`` are what a repetition is known by."""

    ticket_id: int
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Waiting:
    """A ticket on the queue: when it was first told of (Unix seconds), how often, and how often it was tried."""

    ticket_id: int
    first_at: float
    events: int
    tries: int


class DeliveryQueue:
    """The queue of one helpdesk. Thread-safe; each method is one transaction. Raises ``StateUnusable``.

    Deliveries for one ticket within ``join_s`` become one job.
    """

    def __init__(self, folder: Path, helpdesk: str, *, join_s: float = JOIN_S) -> None:
        self._path = folder / FILE_NAME
        self._helpdesk = helpdesk
        self._join_s = join_s
        self._lock = threading.Lock()
        with translated(self._path):
            self._db = opened(self._path, (_SCHEMA,))
            self._db.execute("PRAGMA synchronous=FULL")  # what was promised to the helpdesk outlives a power cut

    @classmethod
    def of_others(cls, folder: Path, helpdesk: str) -> DeliveryQueue | None:
        """The queue that a server has made there; ``None`` where there never was one."""
        return cls(folder, helpdesk) if is_there(folder / FILE_NAME) else None

    def close(self) -> None:
        """Close the file. Idempotent."""
        with self._lock:
            self._db.close()

    def put(self, deliveries: Sequence[ToldTicket], now: float) -> list[bool]:
        """Store deliveries, all in one transaction; for each, whether it is new."""
        with self._transaction() as db:
            db.execute("DELETE FROM seen WHERE at < ?", (now - KEPT_S,))
            return [self._put(db, delivery, now) for delivery in deliveries]

    def _put(self, db: sqlite3.Connection, delivery: ToldTicket, now: float) -> bool:
        keys = [(key, now) for key in delivery.keys]
        if keys and db.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?)", keys).rowcount < len(keys):
            return False
        db.execute(
            "INSERT INTO queue (helpdesk, ticket_id, first_at, last_at, ready_at) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET last_at = excluded.last_at, events = events + 1",
            (self._helpdesk, delivery.ticket_id, now, now, now + self._join_s),
        )
        return True

    def due(self, now: float, *, most: int = 100) -> list[Waiting]:
        """The tickets whose turn has come, oldest first."""
        with self._lock, translated(self._path):
            rows = self._db.execute(
                "SELECT ticket_id, first_at, events, tries FROM queue WHERE helpdesk = ? AND "
                "(ready_at <= ? OR ready_at > ?) ORDER BY ready_at, ticket_id LIMIT ?",
                (self._helpdesk, now, now + FAR_S, most),
            ).fetchall()
        return [Waiting(*row) for row in rows]

    def done(self, handled: Iterable[Waiting]) -> None:
        """These tickets have an end, or are the retry list's; what was told of them since waits for its own turn."""
        with self._transaction() as db:
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
        with self._transaction() as db:
            db.executemany(
                "UPDATE queue SET ready_at = ?, tries = tries + 1 WHERE helpdesk = ? AND ticket_id = ?", rows
            )

    def length(self, now: float) -> tuple[int, float]:
        """How many tickets wait, and for how many seconds the oldest does."""
        with self._lock, translated(self._path):
            count, first = self._db.execute(
                "SELECT count(*), min(first_at) FROM queue WHERE helpdesk = ?", (self._helpdesk,)
            ).fetchone()
        return count, 0.0 if first is None else max(0.0, now - first)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, translated(self._path), transaction(self._db) as db:
            yield db
