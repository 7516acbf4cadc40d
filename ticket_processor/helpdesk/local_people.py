"""The people of the local helpdesk: customers, agents, admins, sessions, groups, and how a customer is erased."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import SMTP
from pathlib import Path

from ..core.models import Frozen
from ..state.sqlite import emptied
from .local_model import ERASED_ADDRESS, SYSTEM, LocalHelpdeskError, NotThere, Person, Role
from .local_schema import LocalFile, all_rows, existing_ticket, hashed, insert, new_secret, one_row, stamp_after
from .local_search import index_anew
from .local_writing import Log, TicketWriting, Write


class People(LocalFile):
    """The part of the store that knows people. A password is kept as the hash that it is given as."""

    def person(self, person_id: int) -> Person | None:
        """The person with this number."""
        return _person_of(self.row("SELECT * FROM person WHERE id = ?", person_id))

    def by_email(self, email: str) -> Person | None:
        """The person with this address, in whatever case."""
        return _person_of(self.row("SELECT * FROM person WHERE email = ?", _address(email)))

    def team(self) -> tuple[Person, ...]:
        """Agents and admins, by name."""
        rows = self.rows("SELECT * FROM person WHERE role != 'customer' ORDER BY name, id")
        return tuple(Person(**dict(row)) for row in rows)

    def add_person(self, email: str, name: str, role: Role, password_hash: str | None = None) -> Person:
        """Add somebody, or give a customer who is known already this role and password.

        Raises :class:`LocalHelpdeskError` where the address is an agent's or an admin's.
        """
        with self.writing() as db:
            known = _person_of(one_row(db, "SELECT * FROM person WHERE email = ?", (_address(email),)))
            if known is not None and known.role != "customer":
                raise LocalHelpdeskError("there is an agent or admin with this address")
            number = person_for(db, email, name)
            # Whoever submitted under this address may have named its owner; customers will see the name.
            db.execute(
                "UPDATE person SET name = ?, role = ?, password_hash = ? WHERE id = ?",
                (name.strip(), role, password_hash, number),
            )
            return must_be(db, number)

    def set_person(self, person_id: int, *, role: Role | None = None, password_hash: str | None = None) -> None:
        """Set a role, or a password's hash; either ends the person's sessions. Raises :class:`NotThere`."""
        with self.writing() as db:
            must_be(db, person_id)
            db.execute(
                "UPDATE person SET role = coalesce(?, role), password_hash = coalesce(?, password_hash) WHERE id = ?",
                (role, password_hash, person_id),
            )
            db.execute("DELETE FROM session WHERE person_id = ?", (person_id,))

    def open_session(self, person_id: int, expires: float) -> str:
        """A token that stands for the person until ``expires`` (Unix seconds)."""
        token = new_secret()
        with self.writing() as db:
            must_be(db, person_id)
            insert(db, "session", token_hash=hashed(token), person_id=person_id, expires=expires)
        return token

    def session(self, token: str, now: float) -> Person | None:
        """The person whom a token stands for; ``None`` for an unknown or an expired one."""
        named = "SELECT person.* FROM session JOIN person ON person.id = person_id WHERE token_hash = ? AND expires > ?"
        return _person_of(self.row(named, hashed(token), now))

    def end_session(self, token: str, now: float = 0.0) -> None:
        """End a session, and forget those that had expired by ``now``."""
        with self.writing() as db:
            db.execute("DELETE FROM session WHERE token_hash = ? OR expires <= ?", (hashed(token), now))

    def groups(self) -> Mapping[int, str]:
        """The groups that tickets can be given to, by number."""
        return {row["id"]: row["name"] for row in self.rows("SELECT * FROM team ORDER BY name")}


def person_for(db: sqlite3.Connection, email: str, name: str) -> int:
    """The number of the person with an address; somebody new is a customer. Customers keep the name first given."""
    db.execute("INSERT OR IGNORE INTO person (email, name, role) VALUES (?, '', 'customer')", (_address(email),))
    db.execute(
        "UPDATE person SET name = ? WHERE email = ? AND name = '' AND role = 'customer'",
        (name.strip(), _address(email)),
    )
    row = one_row(db, "SELECT id FROM person WHERE email = ?", (_address(email),))
    return int(row["id"]) if row else 0


def must_be(db: sqlite3.Connection, number: int) -> Person:
    """The person with this number. Raises :class:`NotThere`."""
    person = _person_of(one_row(db, "SELECT * FROM person WHERE id = ?", (number,)))
    if person is None:
        raise NotThere("there is no such person")
    return person


def _person_of(row: sqlite3.Row | None) -> Person | None:
    return None if row is None else Person(**dict(row))


def _address(email: str) -> str:
    return email.strip().lower()


MAIL_FOLDER = "outbox"
"""In the state folder: where mail is written as files, if no server is named."""
_THEIRS = "IN (SELECT id FROM ticket WHERE requester_id = :person)"


class CustomerTraces(Frozen):
    """What the helpdesk holds of a customer, or held. ``digests`` are the hashes of the files' contents."""

    tickets: tuple[int, ...]
    messages: int
    files: int
    digests: tuple[str, ...] = ()


@dataclass(frozen=True)
class Erased:
    """What was erased, and how many files of mails with it.

    ``is_gone`` is false where others who read the file keep some of it beside it; its record stays then.
    """

    found: CustomerTraces
    mails: int
    is_gone: bool


