"""The local helpdesk's store: tickets, what is said on them, and every change as an event. The one user of its SQLite.

A change is one transaction that is guarded by the ticket's version: all of it is made, or nothing. For any thread and
any process; knows neither web pages nor ticketbot's runs.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from .local_files import safe_name, type_of
from .local_model import (
    Created,
    Event,
    FormUsed,
    Labels,
    LocalHelpdeskError,
    LocalTicket,
    Message,
    NewFile,
    NewTicket,
    Rating,
    as_written,
)
from .local_people import Erasing, People, person_for
from .local_schema import (
    EVENT,
    MESSAGE,
    all_rows,
    event_of,
    existing_ticket,
    hashed,
    insert,
    message_of,
    new_secret,
    one_row,
    same_stamp,
    stamp,
    tickets_where,
)
from .local_search import TicketSearch, index

MAILED = "m-"
"""How secrets begin that only mails hold: whoever has one can read the customer's mail."""


FORMAT = 1
"""Of an export's lines."""
MOST = 2**40
"""Ids and versions are below: there is room for all that is to come, also where more is packed into one number."""
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NAMED_BY = {"person": ("person", "email"), "group": ("team", "name"), "ticket": ("ticket", "number")}
"""The tables of lines that stand for themselves, and the column that names a row beside its id."""
_MISFITS = (
    *(KeyError, TypeError, ValueError, AttributeError, OverflowError),
    *(sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError),
)
_SAID_BY_TAGS = ("category", "urgency", "urgency_rank", "sentiment", "escalated")
_PARTS = ("message", "event", "attachment", "rating")
_TIMES = ("at", "created_at", "updated_at", "first_reply_at", "resolved_at", "closed_at", "changed_at")


@dataclass(frozen=True)
class Imported:
    """How many tickets came in, and how many of the lines' were there already."""

    tickets: int = 0
    existing: int = 0


