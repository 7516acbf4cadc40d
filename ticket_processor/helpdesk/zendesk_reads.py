"""Reads of a Zendesk account: pages that are made smaller where they are too long, and the tickets of an answer.

What it had to do without is told in words.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..core.errors import HelpdeskDown, TicketError, TicketUnreadable
from ..core.models import Ticket
from .http_messages import Reply
from .json_values import known_number, mapping, without_number
from .page_parts import PageSize, page_of
from .transport import Transport
from .zendesk_format import ACCOUNT_LIMIT, body_of, people_of, read_ticket

SHOW_MANY_MAX = 100
ALL_NAMELESS = 3
"""From so many rows on, none of which has a ticket's number, it is the answer that is at fault."""
MAX_PAGE_BYTES = 12_000_000
"""Of a page of tickets: a thousand mostly have 3 to 8 MB. While one page is read, another is held."""


class ZendeskReads:
    """GET requests to one account. Thread-safe, as its transport is.

    ``troubles`` are sentences on what it had to do without, for the run's report.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.troubles: list[str] = []

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

    def page_of_tickets(
        self, path: str, params: dict[str, str | int], name: str, size: PageSize, limits: tuple[str, ...], rows: str
    ) -> Reply:
        """One page of a list of tickets, of a ``size`` that a parameter called ``name`` tells.

        A row that makes its page unreadable is looked for in smaller ones; alone, it is answered with what can be made
        out of it. Where that leads no further, ``HelpdeskDown`` holds what is ``unparsed``.
        """
        while True:
            params[name] = size.now
            try:
                reply = self.get(path, params, limits, MAX_PAGE_BYTES, about_one=size.searches)
            except (HelpdeskDown, TicketUnreadable) as error:
                if error.too_long and size.now > 1:
                    size.too_long()
                elif error.unparsed and size.now > 1:
                    size.unreadable()
                elif (page := page_of(error.unparsed, rows)) is not None:
                    size.passed()
                    return Reply(200, {}, page, self._transport.date)
                else:
                    raise HelpdeskDown(str(error), too_long=error.too_long, unparsed=error.unparsed) from error
            except TicketError as error:
                raise error.if_shared(str(error)) from error
            else:
                size.read()
                return reply

    def tickets(self, reply: Reply, field: str = "tickets") -> tuple[tuple[Ticket, ...], dict[int, TicketError]]:
        """The tickets of an answer, and those of its rows that make no sense."""
        rows = body_of(reply).get(field)
        if not isinstance(rows, list):
            raise HelpdeskDown("Zendesk's answer holds no list of tickets")
        people = people_of(body_of(reply).get("users"))
        tickets: list[Ticket] = []
        unread: dict[int, TicketError] = {}
        for row in map(mapping, rows):
            try:
                tickets.append(read_ticket(row, reply.date, people))
            except TicketError as error:
                number = known_number(row)
                if number is not None:
                    unread[number] = error
        if len(rows) >= ALL_NAMELESS and not tickets and not unread:
            raise HelpdeskDown("Zendesk's answer holds not one ticket with its number")
        if nameless := without_number("Zendesk", list(map(mapping, rows))):
            self.report(nameless)
        return tuple(tickets), unread

    def report(self, sentence: str) -> None:
        """Tell of a trouble, once."""
        if sentence not in self.troubles:
            self.troubles.append(sentence)
