"""Exports and imports the whole local helpdesk as plain data, and erases customers from it."""

from __future__ import annotations

import base64
import hashlib
import re
import sqlite3
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from email.parser import BytesParser
from email.policy import SMTP
from pathlib import Path
from typing import Any

from ..core.models import Frozen
from ..state.sqlite import emptied
from .local_model import ERASED_ADDRESS, SYSTEM, LocalHelpdeskError, NewFile, Write, as_written
from .local_reading import event_of, existing_ticket, index, insert, must_be, reindex, same_stamp, stamp_after
from .local_writing import FILE_TYPE, TicketWriting, record, safe_name

FORMAT = 1
"""Version of an export's lines."""
MOST = 2**40
"""Imported ids and versions must be below this, so that later ones, and ids packed with other bits, fit in 64 bits."""
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NAMED_BY = {"person": ("person", "email"), "group": ("team", "name"), "ticket": ("ticket", "number")}
"""For each kind of line with its own id: its table, and the other column that identifies a row."""
_MISFITS = (
    *(KeyError, TypeError, ValueError, AttributeError, OverflowError),
    *(sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError),
)
_SAID_BY_TAGS = ("category", "urgency", "urgency_rank", "sentiment", "escalated")
_PARTS = ("message", "event", "attachment", "rating")
_TIMES = ("at", "created_at", "updated_at", "first_reply_at", "resolved_at", "closed_at", "changed_at")
_LEFT_S = 3600.0
"""Seconds after which a file without a row is an orphan."""
MAIL_FOLDER = "outbox"
"""Folder in the state folder to which mail is written as files, if no server is named."""
_THEIRS = "IN (SELECT id FROM ticket WHERE requester_id = :person)"
_ERASING = (
    f"UPDATE event SET reason = '' WHERE ticket_id {_THEIRS} AND field != 'message'",
    f"UPDATE event SET old = NULL WHERE ticket_id {_THEIRS} AND field = 'message'",
    "UPDATE event SET old = iif(old IS NULL, NULL, ''), new = iif(new IS NULL, NULL, '') "
    f"WHERE ticket_id {_THEIRS} AND field LIKE 'field:%'",
    f"DELETE FROM field WHERE ticket_id {_THEIRS}",
    f"UPDATE message SET body = '' WHERE ticket_id {_THEIRS} OR author_id = :person",
    f"DELETE FROM attachment WHERE ticket_id {_THEIRS}",
    f"UPDATE rating SET comment = '' WHERE ticket_id {_THEIRS}",
    f"DELETE FROM access WHERE ticket_id {_THEIRS}",
    f"DELETE FROM form WHERE ticket_id {_THEIRS}",
    "DELETE FROM session WHERE person_id = :person",
    "UPDATE ticket SET subject = '', description = '' WHERE requester_id = :person",
    f"UPDATE person SET email = id || '{ERASED_ADDRESS}', name = '', password_hash = NULL WHERE id = :person",
)


class CustomerTraces(Frozen):
    """What the helpdesk holds or held of a customer, and the number of ``mails`` that were erased with it.

    ``digests`` are the hashes of the files' contents. ``is_gone`` is false if another reader of the helpdesk's file
    kept SQLite from deleting old pages: the erasure is not finished then.
    """

    tickets: tuple[int, ...] = ()
    messages: int = 0
    files: int = 0
    digests: tuple[str, ...] = ()
    mails: int = 0
    is_gone: bool = True


