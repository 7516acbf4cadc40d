"""The local helpdesk's SQLite file: connections, translated errors, and queries that return plain data."""

from __future__ import annotations

import hashlib
import re
import secrets
import sqlite3
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import orjson

from ..core.errors import HelpdeskDown
from ..core.files import check_is_file, make_file, make_folder
from ..core.models import Priority
from ..state.sqlite import apply_missing, schema_version, transaction, write_ahead
from .local_model import (
    Actor,
    Event,
    Labels,
    LocalHelpdeskError,
    LocalTicket,
    Message,
    Person,
    Rating,
    as_written,
)


@cache
def _migrations() -> list[str]:
    """One script per schema version; each runs in a transaction with its version number."""
    text = resources.files(__package__).joinpath("local_schema.sql").read_text(encoding="utf-8")
    return text.split("-- The next version\n")


def stamp(moment: float) -> str:
    """Unix time as the local helpdesk stores it: ``2026-11-21T03:30:00.000000Z``; such texts sort by time."""
    return _in_utc(datetime.fromtimestamp(moment, UTC))


def stamp_after(earlier: str, moment: float) -> str:
    """The stamp of ``moment``, or the next possible one after ``earlier`` if that is later; so stamps stay unique."""
    return max(stamp(moment), _in_utc(datetime.fromisoformat(earlier) + timedelta(microseconds=1)))


def same_stamp(moment: str) -> str:
    """An ISO 8601 time as the local helpdesk stores it; without a zone it is UTC. Raises ``ValueError``."""
    time = datetime.fromisoformat(moment)
    if not MINYEAR < time.year < MAXYEAR:
        raise ValueError("nothing could come before it, or after it")
    return _in_utc((time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC))


