"""Reads of a Zendesk account: pages that are made smaller where they are too long, the tickets of an answer, and lists
of tickets by the incremental export or by search. What it had to do without is told in words.

Facts and their sources: developer.zendesk.com, "Incremental Exports", "Search".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from ..core.clock import iso, parse_iso
from ..core.errors import CannotRun, HelpdeskDown, NotAuthorised, TicketError, TicketUnreadable
from ..core.models import Ticket
from .http_messages import Reply, mapping, tickets_of
from .protocol import Page, WithTroubles
from .transport import Transport
from .zendesk_format import (
    ACCOUNT_LIMIT,
    body_of,
    changed_after,
    error_code,
    has_next,
    missing_scopes,
    people_of,
    read_ticket,
)

SHOW_MANY_MAX = 100
ALL_NAMELESS = 3
"""From so many rows on, none of which has a ticket's number, it is the answer that is at fault."""
MAX_PAGE_BYTES = 12_000_000
"""Of a page of tickets: a thousand mostly have 3 to 8 MB. While one page is read, another is held."""


PAGE_SIZE = 1000
EXPORT_LIMIT = "incremental-exports"
SEARCH_WINDOW_S = 6 * 3600.0
"""Search lags behind, so each listing by search begins this much before the end of the last one."""


class ZendeskReads(WithTroubles):
    """GET requests to one account, which lists ``page_size`` tickets at a time. Thread-safe, as its transport is."""

    def __init__(self, transport: Transport, page_size: int) -> None:
        super().__init__()
        self._transport = transport
        self._page_size = page_size

    def get(
        self,
        path: str,
        params: Mapping[str, str | int],
        limits: tuple[str, ...] = (ACCOUNT_LIMIT,),
        most: int | None = None,
        *,
        about_one: bool = False,
    ) -> Reply:
        """One answer of at most ``most`` bytes; with ``about_one`` what it lacks is a fault of its tickets."""
        reply = self._transport.request(
            "GET", "/api/v2" + path, params=params, limits=limits, most=most, about_one=about_one
        )
        if about_one and reply.ok and not isinstance(reply.body, dict):
            raise TicketUnreadable("Zendesk's answer is no JSON object")
        return reply

    def page(
        self,
        path: str,
        params: dict[str, str | int],
        size: str,
        limits: tuple[str, ...] = (ACCOUNT_LIMIT,),
        most: int = MAX_PAGE_BYTES,
        *,
        about_one: bool = False,
    ) -> Reply:
        """One page of a list. If it is too long to be read, ``params[size]`` becomes a tenth, for later pages too."""
        while True:
            try:
                return self.get(path, params, limits, most, about_one=about_one)
            except (HelpdeskDown, TicketUnreadable) as error:
                if not error.too_long or int(params[size]) == 1:
                    raise
                params[size] = max(1, int(params[size]) // 10)

    def tickets(self, reply: Reply, field: str = "tickets") -> tuple[tuple[Ticket, ...], dict[int, TicketError]]:
        """The tickets of an answer, and those of its rows that make no sense."""
        rows = body_of(reply).get(field)
        if not isinstance(rows, list):
            raise HelpdeskDown("Zendesk's answer holds no list of tickets")
        people = people_of(body_of(reply).get("users"))
        read = partial(read_ticket, read_at=reply.date, people=people)
        tickets, unread, nameless = tickets_of([*map(mapping, rows)], "Zendesk", read)
        if len(rows) >= ALL_NAMELESS and not tickets and not unread:
            raise HelpdeskDown("Zendesk's answer holds not one ticket with its number")
        self.report(nameless)
        return tickets, unread

    # Lists of tickets

    def changed_since(self, cursor: str | None, since: float) -> Iterator[Page]:
        """Tickets by last change, from a place of the export on; by search for a user who may not export."""
        params: dict[str, str | int] = {"per_page": self._page_size, "include": "users"}
        if cursor is None:
            params["start_time"] = int(since)
        else:
            params["cursor"] = cursor
        seen, begun = {cursor}, None
        while True:
            reply = self.page("/incremental/tickets/cursor", params, "per_page", (ACCOUNT_LIMIT, EXPORT_LIMIT))
            if reply.status == 403:
                yield from self.created_since(since)
                return
            if not reply.ok:
                raise CannotRun(
                    f"Zendesk refuses the export (HTTP {reply.status}{error_code(reply)}); if the stored cursor is the "
                    "reason, start again with --since, which repeats no work"
                )
            body = body_of(reply)
            after, last = body.get("after_cursor"), bool(body.get("end_of_stream"))
            if not last and (not after or after in seen):
                raise HelpdeskDown("Zendesk's export repeats a cursor before its end; nothing is lost, try later")
            seen.add(after)
            tickets, unread = self.tickets(reply)
            # What changed after the listing began is the next run's: most of it are this one's own writes.
            begun = begun or reply.date
            last = last or changed_after(begun, body)
            yield Page(tickets, f"export:{after}" if after else None, last, unread)
            if last:
                return
            params.pop("start_time", None)
            params["cursor"] = str(after)
            del reply, body  # or two pages would be held while the next one is read

    def created_since(self, since: float) -> Iterator[Page]:
        """Tickets created since, by search export: no admin needed, but minutes late and by creation only.

        The next listing begins the window before the newest ticket of this one, which may be listed later than others.
        """
        newest = since
        for tickets, unread, last in self.found(f"created>={iso(since)} status<solved"):
            made = (min(parse_iso(ticket.created_at), ticket.read_at or newest) for ticket in tickets)
            newest = max([newest, *made])
            resume = max(since, newest - SEARCH_WINDOW_S)
            cursor = f"search:{iso(resume)}" if last else None
            yield Page(tickets, cursor, last, unread, since=since)

    def found(self, query: str) -> Iterator[tuple[tuple[Ticket, ...], Mapping[int, TicketError], bool]]:
        """Pages of what a search finds, what of each could not be read, and whether it is the last."""
        params: dict[str, str | int] = {"query": query, "filter[type]": "ticket", "page[size]": SHOW_MANY_MAX}
        while True:
            reply = self.page("/search/export", params, "page[size]", (ACCOUNT_LIMIT, "search-export"))
            if reply.status == 403:
                why = error_code(reply) if missing_scopes(reply) else ""
                raise NotAuthorised(f"this Zendesk user may neither export nor search tickets (HTTP 403{why})")
            if not reply.ok:
                raise CannotRun(f"Zendesk refuses the search (HTTP {reply.status}{error_code(reply)})")
            tickets, unread = self.tickets(reply, "results")
            more = has_next(reply, params, "search")
            yield tickets, unread, not more
            if not more:
                return