class LocalStore(Erasing, People, TicketSearch):
    """One local helpdesk. ``labels`` say which tags hold category, urgency and sentiment.

    The file is made where it is missing, unless ``make`` is false.
    """

    def __init__(
        self,
        path: Path,
        *,
        labels: Labels | None = None,
        make: bool = True,
    ) -> None:
        super().__init__(path, make=make)
        self.labels = labels or Labels.of()

    # Submitting and opening

    def create(self, new: NewTicket, now: float) -> Created:
        """Make a ticket, with its files. A form that was sent before leads to its ticket, with more files.

        Raises :class:`FormUsed` where that ticket is another one.
        """
        kept = [self.keep(file) for file in new.files]
        secret = new_secret()
        with self.writing() as db:
            person = person_for(db, new.email, new.name)
            ticket = self.sent_by(db, new.form)
            if ticket is None:
                ticket_id, number = self.begin(db, new, person, stamp(now))
                self.used(db, new.form, ticket_id)
            elif (ticket.requester, ticket.subject, ticket.description) != (person, new.subject, new.description):
                raise FormUsed
            else:
                ticket_id, number = ticket.id, ticket.number
                there = {file.sha256 for file in self.files(ticket_id)}
                kept = [file for file in kept if file.sha256 not in there]
            self.attach(db, ticket_id, None, kept)
            insert(db, "access", secret_hash=hashed(secret), ticket_id=ticket_id)
        return Created(ticket_id, number, secret)

    def opens(self, number: str, secret: str) -> LocalTicket | None:
        """The ticket that this secret opens; the same work for a number that there is not and for a wrong secret."""
        with self.reading() as db:
            row = one_row(db, "SELECT ticket_id FROM access WHERE secret_hash = ?", (hashed(secret),))
            ticket = None if row is None else existing_ticket(db, row["ticket_id"])
        return ticket if ticket is not None and ticket.number == as_written(number) else None

    def new_secret(self, ticket_id: int) -> str:
        """One more secret that opens the ticket, for the link in a mail to its customer; earlier ones stay good."""
        secret = MAILED + new_secret()
        with self.writing() as db:
            existing_ticket(db, ticket_id)
            insert(db, "access", secret_hash=hashed(secret), ticket_id=ticket_id)
        return secret

    # Reading

    def ticket(self, ticket_id: int) -> LocalTicket | None:
        """The ticket as it is now."""
        with self.reading() as db:
            return next(iter(tickets_where(db, "ticket.id = ?", (ticket_id,))), None)

    def tickets(self, ticket_ids: Sequence[int]) -> dict[int, LocalTicket]:
        """Tickets as they are now, all of one moment; those that do not exist are absent."""
        with self.reading() as db:
            rows = tickets_where(
                db, "ticket.id IN (SELECT value FROM json_each(?))", (orjson.dumps(ticket_ids).decode(),)
            )
        return {ticket.id: ticket for ticket in rows}

    def by_number(self, number: str) -> LocalTicket | None:
        """The ticket with this number, however somebody typed it."""
        with self.reading() as db:
            return next(iter(tickets_where(db, "number = ?", (as_written(number),))), None)

    def of_requester(self, person_id: int) -> tuple[int, ...]:
        """The tickets that somebody submitted."""
        rows = self.rows("SELECT id FROM ticket WHERE requester_id = ? ORDER BY id", person_id)
        return tuple(row["id"] for row in rows)

    def messages(self, ticket_id: int, *, public_only: bool) -> tuple[Message, ...]:
        """What was said, oldest first; customers may see what is public only."""
        only = "AND message.public = 1" if public_only else ""
        rows = self.rows(f"{MESSAGE} WHERE ticket_id = ? {only} ORDER BY message.id", ticket_id)
        return tuple(map(message_of, rows))

    def events(self, ticket_id: int) -> tuple[Event, ...]:
        """Everything that happened to the ticket, oldest first."""
        return tuple(map(event_of, self.rows(f"{EVENT} WHERE ticket_id = ? ORDER BY id", ticket_id)))

    def changed_since(self, event: int, since: str = "", limit: int = 1000) -> tuple[LocalTicket, ...]:
        """Tickets whose last event comes after ``event``, in that order; of those changed before ``since`` none.

        Events are numbered as they become lasting, so nothing that is still under way can come in before.
        """
        with self.reading() as db:
            return tickets_where(
                db, "last_event > ? AND updated_at >= ? ORDER BY last_event LIMIT ?", (event, since, limit)
            )

    def last_event(self) -> int:
        """The number of the newest event; 0 where there is none."""
        row = self.row("SELECT max(id) FROM event")
        return int(row[0] or 0) if row else 0

    def time_of(self, event: int) -> str:
        """When an event happened; empty where there is no such event."""
        row = self.row("SELECT at FROM event WHERE id = ?", event)
        return "" if row is None else str(row["at"])

    def tag_counts(self) -> dict[str, int]:
        """How many tickets have each tag."""
        return dict(map(tuple, self.rows("SELECT name, count(*) FROM tag GROUP BY name")))

    def rating(self, ticket_id: int) -> Rating | None:
        """The customer's rating, if there is one."""
        row = self.row("SELECT * FROM rating WHERE ticket_id = ?", ticket_id)
        return None if row is None else Rating(**dict(row))

    # Leaving, and coming

    def export_lines(self) -> Iterator[dict[str, Any]]:
        """Everything, as it is at one moment: a line for each person, group, content of a file, and ticket.

        Passwords and sessions stay behind. The secrets of tickets go along as hashes: links of customers stay good.
        """
        with self.reading() as db:
            yield {"kind": "helpdesk", "format": FORMAT}
            for row in db.execute("SELECT id, email, name, role FROM person ORDER BY id"):
                yield {"kind": "person", **dict(row)}
            for row in db.execute("SELECT * FROM team ORDER BY id"):
                yield {"kind": "group", **dict(row)}
            for row in db.execute("SELECT DISTINCT sha256 FROM attachment ORDER BY sha256"):
                content = self.place(row["sha256"]).read_bytes()
                yield {"kind": "content", "sha256": row["sha256"], "base64": base64.b64encode(content).decode()}
            for row in db.execute("SELECT * FROM ticket ORDER BY id"):
                own = {name: value for name, value in dict(row).items() if name not in _SAID_BY_TAGS}
                yield {"kind": "ticket", **own, **_belongings(db, row["id"])}

    def import_lines(self, lines: Iterable[Mapping[str, Any]]) -> Imported:
        """Take in a whole export, or nothing.

        Ids are kept, and what is there already is passed over, so that an import may be repeated. Raises
        :class:`LocalHelpdeskError`, which names the line and never quotes it.
        """
        tickets: Counter[bool | None] = Counter()
        with self.writing() as db:
            for number, line in enumerate(lines, start=1):
                try:
                    tickets[self._take(db, dict(line))] += 1
                except LocalHelpdeskError as error:
                    raise LocalHelpdeskError(f"line {number}: {error}") from None
                except _MISFITS as error:
                    raise LocalHelpdeskError(
                        f"line {number}: it does not fit a helpdesk ({type(error).__name__}); nothing was imported"
                    ) from None
        return Imported(tickets[True], tickets[False])

    def _take(self, db: sqlite3.Connection, line: dict[str, Any]) -> bool | None:
        """Take one line in; of a ticket, whether it is new."""
        kind = line.pop("kind", None)
        if kind in _NAMED_BY:
            is_new = not _is_there(db, kind, line)
            if is_new and kind == "ticket":
                self._take_ticket(db, line)
            elif is_new:
                _insert(db, _NAMED_BY[kind][0], line)
            return is_new if kind == "ticket" else None
        if kind == "helpdesk" and line.get("format") != FORMAT:
            raise LocalHelpdeskError("this export was made by another version of ticketbot")
        if kind == "content":
            self._take_content(line)
        elif kind != "helpdesk":
            raise LocalHelpdeskError("it is no line of 'ticketbot local export FILE'")
        return None

    def _take_content(self, line: Mapping[str, Any]) -> None:
        try:
            content = base64.b64decode(line["base64"], validate=True)
        except binascii.Error:
            content = b""
        if hashlib.sha256(content).hexdigest() != line["sha256"]:
            raise LocalHelpdeskError("the content of a file is damaged")
        self.keep(NewFile("", content))

    def _take_ticket(self, db: sqlite3.Connection, line: dict[str, Any]) -> None:
        number = line["id"]
        parts = {part: line.pop(part, None) or [] for part in (*_PARTS, "tags", "fields", "secrets")}
        last = max(parts["event"], key=lambda event: event["id"])
        _insert(db, "ticket", {**line, "version": last["version"], "last_event": last["id"], "updated_at": last["at"]})
        for tag in parts["tags"]:
            insert(db, "tag", ticket_id=number, name=tag)
        self.label(db, number, parts["tags"])
        for field_id, value in dict(parts["fields"]).items():
            insert(db, "field", ticket_id=number, field_id=int(field_id), value=value)
        for secret in parts["secrets"]:
            insert(db, "access", ticket_id=number, secret_hash=bytes.fromhex(secret))
        index(db, number, line["subject"], line["description"])
        for part in _PARTS:
            for each in parts[part]:
                if part == "attachment":
                    each |= {"name": safe_name(each["name"]), "mime": self._type_of_kept(each["sha256"])}
                _insert(db, part, {**each, "ticket_id": number})
                if part == "message":
                    index(db, number, each["body"])
        if as_written(line["number"]) != line["number"]:
            raise ValueError("nobody could find the ticket")
        for event in all_rows(db, f"{EVENT} WHERE ticket_id = ?", (number,)):
            event_of(event).values()  # no run could be made with events that have no meaning

    def _type_of_kept(self, digest: str) -> str:
        if not _DIGEST.fullmatch(digest):
            raise LocalHelpdeskError("the name of a file's content is none")
        if not self.place(digest).is_file():
            raise LocalHelpdeskError("the content of a file is missing: it belongs before its ticket")
        return type_of(self.place(digest).read_bytes())


