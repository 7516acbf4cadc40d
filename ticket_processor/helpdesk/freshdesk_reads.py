"""Reads of a Freshdesk account: tickets by their last change, without losing one that changes meanwhile, and each alone
with its conversations and what we wrote on it; fields and groups, people, and who we are.

Facts and their sources: developers.freshdesk.com/api, "List All Tickets", "View a Ticket", "Conversations", "Ticket
Fields", "Groups", "Contacts" (list), "Agents" (list), "Authentication". There is no list of the tags in use; archived,
deleted and spam tickets are in no list.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.clock import iso
from ..core.errors import CannotRun, ConfigError, HelpdeskDown, NotAuthorised, TicketError
from ..core.models import KeptWrite, Ticket
from ..state.store import State
from .freshdesk_format import (
    ACCOUNT_LIMIT,
    LIST_LIMIT,
    Conversation,
    FieldNames,
    Rows,
    error_code,
    field_names,
    holds_fields,
    listed,
    moment_of,
    people_of,
    read_conversations,
    read_ticket,
    rows_of,
    ticket_field,
)
from .freshdesk_history import set_low, with_references
from .http_messages import Reply, mapping, string, tickets_of
from .note_first import SeenTicket
from .protocol import BY_TICKET, AccountLabels, RequesterSearch
from .transport import FixedAuth, Transport

MAX_TICKET_BYTES = 2_000_000
EMBEDDED = 10
"""Maximum number of conversations in a view of a ticket, the oldest ones; others need requests of their own."""
CONVERSATION_PAGES = 30


@dataclass(frozen=True)
class TicketView(SeenTicket):
    """A ticket with its conversations; ``whole`` when these are all there are."""

    said: tuple[Conversation, ...]
    whole: bool


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
        read = functools.partial(read_ticket, read_at=date, names=names, listed=True, open_statuses=self._open_statuses)
        tickets, unread, nameless = tickets_of(rows, "Freshdesk", read)
        self.report(nameless)
        return tickets, unread

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
        touched = set_low(writes) or any(map(self._by_an_agent, said)) or len(said) >= EMBEDDED
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
        """Tell of a trouble, if there is one, once."""
        if sentence and sentence not in self.troubles:
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


PAGE_SIZE = 100
MAX_PAGE_BYTES = 12_000_000
MOST_WALKS = 10
MOVES = "Freshdesk's list of tickets changes faster than it can be read; nothing is lost, try later"
LIST_COST = 5
"""Credits of a list with its two ``include``, which cost two more each."""


class Listing:
    """The account's tickets by last change. Used by one thread at a time."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._page_size = PAGE_SIZE

    def changed_since(self, moment: float) -> Iterator[tuple[Rows, float | None, bool]]:
        """Rows in the order of their last change, the answer's date, and whether nothing newer is there yet.

        Some rows come twice. A row that changes while the list is read moves to its end, and those behind it move up:
        from the second page on they would be missed. So each request asks for the first page, from the last row's
        second on. Raises :class:`CannotRun`.
        """
        while True:
            rows, date, full = self._list(moment, 1)
            last = moment_of(rows, date)
            step = moment if last is None else last - 1.0
            if not full:
                yield rows, date, True
                return
            if step <= moment:
                rows, step = self._crowded(moment)
            yield rows, date, False
            moment = step

    def _crowded(self, moment: float) -> tuple[Rows, float]:
        """All rows of a second that holds more than a page, and from when to go on.

        They are read again until nothing has moved meanwhile.
        """
        found: dict[tuple[str, str], Mapping[str, Any]] = {}
        for _ in range(MOST_WALKS):
            known, page, step = len(found), 0, moment
            while step <= moment:
                page += 1
                rows, date, full = self._list(moment, page)
                found.update(((str(row.get("id")), str(row.get("updated_at"))), row) for row in rows)
                last = moment_of(rows, date) if full else moment + 2.0
                step = moment if last is None else last - 1.0
            if len(found) == known:
                return sorted(found.values(), key=lambda row: str(row.get("updated_at"))), step
        raise HelpdeskDown(MOVES)

    def _list(self, moment: float, page: int) -> tuple[Rows, float | None, bool]:
        """A page of tickets, the answer's date, and whether the page is full.

        A page that is too long to be read is asked for with a tenth of its rows, and so are all later ones.
        """
        params: dict[str, str | int] = {
            "updated_since": iso(moment),
            "order_by": "updated_at",
            "order_type": "asc",
            "per_page": self._page_size,
            "page": page,
            "include": "description,requester",
        }
        limits = {ACCOUNT_LIMIT: LIST_COST, LIST_LIMIT: 1}
        try:
            reply = self._transport.request("GET", "/api/v2/tickets", params=params, limits=limits, most=MAX_PAGE_BYTES)
        except HelpdeskDown as error:
            if not error.too_long or self._page_size == 1:
                raise
            self._page_size //= 10
            return self._list(moment, 1)
        if reply.status == 403:
            raise NotAuthorised("this Freshdesk agent may not list tickets (HTTP 403)")
        if not reply.ok:
            raise CannotRun(f"Freshdesk refuses to list tickets (HTTP {reply.status}{error_code(reply)})")
        rows = rows_of(reply)
        return rows, reply.date, len(rows) >= self._page_size


