"""The local helpdesk behind the :class:`Helpdesk` protocol; no network, no credentials.

Each version of a ticket has its own time, which is the stamp that a run sends back. A write is one transaction, guarded
by the version. The store's events are the record of who changed what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

from ..core.clock import Clock, Deadline, parse_iso
from ..core.errors import (
    ReadOnlyViolation,
    TicketGone,
    UpdateConflict,
    UpdateRefused,
)
from ..core.guards import Breaker
from ..core.models import Change, Ticket
from ..core.service_times import own_times
from .local_model import (
    AI,
    STATUS_WORDS,
    ActorKind,
    Event,
    Labels,
    LocalHelpdeskError,
    LocalTicket,
    Message,
    Query,
    Stale,
    Status,
    Write,
)
from .local_reading import stamp
from .local_store import LocalStore
from .protocol import AccountLabels, Fetched, Helpdesk, Page, Requesters, WithTroubles
from .ticket_history import Edit, History
from .transport import Throttle, Transport

PAGE_SIZE = 1000
_CURSOR = "event:"
_CLOSING: Mapping[str, Status] = {"pending": "waiting", "solved": "resolved"}


class LocalDesk(WithTroubles, Helpdesk):
    """A local helpdesk. ``now`` is its clock (Unix seconds); with ``read_only`` every write is an error.

    ``noted`` is called with the name of each call. ``targets`` are the own service times. Thread-safe, as its store is.
    """

    def __init__(
        self,
        store: LocalStore,
        now: Callable[[], float],
        *,
        read_only: bool = False,
        noted: Callable[[str], object] = lambda _call: None,
        targets: Mapping[str, Mapping[str, int]] | None = None,
    ) -> None:
        super().__init__()
        self._targets = targets or {}
        self._store = store
        self._now = now
        self._read_only = read_only
        self._noted = noted

    # Reading

    def pages(self, cursor: str | None, since: float) -> Iterator[Page]:
        """See :meth:`Helpdesk.pages`: tickets are listed in the order of their last events' numbers."""
        begun = self._store.last_event()
        place = int((cursor or "").removeprefix(_CURSOR).partition("@")[0] or 0)
        earliest = ""
        if cursor != self._cursor(place):  # there is none, or an older copy of the file was restored
            place, earliest = 0, stamp(since)
        while True:
            self._noted("list")
            rows = self._store.changed_since(place, earliest, PAGE_SIZE)
            # Tickets changed after the listing began are left to the next run: this run wrote most of them itself.
            listed = [row for row in rows if row.last_event <= begun]
            last = len(listed) < PAGE_SIZE
            place = begun if last else listed[-1].last_event
            yield Page(tuple(map(self._read, listed)), self._cursor(place), last)
            if last:
                return

    def _cursor(self, place: int) -> str:
        """An event's number and time; in a restored older file, another event may get the same number."""
        return f"{_CURSOR}{place}@{self._store.time_of(place)}"

    def fetch(self, ticket_ids: Sequence[int]) -> Fetched:
        self._noted("read")
        found = self._store.tickets(ticket_ids)
        return {number: self._read(ticket) for number, ticket in found.items()}

    def history(self, ticket_id: int) -> History:
        self._noted("events")
        ticket = self._store.ticket(ticket_id)
        if ticket is None:
            return History()
        said = self._store.messages(ticket_id, public_only=True)
        return History(edits=edits_of(self._store.events(ticket_id), ticket, said))

    def solved(self, since: float) -> Iterator[tuple[Ticket, ...]]:
        """Resolved and closed tickets created since ``since`` (Unix seconds), a page at a time, newest first."""
        first, after = stamp(since), None
        while True:
            self._noted("list")
            page = self._store.search(Query(status=("resolved", "closed"), sort="created"), after, PAGE_SIZE)
            rows = [row for row in page.rows if row.created_at >= first]
            yield tuple(map(self._read, rows))
            after = page.next_key
            if after is None or len(rows) < len(page.rows):
                return

    def _read(self, ticket: LocalTicket) -> Ticket:
        person = self._store.person(ticket.requester)
        return Ticket(
            id=ticket.id,
            subject=ticket.subject,
            description=ticket.description,
            status=STATUS_WORDS[ticket.status],
            priority=ticket.priority,
            tags=ticket.tags,
            created_at=ticket.created_at,
            updated_at=ticket.updated_at,
            # The helpdesk's clock is never behind its own stamps, even if the machine's clock was set back.
            read_at=max(self._now(), parse_iso(ticket.updated_at)),
            channel=ticket.channel,
            requester=ticket.requester,
            requester_address="" if person is None else person.email,
            names=(person.name,) if person is not None and person.name else (),
            group=ticket.group,
            assignee=ticket.assignee,
            fields=dict(ticket.fields),
            service_times=own_times(
                ticket.created_at,
                {"first reply": ticket.first_reply_at, "resolution": ticket.resolved_at},
                self._targets,
                ticket.priority,
            ),
        )

    # Writing

    def update(self, change: Change) -> Edit | None:
        """See :meth:`Helpdesk.update`: one transaction with tags, priority, group, fields, message, status and key."""
        if self._read_only:
            raise ReadOnlyViolation("a write in a run that must not write")
        self._noted("write")
        ticket = self._store.ticket(change.ticket_id)
        if ticket is None:
            raise TicketGone("deleted")
        if ticket.updated_at != change.stamp:
            raise UpdateConflict("the ticket changed since it was read")
        if ticket.status in ("closed", "spam"):
            raise TicketGone("closed")
        if change.group is not None and change.group not in self._store.groups():
            raise self.part_refused(
                f"the local helpdesk knows no group {change.group}; see 'ticketbot doctor'", "group"
            )
        try:
            self._store.apply(ticket.id, AI, self._write_of(change, ticket), version=ticket.version, now=self._now())
        except Stale:
            raise UpdateConflict("the ticket changed since it was read") from None
        except LocalHelpdeskError as refused:
            raise UpdateRefused(f"the local helpdesk refuses the update: {refused}") from refused
        return self.history(ticket.id).find(change.key)

    def _write_of(self, change: Change, ticket: LocalTicket) -> Write:
        said = change.note if change.reply is None else change.reply.text
        return Write(
            status=self._status_after(change, ticket),
            priority=change.priority or (None if "priority" in change.cleared else ...),
            group=change.group if change.group is not None else None if "group" in change.cleared else ...,
            tags_add=change.tags_added,
            tags_remove=change.tags_removed,
            fields=change.field_values,
            body=said,
            public=change.reply is not None,
            reason=" ".join(change.escalated),
            key=change.key,
            intent=change.intent,
        )

    def _status_after(self, change: Change, ticket: LocalTicket) -> Status | None:
        """The status that a change sets: the one that it asks for, or the one that fits its escalation."""
        tag = self._store.labels.escalated
        if change.closing is not None:
            return _CLOSING[change.closing.status]
        if tag in change.tags_added and ticket.status == "open":
            return "escalated"
        return "open" if tag in change.tags_removed and ticket.status == "escalated" else None