class Transfer(TicketWriting):
    """The part of the store that exports, imports, and erases customers."""

    def export_lines(self) -> Iterator[dict[str, Any]]:
        """Export everything as of one moment: a line for each person, group, content of a file, and ticket.

        Passwords and sessions are left out. The secrets of tickets are exported as hashes: customers' links stay valid.
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

    def erased_tickets(self) -> list[int]:
        """The tickets of customers who were erased."""
        theirs = "SELECT ticket.id FROM ticket JOIN person ON person.id = requester_id WHERE email = person.id || ?"
        return [row["id"] for row in self.rows(theirs, ERASED_ADDRESS)]

    def import_lines(self, lines: Iterable[Mapping[str, Any]], first: int = 1) -> tuple[int, int]:
        """Import a whole export, or nothing; returns how many tickets are new and how many existed already.

        ``first`` is the number of the first line, for errors.

        Ids are kept, and rows that exist already are skipped, so an import may be repeated. Raises
        :class:`LocalHelpdeskError`, which names the line and never quotes it.
        """
        tickets: Counter[bool | None] = Counter()
        with self.writing() as db:
            for number, line in enumerate(lines, start=first):
                try:
                    tickets[self._take(db, dict(line))] += 1
                except LocalHelpdeskError as error:
                    raise LocalHelpdeskError(f"line {number}: {error}") from None
                except _MISFITS as error:
                    raise LocalHelpdeskError(
                        f"line {number}: it does not fit a helpdesk ({type(error).__name__}); nothing was imported"
                    ) from None
        return tickets[True], tickets[False]

    def _take(self, db: sqlite3.Connection, line: dict[str, Any]) -> bool | None:
        """Import one line; for a ticket, returns whether it is new."""
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
            content = base64.b64decode(line["base64"])
            if hashlib.sha256(content).hexdigest() != line["sha256"]:
                raise LocalHelpdeskError("the content of a file is damaged")
            self.keep(NewFile("", content))
        elif kind != "helpdesk":
            raise LocalHelpdeskError(unknown_kind(kind))
        return None

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
                    self._check_content(each["sha256"])
                    each |= {"name": safe_name(each["name"]), "mime": FILE_TYPE}
                _insert(db, part, {**each, "ticket_id": number})
                if part == "message":
                    index(db, number, each["body"])
        if as_written(line["number"]) != line["number"]:
            raise ValueError("no search would find the ticket")
        for event in db.execute("SELECT * FROM event WHERE ticket_id = ?", (number,)):
            event_of(event).values()  # raises an error for an event that runs could not read

    def _check_content(self, digest: str) -> None:
        if not _DIGEST.fullmatch(digest):
            raise LocalHelpdeskError("the name of a file's content is none")
        if not self.place(digest).is_file():
            raise LocalHelpdeskError("the content of a file is missing: it belongs before its ticket")

    # Erasing a customer: name, address and all texts are deleted for good; events and numbers stay

    def traces_of(self, person_id: int) -> CustomerTraces:
        """What would be erased. Raises :class:`LocalHelpdeskError` for an agent, an admin or an unknown person."""
        with self.reading() as db:
            return _traces(db, person_id)

    def erase(self, person_id: int, now: float, outbox: Path | None = None) -> CustomerTraces:
        """Delete a customer's name, address, texts, files, links and ratings' comments, and close the tickets.

        What others wrote on these tickets is deleted as well, and the files of mails to the address in ``outbox``. One
        transaction erases the rows and stores a record of what else has to go: files, mails, and free pages of the
        database. The record is deleted last, so that an erasure that was killed can be finished. Raises what
        :meth:`traces_of` does.
        """
        with self.writing() as db:
            person = must_be(db, person_id)
            if not person.is_erased:
                traces = _traces(db, person_id)
                values = (person_id, person.email, traces.model_dump_json())
                db.execute("INSERT OR REPLACE INTO erasure VALUES (?, ?, ?)", values)
                self._erase_words(db, person_id, traces, now)
            row = db.execute("SELECT address, found FROM erasure WHERE person_id = ?", (person_id,)).fetchone()
        if row is None:  # another process has just finished it
            return CustomerTraces()
        address, found = str(row["address"]), CustomerTraces.model_validate_json(row["found"])
        self.sweep_files(found.digests)
        with self.writing() as db:  # no mail is written meanwhile
            mails = forget_mails(outbox, address) if outbox is not None and address else 0
            bare = found.model_dump_json(include={"tickets", "messages", "files"})
            db.execute("UPDATE erasure SET address = '', found = ? WHERE person_id = ?", (bare, person_id))
        is_gone = self.compact()
        if is_gone:
            with self.writing() as db:
                db.execute("DELETE FROM erasure WHERE person_id = ?", (person_id,))
        return found.model_copy(update={"mails": mails, "is_gone": is_gone})

    def unfinished(self) -> tuple[CustomerTraces, ...]:
        """What unfinished erasures, which were killed, have to delete."""
        rows = self.rows("SELECT found FROM erasure ORDER BY person_id")
        return tuple(CustomerTraces.model_validate_json(row["found"]) for row in rows)

    def finish_erasures(self, now: float, outbox: Path | None) -> Iterator[CustomerTraces]:
        """Finish the erasures that were killed, one after the other."""
        for row in self.rows("SELECT person_id FROM erasure ORDER BY person_id"):
            yield self.erase(row["person_id"], now, outbox)

    def _erase_words(self, db: sqlite3.Connection, person_id: int, found: CustomerTraces, now: float) -> None:
        for number in found.tickets:
            ticket = existing_ticket(db, number)
            if ticket.status not in ("closed", "spam"):
                ticket = self.write(db, number, SYSTEM, Write(status="closed"), now)
            at = stamp_after(ticket.updated_at, now)
            record(db, number, ticket.version + 1, at, SYSTEM, [("erased", None, None)])
        (guard,) = db.execute("SELECT sql FROM sqlite_master WHERE name = 'event_stays'").fetchone()
        db.execute("DROP TRIGGER event_stays")  # the one exception: reasons are words too
        for statement in _ERASING:
            db.execute(statement, {"person": person_id})
        db.execute(guard)
        reindex(db)

    def sweep_files(self, digests: Collection[str] = ()) -> None:
        """Delete files that no row names: those with these hashes, and orphans older than :data:`_LEFT_S`."""
        with self.writing() as db:  # so that no file is attached meanwhile
            named = {row[0] for row in db.execute("SELECT sha256 FROM attachment")}
            for path in self.folder.rglob("*"):
                if not path.is_file() or path.name in named:
                    continue
                if path.name in digests or path.stat().st_mtime < time.time() - _LEFT_S:
                    path.unlink()

    def compact(self) -> bool:
        """Rewrite the file without deleted data; false if another reader kept some of it in the files beside it."""
        with self._in_words(), self._connection() as db:
            return emptied(db)


def unknown_kind(kind: object) -> str:
    """What is wrong with a line of this kind, in words; a kind that is no plain word is not quoted."""
    if isinstance(kind, str) and re.fullmatch("[a-z]{3,20}", kind):
        return (
            f"lines of the kind '{kind}' are unknown here or belong elsewhere in the file; a newer ticketbot may have "
            "written them: update this one. Nothing was imported"
        )
    return "it is no line of 'ticketbot local export FILE'"


def _belongings(db: sqlite3.Connection, ticket_id: int) -> dict[str, Any]:
    """The tags, fields, secrets, messages, events, files and rating of a ticket, as plain data."""

    def rows(table: str) -> list[dict[str, Any]]:
        found = map(dict, db.execute(f"SELECT * FROM {table} WHERE ticket_id = ? ORDER BY rowid", (ticket_id,)))
        return [{name: value for name, value in row.items() if name != "ticket_id"} for row in found]

    return {
        "tags": [row["name"] for row in rows("tag")],
        "fields": {str(row["field_id"]): row["value"] for row in rows("field")},
        "secrets": [row["secret_hash"].hex() for row in rows("access")],
        **{part: rows(part) for part in _PARTS},
    }


def _is_there(db: sqlite3.Connection, kind: str, line: Mapping[str, Any]) -> bool:
    """True if the line's row exists already. Raises :class:`LocalHelpdeskError` if another row has its id or name."""
    table, name = _NAMED_BY[kind]
    query = f"SELECT id, {name} FROM {table} WHERE id = ? OR {name} = ?"
    row = db.execute(query, (line["id"], line[name])).fetchone()
    if row is not None and tuple(row) != (line["id"], line[name]):
        raise LocalHelpdeskError(f"there is another {kind} with this id or {name}; import into a new file (local.path)")
    return row is not None


