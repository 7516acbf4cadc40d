"""Writes to the local helpdesk's tickets: each write is one transaction, guarded by the version, with its events.

Files of tickets and messages are stored under their hash in a folder beside the helpdesk's file.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ..core.files import make_folder
from .local_model import (
    AT_WORK,
    MAX_FILE_BYTES,
    Actor,
    Created,
    FormUsed,
    IllegalTransition,
    Kept,
    LocalHelpdeskError,
    LocalTicket,
    NewFile,
    NewTicket,
    Stale,
    Write,
    allowed_now,
    new_number,
)
from .local_reading import LocalFile, existing_ticket, hashed, index, insert, new_secret, person_for, stamp, stamp_after

FILE_TYPE = "application/octet-stream"
"""The type of every file, whatever its sender says: browsers do not open it."""
Happened = tuple[str, str | None, str | None]
"""An event's field, old value and new value."""


class TicketWriting(LocalFile):
    """The part of the store that changes tickets, and keeps their files."""

    # Files: their content is stored in a folder before a row names it

    def keep(self, file: NewFile) -> Kept:
        """Store a file's content, whole or not at all. Raises :class:`LocalHelpdeskError` if it is too large."""
        if len(file.content) > MAX_FILE_BYTES:
            raise LocalHelpdeskError(f"a file may have {MAX_FILE_BYTES // 1_000_000} MB at most")
        digest = hashlib.sha256(file.content).hexdigest()
        place = self.place(digest)
        with self._in_words():
            if place.is_file():
                place.touch()  # so that sweep_files does not delete it
            else:
                make_folder(place.parent)
                number, name = tempfile.mkstemp(dir=place.parent)
                try:
                    with os.fdopen(number, "wb") as out:
                        out.write(file.content)
                        out.flush()
                        os.fsync(out.fileno())
                    Path(name).replace(place)
                except BaseException:
                    Path(name).unlink(missing_ok=True)
                    raise
        return Kept(safe_name(file.name), len(file.content), digest)

    def attach(self, db: sqlite3.Connection, ticket_id: int, message_id: int | None, kept: Sequence[Kept]) -> None:
        """Attach stored files to a ticket, inside a transaction."""
        if not all(self.place(file.sha256).is_file() for file in kept):
            raise LocalHelpdeskError("a file was just taken away; send it again")
        for file in kept:
            insert(db, "attachment", ticket_id=ticket_id, message_id=message_id, mime=FILE_TYPE, **asdict(file))

    @property
    def folder(self) -> Path:
        return self.path.with_name(f"{self.path.name}-files")

    def place(self, digest: str) -> Path:
        """The path of the content with this SHA-256."""
        return self.folder / digest[:2] / digest

    # Tickets

    def create(self, new: NewTicket, now: float) -> Created:
        """Create a ticket with its files. A form that was sent before gives its ticket, to which new files are added.

        Raises :class:`FormUsed` if that ticket has other content.
        """
        kept = [self.keep(file) for file in new.files]
        secret = new_secret()
        with self.writing() as db:
            person = person_for(db, new.email, new.name)
            ticket = _sent_by(db, new.form)
            if ticket is None:
                ticket_id, number = self._begin(db, new, person, stamp(now))
            elif (ticket.requester, ticket.subject, ticket.description) != (person, new.subject, new.description):
                raise FormUsed
            else:
                ticket_id, number = ticket.id, ticket.number
                query = "SELECT sha256 FROM attachment WHERE ticket_id = ?"
                there = {row[0] for row in db.execute(query, (ticket_id,))}
                kept = [file for file in kept if file.sha256 not in there]
            self.attach(db, ticket_id, None, kept)
            insert(db, "access", secret_hash=hashed(secret), ticket_id=ticket_id)
        return Created(ticket_id, number, secret)

    def _begin(self, db: sqlite3.Connection, new: NewTicket, requester: int, at: str) -> tuple[int, str]:
        number = new_number()
        ticket_id = insert(
            db,
            "ticket",
            number=number,
            requester_id=requester,
            subject=new.subject,
            description=new.description,
            status="open",
            language="",
            form_language="",
            channel=new.channel,
            created_at=at,
            updated_at=at,
            version=0,
            last_event=0,
        )
        tags = tuple(dict.fromkeys(new.tags))
        for tag in tags:
            insert(db, "tag", ticket_id=ticket_id, name=tag)
        self.label(db, ticket_id, tags)
        index(db, ticket_id, new.subject, new.description)
        _remember_form(db, new.form, ticket_id)
        events = [("created", None, new.channel), *(("tag", None, tag) for tag in tags)]
        record(db, ticket_id, 1, at, new.by or Actor("customer", requester), events, Write(reason=new.reason))
        return ticket_id, number

    def reply(
        self,
        ticket_id: int,
        actor: Actor,
        body: str,
        *,
        public: bool,
        now: float,
        version: int | None = None,
        files: Sequence[NewFile] = (),
        **parts: Any,
    ) -> LocalTicket:
        """Add a message with files to the ticket; ``parts`` are those of :class:`Write`.

        A customer's answer opens a ticket that waits for it. Raises what :meth:`apply` does.
        """
        write = Write(body=body, public=public, files=[self.keep(file) for file in files], **parts)
        return self.apply(ticket_id, actor, write, version=version, now=now)

    def change(
        self,
        ticket_id: int,
        actor: Actor,
        *,
        version: int | None,
        now: float,
        tags_add: Collection[str] = (),
        tags_remove: Collection[str] = (),
        **parts: Any,
    ) -> LocalTicket:
        """Change a ticket as it was read at ``version``; ``parts`` are those of :class:`Write`, or ``category``,
        ``urgency`` and ``sentiment``, which change their tags.

        Raises :class:`Stale`, :class:`IllegalTransition` or :class:`LocalHelpdeskError`.
        """
        add, remove = dict.fromkeys(tags_add), dict.fromkeys(tags_remove)
        for name in ("category", "urgency", "sentiment"):
            tags: Mapping[str, str] = getattr(self.labels, name)
            value = parts.pop(name, ...)
            if value is ...:
                continue
            if value is not None and value not in tags:
                raise LocalHelpdeskError(f"there is no {value}; there are {', '.join(tags)}")
            remove |= dict.fromkeys(tag for each, tag in tags.items() if each != value)
            add |= {} if value is None else {tags[value]: None}
        gone = tuple(tag for tag in remove if tag not in add)
        write = Write(tags_add=tuple(add), tags_remove=gone, **parts)
        return self.apply(ticket_id, actor, write, version=version, now=now)

    def apply(self, ticket_id: int, actor: Actor, write: Write, *, version: int | None, now: float) -> LocalTicket:
        """Make one write, guarded by ``version`` if given. A write that changes nothing makes no new version.

        If ``write.form`` was sent before, nothing is written again. Raises what :meth:`change` does, and
        :class:`FormUsed` if that form had other content.
        """
        with self.writing() as db:
            ticket = existing_ticket(db, ticket_id)
            if _sent_by(db, write.form) is not None:
                _check_is_said(db, ticket_id, actor, write)
                return ticket
            if version is not None and version != ticket.version:
                raise Stale(ticket)
            may = allowed_now(ticket, actor.kind, now)
            reopens = ticket.status == "waiting" or (ticket.status == "resolved" and write.reopens and "open" in may)
            if actor.kind == "customer" and write.body is not None and reopens:
                write = replace(write, status=write.status or "open")
            moves = write.status is not None and write.status != ticket.status
            silent = actor.kind == "customer" and ticket.status in ("closed", "spam")
            if (moves and write.status not in may) or ticket.status == "closed" or silent:
                raise IllegalTransition(may)
            return self.write(db, ticket_id, actor, write, now)

    def write(self, db: sqlite3.Connection, ticket_id: int, actor: Actor, write: Write, now: float) -> LocalTicket:
        """Make one write inside a transaction, without checking what the ticket's status permits."""
        ticket = existing_ticket(db, ticket_id)
        at = stamp_after(ticket.updated_at, now)
        events = [*_write_values(db, ticket, write, at), *self._write_tags(db, ticket, write)]
        if write.body is not None:
            why = (actor.kind == "agent" and write.reason) or None
            events.append(("message", why, str(self._say(db, ticket, actor, write, at))))
        record(db, ticket_id, ticket.version + 1, at, actor, events, write)
        return existing_ticket(db, ticket_id)

    def label(self, db: sqlite3.Connection, ticket_id: int, tags: Sequence[str]) -> None:
        """Copy category, urgency, sentiment and escalation from the tags to the columns that searches use."""
        db.execute(
            "UPDATE ticket SET category = ?, urgency = ?, sentiment = ?, escalated = ? WHERE id = ?",
            (*self.labels.said_by(tags), ticket_id),
        )

    def _write_tags(self, db: sqlite3.Connection, ticket: LocalTicket, write: Write) -> list[Happened]:
        gone = [tag for tag in ticket.tags if tag in write.tags_remove]
        come = [tag for tag in dict.fromkeys(write.tags_add) if tag not in ticket.tags]
        for tag in gone:
            db.execute("DELETE FROM tag WHERE ticket_id = ? AND name = ?", (ticket.id, tag))
        for tag in come:
            insert(db, "tag", ticket_id=ticket.id, name=tag)
        if gone or come:
            self.label(db, ticket.id, [*(tag for tag in ticket.tags if tag not in gone), *come])
        return [*(("tag", tag, None) for tag in gone), *(("tag", None, tag) for tag in come)]

    def _say(self, db: sqlite3.Connection, ticket: LocalTicket, actor: Actor, write: Write, at: str) -> int:
        number = insert(
            db,
            "message",
            ticket_id=ticket.id,
            author_kind=actor.kind,
            author_id=actor.person,
            public=int(write.public),
            body=write.body,
            created_at=at,
            key=write.key,
            intent=write.intent,
        )
        self.attach(db, ticket.id, number, write.files)
        _remember_form(db, write.form, ticket.id, number)
        index(db, ticket.id, write.body or "")
        if write.public and actor.kind in ("agent", "ai") and ticket.first_reply_at is None:
            db.execute("UPDATE ticket SET first_reply_at = ? WHERE id = ?", (at, ticket.id))
        return number