def _belongings(db: sqlite3.Connection, ticket_id: int) -> dict[str, Any]:
    """All that belongs to a ticket, as plain data."""

    def rows(table: str) -> list[dict[str, Any]]:
        found = map(dict, all_rows(db, f"SELECT * FROM {table} WHERE ticket_id = ? ORDER BY rowid", (ticket_id,)))
        return [{name: value for name, value in row.items() if name != "ticket_id"} for row in found]

    return {
        "tags": [row["name"] for row in rows("tag")],
        "fields": {str(row["field_id"]): row["value"] for row in rows("field")},
        "secrets": [row["secret_hash"].hex() for row in rows("access")],
        **{part: rows(part) for part in _PARTS},
    }


def _is_there(db: sqlite3.Connection, kind: str, line: Mapping[str, Any]) -> bool:
    """Whether what a line stands for is there. Raises :class:`LocalHelpdeskError` where another has its id or name."""
    table, name = _NAMED_BY[kind]
    row = one_row(db, f"SELECT id, {name} FROM {table} WHERE id = ? OR {name} = ?", (line["id"], line[name]))
    if row is not None and tuple(row) != (line["id"], line[name]):
        raise LocalHelpdeskError(f"there is another {kind} with this id or {name}; import into a new file (local.path)")
    return row is not None


def _insert(db: sqlite3.Connection, table: str, line: Mapping[str, Any]) -> None:
    """Add a row of an import: only columns that there are."""
    columns = {row["name"] for row in all_rows(db, f"PRAGMA table_info({table})")} - {"password_hash"}
    if not line.keys() <= columns:
        raise LocalHelpdeskError("it has parts that a helpdesk does not know")
    if any(not 0 < line[name] < MOST for name in ("id", "version") if line.get(name) is not None):
        raise ValueError("the number is too large, or none")
    times = {name: same_stamp(line[name]) for name in _TIMES if line.get(name) is not None}
    insert(db, table, **{**line, **times})
