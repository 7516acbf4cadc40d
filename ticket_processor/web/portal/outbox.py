"""The portal's outbox: which mails are due, kept on the disk until each has left. It holds numbers, and no word of any.

Events of the store are looked at again and again; a mail that they call for is put in once, by its key. Losing the file
means that mail of the time before is not sent any more, and none twice.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ...state.sqlite import opened, transaction, translated

FILE_NAME = "mail.sqlite3"
FIRST_PAUSE_S, LONGEST_PAUSE_S = 30.0, 3600.0
"""Pauses between tries, each twice as long as the one before."""
TAKEN_S = 300.0
"""For so long a mail is its taker's, who may have died with it."""
KEPT_S = 3 * 24 * 3600.0
"""For so long a mail is tried; what happened longer ago calls for none."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS mail (
    ticket_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    person INTEGER NOT NULL,
    put_at REAL NOT NULL,
    ready_at REAL NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    ended TEXT CHECK (ended IN ('sent', 'given up')),
    PRIMARY KEY (ticket_id, version, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS mail_by_time ON mail (ready_at) WHERE ended IS NULL;
CREATE TABLE IF NOT EXISTS place (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seen INTEGER NOT NULL,
    looked_at REAL NOT NULL
) STRICT;
"""


@dataclass(frozen=True)
class Due:
    """A mail to a person about what one write has done to a ticket: all three together are its key."""

    ticket_id: int
    version: int
    person: int
    pause_s: float = field(default=0.0, compare=False)
    """How long it is kept back, so that what is taken back at once is not told."""


class Outbox:
    """The outbox in a folder. Thread-safe; each method is one transaction. Raises ``StateUnusable``.

    ``newest`` is the number of the newest event where there is no outbox yet: what is older calls for no mail.
    """

    def __init__(self, folder: Path, newest: int, now: float) -> None:
        self._path = folder / FILE_NAME
        self._lock = threading.Lock()
        with translated(self._path):
            self._db = opened(self._path, (_SCHEMA,))
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute("INSERT OR IGNORE INTO place VALUES (1, ?, ?)", (newest, now))

    def close(self) -> None:
        """Close the file. Idempotent."""
        with self._lock:
            self._db.close()

    def place(self) -> tuple[int, float]:
        """The event up to which events have been looked at, and when that was."""
        with self._lock, translated(self._path):
            seen, looked_at = self._db.execute("SELECT seen, looked_at FROM place").fetchone()
        return seen, looked_at

    def put(self, mails: Iterable[Due], seen: int, now: float) -> None:
        """Put mails in that are not there yet; events up to ``seen`` have been looked at. Old mails are forgotten."""
        with self._transaction() as db:
            db.executemany(
                "INSERT OR IGNORE INTO mail (ticket_id, version, person, put_at, ready_at) VALUES (?, ?, ?, ?, ?)",
                [(mail.ticket_id, mail.version, mail.person, now, now + mail.pause_s) for mail in mails],
            )
            db.execute("UPDATE place SET seen = max(seen, ?), looked_at = ?", (seen, now))
            db.execute("DELETE FROM mail WHERE ended IS NOT NULL AND put_at < ?", (now - 2 * KEPT_S,))

    def due(self, now: float, most: int = 50) -> list[Due]:
        """The mails whose turn has come, oldest first."""
        with self._lock, translated(self._path):
            rows = self._db.execute(
                "SELECT ticket_id, version, person FROM mail WHERE ended IS NULL AND ready_at <= ? "
                "ORDER BY ready_at, ticket_id, version LIMIT ?",
                (now, most),
            ).fetchall()
        return [Due(*row) for row in rows]

    def take(self, mail: Due, now: float) -> bool:
        """Take a mail that is due, to send it; not one that another server has taken since."""
        with self._transaction() as db:
            taken = db.execute(
                "UPDATE mail SET ready_at = ? WHERE ended IS NULL AND ready_at <= ? "
                "AND ticket_id = ? AND version = ? AND person = ?",
                (now + TAKEN_S, now, mail.ticket_id, mail.version, mail.person),
            )
            return taken.rowcount == 1

    def end(self, mail: Due, how: Literal["sent", "given up"]) -> None:
        """The mail has left, or it can never be sent, or nobody wants it any more."""
        with self._transaction() as db:
            db.execute(
                "UPDATE mail SET ended = ? WHERE ticket_id = ? AND version = ? AND person = ?",
                (how, mail.ticket_id, mail.version, mail.person),
            )

    def failed(self, mail: Due, now: float) -> None:
        """The mail could not be sent now: it is tried again later, or given up when that has gone on for too long."""
        with self._transaction() as db:
            db.execute(
                "UPDATE mail SET tries = tries + 1, ready_at = ? + min(?, ? * (1 << min(tries, 20))), "
                "ended = CASE WHEN put_at < ? THEN 'given up' END WHERE ticket_id = ? AND version = ? AND person = ?",
                (
                    *(now, LONGEST_PAUSE_S, FIRST_PAUSE_S, now - KEPT_S),
                    *(mail.ticket_id, mail.version, mail.person),
                ),
            )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, translated(self._path), transaction(self._db):
            yield self._db