def _in_utc(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


class LocalFile:
    """One local helpdesk's file, which ``make`` creates if it is missing. For any thread and any process.

    ``labels`` say which tags hold category, urgency and sentiment. Raises :class:`HelpdeskDown` if it is unusable.
    """

    def __init__(self, path: Path, *, labels: Labels | None = None, make: bool = True) -> None:
        self.path = path
        self.labels = labels or Labels.of()
        self._idle: deque[sqlite3.Connection] = deque()
        self._lock = threading.RLock()
        self._own = threading.local()
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
            if schema_version(db) > len(_migrations()):
                raise HelpdeskDown(
                    f"the local helpdesk in {path} was written by a newer ticketbot; update ticketbot, or name another "
                    "file as local.path"
                )
            apply_missing(db, _migrations())
            self._idle.append(db)

    def close(self) -> None:
        while self._idle:
            with suppress(IndexError):
                self._idle.popleft().close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A read-only connection; everything that is read inside is of one moment.

        Inside of :meth:`writing` it is that connection, which sees what was written.
        """
        if (own := getattr(self._own, "db", None)) is not None:
            yield own
            return
        with self._in_words(), self._connection() as db:
            db.execute("BEGIN")
            try:
                yield db
            finally:
                db.execute("ROLLBACK")

    def rows(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        with self.reading() as db:
            return db.execute(statement, values).fetchall()

    def row(self, statement: str, *values: Any) -> sqlite3.Row | None:
        """The first row of a query; ``None`` if there is none."""
        return next(iter(self.rows(statement, *values)), None)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection whose writes are committed together or not at all; one at a time.

        Inside of another transaction of this thread it is a part of that one.
        """
        with self._in_words(), self._lock:
            if (own := getattr(self._own, "db", None)) is not None:
                yield own
                return
            with self._connection() as db, transaction(db):
                self._own.db = db
                try:
                    yield db
                finally:
                    self._own.db = None

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

    # Tickets

    def ticket(self, ticket_id: int) -> LocalTicket | None:
        return next(iter(self._tickets("id = ?", ticket_id)), None)

    def tickets(self, ticket_ids: Sequence[int]) -> dict[int, LocalTicket]:
        """Tickets as they are now, all of one moment; those that do not exist are absent."""
        numbers = orjson.dumps(ticket_ids).decode()
        return {ticket.id: ticket for ticket in self._tickets("id IN (SELECT value FROM json_each(?))", numbers)}

    def by_number(self, number: str) -> LocalTicket | None:
        """The ticket with this number, in any spelling."""
        return next(iter(self._tickets("number = ?", as_written(number))), None)

    def of_requester(self, person_id: int) -> tuple[int, ...]:
        return tuple(
            row["id"] for row in self.rows("SELECT id FROM ticket WHERE requester_id = ? ORDER BY id", person_id)
        )

    def messages(self, ticket_id: int, *, public_only: bool) -> tuple[Message, ...]:
        """A ticket's messages, oldest first; customers may see public ones only."""
        only = "AND public = 1" if public_only else ""
        rows = self.rows(f"{_MESSAGE} WHERE ticket_id = ? {only} ORDER BY message.id", ticket_id)
        return tuple(map(_message_of, rows))

    def events(self, ticket_id: int) -> tuple[Event, ...]:
        """The ticket's events, oldest first."""
        return tuple(map(event_of, self.rows("SELECT * FROM event WHERE ticket_id = ? ORDER BY id", ticket_id)))

    def changed_since(self, event: int, since: str = "", limit: int = 1000) -> tuple[LocalTicket, ...]:
        """Tickets with a last event after ``event``, in the order of these events; none changed before ``since``.

        Events are numbered in the order of their commits, so a write under way cannot get a lower number later.
        """
        return self._tickets("last_event > ? AND updated_at >= ? ORDER BY last_event LIMIT ?", event, since, limit)

    def _tickets(self, condition: str, *values: Any) -> tuple[LocalTicket, ...]:
        return tuple(map(ticket_of, self.rows(f"{TICKET} WHERE {condition}", *values)))

    def last_event(self) -> int:
        """The number of the newest event; 0 where there is none."""
        row = self.row("SELECT max(id) FROM event")
        return int(row[0] or 0) if row else 0

    def time_of(self, event: int) -> str:
        """When an event happened; empty where there is no such event."""
        row = self.row("SELECT at FROM event WHERE id = ?", event)
        return "" if row is None else str(row["at"])

    def rating(self, ticket_id: int) -> Rating | None:
        row = self.row("SELECT * FROM rating WHERE ticket_id = ?", ticket_id)
        return None if row is None else Rating(**dict(row))

    def person(self, person_id: int) -> Person | None:
        return person_of(self.row("SELECT * FROM person WHERE id = ?", person_id))

    def people(self, numbers: Iterable[int]) -> dict[int, Person]:
        """The people with these numbers."""
        rows = self.rows(
            "SELECT * FROM person WHERE id IN (SELECT value FROM json_each(?))", orjson.dumps([*numbers]).decode()
        )
        return {row["id"]: Person(**dict(row)) for row in rows}

    def by_email(self, email: str) -> Person | None:
        """The person with this address, in upper or lower case."""
        with self.reading() as db:
            return person_named(db, email)

    def team(self) -> tuple[Person, ...]:
        """Agents and admins, by name."""
        rows = self.rows("SELECT * FROM person WHERE role != 'customer' ORDER BY name, id")
        return tuple(Person(**dict(row)) for row in rows)

    def groups(self) -> Mapping[int, str]:
        """The groups that tickets can be given to, by number."""
        return {row["id"]: row["name"] for row in self.rows("SELECT * FROM team ORDER BY name")}


def insert(db: sqlite3.Connection, table: str, **values: object) -> int:
    """Add a row; returns its id."""
    marks = ", ".join("?" * len(values))
    done = db.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))
    return done.lastrowid or 0


def new_secret() -> str:
    """A secret of 128 bits for an address."""
    return secrets.token_urlsafe(16)


def hashed(secret: str) -> bytes:
    """The hash of a secret, which is stored in its place."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def person_for(db: sqlite3.Connection, email: str, name: str) -> int:
    """The id of the person with this address, added as a customer if new. A customer keeps the first name given."""
    db.execute("INSERT OR IGNORE INTO person (email, name, role) VALUES (?, '', 'customer')", (_address(email),))
    db.execute(
        "UPDATE person SET name = ? WHERE email = ? AND name = '' AND role = 'customer'",
        (name.strip(), _address(email)),
    )
    (number,) = db.execute("SELECT id FROM person WHERE email = ?", (_address(email),)).fetchone()
    return int(number)


def person_named(db: sqlite3.Connection, email: str) -> Person | None:
    """The person with this address, in upper or lower case."""
    return person_of(db.execute("SELECT * FROM person WHERE email = ?", (_address(email),)).fetchone())


def must_be(db: sqlite3.Connection, number: int) -> Person:
    """The person with this number. Raises :class:`LocalHelpdeskError`."""
    person = person_of(db.execute("SELECT * FROM person WHERE id = ?", (number,)).fetchone())
    if person is None:
        raise LocalHelpdeskError("there is no such person")
    return person


def person_of(row: sqlite3.Row | None) -> Person | None:
    return None if row is None else Person(**dict(row))


def _address(email: str) -> str:
    return email.strip().lower()


TICKET = """
    SELECT ticket.*,
        (SELECT json_group_array(name) FROM (SELECT name FROM tag WHERE ticket_id = ticket.id ORDER BY rowid)) AS tags,
        (SELECT json_group_object(field_id, value) FROM field WHERE ticket_id = ticket.id) AS fields
    FROM ticket