# The account

GROUP_PAGES = 20


def read_labels(transport: Transport) -> AccountLabels:
    """Everything at once; a handful of requests. Raises :class:`CannotRun`, as any reading of the helpdesk."""
    fields = tuple(ticket_field(row) for row in _rows(transport, "ticket_fields", {}))
    return AccountLabels(tags=None, fields=fields, groups=dict(_groups(transport)))


def _groups(transport: Transport) -> Iterator[tuple[int, str]]:
    for page in range(1, GROUP_PAGES + 1):
        rows = _rows(transport, "groups", {"per_page": PAGE_SIZE, "page": page})
        yield from ((row["id"], str(row.get("name"))) for row in rows)
        if len(rows) < PAGE_SIZE:
            return


def _rows(transport: Transport, name: str, params: Mapping[str, str | int]) -> list[dict[str, Any]]:
    return listed(transport.request("GET", f"/api/v2/{name}", params=params), name.replace("_", " "))


MAX_PAGES = 300
"""More are refused."""
BEGINNING = "1970-01-01T00:00:00Z"
"""Without a moment the list ends after thirty days."""
HINT = f"; {BY_TICKET}"


class FreshdeskRequesters(RequesterSearch):
    """The people of an account: contacts and agents, who may be requesters as well."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def with_address(self, address: str) -> set[int]:
        """See :meth:`RequesterSearch.with_address`."""
        found = {row["id"] for row in listed(self._get("/contacts", {"email": address}), "contacts", HINT)}
        if not found:
            agents = self._get("/agents", {"email": address})
            found = set() if agents.status == 403 else {row["id"] for row in listed(agents, "agents", HINT)}
        return found

    def tickets(self, user: int) -> Iterator[int]:
        """See :meth:`RequesterSearch.tickets`. In the order of their creation, which nothing changes meanwhile."""
        for page in range(1, MAX_PAGES + 1):
            params: dict[str, str | int] = {
                "requester_id": user,
                "updated_since": BEGINNING,
                "order_by": "created_at",
                "order_type": "asc",
                "per_page": PAGE_SIZE,
                "page": page,
            }
            reply = self._get("/tickets", params)
            if reply.status in (400, 404):
                raise ConfigError(f"--requester: the helpdesk knows no such user; {BY_TICKET}")
            rows = listed(reply, "tickets", HINT)
            yield from (row["id"] for row in rows)
            if len(rows) < PAGE_SIZE:
                return
        raise CannotRun(f"Freshdesk lists the first {MAX_PAGES * PAGE_SIZE} tickets only; {BY_TICKET}")

    def _get(self, path: str, params: Mapping[str, str | int]) -> Reply:
        return self._transport.request("GET", "/api/v2" + path, params=params)


class ApiKey(FixedAuth):
    """An agent's API key, by HTTP Basic; the password is a dummy."""

    def __init__(self, key: str) -> None:
        super().__init__(self.basic(key, "X"))


def own_user(transport: Transport) -> int | None:
    """The number of the agent whose key ``transport`` uses; ``None`` where Freshdesk does not say. One request."""
    reply = transport.request("GET", "/api/v2/agents/me")
    number = reply.body.get("id") if reply.ok and isinstance(reply.body, dict) else None
    return number if isinstance(number, int) else None
