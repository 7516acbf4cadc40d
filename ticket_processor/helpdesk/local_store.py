"""The local helpdesk's store: tickets, what is said on them, and every change as an event. The one user of its SQLite.

A change is one transaction that is guarded by the ticket's version: all of it is made, or nothing. For any thread and
any process; knows neither web pages nor ticketbot's runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import orjson

from .local_model import (
    Created,
    Event,
    FormUsed,
    Labels,
    LocalTicket,
    Message,
    NewTicket,
    Rating,
    as_written,
)
from .local_people import Erasing, People, person_for
from .local_schema import all_rows, hashed, insert, new_secret, one_row, stamp
from .local_search import TicketSearch
from .local_tickets import EVENT, MESSAGE, event_of, existing_ticket, message_of, tickets_where
from .local_transfer import Transfer

MAILED = "m-"
"""How secrets begin that only mails hold: whoever has one can read the customer's mail."""


class LocalStore(Transfer, Erasing, People, TicketSearch):
    """One local helpdesk. ``labels`` say which tags hold category, urgency and sentiment; ``clock`` is for searches.

    The file is made where it is missing, unless ``make`` is false.
    """

    def __init__(
        self,
        path: Path,
        *,
        labels: Labels | None = None,
        clock: Callable[[], float] = time.time,
        make: bool = True,
    ) -> None:
        super().__init__(path, make=make)
        self.labels = labels or Labels.of()
        self.clock = clock

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
        with self.reading() as db:
            rows = all_rows(db, "SELECT id FROM ticket WHERE requester_id = ? ORDER BY id", (person_id,))
        return tuple(row["id"] for row in rows)

    def messages(self, ticket_id: int, *, public_only: bool) -> tuple[Message, ...]:
        """What was said, oldest first; customers may see what is public only."""
        only = "AND message.public = 1" if public_only else ""
        with self.reading() as db:
            rows = all_rows(db, f"{MESSAGE} WHERE ticket_id = ? {only} ORDER BY message.id", (ticket_id,))
        return tuple(map(message_of, rows))

    def events(self, ticket_id: int) -> tuple[Event, ...]:
        """Everything that happened to the ticket, oldest first."""
        with self.reading() as db:
            return tuple(map(event_of, all_rows(db, f"{EVENT} WHERE ticket_id = ? ORDER BY id", (ticket_id,))))

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
        with self.reading() as db:
            row = one_row(db, "SELECT max(id) FROM event")
        return int(row[0] or 0) if row else 0

    def time_of(self, event: int) -> str:
        """When an event happened; empty where there is no such event."""
        with self.reading() as db:
            row = one_row(db, "SELECT at FROM event WHERE id = ?", (event,))
        return "" if row is None else str(row["at"])

    def tag_counts(self) -> dict[str, int]:
        """How many tickets have each tag."""
        with self.reading() as db:
            return dict(map(tuple, all_rows(db, "SELECT name, count(*) FROM tag GROUP BY name")))

    def rating(self, ticket_id: int) -> Rating | None:
        """The customer's rating, if there is one."""
        with self.reading() as db:
            row = one_row(db, "SELECT * FROM rating WHERE ticket_id = ?", (ticket_id,))
        return None if row is None else Rating(**dict(row))
