"""Writing to the local helpdesk's tickets: each write is one transaction, guarded by the version, with its events."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import EllipsisType
from typing import Any

from ..core.models import Priority
from .local_files import Files, Kept
from .local_model import (
    AT_WORK,
    MAX_COMMENT,
    REOPEN_S,
    SYSTEM,
    Actor,
    FormUsed,
    IllegalTransition,
    Labels,
    LocalHelpdeskError,
    LocalTicket,
    NewFile,
    NewTicket,
    Rating,
    Stale,
    Status,
    allowed,
    new_number,
)
from .local_schema import all_rows, existing_ticket, hashed, insert, one_row, stamp, stamp_after
from .local_search import index

_DAY_S = 24 * 3600.0


@dataclass(frozen=True)
class Write:
    """What one write changes; ``...`` leaves a value alone, and ``None`` takes it off.

    ``fields`` are custom fields by number. ``body`` is a message, which customers see where it is ``public``, and
    ``files`` come with it. ``form`` is the secret name of the one form that it came by.
    ``key`` and ``intent`` name a write of ticketbot's.
    """

    status: Status | None = None
    priority: Priority | EllipsisType | None = ...
    group: int | EllipsisType | None = ...
    assignee: int | EllipsisType | None = ...
    tags_add: Collection[str] = ()
    tags_remove: Collection[str] = ()
    fields: Mapping[int, str | None] = field(default_factory=dict)
    body: str | None = None
    public: bool = False
    files: Sequence[Kept] = ()
    reason: str = ""
    key: str = ""
    intent: str = ""
    form: str = field(default="", repr=False)


class TicketWriting(Files):
    """The part of the store that changes tickets."""

    labels: Labels

    def reply(
        self,
        ticket_id: int,
        actor: Actor,
        body: str,
        *,
        public: bool,
        now: float,
        version: int | None = None,
        status: Status | None = None,
        files: Sequence[NewFile] = (),
        form: str = "",
    ) -> LocalTicket:
        """Say something on the ticket, with files, and set a status with it. A customer's answer ends the wait for it.

        Raises what :meth:`apply` does.
        """
        kept = [self.keep(file) for file in files]
        write = Write(body=body, public=public, status=status, files=kept, form=form)
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

        Raises :class:`Stale`, :class:`IllegalTransition`, :class:`NotThere` or :class:`LocalHelpdeskError`.
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
        """Make one write, guarded by ``version`` where there is one. What changes nothing is no new version.

        What came by a form that was sent before is there already. Raises what :meth:`change` does, and
        :class:`FormUsed` where that form said something else.
        """
        with self.writing() as db:
            ticket = existing_ticket(db, ticket_id)
            if self.sent_by(db, write.form) is not None:
                _check_is_said(db, ticket_id, actor, write)
                return ticket
            if version is not None and version != ticket.version:
                raise Stale(ticket)
            if actor.kind == "customer" and write.body is not None and ticket.status == "waiting":
                write = replace(write, status=write.status or "open")
            self._check(ticket, actor, write, now)
            return self.write(db, ticket_id, actor, write, now)

    def rate(self, ticket_id: int, stars: int, comment: str, now: float) -> Rating:
        """Rate a resolved ticket, or change the rating, at most once a day.

        Raises :class:`LocalHelpdeskError` where the ticket is not resolved, or its rating was changed today.
        """
        comment = comment.strip()[:MAX_COMMENT]
        if stars not in range(1, 6):
            raise LocalHelpdeskError("a rating has one to five stars")
        with self.writing() as db:
            ticket = existing_ticket(db, ticket_id)
            if ticket.status not in ("resolved", "closed"):
                raise LocalHelpdeskError("only a resolved ticket can be rated")
            row = one_row(db, "SELECT * FROM rating WHERE ticket_id = ?", (ticket_id,))
            if row is not None and (row["stars"], row["comment"]) == (stars, comment):
                return Rating(**dict(row))
            if row is not None and row["changed_at"] is not None and row["changed_at"] > stamp(now - _DAY_S):
                raise LocalHelpdeskError("a rating can be changed once a day")
            at = stamp_after(ticket.updated_at, now)
            log = Log(ticket_id, ticket.version + 1, at, Actor("customer", ticket.requester))
            log.add(db, "rating", None if row is None else str(row["stars"]), str(stars))
            if row is None:
                insert(db, "rating", ticket_id=ticket_id, stars=stars, comment=comment, at=at)
            else:
                db.execute(
                    "UPDATE rating SET stars = ?, comment = ?, changed_at = ? WHERE ticket_id = ?",
                    (stars, comment, at, ticket_id),
                )
            log.end(db)
            return Rating(ticket_id, stars, comment, row["at"] if row else at, at if row else None)

    def close_resolved(self, before: float, now: float, most: int = 1000) -> int:
        """Close tickets that were resolved before this moment (Unix seconds), so many at a time; how many."""
        with self.writing() as db:
            found = all_rows(
                db,
                "SELECT id FROM ticket WHERE status = 'resolved' AND resolved_at < ? ORDER BY id LIMIT ?",
                (stamp(before), most),
            )
            for row in found:
                self.write(db, row["id"], SYSTEM, Write(status="closed"), now)
        return len(found)

    # Inside a transaction

    def sent_by(self, db: sqlite3.Connection, form: str) -> LocalTicket | None:
        """The ticket to which this form led when it was sent before; ``None`` too where there is no form."""
        row = one_row(db, "SELECT ticket_id FROM form WHERE name_hash = ?", (hashed(form),)) if form else None
        return None if row is None else existing_ticket(db, row["ticket_id"])

    def used(self, db: sqlite3.Connection, form: str, ticket_id: int, message_id: int | None = None) -> None:
        """Remember to what a form has led."""
        if form:
            insert(db, "form", name_hash=hashed(form), ticket_id=ticket_id, message_id=message_id)

    def begin(
        self, db: sqlite3.Connection, new: NewTicket, requester: int, at: str, ticket_id: int | None = None
    ) -> tuple[int, str]:
        """Make a ticket, under this ``ticket_id`` if one is given; its id and number."""
        number = new_number()
        given = {} if ticket_id is None else {"id": ticket_id}
        ticket_id = insert(
            db,
            "ticket",
            **given,
            number=number,
            requester_id=requester,
            subject=new.subject,
            description=new.description,
            status="open",
            language=new.language,
            form_language=new.form_language,
            channel=new.channel,
            created_at=at,
            updated_at=at,
            version=0,
            last_event=0,
        )
        log = Log(ticket_id, 1, at, Actor("customer", requester))
        log.add(db, "created", None, new.channel)
        for tag in dict.fromkeys(new.tags):
            insert(db, "tag", ticket_id=ticket_id, name=tag)
            log.add(db, "tag", None, tag)
        self.label(db, ticket_id, new.tags)
        index(db, ticket_id, new.subject, new.description)
        log.end(db)
        return ticket_id, number

    def write(self, db: sqlite3.Connection, ticket_id: int, actor: Actor, write: Write, now: float) -> LocalTicket:
        """Make one write, whatever the ticket's status permits."""
        ticket = existing_ticket(db, ticket_id)
        log = Log(ticket_id, ticket.version + 1, stamp_after(ticket.updated_at, now), actor, write)
        self._write_values(db, ticket, write, log)
        self._write_tags(db, ticket, write, log)
        if write.body is not None:
            self._say(db, ticket, write, log)
        log.end(db)
        return existing_ticket(db, ticket_id)

    def _check(self, ticket: LocalTicket, actor: Actor, write: Write, now: float) -> None:
        """Whether the ticket's status permits this write."""
        may = allowed(ticket.status, actor.kind)
        too_late = actor.kind == "customer" and ticket.status == "resolved"
        if too_late and (ticket.resolved_at or "") < stamp(now - REOPEN_S):
            may = ()
        moves = write.status is not None and write.status != ticket.status
        silent = actor.kind == "customer" and ticket.status in ("closed", "spam")
        if (moves and write.status not in may) or ticket.status == "closed" or silent:
            raise IllegalTransition(may)

    def _write_values(self, db: sqlite3.Connection, ticket: LocalTicket, write: Write, log: Log) -> None:
        wanted = {
            "status": write.status or ...,
            "priority": write.priority,
            "group_id": write.group,
            "assignee_id": write.assignee,
        }
        now = (ticket.status, ticket.priority, ticket.group, ticket.assignee)
        for (column, value), before in zip(wanted.items(), now, strict=True):
            if value is ... or value == before:
                continue
            db.execute(f"UPDATE ticket SET {column} = ? WHERE id = ?", (value, ticket.id))
            log.add(db, column.removesuffix("_id"), _text(before), _text(value))
        if write.status is not None and write.status != ticket.status:
            ended = {"resolved_at": ticket.resolved_at, "closed_at": ticket.closed_at}
            if write.status in ("resolved", "closed"):
                ended[f"{write.status}_at"] = log.at
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
            log.add(db, f"field:{number}", ticket.fields.get(number), text)

    def _write_tags(self, db: sqlite3.Connection, ticket: LocalTicket, write: Write, log: Log) -> None:
        gone = [tag for tag in ticket.tags if tag in write.tags_remove]
        come = [tag for tag in dict.fromkeys(write.tags_add) if tag not in ticket.tags]
        for tag in gone:
            db.execute("DELETE FROM tag WHERE ticket_id = ? AND name = ?", (ticket.id, tag))
            log.add(db, "tag", tag, None)
        for tag in come:
            insert(db, "tag", ticket_id=ticket.id, name=tag)
            log.add(db, "tag", None, tag)
        if gone or come:
            self.label(db, ticket.id, [*(tag for tag in ticket.tags if tag not in gone), *come])

    def label(self, db: sqlite3.Connection, ticket_id: int, tags: Sequence[str]) -> None:
        """Keep what the tags say where searches look for it."""
        db.execute(
            "UPDATE ticket SET category = ?, urgency = ?, sentiment = ?, escalated = ? WHERE id = ?",
            (*self.labels.said_by(tags), ticket_id),
        )

    def _say(self, db: sqlite3.Connection, ticket: LocalTicket, write: Write, log: Log) -> None:
        number = insert(
            db,
            "message",
            ticket_id=ticket.id,
            author_kind=log.actor.kind,
            author_id=log.actor.person,
            public=int(write.public),
            body=write.body,
            created_at=log.at,
            key=write.key,
            intent=write.intent,
        )
        self.attach(db, ticket.id, number, write.files)
        self.used(db, write.form, ticket.id, number)
        index(db, ticket.id, write.body or "")
        log.add(db, "message", None, str(number), "public" if write.public else "internal")
        if write.public and log.actor.kind in ("agent", "ai") and ticket.first_reply_at is None:
            db.execute("UPDATE ticket SET first_reply_at = ? WHERE id = ?", (log.at, ticket.id))