def _insert(db: sqlite3.Connection, table: str, line: Mapping[str, Any]) -> None:
    """Add a row of an import. Raises an error for unknown columns and for numbers out of range."""
    columns = {row["name"] for row in db.execute(f"PRAGMA table_info({table})")} - {"password_hash"}
    if not line.keys() <= columns:
        raise LocalHelpdeskError("it has parts that a helpdesk does not know")
    if any(not 0 < line[name] < MOST for name in ("id", "version") if line.get(name) is not None):
        raise ValueError("the number is too large, or none")
    times = {name: same_stamp(line[name]) for name in _TIMES if line.get(name) is not None}
    insert(db, table, **{**line, **times})


def _traces(db: sqlite3.Connection, person_id: int) -> CustomerTraces:
    if must_be(db, person_id).role != "customer":
        raise LocalHelpdeskError("this is an agent or an admin: take the role away first, at /admin/people")

    def column(query: str) -> tuple[Any, ...]:
        return tuple(row[0] for row in db.execute(query, {"person": person_id}))

    (messages,) = column(f"SELECT count(*) FROM message WHERE ticket_id {_THEIRS}")
    digests = column(f"SELECT sha256 FROM attachment WHERE ticket_id {_THEIRS}")
    tickets = column("SELECT id FROM ticket WHERE requester_id = :person")
    return CustomerTraces(tickets=tickets, messages=messages, files=len(digests), digests=tuple(dict.fromkeys(digests)))


def forget_mails(folder: Path, address: str) -> int:
    """Delete the files of mails to an address, and all half-written ones; returns how many mails were deleted."""
    found = 0
    for path in (*folder.glob("*.eml"), *folder.glob("*.eml.tmp")):
        mail = BytesParser(policy=SMTP).parsebytes(path.read_bytes(), headersonly=True)
        is_theirs = address in (one.addr_spec.lower() for one in getattr(mail["To"], "addresses", ()))
        found += is_theirs and path.suffix == ".eml"
        if is_theirs or path.suffix == ".tmp":
            path.unlink(missing_ok=True)
    return found
