"""A whole local helpdesk as lines of plain data, and such lines as a local helpdesk again.

One line each for a person, a group, the content of a file, and a ticket with all that belongs to it. Passwords and
sessions stay behind; the secrets of tickets go along as hashes, so that links that customers have stay good.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .local_files import safe_name, type_of
from .local_model import LocalHelpdeskError, NewFile, as_written
from .local_schema import all_rows, insert, one_row, same_stamp
from .local_search import index
from .local_tickets import EVENT, edits_of, event_of, existing_ticket
from .local_writing import TicketWriting

FORMAT = 1
TAKEN = "there is another ticket with this id; import into a new file (local.path)"
MOST = 2**40
"""Ids and versions are below: there is room for all that is to come, also where more is packed into one number."""
_MISFITS = (
    *(KeyError, TypeError, ValueError, AttributeError, OverflowError),
    *(sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError),
)
_PERSON = ("id", "email", "name", "role")
_SAID_BY_TAGS = ("category", "urgency", "urgency_rank", "sentiment", "escalated")
_PARTS = ("message", "event", "attachment", "rating")
_PEOPLE = ("requester_id", "assignee_id", "author_id", "actor_id")
_TIMES = ("at", "created_at", "updated_at", "first_reply_at", "resolved_at", "closed_at", "changed_at")


@dataclass(frozen=True)
class Imported:
    """How many tickets came in, and how many of the lines' were there already."""

    tickets: int = 0
    existing: int = 0


class Transfer(TicketWriting):
    """The part of the store that lets a helpdesk leave, and come."""

    def export_lines(self) -> Iterator[dict[str, Any]]:
        """Everything, as it is at one moment."""
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
                yield {"kind": "ticket", **_without(dict(row), _SAID_BY_TAGS), **_belongings(db, row["id"])}

    def import_lines(self, lines: Iterable[Mapping[str, Any]]) -> Imported:
        """Take in a whole export, or nothing.

        Numbers are kept. A ticket that is there already is passed over, so that an import may be repeated. Raises
        :class:`LocalHelpdeskError`, which names the line and never quotes it.
        """
        taken = existing = 0
        people: dict[int, int] = {}
        with self.writing() as db:
            for number, line in enumerate(lines, start=1):
                try:
                    new = self._take(db, dict(line), people)
                except LocalHelpdeskError as error:
                    raise LocalHelpdeskError(f"line {number}: {error}") from None
                except _MISFITS as error:
                    raise LocalHelpdeskError(
                        f"line {number}: it does not fit a helpdesk ({type(error).__name__}); nothing was imported"
                    ) from None
                taken += new is True
                existing += new is False
        return Imported(taken, existing)

    def _take(self, db: sqlite3.Connection, line: dict[str, Any], people: dict[int, int]) -> bool | None:
        """Take one line in; of a ticket, whether it is new."""
        kind = line.pop("kind", None)
        if kind == "helpdesk":
            if line.get("format") != FORMAT:
                raise LocalHelpdeskError("this export was made by another version of ticketbot")
        elif kind == "person":
            people[line["id"]] = _take_person(db, line)
        elif kind == "group":
            if one_row(db, "SELECT 1 FROM team WHERE id = ? AND name = ?", (line["id"], line["name"])) is None:
                _insert(db, "team", line)
        elif kind == "content":
            self._take_content(line)
        elif kind == "ticket":
            return self._take_ticket(db, line, people)
        else:
            raise LocalHelpdeskError(f"it is {_what(line)}, and no line of 'ticketbot local export FILE'")
        return None

    def _take_content(self, line: Mapping[str, Any]) -> None:
        try:
            content = base64.b64decode(line["base64"], validate=True)
        except binascii.Error:
            content = b""
        if hashlib.sha256(content).hexdigest() != line["sha256"]:
            raise LocalHelpdeskError("the content of a file is damaged")
        self.keep(NewFile("", content))

    def _take_ticket(self, db: sqlite3.Connection, line: dict[str, Any], people: Mapping[int, int]) -> bool:
        there = one_row(db, "SELECT number FROM ticket WHERE id = ?", (line["id"],))
        if there is not None and there["number"] == line["number"]:
            return False
        if there is not None:
            raise LocalHelpdeskError(TAKEN)
        parts = {part: line.pop(part, None) or [] for part in (*_PARTS, "tags", "fields", "secrets")}
        last = max(parts["event"], key=lambda event: event["id"])
        row = {**line, "version": last["version"], "last_event": last["id"], "updated_at": last["at"]}
        _insert(db, "ticket", row, people)
        for tag in parts["tags"]:
            insert(db, "tag", ticket_id=line["id"], name=tag)
        self.label(db, line["id"], parts["tags"])
        for field_id, value in dict(parts["fields"]).items():
            insert(db, "field", ticket_id=line["id"], field_id=int(field_id), value=value)
        for secret in parts["secrets"]:
            insert(db, "access", ticket_id=line["id"], secret_hash=bytes.fromhex(secret))
        index(db, line["id"], line["subject"], line["description"])
        for part in _PARTS:
            for each in parts[part]:
                if part == "attachment":
                    each |= {"name": safe_name(each["name"]), "mime": self._type_of_kept(each["sha256"])}
                _insert(db, part, {**each, "ticket_id": line["id"]}, people)
                if part == "message":
                    index(db, line["id"], each["body"])
        ticket = existing_ticket(db, line["id"])
        if as_written(ticket.number) != ticket.number:
            raise ValueError("nobody could find the ticket")
        rows = all_rows(db, f"{EVENT} WHERE ticket_id = ? ORDER BY id", (ticket.id,))
        edits_of(tuple(map(event_of, rows)), ticket, ())  # no run could be made with events that have no meaning
        return True

    def _type_of_kept(self, digest: str) -> str:
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            raise LocalHelpdeskError("the name of a file's content is none")
        place = self.place(digest)
        if not place.is_file():
            raise LocalHelpdeskError("the content of a file is missing: it belongs before its ticket")
        return type_of(place.read_bytes())


