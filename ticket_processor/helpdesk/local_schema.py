"""The local helpdesk's SQLite file: its schema, its connections, its errors in words, and its rows as plain data."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from ..core.errors import HelpdeskDown
from ..core.files import check_is_file, make_file, make_folder
from ..core.models import Priority
from ..state.sqlite import apply_missing, schema_version, transaction, write_ahead
from .local_model import Actor, Event, LocalHelpdeskError, LocalTicket, Message, NotThere

_MIGRATIONS = (
    """
    CREATE TABLE person (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        email TEXT NOT NULL UNIQUE COLLATE NOCASE,
        name TEXT NOT NULL,
        role TEXT NOT NULL CHECK (role IN ('customer', 'agent', 'admin')),
        password_hash TEXT
    ) STRICT;
    CREATE TABLE team (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE ticket (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        number TEXT NOT NULL UNIQUE,
        requester_id INTEGER NOT NULL REFERENCES person,
        subject TEXT NOT NULL,
        description TEXT NOT NULL,
        status TEXT NOT NULL
            CHECK (status IN ('open', 'in_progress', 'escalated', 'waiting', 'resolved', 'closed', 'spam')),
        priority TEXT CHECK (priority IN ('urgent', 'high', 'normal', 'low')),
        category TEXT,
        urgency TEXT,
        sentiment TEXT,
        urgency_rank INTEGER NOT NULL AS (
            CASE urgency WHEN 'critical' THEN 4 WHEN 'high' THEN 3 WHEN 'medium' THEN 2 WHEN 'low' THEN 1 ELSE 0 END
        ),
        escalated INTEGER NOT NULL DEFAULT 0 CHECK (escalated IN (0, 1)),
        group_id INTEGER REFERENCES team,
        assignee_id INTEGER REFERENCES person,
        language TEXT NOT NULL,
        form_language TEXT NOT NULL,
        channel TEXT NOT NULL,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        first_reply_at TEXT,
        resolved_at TEXT,
        closed_at TEXT,
        version INTEGER NOT NULL,
        last_event INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX ticket_by_change ON ticket (last_event);
    CREATE INDEX ticket_by_update ON ticket
        (updated_at, id, status, category, urgency, sentiment, escalated, created_at);
    CREATE INDEX ticket_by_creation ON ticket (created_at, id, status, category, urgency, sentiment, escalated);
    CREATE INDEX ticket_by_urgency ON ticket
        (urgency_rank, updated_at, id, status, category, urgency, sentiment, escalated, created_at);
    CREATE INDEX ticket_by_labels ON ticket (status, category, urgency, sentiment, escalated, created_at);
    CREATE INDEX ticket_by_requester ON ticket (requester_id, created_at);
    CREATE TABLE access (secret_hash BLOB PRIMARY KEY, ticket_id INTEGER NOT NULL REFERENCES ticket) STRICT;
    CREATE INDEX access_by_ticket ON access (ticket_id);
    CREATE TABLE tag (
        ticket_id INTEGER NOT NULL REFERENCES ticket,
        name TEXT NOT NULL,
        UNIQUE (ticket_id, name)
    ) STRICT;
    CREATE INDEX tag_by_name ON tag (name);
    CREATE TABLE field (
        ticket_id INTEGER NOT NULL REFERENCES ticket,
        field_id INTEGER NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (ticket_id, field_id)
    ) STRICT;
    CREATE TABLE message (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        ticket_id INTEGER NOT NULL REFERENCES ticket,
        author_kind TEXT NOT NULL CHECK (author_kind IN ('customer', 'agent', 'ai', 'system')),
        author_id INTEGER REFERENCES person,
        public INTEGER NOT NULL CHECK (public IN (0, 1)),
        body TEXT NOT NULL,
        created_at TEXT NOT NULL,
        key TEXT NOT NULL,
        intent TEXT NOT NULL
    ) STRICT;
    CREATE INDEX message_by_ticket ON message (ticket_id, id);
    CREATE TABLE event (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        ticket_id INTEGER NOT NULL REFERENCES ticket,
        version INTEGER NOT NULL,
        at TEXT NOT NULL,
        actor_kind TEXT NOT NULL CHECK (actor_kind IN ('customer', 'agent', 'ai', 'system')),
        actor_id INTEGER,
        field TEXT NOT NULL,
        old TEXT,
        new TEXT,
        reason TEXT NOT NULL,
        key TEXT NOT NULL,
        intent TEXT NOT NULL
    ) STRICT;
    CREATE INDEX event_by_ticket ON event (ticket_id, id);
    CREATE TRIGGER event_stays BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'events are only ever added'); END;
    CREATE TRIGGER event_is_kept BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'events are only ever added'); END;
    CREATE TABLE attachment (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        ticket_id INTEGER NOT NULL REFERENCES ticket,
        message_id INTEGER REFERENCES message,
        name TEXT NOT NULL,
        mime TEXT NOT NULL,
        size INTEGER NOT NULL,
        sha256 TEXT NOT NULL
    ) STRICT;
    CREATE INDEX attachment_by_ticket ON attachment (ticket_id, id);
    CREATE TABLE rating (
        ticket_id INTEGER PRIMARY KEY REFERENCES ticket,
        stars INTEGER NOT NULL CHECK (stars BETWEEN 1 AND 5),
        comment TEXT NOT NULL CHECK (length(comment) <= 1000),
        at TEXT NOT NULL,
        changed_at TEXT
    ) STRICT;
    CREATE VIRTUAL TABLE words USING fts5(text, content='', tokenize='unicode61 remove_diacritics 2');
    CREATE TABLE session (
        token_hash BLOB PRIMARY KEY,
        person_id INTEGER NOT NULL REFERENCES person,
        expires REAL NOT NULL
    ) STRICT;
    """,
    """
    CREATE TABLE form (
        name_hash BLOB PRIMARY KEY,
        ticket_id INTEGER NOT NULL REFERENCES ticket,
        message_id INTEGER REFERENCES message
    ) STRICT;
    CREATE INDEX form_by_ticket ON form (ticket_id);
    """,
    """
    CREATE TABLE erasure (
        person_id INTEGER PRIMARY KEY REFERENCES person,
        address TEXT NOT NULL,
        found TEXT NOT NULL
    ) STRICT;
    """,
)
"""One script per schema version; append, never edit. Each runs in a transaction with its version number."""


def stamp(moment: float) -> str:
    """Unix time as the local helpdesk writes it: ``2026-11-21T03:30:00.000000Z``; such texts sort by time."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def stamp_after(earlier: str, moment: float) -> str:
    """The stamp of ``moment``, or where that is not later, the next one after ``earlier``: no two are the same."""
    following = datetime.fromisoformat(earlier) + timedelta(microseconds=1)
    return max(stamp(moment), following.isoformat(timespec="microseconds").replace("+00:00", "Z"))