class Erasing(TicketWriting):
    """The part of the store that erases a customer: who it was and all words go, for good; events and numbers stay.

    What the database holds goes in one transaction, which leaves a record of what lies beside it: files, mails, and
    pages of the database that are free. The record goes last, so whoever finds one, after a kill, goes on.
    """

    def traces_of(self, person_id: int) -> CustomerTraces:
        """What would be erased. Raises :class:`LocalHelpdeskError` for an agent or an admin, :class:`NotThere`."""
        with self.reading() as db:
            return _traces(db, person_id)

    def erase(self, person_id: int, now: float, outbox: Path | None = None) -> Erased:
        """Take a customer's name, address, words, files, links and ratings out, and close the tickets.

        What others wrote on these tickets goes as well, and the files of mails to the address in the folder ``outbox``.
        One that was cut off goes on. Raises what :meth:`traces_of` does.
        """
        values = {"person": person_id}
        with self.writing() as db:
            person = must_be(db, person_id)
            if not person.is_erased:
                found = _traces(db, person_id)
                db.execute(
                    "INSERT OR REPLACE INTO erasure VALUES (?, ?, ?)",
                    (person_id, person.email, found.model_dump_json()),
                )
                self._erase_tickets(db, found, values, now)
            row = one_row(db, "SELECT address, found FROM erasure WHERE person_id = :person", values)
        if row is None:  # another process has just finished it
            return Erased(CustomerTraces(tickets=(), messages=0, files=0), 0, is_gone=True)
        address, found = str(row["address"]), CustomerTraces.model_validate_json(row["found"])
        self.sweep_files(found.digests)
        with self.writing() as db:  # no mail is written meanwhile
            mails = forget_mails(outbox, address) if outbox is not None and address else 0
            bare = found.model_dump_json(exclude={"digests"})
            db.execute("UPDATE erasure SET address = '', found = ? WHERE person_id = ?", (bare, person_id))
        is_gone = self.compact()
        if is_gone:
            with self.writing() as db:
                db.execute("DELETE FROM erasure WHERE person_id = :person", values)
        return Erased(found, mails, is_gone)

    def unfinished(self) -> tuple[CustomerTraces, ...]:
        """The customers whose erasure was cut off."""
        rows = self.rows("SELECT found FROM erasure ORDER BY person_id")
        return tuple(CustomerTraces.model_validate_json(row["found"]) for row in rows)

    def finish_erasures(self, now: float, outbox: Path | None) -> Iterator[Erased]:
        """Go on with the erasures that were cut off, one after the other."""
        for row in self.rows("SELECT person_id FROM erasure ORDER BY person_id"):
            yield self.erase(row["person_id"], now, outbox)

    def _erase_tickets(self, db: sqlite3.Connection, found: CustomerTraces, values: dict[str, int], now: float) -> None:
        for number in found.tickets:
            ticket = existing_ticket(db, number)
            if ticket.status not in ("closed", "spam"):
                ticket = self.write(db, number, SYSTEM, Write(status="closed"), now)
            log = Log(number, ticket.version + 1, stamp_after(ticket.updated_at, now), SYSTEM)
            log.add(db, "erased", None, None)
            log.end(db)
        _erase_words(db, values)
        index_anew(db)

    def compact(self) -> bool:
        """Write the file anew, without what was erased; false where others who read it keep some of that beside it."""
        with self._in_words(), self._connection() as db:
            return emptied(db)


def forget_mails(folder: Path, address: str) -> int:
    """Delete the files of mails to an address, and those half written, whosever; how many mails there were."""
    found = 0
    for path in (*folder.glob("*.eml"), *folder.glob("*.eml.tmp")):
        mail = BytesParser(policy=SMTP).parsebytes(path.read_bytes(), headersonly=True)
        is_theirs = address in (one.addr_spec.lower() for one in getattr(mail["To"], "addresses", ()))
        found += is_theirs and path.suffix == ".eml"
        if is_theirs or path.suffix == ".tmp":
            path.unlink(missing_ok=True)
    return found


def _traces(db: sqlite3.Connection, person_id: int) -> CustomerTraces:
    if must_be(db, person_id).role != "customer":
        raise LocalHelpdeskError("this is an agent or an admin: take the role away first, at /admin/people")
    values = {"person": person_id}
    tickets = tuple(row["id"] for row in all_rows(db, "SELECT id FROM ticket WHERE requester_id = :person", values))
    counts = [
        one_row(db, f"SELECT count(*) FROM {table} WHERE ticket_id {_THEIRS}", values)
        for table in ("message", "attachment")
    ]
    digests = all_rows(db, f"SELECT DISTINCT sha256 FROM attachment WHERE ticket_id {_THEIRS}", values)
    messages, files = (int(row[0]) if row else 0 for row in counts)
    named = tuple(row[0] for row in digests)
    return CustomerTraces(tickets=tickets, messages=messages, files=files, digests=named)


def _erase_words(db: sqlite3.Connection, values: dict[str, int]) -> None:
    (guard,) = db.execute("SELECT sql FROM sqlite_master WHERE name = 'event_stays'").fetchone()
    db.execute("DROP TRIGGER event_stays")  # the one exception: reasons are words too
    for statement in (
        f"UPDATE event SET reason = '' WHERE ticket_id {_THEIRS} AND field != 'message'",
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
    ):
        db.execute(statement, values)
    db.execute(guard)
