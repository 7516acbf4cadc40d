"""Lists Zendesk tickets, by the incremental export or by search.

Facts and their sources: developer.zendesk.com, "Incremental Exports", "Search".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..core.clock import iso, parse_iso
from ..core.errors import CannotRun, HelpdeskDown, NotAuthorised, TicketError
from ..core.models import Ticket
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
        params: dict[str, str | int] = {"per_page": self._page_size, "include": "users"}
        if cursor is None:
            params["start_time"] = int(since)
        else:
            params["cursor"] = cursor
        seen, begun = {cursor}, None
        while True:
            reply = self._reads.page("/incremental/tickets/cursor", params, "per_page", (ACCOUNT_LIMIT, EXPORT_LIMIT))
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
            # What changed after the listing began is the next run's: most of it are this one's own writes.
            begun = begun or reply.date
            last = last or changed_after(begun, body)
            yield Page(tickets, f"export:{after}" if after else None, last, unread)
            if last:
                return
            params = {"per_page": params["per_page"], "include": "users", "cursor": str(after)}
            del reply, body  # or two pages would be held while the next one is read

    def created_since(self, since: float) -> Iterator[Page]:
        """Tickets created since, by search export: no admin needed, but minutes late and by creation only.

        The next listing begins the window before the newest ticket of this one, which may be listed later than others.
        """
        newest = since
        for tickets, unread, last in self.found(f"created>={iso(since)} status<solved"):
            newest = max([newest, *(parse_iso(ticket.created_at) for ticket in tickets)])
            resume = max(since, newest - self._search_window_s)
            cursor = f"search:{iso(resume)}" if last else None
            yield Page(tickets, cursor, last, unread, since=since)

    def found(self, query: str) -> Iterator[tuple[tuple[Ticket, ...], Mapping[int, TicketError], bool]]:
        """Pages of what a search finds, what of each could not be read, and whether it is the last."""
        params: dict[str, str | int] = {"query": query, "filter[type]": "ticket", "page[size]": SHOW_MANY_MAX}
        seen = set()
        while True:
            reply = self._reads.page("/search/export", params, "page[size]", (ACCOUNT_LIMIT, "search-export"))
            if reply.status == 403:
                why = error_code(reply) if missing_scopes(reply) else ""
                raise NotAuthorised(f"this Zendesk user may neither export nor search tickets (HTTP 403{why})")
            if not reply.ok:
                raise CannotRun(f"Zendesk refuses the search (HTTP {reply.status}{error_code(reply)})")
            tickets, unread = self._reads.tickets(reply, "results")
            meta = body_of(reply).get("meta") or {}
            after, more = meta.get("after_cursor"), bool(meta.get("has_more"))
            if more and (not after or after in seen):
                raise HelpdeskDown("Zendesk's search repeats a cursor before its end; nothing is lost, try later")
            seen.add(after)
            yield tickets, unread, not more
            if not more:
                return
            params["page[after]"] = str(after)
