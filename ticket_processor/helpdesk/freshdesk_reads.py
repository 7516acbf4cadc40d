"""Reads of a Freshdesk account: tickets by their last change, without losing one that changes meanwhile; fields and
groups, people, and who we are.

Facts and their sources: developers.freshdesk.com/api, "List All Tickets", "Ticket Fields", "Groups", "Contacts" (list),
"Agents" (list). There is no list of the tags in use; archived, deleted and spam tickets are in no list.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from ..core.clock import iso, parse_iso
from ..core.errors import CannotRun, HelpdeskDown, NotAuthorised
from .freshdesk_format import (
    ACCOUNT_LIMIT,
    LIST_LIMIT,
    error_code,
    is_hourly,
    listed,
    own_statuses,
    read_limits,
    rows_of,
    ticket_field,
)
from .http_messages import Reply, mapping, whole_number, with_ids
from .protocol import BY_TICKET, AccountLabels, Requesters, Rights
from .transport import Transport, shown

OVERLAP_S = 120.0
"""A listing begins this much before the end of the last one."""
MOST_REMEMBERED = 2_000
"""Rows of the overlap that a cursor names, so that they are not looked at again."""
Rows = list[Mapping[str, Any]]


class ListingPlace:
    """How far a listing has been read: the newest change, and the rows of the last two minutes before it.

    A row that was listed is passed over while nothing has changed on it.
    """

    def __init__(self, moment: float, newest: str, seen: dict[str, str]) -> None:
        self.moment = moment
        self._newest = newest
        self._seen = seen

    @classmethod
    def read(cls, cursor: str | None, since: float) -> ListingPlace:
        """The place that a cursor names; without one, ``since`` (Unix seconds)."""
        newest, _, named = (cursor or "").removeprefix("changed:").partition(";")
        seen = dict(item.split("@", 1) for item in named.split(",") if "@" in item)
        return cls(parse_iso(newest) - OVERLAP_S if newest else since, newest, seen)

    @property
    def cursor(self) -> str | None:
        """The place as a text; ``None`` where nothing was ever listed."""
        if not self._newest:
            return None
        named = sorted(self._seen.items(), key=lambda item: item[1])[-MOST_REMEMBERED:]
        return f"changed:{self._newest};" + ",".join(f"{number}@{stamp}" for number, stamp in named)

    def new(self, rows: Sequence[Mapping[str, Any]], date: float | None) -> Rows:
        """The rows that were not listed before as they are now; moves the place behind them.

        ``date`` is the answer's own (Unix seconds).
        """
        new = [row for row in rows if self._seen.get(str(row.get("id")), "") != str(row.get("updated_at"))]
        self._seen |= {str(row["id"]): str(row.get("updated_at")) for row in with_ids(new)}
        if (newest := moment_of(rows, date)) is not None:
            self._newest = max(self._newest, iso(newest))
            oldest = iso(newest - OVERLAP_S)
            self._seen = {number: stamp for number, stamp in self._seen.items() if stamp >= oldest}
        return new

    def is_behind(self, moment: float | None) -> bool:
        """Whether the place lies behind a moment (Unix seconds)."""
        return moment is not None and bool(self._newest) and parse_iso(self._newest) > moment


def moment_of(rows: Sequence[Mapping[str, Any]], date: float | None) -> float | None:
    """The last change of a page's rows (Unix seconds), where one tells a date that makes sense at the answer's own."""
    dates = []
    for row in rows:
        with suppress(ValueError):
            dates.append(parse_iso(str(row.get("updated_at"))))
    return max((at for at in dates if date is None or at <= date + OVERLAP_S), default=None)


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

MAX_PAGES = 300
"""More are refused."""
BEGINNING = "1970-01-01T00:00:00Z"
"""Without a moment the list ends after thirty days."""
HINT = f"; {BY_TICKET}"


def read_labels(transport: Transport, open_statuses: Collection[int] = ()) -> AccountLabels:
    """Everything at once; a handful of requests. Raises :class:`CannotRun`, as any reading of the helpdesk."""
    rows = listed(transport.request("GET", "/api/v2/ticket_fields"), "ticket fields")
    groups = {row["id"]: str(row.get("name")) for row in _rows(transport, "groups", {})}
    fields = tuple(map(ticket_field, rows))
    held = {number: name for number, name in own_statuses(rows).items() if number not in open_statuses}
    return AccountLabels(tags=None, fields=fields, groups=groups, held_statuses=held)


def _rows(transport: Transport, name: str, params: Mapping[str, str | int], hint: str = "") -> Iterator[dict[str, Any]]:
    """The rows of a list over all its pages. Raises what :func:`listed` does."""
    for page in range(1, MAX_PAGES + 1):
        asked = {**params, "per_page": PAGE_SIZE, "page": page}
        rows = listed(transport.request("GET", f"/api/v2/{name}", params=asked), name, hint)
        yield from rows
        if len(rows) < PAGE_SIZE:
            return
    raise CannotRun(f"Freshdesk lists the first {MAX_PAGES * PAGE_SIZE} {name} only{hint}")


def requesters(transport: Transport) -> Requesters:
    """The people of an account: contacts and agents, who may be requesters as well."""

    def with_address(address: str) -> set[int]:
        contacts = transport.request("GET", "/api/v2/contacts", params={"email": address})
        if found := {row["id"] for row in listed(contacts, "contacts", HINT)}:
            return found
        agents = transport.request("GET", "/api/v2/agents", params={"email": address})
        return set() if agents.status == 403 else {row["id"] for row in listed(agents, "agents", HINT)}

    def tickets(user: int) -> Iterator[int]:
        """In the order of their creation, which nothing changes meanwhile."""
        order = {"updated_since": BEGINNING, "order_by": "created_at", "order_type": "asc"}
        yield from (row["id"] for row in _rows(transport, "tickets", {"requester_id": user, **order}, HINT))

    return Requesters(with_address, tickets)


def own_user(transport: Transport) -> int | None:
    """The number of the agent whose key ``transport`` uses; ``None`` where Freshdesk does not say. One request."""
    reply = transport.request("GET", "/api/v2/agents/me")
    return whole_number(mapping(reply.body).get("id")) if reply.ok else None


ALL_TICKETS = 1
"""The scope of an agent who sees every ticket; others see those of their groups, or their own."""
HELPER = "collaborator"
"""The type of an agent who may not change tickets."""


def rights(transport: Transport, reply: Reply) -> Rights:
    """What our agent may do, whom ``reply`` has shown tickets. One request."""
    facts: dict[str, object] = {}
    said = ""
    limit = read_limits(reply.headers).get(ACCOUNT_LIMIT)
    if limit is not None:
        facts["credits_a_minute"] = limit.total
        hourly = ", an hour's calls spread over its minutes" if is_hourly(reply.headers) else ""
        said = f", the plan allows {limit.total} calls a minute{hourly}"
    agent = shown(transport, "/api/v2/agents/me")  # where that is refused, tickets can be read all the same
    lacking = ""
    if agent.get("type") == HELPER:
        lacking = "this agent is a collaborator, who may not change tickets"
    elif agent.get("ticket_scope") not in (None, ALL_TICKETS):
        lacking = "this agent sees some of them only; give it the scope of all tickets, or the others are never seen"
    return Rights("", lacking, said, facts)