def same_stamp(moment: str) -> str:
    """An ISO 8601 time as the local helpdesk writes it; without a zone it is UTC. Raises ``ValueError``."""
    told = datetime.fromisoformat(moment)
    if not MINYEAR < told.year < MAXYEAR:
        raise ValueError("nothing could come before it, or after it")
    told = told if told.tzinfo else told.replace(tzinfo=UTC)
    return told.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class LocalFile:
    """Connections to one local helpdesk's file, which is made with ``make``. For any thread and any process.

    Raises :class:`HelpdeskDown` where the file cannot be used.
    """

    def __init__(self, path: Path, *, make: bool = True) -> None:
        self.path = path
        self._idle: deque[sqlite3.Connection] = deque()
        self._lock = threading.RLock()
        with self._in_words():
            if not make and not path.exists():
                raise HelpdeskDown(
                    f"there is no local helpdesk in {path} (local.path): 'ticketbot init' or 'ticketbot portal' "
                    "makes one"
                )
            make_folder(path.parent)
            make_file(path)
            db = self._connected()
            write_ahead(db)
            if schema_version(db) > len(_MIGRATIONS):
                raise HelpdeskDown(
                    f"the local helpdesk in {path} was written by a newer ticketbot; update ticketbot, or name another "
                    "file as local.path"
                )
            apply_missing(db, _MIGRATIONS)
            self._idle.append(db)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._idle:
            with suppress(IndexError):
                self._idle.popleft().close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection on which nothing is written; what is read inside is of one moment."""
        with self._in_words(), self._connection() as db:
            db.execute("BEGIN")
            try:
                yield db
            finally:
                db.execute("ROLLBACK")

    def rows(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        """Every row that a statement finds."""
        with self.reading() as db:
            return all_rows(db, statement, values)

    def row(self, statement: str, *values: Any) -> sqlite3.Row | None:
        """The first row that a statement finds."""
        with self.reading() as db:
            return one_row(db, statement, values)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection on which all that is written becomes lasting together, or not at all; one at a time."""
        with self._in_words(), self._lock, self._connection() as db, transaction(db):
            yield db

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            db = self._idle.pop()
        except IndexError:
            db = self._connected()
        try:
            yield db
        except sqlite3.Error:
            db.close()
            raise
        except BaseException:
            self._idle.append(db)
            raise
        self._idle.append(db)

    def _connected(self) -> sqlite3.Connection:
        check_is_file(self.path)
        db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=10)
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA foreign_keys=ON")
        return db

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError as error:
            raise LocalHelpdeskError("the local helpdesk has no such person, group or value") from error
        except (sqlite3.Error, OSError) as error:
            why = getattr(error, "strerror", None) or error
            raise HelpdeskDown(f"the local helpdesk in {self.path} (local.path) cannot be used: {why}") from error