"""
"""One statement, so that a ticket's version and its tags belong together."""
_MESSAGE = """
    SELECT message.id, author_kind, author_id, person.name, public, body, created_at
    FROM message LEFT JOIN person ON person.id = author_id
"""
_UNREAD = ("urgency_rank", "language", "form_language")
"""Columns that only searches use, or that only earlier versions wrote."""


def existing_ticket(db: sqlite3.Connection, ticket_id: int) -> LocalTicket:
    """The ticket with this number. Raises :class:`LocalHelpdeskError`."""
    row = db.execute(f"{TICKET} WHERE id = ?", (ticket_id,)).fetchone()
    if row is None:
        raise LocalHelpdeskError("there is no such ticket")
    return ticket_of(row)


def ticket_of(row: sqlite3.Row) -> LocalTicket:
    values = {name.removesuffix("_id"): value for name, value in dict(row).items() if name not in _UNREAD}
    return LocalTicket(
        **values
        | {
            "priority": None if row["priority"] is None else Priority(row["priority"]),
            "escalated": bool(row["escalated"]),
            "tags": tuple(orjson.loads(row["tags"])),
            "fields": {int(number): value for number, value in orjson.loads(row["fields"]).items()},
        }
    )


def _message_of(row: sqlite3.Row) -> Message:
    values = dict(row)
    author = Actor(values.pop("author_kind"), values.pop("author_id"))
    return Message(**values | {"author": author, "name": row["name"] or "", "public": bool(row["public"])})


def event_of(row: sqlite3.Row) -> Event:
    values = dict(row)
    return Event(actor=Actor(values.pop("actor_kind"), values.pop("actor_id")), **values)


# The index of words

_TEXTS_BITS = 16
"""Low bits of an index row's id, which number a ticket's texts; the other bits are the ticket's id."""
_UNSPACED = re.compile(r"([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])")
"""Letters of scripts without spaces: each is indexed as a word, and a search for a word is one for a phrase of them."""


def index(db: sqlite3.Connection, ticket_id: int, *texts: str) -> None:
    """Add a text to the search index, inside the transaction that writes the text."""
    (before,) = db.execute("SELECT count(*) FROM message WHERE ticket_id = ?", (ticket_id,)).fetchone()
    _index(db, ticket_id, before, "\n".join(texts))


def reindex(db: sqlite3.Connection) -> None:
    """Rebuild the search index, so that it holds no word of deleted texts. Slow."""
    db.execute("INSERT INTO words (words) VALUES ('delete-all')")
    for row in db.execute("SELECT id, subject, description FROM ticket"):
        _index(db, row["id"], 0, f"{row['subject']}\n{row['description']}")
    numbered = "SELECT ticket_id, body, row_number() OVER (PARTITION BY ticket_id ORDER BY id) AS number FROM message"
    for row in db.execute(numbered):
        _index(db, row["ticket_id"], row["number"], row["body"])


def _index(db: sqlite3.Connection, ticket_id: int, number: int, text: str) -> None:
    if number < 1 << _TEXTS_BITS:
        insert(db, "words", rowid=(ticket_id << _TEXTS_BITS) + number, text=_spaced(text))


def with_words(text: str) -> tuple[str, list[str]]:
    """The SQL condition, and its values, for tickets that hold all words of a text from a search box."""
    phrases = ['"' + " ".join(words) + '"*' for part in text.split() if (words := re.findall(r"\w+", _spaced(part)))]
    found = f"id IN (SELECT rowid >> {_TEXTS_BITS} FROM words WHERE words MATCH ?)"
    return (found, [" ".join(phrases)]) if phrases else ("0", [])


def _spaced(text: str) -> str:
    return _UNSPACED.sub(r" \1 ", text)
