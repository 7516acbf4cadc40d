"""Lists Zendesk tickets, by the incremental export or by search.

Facts and their sources: developer.zendesk.com, "Incremental Exports", "Search".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

from ..core.clock import iso, parse_iso
from ..core.errors import CannotRun, HelpdeskDown, NotAuthorised, TicketError
from ..core.models import Ticket
from .json_values import mapping
from .page_parts import PageSize
from .protocol import Page
from .zendesk_format import ACCOUNT_LIMIT, body_of, changed_after, error_code, missing_scopes
from .zendesk_reads import SHOW_MANY_MAX, ZendeskReads

PAGE_SIZE = 1000
EXPORT_LIMIT = "incremental-exports"
SEARCH_WINDOW_S = 6 * 3600.0
"""Search lags behind, so each listing by search begins this much before the end of the last one."""


class ExportForbidden(Exception):
    """This user may not use the incremental export (HTTP 403)."""


class ZendeskListing:
    """The account's tickets, a page at a time. Thread-safe, as the reads are."""

    def __init__(self, reads: ZendeskReads, *, page_size: int, search_window_s: float) -> None:
        self._reads = reads
        self._page_size = page_size
        self._search_window_s = search_window_s

    def changed_since(self, cursor: str | None, since: float) -> Iterator[Page]:
        """Tickets by last change, from a place of the incremental export on. Raises :class:`ExportForbidden`."""
        size = PageSize(self._page_size)
        params: dict[str, str | int] = {"per_page": size.now, "include": "users"}
        if cursor is None:
            params["start_time"] = int(since)
        else:
            params["cursor"] = cursor
        seen, begun, behind = {cursor}, None, ""
        while True:
            try:
                reply = self._reads.page_of_tickets(
                    "/incremental/tickets/cursor", params, "per_page", size, (ACCOUNT_LIMIT, EXPORT_LIMIT), "tickets"
                )
            except HelpdeskDown as error:
                if not (error.unparsed or error.too_long):
                    raise
                searched = False
                with suppress(CannotRun):
                    for tickets, unread, _ in self.found(f"created>={iso(since)} status<solved", careful=True):
                        searched = True
                        yield Page(tickets, None, False, unread)
                if not (searched or behind):
                    raise
                raise HelpdeskDown(
                    f"{error}: the row {behind or 'with which the export begins'} can be neither read nor passed; "
                    "until that mends, tickets are searched for"
                ) from error
            if reply.status == 403:
                raise ExportForbidden
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
            tickets, unread = self._reads.tickets(reply)
            behind = f"behind ticket {tickets[-1].id}" if tickets else behind
            # What changed after the listing began is the next run's: most of it are this one's own writes.
            begun = begun or reply.date
            last = last or changed_after(begun, body)
            yield Page(tickets, f"export:{after}" if after else None, last, unread)
            if last:
                return
            params = {"per_page": size.now, "include": "users", "cursor": str(after)}
            del reply, body  # or two pages would be held while the next one is read

    def created_since(self, since: float) -> Iterator[Page]:
        """Tickets created since, by search export: no admin needed, but minutes late and by creation only.

        The next listing begins the window before the newest ticket of this one, which may be listed later than others.
        """
        newest = since
        for tickets, unread, last in self.found(f"created>={iso(since)} status<solved"):
            made = (min(parse_iso(ticket.created_at), ticket.read_at or newest) for ticket in tickets)
            newest = max([newest, *made])
            resume = max(since, newest - self._search_window_s)
            cursor = f"search:{iso(resume)}" if last else None
            yield Page(tickets, cursor, last, unread, since=since)

    def found(
        self, query: str, *, careful: bool = False
    ) -> Iterator[tuple[tuple[Ticket, ...], Mapping[int, TicketError], bool]]:
        """Pages of what a search finds, what of each could not be read, and whether it is the last.

        A ``careful`` one begins with a single row, since one of them is known to make its page unreadable.
        """
        params: dict[str, str | int] = {"query": query, "filter[type]": "ticket"}
        size = PageSize(SHOW_MANY_MAX)
        if careful:
            size.unreadable()
        seen = set()
        while True:
            reply = self._reads.page_of_tickets(
                "/search/export", params, "page[size]", size, (ACCOUNT_LIMIT, "search-export"), "results"
            )
            if reply.status == 403:
                why = error_code(reply) if missing_scopes(reply) else ""
                raise NotAuthorised(f"this Zendesk user may neither export nor search tickets (HTTP 403{why})")
            if not reply.ok:
                raise CannotRun(f"Zendesk refuses the search (HTTP {reply.status}{error_code(reply)})")
            tickets, unread = self._reads.tickets(reply, "results")
            meta = mapping(body_of(reply).get("meta"))
            after, more = meta.get("after_cursor"), bool(meta.get("has_more"))
            if more and (not after or after in seen):
                raise HelpdeskDown("Zendesk's search repeats a cursor before its end; nothing is lost, try later")
            seen.add(after)
            yield tickets, unread, not more
            if not more:
                return
            params["page[after]"] = str(after)