def _write_values(db: sqlite3.Connection, ticket: LocalTicket, write: Write, at: str) -> Iterator[Happened]:
    wanted = {
        "status": write.status or ...,
        "priority": write.priority,
        "group_id": write.group,
        "assignee_id": write.assignee,
    }
    for column, value in wanted.items():
        name = column.removesuffix("_id")
        before = getattr(ticket, name)
        if value is not ... and value != before:
            db.execute(f"UPDATE ticket SET {column} = ? WHERE id = ?", (value, ticket.id))
            yield name, _text(before), _text(value)
    if write.status is not None and write.status != ticket.status:
        ended = {"resolved_at": ticket.resolved_at, "closed_at": ticket.closed_at}
        if write.status in ("resolved", "closed"):
            ended[f"{write.status}_at"] = at
        elif write.status in AT_WORK:
            ended = {"resolved_at": None, "closed_at": None}
        db.execute("UPDATE ticket SET resolved_at = ?, closed_at = ? WHERE id = ?", (*ended.values(), ticket.id))
    for number, text in write.fields.items():
        if ticket.fields.get(number) == text:
            continue
        if text is None:
            db.execute("DELETE FROM field WHERE ticket_id = ? AND field_id = ?", (ticket.id, number))
        else:
            db.execute("INSERT OR REPLACE INTO field VALUES (?, ?, ?)", (ticket.id, number, text))
        yield f"field:{number}", ticket.fields.get(number), text