def all_rows(
    db: sqlite3.Connection, statement: str, values: tuple[Any, ...] | dict[str, Any] = ()
) -> list[sqlite3.Row]:
    """Every row that a statement finds."""
    return db.execute(statement, values).fetchall()


def one_row(
    db: sqlite3.Connection, statement: str, values: tuple[Any, ...] | dict[str, Any] = ()
) -> sqlite3.Row | None:
    """The first row that a statement finds."""
    row: sqlite3.Row | None = db.execute(statement, values).fetchone()
    return row


def insert(db: sqlite3.Connection, table: str, **values: object) -> int:
    """Add a row; its number."""
    marks = ", ".join("?" * len(values))
    done = db.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))
    return done.lastrowid or 0


def new_secret() -> str:
    """A secret of 128 bits for an address."""
    return secrets.token_urlsafe(16)


def hashed(secret: str) -> bytes:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


TICKET = """
    SELECT ticket.*,
        (SELECT json_group_array(name) FROM (SELECT name FROM tag WHERE ticket_id = ticket.id ORDER BY rowid)) AS tags,
        (SELECT json_group_object(field_id, value) FROM field WHERE ticket_id = ticket.id) AS fields
    FROM ticket
"""
"""One statement, so that a ticket's version and its tags are of one moment."""
MESSAGE = "SELECT message.*, person.name FROM message LEFT JOIN person ON person.id = author_id"
EVENT = "SELECT * FROM event"


def tickets_where(db: sqlite3.Connection, condition: str, values: tuple[Any, ...]) -> tuple[LocalTicket, ...]:
    """The tickets that a condition picks."""
    return tuple(map(ticket_of, all_rows(db, f"{TICKET} WHERE {condition}", values)))


def existing_ticket(db: sqlite3.Connection, ticket_id: int) -> LocalTicket:
    """The ticket with this number. Raises :class:`NotThere`."""
    found = tickets_where(db, "ticket.id = ?", (ticket_id,))
    if not found:
        raise NotThere("there is no such ticket")
    return found[0]


def ticket_of(row: sqlite3.Row) -> LocalTicket:
    """A ticket from its row."""
    values = dict(row)
    del values["urgency_rank"]  # searches alone sort by it
    for name in ("group", "assignee", "requester"):
        values[name] = values.pop(f"{name}_id")
    return LocalTicket(
        **values
        | {
            "priority": None if row["priority"] is None else Priority(row["priority"]),
            "escalated": bool(row["escalated"]),
            "tags": tuple(orjson.loads(row["tags"])),
            "fields": {int(number): value for number, value in orjson.loads(row["fields"]).items()},
        }
    )


def message_of(row: sqlite3.Row) -> Message:
    """A message from its row."""
    values = dict(row)
    author = Actor(values.pop("author_kind"), values.pop("author_id"))
    return Message(**values | {"author": author, "name": row["name"] or "", "public": bool(row["public"])})


def event_of(row: sqlite3.Row) -> Event:
    """An event from its row."""
    values = dict(row)
    return Event(actor=Actor(values.pop("actor_kind"), values.pop("actor_id")), **values)