_WAYS: Mapping[ActorKind, Literal["hand", "api", "rules"]] = {
    "customer": "hand",
    "agent": "hand",
    "ai": "api",
    "system": "rules",
}


def edits_of(events: Sequence[Event], ticket: LocalTicket, said: Sequence[Message]) -> tuple[Edit, ...]:
    """A ticket's edits, oldest first; ``said`` are its public messages."""
    texts = {str(message.id): message.body for message in said}
    return tuple(_edit(tuple(write), ticket, texts) for _, write in groupby(events, lambda event: event.version))


def _edit(events: Sequence[Event], ticket: LocalTicket, texts: Mapping[str, str]) -> Edit:
    first = events[0]
    values: dict[str, Any] = {"fields": {}}
    for event in events:
        name, _, number = event.field.partition(":")
        if name == "created":
            values |= {"creation": True, "comment": "public", "text": ticket.description}
        elif name == "field":
            values["fields"][int(number)] = event.values()
        elif name == "message":
            values |= {"comment": event.reason, "text": texts.get(event.new or "", "")}
        elif name in ("status", "priority", "group"):
            values[name] = event.values()
    tags = [event for event in events if event.field == "tag"]
    return Edit(
        at=first.at,
        author=first.actor.person if first.actor.kind in ("customer", "agent") else None,
        way=_WAYS[first.actor.kind],
        key=first.key,
        intent=first.intent,
        tags_added=frozenset(event.new for event in tags if event.new is not None),
        tags_removed=frozenset(event.old for event in tags if event.old is not None),
        **values,
    )


def requesters(store: LocalStore) -> Requesters:

    def with_address(address: str) -> set[int]:
        person = store.by_email(address)
        return set() if person is None else {person.id}

    return Requesters(with_address, store.of_requester)


def labels_of(store: LocalStore) -> AccountLabels:
    return AccountLabels(tags=store.tag_counts(), groups=store.groups())


class LocalConnection(Transport):
    """Opens one local helpdesk for one run, checks the run's deadline, and counts calls by name.

    It uses no network. Raises :class:`HelpdeskDown` at first use if the file is missing or unusable.
    """

    def __init__(
        self, path: Path, base_url: str, *, name: str, clock: Clock, deadline: Deadline, read_only: bool
    ) -> None:
        super().__init__(
            base_url,
            name=name,
            clock=clock,
            deadline=deadline,
            breaker=Breaker(name, clock),
            throttle=Throttle(clock, 1.0),
            read_only=read_only,
        )
        self.now = clock.now
        self._path = path
        self._store: LocalStore | None = None

    def opened(self, labels: Labels, *, make: bool = False) -> LocalStore:
        """The opened store; ``make`` creates a missing file."""
        if self._store is None:
            self._store = LocalStore(self._path, labels=labels, make=make)
        return self._store

    def noted(self, call: str) -> None:
        """Count a call of the helpdesk. Raises an error if the run's time is used up."""
        self.deadline.check()
        self._count(call)
        self.date = self.now()

    def close(self) -> None:
        super().close()
        if self._store is not None:
            self._store.close()