def record(
    db: sqlite3.Connection,
    ticket_id: int,
    version: int,
    at: str,
    actor: Actor,
    events: Sequence[Happened],
    write: Write | None = None,
) -> None:
    """Add the events of one write; if there are any, give the ticket its new version."""
    write, last = write or Write(), 0
    for name, old, new in events:
        last = insert(
            db,
            "event",
            ticket_id=ticket_id,
            version=version,
            at=at,
            actor_kind=actor.kind,
            actor_id=actor.person,
            field=name,
            old=old,
            new=new,
            reason=write.reason if name != "message" else "public" if write.public else "internal",
            key=write.key,
            intent=write.intent,
        )
    if last:
        db.execute(
            "UPDATE ticket SET version = ?, updated_at = ?, last_event = ? WHERE id = ?", (version, at, last, ticket_id)
        )


def _sent_by(db: sqlite3.Connection, form: str) -> LocalTicket | None:
    """The ticket that this form created or changed before; ``None`` if there is none, or no form."""
    query = "SELECT ticket_id FROM form WHERE name_hash = ?"
    row = db.execute(query, (hashed(form),)).fetchone() if form else None
    return None if row is None else existing_ticket(db, row["ticket_id"])


def _remember_form(db: sqlite3.Connection, form: str, ticket_id: int, message_id: int | None = None) -> None:
    if form:
        insert(db, "form", name_hash=hashed(form), ticket_id=ticket_id, message_id=message_id)


def _check_is_said(db: sqlite3.Connection, ticket_id: int, actor: Actor, write: Write) -> None:
    """Raise :class:`FormUsed` unless the form created the same message before."""
    row = db.execute(
        "SELECT message.* FROM form JOIN message ON message.id = message_id WHERE name_hash = ? AND form.ticket_id = ?",
        (hashed(write.form), ticket_id),
    ).fetchone()
    if row is None:
        raise FormUsed
    files = db.execute("SELECT sha256 FROM attachment WHERE message_id = ? ORDER BY sha256", (row["id"],))
    said = (Actor(row["author_kind"], row["author_id"]), row["body"], bool(row["public"]), [one[0] for one in files])
    if said != (actor, write.body, write.public, sorted(file.sha256 for file in write.files)):
        raise FormUsed


def safe_name(name: str) -> str:
    """A file name without folders and control characters, and not too long."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(character for character in last if character.isprintable()).strip(" .")[-150:] or "file"


def _text(value: object) -> str | None:
    return None if value is None else str(value)
