"""Views of Freshdesk tickets: as lists show them, and alone with their conversations and what we wrote on them.

Facts and their sources: developers.freshdesk.com/api, "View a Ticket", "Conversations", "Ticket Fields".
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.errors import CannotRun, NotAuthorised, TicketError
from ..core.models import KeptWrite, Priority, Ticket
from ..state.store import State
from .freshdesk_auth import own_user
from .freshdesk_format import (
    ACCOUNT_LIMIT,
    Conversation,
    FieldNames,
    error_code,
    field_names,
    holds_fields,
    people_of,
    read_conversations,
    read_ticket,
    rows_of,
)
from .freshdesk_history import with_references
from .http_messages import Reply
from .json_values import mapping, string, whole_number, without_number
from .transport import Transport

MAX_TICKET_BYTES = 2_000_000
EMBEDDED = 10
"""Maximum number of conversations in a view of a ticket, the oldest ones; others need requests of their own."""
CONVERSATION_PAGES = 30


@dataclass(frozen=True)
class TicketView:
    """A ticket with its conversations; ``whole`` when these are all there are.

    ``since`` is an earlier stamp of the ticket, where nothing has come since but a note of ours.
    """

    ticket: Ticket
    said: tuple[Conversation, ...]
    whole: bool
    since: str = ""


class FreshdeskViews:
    """Reads tickets of one account. Thread-safe, as its transport and ``state`` are.

    ``own`` gives our user's number; ``open_statuses`` are the account's own statuses that count as open. ``troubles``
    are sentences for the run's report.
    """

    def __init__(self, transport: Transport, state: State | None, open_statuses: Collection[int] = ()) -> None:
        self._transport = transport
        self._state = state
        self._open_statuses = frozenset(open_statuses)
        self._known_fields: FieldNames | None = None
        self._people: dict[int, tuple[str, str]] = {}
        self.own = functools.cache(lambda: own_user(transport))
        self.troubles: list[str] = []

    def tickets(
        self, rows: Sequence[Mapping[str, Any]], date: float | None
    ) -> tuple[tuple[Ticket, ...], dict[int, TicketError]]:
        """The tickets of a list's rows, and those of them that make no sense."""
        names = self.names(any(map(holds_fields, rows)))
        self._people |= people_of(rows)
        tickets: list[Ticket] = []
        unread: dict[int, TicketError] = {}
        for row in rows:
            try:
                tickets.append(read_ticket(row, date, names, listed=True, open_statuses=self._open_statuses))
            except TicketError as error:
                if (number := whole_number(row.get("id"))) is not None:
                    unread[number] = error
        if nameless := without_number("Freshdesk", rows):
            self.report(nameless)
        return tuple(tickets), unread

    def read(self, ticket_id: int) -> TicketView | None:
        """A ticket as it is now; ``None`` where there is none."""
        reply = self._get(
            f"/tickets/{ticket_id}", {"include": "conversations"}, {ACCOUNT_LIMIT: 2}, MAX_TICKET_BYTES, about_one=True
        )
        if reply.status == 404:
            return None
        if not reply.ok:
            raise TicketError(
                f"Freshdesk refuses to show this ticket (HTTP {reply.status}{error_code(reply)})",
                if_shared=NotAuthorised if reply.status == 403 else CannotRun,
            )
        row = mapping(reply.body)
        if row.get("id") != ticket_id:
            raise TicketError("Freshdesk's answer is about another ticket")
        writes = self.writes(ticket_id)
        said = with_references(read_conversations(row.get("conversations", [])), writes, self.own)
        touched = _set_low(writes) or any(map(self._by_an_agent, said)) or len(said) >= EMBEDDED
        person = self._person(row.get("requester_id"))
        names = self.names(holds_fields(row))
        ticket = read_ticket(row, reply.date, names, touched=touched, person=person, open_statuses=self._open_statuses)
        return TicketView(ticket, said, len(said) < EMBEDDED)

    def _person(self, number: object) -> tuple[str, str]:
        """Name and address of a requester. Lists show them; for others, such as named tickets, they are asked for."""
        if not isinstance(number, int):
            return "", ""
        if number not in self._people:
            row = self._shown(f"/contacts/{number}") or mapping(self._shown(f"/agents/{number}").get("contact"))
            self._people[number] = string(row.get("name")), string(row.get("email"))
        return self._people[number]

    def _shown(self, path: str) -> Mapping[str, Any]:
        """A record; an empty one where there is none, or this agent may not see it."""
        reply = self._get(path, {}, {ACCOUNT_LIMIT: 1}, about_one=True)
        return mapping(reply.body) if reply.ok else {}

    def _by_an_agent(self, item: Conversation) -> bool:
        ours = bool(item.reference) and item.author == self.own()
        return not item.incoming and not (ours and item.edited_by in (None, item.author))

    def all_said(self, view: TicketView) -> tuple[Conversation, ...]:
        """All conversations of a ticket: a view shows no more than the oldest."""
        if view.whole:
            return view.said
        found: dict[int, Conversation] = {}
        writes = self.writes(view.ticket.id)
        for page in range(1, CONVERSATION_PAGES + 1):
            params: dict[str, str | int] = {"page": page, "per_page": 100}
            reply = self._get(
                f"/tickets/{view.ticket.id}/conversations", params, {ACCOUNT_LIMIT: 1}, MAX_TICKET_BYTES, about_one=True
            )
            if not reply.ok:
                raise TicketError(f"Freshdesk refuses this ticket's conversations (HTTP {reply.status})")
            rows = with_references(read_conversations(reply.body), writes, self.own)
            fresh = {item.id: item for item in rows if item.id not in found}
            found |= fresh
            if not fresh or 'rel="next"' not in reply.headers.get("Link", ""):
                return tuple(sorted(found.values(), key=lambda item: (item.at, item.id)))
        raise TicketError(f"more than {CONVERSATION_PAGES * 100} conversations; they were not searched")

    def writes(self, ticket_id: int) -> tuple[KeptWrite, ...]:
        """Our writes on a ticket, as the state keeps them."""
        return () if self._state is None else self._state.kept_writes(ticket_id)

    def names(self, needed: bool) -> FieldNames:
        """The account's custom fields, read once, when the first ticket has or gets one."""
        if self._known_fields is None and needed:
            reply = self._get("/ticket_fields", {}, {ACCOUNT_LIMIT: 1})
            if not reply.ok:
                self.report(
                    f"this Freshdesk agent may not read the ticket fields (HTTP {reply.status}): none are read or set"
                )
            self._known_fields = field_names(rows_of(reply)) if reply.ok else {}
        return self._known_fields or {}

    def report(self, sentence: str) -> None:
        """Tell of a trouble, once."""
        if sentence not in self.troubles:
            self.troubles.append(sentence)

    def _get(
        self,
        path: str,
        params: Mapping[str, str | int],
        limits: Mapping[str, int],
        most: int | None = None,
        *,
        about_one: bool = False,
    ) -> Reply:
        return self._transport.request(
            "GET", "/api/v2" + path, params=params, limits=limits, most=most, about_one=about_one
        )


def _set_low(writes: Sequence[KeptWrite]) -> bool:
    """Whether the last priority that we wrote is Low, which is then not an unset one."""
    set_to = [
        write.change.priority is Priority.LOW
        for write in writes
        if write.done and (write.change.priority is not None or "priority" in write.change.cleared)
    ]
    return bool(set_to) and set_to[-1]
