"""How far a run has come in the listing: pages whose tickets are settled, and what searches have shown.

A search index is late, so every listing by search goes back some hours. Of each ticket of these hours it is known at
which stamp it was listed and dealt with. One that is listed again at the same stamp is passed over: it costs no
request, no model call and no receipt.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..core.clock import parse_iso
from ..core.models import Ticket
from ..helpdesk.protocol import Page
from ..state.records import Listed, Listings
from ..state.store import State


class PageLedger:
    """Pages in order, each with the tickets still open; tells when the cursor behind a page is earned.

    ``store`` is called with a page's cursor once every ticket of it, and of all pages before it, is settled or on
    the retry list. Use from one thread.
    """

    def __init__(self, store: Callable[[str], None]) -> None:
        self._store = store
        self._pages: deque[_OpenPage] = deque()

    def open(self, page: Page) -> None:
        """A page whose tickets are about to be looked at."""
        self._pages.append(_OpenPage(page.cursor))

    def begin(self, ticket_id: int) -> None:
        """A ticket of the newest page needs work."""
        self._pages[-1].pending.add(ticket_id)

    def exhausted(self) -> None:
        """Every ticket of the newest page has been looked at."""
        self._pages[-1].exhausted = True
        self._advance()

    def settled(self, ticket_id: int) -> None:
        """The ticket has its end in this run, wherever it appeared."""
        for page in self._pages:
            page.pending.discard(ticket_id)
        self._advance()

    def _advance(self) -> None:
        while self._pages and self._pages[0].exhausted and not self._pages[0].pending:
            cursor = self._pages.popleft().cursor
            if cursor is not None:
                self._store(cursor)


@dataclass
class _OpenPage:
    cursor: str | None
    pending: set[int] = field(default_factory=set)
    exhausted: bool = False


FLUSH = 100
"""Tickets that are remembered in one transaction."""


class SearchWindow:
    """One run's listing, and what earlier ones have shown. Use from one thread."""

    def __init__(self, state: State) -> None:
        self._listings = Listings(state)
        self._open: dict[int, Ticket] = {}
        self._kept: list[Listed] = []

    def new(self, tickets: Sequence[Ticket]) -> set[int]:
        """The tickets of a page that no run has dealt with at this stamp."""
        known = self._listings.stamps([ticket.id for ticket in tickets])
        fresh = [ticket for ticket in tickets if known.get(ticket.id) != ticket.updated_at]
        self._open.update((ticket.id, ticket) for ticket in fresh)
        return {ticket.id for ticket in fresh}

    def settled(self, ticket_id: int) -> None:
        """The ticket has its end in this run, or is on the retry list, if it is one of the listing."""
        ticket = self._open.pop(ticket_id, None)
        if ticket is not None:
            self._kept.append(Listed(ticket.id, parse_iso(ticket.created_at), ticket.updated_at))
        if len(self._kept) >= FLUSH or not self._open:
            self.flush()

    def ended(self, since: float) -> None:
        """The listing of what was created since ``since`` was looked at; no later one goes back further."""
        self.flush()
        self._listings.forget(since)

    def flush(self) -> None:
        """Have the state know all of it."""
        kept, self._kept = self._kept, []
        if kept:
            self._listings.keep(kept)