class Log:
    """The events of one write, as they are made. :meth:`end` gives the ticket its new version, if there are any."""

    def __init__(self, ticket_id: int, version: int, at: str, actor: Actor, write: Write | None = None) -> None:
        self.at, self.actor = at, actor
        self._ticket_id, self._version = ticket_id, version
        self._write = write or Write()
        self._last = 0

    def add(self, db: sqlite3.Connection, name: str, old: str | None, new: str | None, reason: str = "") -> None:
        write = self._write
        self._last = insert(
            db,
            "event",
            ticket_id=self._ticket_id,
            version=self._version,
            at=self.at,
            actor_kind=self.actor.kind,
            actor_id=self.actor.person,
            field=name,
            old=old,
            new=new,
            reason=reason or write.reason,
            key=write.key,
            intent=write.intent,
        )

    def end(self, db: sqlite3.Connection) -> None:
        if self._last:
            db.execute(
                "UPDATE ticket SET version = ?, updated_at = ?, last_event = ? WHERE id = ?",
                (self._version, self.at, self._last, self._ticket_id),
            )


def _check_is_said(db: sqlite3.Connection, ticket_id: int, actor: Actor, write: Write) -> None:
    """Raises :class:`FormUsed` unless what the form has led to is what it says now."""
    row = one_row(
        db,
        "SELECT message.* FROM form JOIN message ON message.id = message_id WHERE name_hash = ? AND form.ticket_id = ?",
        (hashed(write.form), ticket_id),
    )
    if row is None:
        raise FormUsed
    files = all_rows(db, "SELECT sha256 FROM attachment WHERE message_id = ? ORDER BY sha256", (row["id"],))
    said = (Actor(row["author_kind"], row["author_id"]), row["body"], bool(row["public"]), [one[0] for one in files])
    if said != (actor, write.body, write.public, sorted(file.sha256 for file in write.files)):
        raise FormUsed


def _text(value: object) -> str | None:
    return None if value is None else str(value)
