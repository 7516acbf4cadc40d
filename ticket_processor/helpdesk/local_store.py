"""The local helpdesk's store: links to tickets, people, sessions, tokens of the API, files, ratings and searches.

A change is one transaction, guarded by the ticket's version. For any thread and any process. The store knows neither
web pages nor ticketbot's runs.
"""

from __future__ import annotations

import hmac
import re
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, dataclass, field
from typing import Any, Literal

import orjson

from .local_model import (
    MAX_COMMENT,
    SYSTEM,
    Actor,
    Attachment,
    LocalHelpdeskError,
    LocalTicket,
    PageOfTickets,
    Person,
    Query,
    Rating,
    Role,
    Sort,
    Write,
    as_written,
)
from .local_reading import (
    TICKET,
    existing_ticket,
    hashed,
    insert,
    must_be,
    new_secret,
    person_for,
    person_named,
    person_of,
    stamp,
    stamp_after,
    ticket_of,
    with_words,
)
from .local_transfer import Transfer
from .local_writing import record

_ORDERS: Mapping[Sort, tuple[tuple[str, ...], str, str]] = {
    "updated": (("updated_at", "id"), "DESC", "ticket_by_update"),
    "created": (("created_at", "id"), "DESC", "ticket_by_creation"),
    "oldest": (("created_at", "id"), "ASC", "ticket_by_creation"),
    "urgency": (("urgency_rank", "updated_at", "id"), "DESC", "ticket_by_urgency"),
}
"""The columns, direction and index of each sort; the index also holds the columns that filters use."""
_DAY_S = 24 * 3600.0
BROWSING_DAYS = 90
"""Days for which it is kept what browsers were shown before a ticket."""
Seen = Literal["shown", "opened", "sent"]
_ATTACHMENT = """
    SELECT attachment.*, coalesce(message.public, 1) AS public
    FROM attachment LEFT JOIN message ON message.id = message_id
"""


Scope = Literal["read", "write"]
KEPT_S = 24 * 3600.0
"""Seconds for which the answer to a request is kept for its repetitions."""
_NAME = re.compile(r"[\w.-]{1,40}")
_TOKENS = """
    SELECT token.id, token.name, scope, person_id AS person, email, created_at, secret_hash
    FROM token JOIN person ON person.id = person_id WHERE role != 'customer' ORDER BY token.id
"""


@dataclass(frozen=True)
class ApiToken:
    """A token of an agent or admin: the ``person`` with this number and address, in whose name it acts."""

    id: int
    name: str
    scope: Scope
    person: int
    email: str
    created_at: str
    secret_hash: bytes = field(repr=False)

    def is_opened_by(self, secret: str) -> bool:
        """True if this is the token's secret; the time taken reveals nothing."""
        return hmac.compare_digest(self.secret_hash, hashed(secret))