def _belongings(db: sqlite3.Connection, ticket_id: int) -> dict[str, Any]:
    """All that belongs to a ticket, as plain data."""
    found: dict[str, Any] = {
        "tags": [
            row["name"] for row in all_rows(db, "SELECT name FROM tag WHERE ticket_id = ? ORDER BY rowid", (ticket_id,))
        ],
        "fields": {
            str(row["field_id"]): row["value"]
            for row in all_rows(db, "SELECT * FROM field WHERE ticket_id = ? ORDER BY field_id", (ticket_id,))
        },
        "secrets": [
            row["secret_hash"].hex()
            for row in all_rows(db, "SELECT secret_hash FROM access WHERE ticket_id = ? ORDER BY rowid", (ticket_id,))
        ],
    }
    for part in _PARTS:
        rows = all_rows(db, f"SELECT * FROM {part} WHERE ticket_id = ? ORDER BY rowid", (ticket_id,))
        found[part] = [_without(dict(row), ("ticket_id",)) for row in rows]
    return found


def _take_person(db: sqlite3.Connection, line: Mapping[str, Any]) -> int:
    """The number that a person has here: their own where it is free, and that of their address where it is known."""
    known = one_row(db, "SELECT id FROM person WHERE email = ?", (line["email"],))
    if known is not None:
        return int(known["id"])
    if set(line) != set(_PERSON):
        raise LocalHelpdeskError("it has parts that a helpdesk does not know")
    taken = one_row(db, "SELECT 1 FROM person WHERE id = ?", (line["id"],)) is not None
    return _insert(db, "person", _without(dict(line), ("id",)) if taken else line)


def _insert(db: sqlite3.Connection, table: str, line: Mapping[str, Any], people: Mapping[int, int] = {}) -> int:
    """Add a row of an import: only columns that there are, and people by the numbers that they have here. Its id."""
    columns = {row["name"] for row in all_rows(db, f"PRAGMA table_info({table})")}
    if not set(line) <= columns:
        raise LocalHelpdeskError("it has parts that a helpdesk does not know")
    values = dict(line)
    for name in _PEOPLE:
        if values.get(name) is not None and (name in columns):
            values[name] = people.get(values[name], values[name])
    for name in _TIMES:
        if values.get(name) is not None:
            values[name] = same_stamp(values[name])
    for name in ("id", "version"):
        if name in values:
            _check_number(values[name])
    return insert(db, table, **values)


def _check_number(value: int) -> None:
    if not 0 < value < MOST:
        raise ValueError("the number is too large, or none")


def _without(row: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def _what(line: Mapping[str, Any]) -> str:
    """What a line seems to be that no local helpdesk has written."""
    if "description_text" in line or "responder_id" in line:
        return "a ticket of Freshdesk"
    if "raw_subject" in line or ("subject" in line and "requester_id" in line):
        return "a ticket of Zendesk"
    if "subject" in line or "body" in line:
        return "a ticket without a helpdesk, as 'ticketbot seed --file FILE' takes it"
    return "of a kind that is not known"
