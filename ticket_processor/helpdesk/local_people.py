"""The people of the local helpdesk: customers, agents and admins, their sessions, and the groups of agents."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from .local_model import LocalHelpdeskError, NotThere, Person, Role
from .local_schema import LocalFile, all_rows, hashed, insert, new_secret, one_row


class People(LocalFile):
    """The part of the store that knows people. A password is kept as the hash that it is given as."""

    def person(self, person_id: int) -> Person | None:
        """The person with this number."""
        with self.reading() as db:
            return _person_of(one_row(db, "SELECT * FROM person WHERE id = ?", (person_id,)))

    def by_email(self, email: str) -> Person | None:
        """The person with this address, in whatever case."""
        with self.reading() as db:
            return _person_of(one_row(db, "SELECT * FROM person WHERE email = ?", (_address(email),)))

    def team(self) -> tuple[Person, ...]:
        """Agents and admins, by name."""
        with self.reading() as db:
            rows = all_rows(db, "SELECT * FROM person WHERE role != 'customer' ORDER BY name, id")
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

    def set_password(self, person_id: int, password_hash: str | None) -> None:
        """Set a password's hash, or take it away; either ends the person's sessions. Raises :class:`NotThere`."""
        with self.writing() as db:
            must_be(db, person_id)
            db.execute("UPDATE person SET password_hash = ? WHERE id = ?", (password_hash, person_id))
            db.execute("DELETE FROM session WHERE person_id = ?", (person_id,))

    def set_role(self, person_id: int, role: Role) -> None:
        """Set a role, and end the person's sessions. Raises :class:`NotThere`."""
        with self.writing() as db:
            must_be(db, person_id)
            db.execute("UPDATE person SET role = ? WHERE id = ?", (role, person_id))
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
        with self.reading() as db:
            row = one_row(
                db,
                "SELECT person.* FROM session JOIN person ON person.id = person_id "
                "WHERE token_hash = ? AND expires > ?",
                (hashed(token), now),
            )
        return _person_of(row)

    def end_session(self, token: str, now: float = 0.0) -> None:
        """End a session, and forget those that had expired by ``now``."""
        with self.writing() as db:
            db.execute("DELETE FROM session WHERE token_hash = ? OR expires <= ?", (hashed(token), now))

    def groups(self) -> Mapping[int, str]:
        """The groups that tickets can be given to, by number."""
        with self.reading() as db:
            return {row["id"]: row["name"] for row in all_rows(db, "SELECT * FROM team ORDER BY name")}


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