class LocalStore(Transfer):
    """One local helpdesk."""

    def opens(self, number: str, secret: str) -> LocalTicket | None:
        """The ticket that this secret opens; an unknown number costs the same work as a wrong secret."""
        with self.reading() as db:
            row = db.execute("SELECT ticket_id FROM access WHERE secret_hash = ?", (hashed(secret),)).fetchone()
            ticket = None if row is None else existing_ticket(db, row["ticket_id"])
        return ticket if ticket is not None and ticket.number == as_written(number) else None

    def new_secret(self, ticket_id: int) -> str:
        """Add a secret that opens the ticket, for the link in a mail to its customer; earlier ones stay valid."""
        secret = new_secret()
        with self.writing() as db:
            insert(db, "access", secret_hash=hashed(secret), ticket_id=ticket_id)
        return secret

    # People and their sessions

    def add_person(self, email: str, name: str, role: Role, password_hash: str | None = None) -> Person:
        """Add a person, or give a known customer this role and password.

        Raises :class:`LocalHelpdeskError` if an agent or admin has the address.
        """
        with self.writing() as db:
            number = person_for(db, email, name)
            if must_be(db, number).role != "customer":
                raise LocalHelpdeskError("there is an agent or admin with this address")
            # Anyone may have submitted under this address and chosen the name, which customers will see.
            db.execute(
                "UPDATE person SET name = ?, role = ?, password_hash = ? WHERE id = ?",
                (name.strip(), role, password_hash, number),
            )
            return must_be(db, number)

    def set_person(self, person_id: int, *, role: Role | None = None, password_hash: str | None = None) -> None:
        """Set a role, or a password's hash; either ends the person's sessions."""
        with self.writing() as db:
            must_be(db, person_id)
            db.execute(
                "UPDATE person SET role = coalesce(?, role), password_hash = coalesce(?, password_hash) WHERE id = ?",
                (role, password_hash, person_id),
            )
            db.execute("DELETE FROM session WHERE person_id = ?", (person_id,))

    def open_session(self, person_id: int, expires: float) -> str:
        """Begin a session; returns its token, which is valid until ``expires`` (Unix seconds)."""
        token = new_secret()
        with self.writing() as db:
            insert(db, "session", token_hash=hashed(token), person_id=person_id, expires=expires)
        return token

    def session(self, token: str, now: float) -> Person | None:
        """The person of a session; ``None`` for an unknown or expired token."""
        named = "SELECT person.* FROM session JOIN person ON person.id = person_id WHERE token_hash = ? AND expires > ?"
        return person_of(self.row(named, hashed(token), now))

    def end_session(self, token: str, now: float = 0.0) -> None:
        """End a session, and forget those that had expired by ``now``."""
        with self.writing() as db:
            db.execute("DELETE FROM session WHERE token_hash = ? OR expires <= ?", (hashed(token), now))

    # Tokens of the API, and answers to repeated requests; exports leave both out

    def add_token(self, email: str, scope: Scope, name: str, now: float) -> tuple[str, str]:
        """Make a token, called ``token-NUMBER`` without a ``name``; returns its name and secret, which is not stored.

        Raises :class:`LocalHelpdeskError` where nobody of the team has the address, or a token the name.
        """
        secret = f"tb_{secrets.token_urlsafe(32)}"
        with self.writing() as db:
            person = person_named(db, email)
            if person is None or person.role == "customer":
                raise LocalHelpdeskError("no agent or admin has this address")
            # Numbers of revoked tokens stay used: the name is the reason that is kept with what a token did.
            (last,) = db.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'token'").fetchone()
            name = name or f"token-{last + 1}"
            if not _NAME.fullmatch(name):
                raise LocalHelpdeskError("a token's name has 1 to 40 letters, digits and . _ -")
            if db.execute("SELECT 1 FROM token WHERE name = ?", (name,)).fetchone():
                raise LocalHelpdeskError("there is a token of this name: choose another one, or revoke it first")
            values = {"scope": scope, "secret_hash": hashed(secret), "created_at": stamp(now)}
            insert(db, "token", person_id=person.id, name=name, **values)
        return name, secret

    def tokens(self) -> tuple[ApiToken, ...]:
        """All tokens, oldest first."""
        return tuple(ApiToken(**dict(row)) for row in self.rows(_TOKENS))

    def revoke_token(self, name: str) -> bool:
        """Delete a token, and its kept answers; false if there is none of this name."""
        with self.writing() as db:
            return db.execute("DELETE FROM token WHERE name = ?", (name,)).rowcount > 0

    def once(self, token: ApiToken, key: str, digest: bytes, now: float, act: Callable[[], str]) -> tuple[str, bool]:
        """Call ``act`` once for this ``key`` of the token; returns its answer, and whether it was called just now.

        What it writes is committed with its answer, or not at all. ``digest`` stands for the whole request. Raises
        :class:`LocalHelpdeskError` if the key came with another one, and what ``act`` raises: nothing is kept then.
        """
        with self.writing() as db:
            db.execute("DELETE FROM answer WHERE at < ?", (stamp(now - KEPT_S),))
            mine = (token.id, hashed(key))
            row = db.execute("SELECT digest, said FROM answer WHERE token_id = ? AND key_hash = ?", mine).fetchone()
            if row is None:
                said = act()
                insert(db, "answer", token_id=mine[0], key_hash=mine[1], digest=digest, said=said, at=stamp(now))
                return said, True
            if not hmac.compare_digest(row["digest"], digest):
                raise LocalHelpdeskError("this Idempotency-Key was used for another request")
            return str(row["said"]), False

    def ticket_times(self, first: str, last: str) -> list[sqlite3.Row]:
        """The tickets that were created from the day ``first`` to ``last`` (``2026-11-28``, UTC, both included).

        Each with its labels, status and ``source``, and seconds from its creation: ``first_reply_s``, ``resolution_s``.
        """
        return self.rows(
            "SELECT category, urgency, status, channel AS source, "
            "(julianday(first_reply_at) - julianday(created_at)) * 86400 AS first_reply_s, "
            "(julianday(coalesce(resolved_at, closed_at)) - julianday(created_at)) * 86400 AS resolution_s "
            "FROM ticket WHERE created_at >= ? AND created_at < ?",
            *(first, f"{last}U"),  # U comes after the T that follows the day
        )

    # Files and ratings

    def files(self, ticket_id: int) -> tuple[Attachment, ...]:
        """The files of a ticket and its messages, in the order in which they came."""
        rows = self.rows(f"{_ATTACHMENT} WHERE attachment.ticket_id = ? ORDER BY attachment.id", ticket_id)
        return tuple(map(_attachment_of, rows))

    def file(self, file_id: int) -> Attachment | None:
        """The file with this number; :meth:`content` reads it."""
        row = self.row(f"{_ATTACHMENT} WHERE attachment.id = ?", file_id)
        return None if row is None else _attachment_of(row)

    def content(self, file: Attachment) -> bytes:
        """The file's content. Raises :class:`HelpdeskDown` if it is missing."""
        with self._in_words():
            return self.place(file.sha256).read_bytes()

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
            row = db.execute("SELECT * FROM rating WHERE ticket_id = ?", (ticket_id,)).fetchone()
            before = None if row is None else Rating(**dict(row))
            if before is not None and (before.stars, before.comment) == (stars, comment):
                return before
            if before is not None and (before.changed_at or "") > stamp(now - _DAY_S):
                raise LocalHelpdeskError("a rating can be changed once a day")
            at = stamp_after(ticket.updated_at, now)
            rating = Rating(ticket_id, stars, comment, before.at if before else at, at if before else None)
            db.execute("INSERT OR REPLACE INTO rating VALUES (?, ?, ?, ?, ?)", astuple(rating))
            events = [("rating", str(before.stars) if before else None, str(stars))]
            record(db, ticket_id, ticket.version + 1, at, Actor("customer", ticket.requester), events)
            return rating

    def close_resolved(self, before: float, now: float, most: int = 1000) -> int:
        """Close at most ``most`` tickets that were resolved before this time (Unix seconds); returns how many."""
        with self.writing() as db:
            query = "SELECT id FROM ticket WHERE status = 'resolved' AND resolved_at < ? ORDER BY id LIMIT ?"
            found = db.execute(query, (stamp(before), most)).fetchall()
            for row in found:
                self.write(db, row["id"], SYSTEM, Write(status="closed"), now)
        return len(found)

    # Articles that browsers were shown before a ticket: a hash, an article and an hour, never a word or an address

    def note_browser(self, browser: bytes, what: Seen, articles: Iterable[str], now: float) -> None:
        """Note what a browser was shown or opened, or, with the article ``""``, that it sent a ticket.

        Only one that was shown the article counts. What is older than :data:`BROWSING_DAYS` is deleted.
        """
        hour = int(now // 3600)
        with self.writing() as db:
            self.forget_browsing(now)
            db.executemany(
                "INSERT OR IGNORE INTO browsing SELECT ?1, ?2, ?3, ?4 WHERE ?2 = 'shown' OR EXISTS "
                "(SELECT 1 FROM browsing WHERE browser = ?1 AND what = 'shown' AND ?3 IN ('', article))",
                [(browser, what, article, hour) for article in articles],
            )

    def browsing(self) -> list[tuple[bytes, str, int]]:
        """Each browser, what it was shown, opened or sent, and in which hour since 1970."""
        return [tuple(row) for row in self.rows("SELECT DISTINCT browser, what, hour FROM browsing")]

    def forget_browsing(self, now: float) -> None:
        """Delete what is too old."""
        with self.writing() as db:
            db.execute("DELETE FROM browsing WHERE hour < ?", (int(now // 3600) - 24 * BROWSING_DAYS,))

    # Searching

    def search(self, query: Query, after: str | None = None, limit: int = 25) -> PageOfTickets:
        """The page of results after the key ``after``. Raises :class:`LocalHelpdeskError` for an invalid key."""
        columns, direction, by = _ORDERS[query.sort]
        behind = ""
        values: list[Any] = []
        if after is not None:
            behind = f"({', '.join(columns)}) {'<' if direction == 'DESC' else '>'} ({', '.join('?' * len(columns))})"
            values = _place(after, len(columns))
        where, values = _where(query, by, behind, values)
        order = ", ".join(f"{column} {direction}" for column in columns)
        chosen = f"SELECT {', '.join(columns)} FROM ticket {where} ORDER BY {order} LIMIT ?"
        with self.reading() as db:
            places = [tuple(row) for row in db.execute(chosen, (*values, limit + 1))]
            page = places[:limit]
            numbers = orjson.dumps([row[-1] for row in page]).decode()
            rows = db.execute(f"{TICKET} WHERE id IN (SELECT value FROM json_each(?))", (numbers,))
            tickets = {row["id"]: ticket_of(row) for row in rows}
        more = orjson.dumps(page[-1]).decode() if len(places) > limit else None
        return PageOfTickets(tuple(tickets[row[-1]] for row in page), more)

    def counts(self, query: Query | None = None) -> Mapping[str, int]:
        """How many tickets a query finds, by status."""
        where, values = _where(query or Query(), "ticket_by_labels")
        return dict(map(tuple, self.rows(f"SELECT status, count(*) FROM ticket {where} GROUP BY status", *values)))

    def tag_counts(self) -> dict[str, int]:
        return dict(map(tuple, self.rows("SELECT name, count(*) FROM tag GROUP BY name")))


def _where(query: Query, by: str, behind: str = "", values: Iterable[Any] = ()) -> tuple[str, list[Any]]:
    """The WHERE clause of a query, and its values; ``behind`` is one more condition, with ``values``.

    The clause names the index ``by``, since SQLite might otherwise sort half of all tickets. It does not if a condition
    has an index of its own and leaves few tickets.
    """
    texts, found, few = [], list[Any](), False
    for column in ("status", "category", "urgency", "sentiment"):
        if wanted := getattr(query, column):
            texts.append(f"{column} IN ({', '.join('?' * len(wanted))})")
            found += wanted
    if query.escalated is not None:
        texts.append("escalated = ?")
        found.append(int(query.escalated))
    if text := query.text.strip():
        if (number := as_written(text)) is not None:
            few, condition, sought = True, "number = ?", [number]
        elif "@" in text and " " not in text:
            few, condition = True, "requester_id IN (SELECT id FROM person WHERE email = ?)"
            sought = [text.lower()]
        else:
            condition, sought = with_words(text)
        texts.append(condition)
        found += sought
    if behind:
        texts.append(behind)
        found += values
    where = f"WHERE {' AND '.join(texts)}" if texts else ""
    return where if few else f"INDEXED BY {by} {where}", found


def _place(after: str, parts: int) -> list[Any]:
    try:
        place = orjson.loads(after)
    except ValueError:
        place = None
    if not isinstance(place, list) or len(place) != parts or not all(map(_is_part, place)):
        raise LocalHelpdeskError("there is no such page")
    return place


def _is_part(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, int) and abs(value) < 2**63)


def _attachment_of(row: sqlite3.Row) -> Attachment:
    values = {name: value for name, value in dict(row).items() if name != "mime"}
    return Attachment(**values | {"public": bool(row["public"])})
