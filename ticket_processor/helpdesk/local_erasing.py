"""Erasing a customer from the local helpdesk: who it was and all words go, for good; events and numbers stay."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from ..state.sqlite import emptied
from .local_model import ERASED_ADDRESS, SYSTEM, LocalHelpdeskError
from .local_people import must_be
from .local_schema import all_rows, one_row, stamp_after
from .local_search import index_anew
from .local_tickets import existing_ticket
from .local_writing import Log, TicketWriting, Write

_THEIRS = "IN (SELECT id FROM ticket WHERE requester_id = :person)"


@dataclass(frozen=True)
class CustomerTraces:
    """What the helpdesk holds of a customer, or held."""

    tickets: tuple[int, ...]
    messages: int
    files: int


class Erasing(TicketWriting):
    """The part of the store that erases."""

    def traces_of(self, person_id: int) -> CustomerTraces:
        """What would be erased. Raises :class:`LocalHelpdeskError` for an agent or an admin, :class:`NotThere`."""
        with self.reading() as db:
            return _traces(db, person_id)

    def erase(self, person_id: int, now: float) -> CustomerTraces:
        """Take a customer's name, address, words, files, links and ratings out, and close the tickets.

        What others wrote on these tickets goes as well. :meth:`compact` is to follow. Raises what :meth:`traces_of`
        does.
        """
        values = {"person": person_id}
        with self.writing() as db:
            found = _traces(db, person_id)
            digests = {row[0] for row in db.execute(f"SELECT sha256 FROM attachment WHERE ticket_id {_THEIRS}", values)}
            for number in found.tickets:
                ticket = existing_ticket(db, number)
                if ticket.status not in ("closed", "spam"):
                    ticket = self.write(db, number, SYSTEM, Write(status="closed"), now)
                log = Log(number, ticket.version + 1, stamp_after(ticket.updated_at, now), SYSTEM)
                log.add(db, "erased", None, None)
                log.end(db)
            _erase_words(db, values)
            index_anew(db)
        self.sweep_files(digests)
        return found

    def compact(self) -> bool:
        """Write the file anew, without what was erased; false where others who read it keep some of that beside it."""
        with self._in_words(), self._connection() as db:
            return emptied(db)


def _traces(db: sqlite3.Connection, person_id: int) -> CustomerTraces:
    if must_be(db, person_id).role != "customer":
        raise LocalHelpdeskError("this is an agent or an admin: take the role away first, at /admin/people")
    values = {"person": person_id}
    tickets = tuple(row["id"] for row in all_rows(db, "SELECT id FROM ticket WHERE requester_id = :person", values))
    counts = [
        one_row(db, f"SELECT count(*) FROM {table} WHERE ticket_id {_THEIRS}", values)
        for table in ("message", "attachment")
    ]
    return CustomerTraces(tickets, *(int(row[0]) if row else 0 for row in counts))


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
