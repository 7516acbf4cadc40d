"""Remembers what listings by search have shown: a search index is late, so every listing goes back some hours.

Of each ticket of these hours it is known at which stamp it was listed and dealt with. One that is listed again at the
same stamp is passed over: it costs no request, no model call and no receipt.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from ..core.clock import parse_iso
from ..core.models import Ticket
from ..state.records import Listed, Listings
from ..state.store import SEARCHED, State

FLUSH = 100
"""Tickets that are remembered in one transaction."""


class SearchWindow:
    """One run's listing, and what earlier ones have shown. Use from one thread.

    ``late_s`` is how late the index was at least, in seconds: the longest time for which a listing did not show a
    ticket that had been created and not changed since; ``None`` where nothing was listed.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._listings = Listings(state)
        self._before = _listing(state.fact(SEARCHED))
        self._begun_at: float | None = None
        self._open: dict[int, Ticket] = {}
        self._kept: list[Listed] = []
        self.late_s: float | None = None

    def new(self, tickets: Sequence[Ticket]) -> set[int]:
        """The tickets of a page that no run has dealt with at this stamp."""
        if self._begun_at is None and tickets:
            self._begun_at = tickets[0].read_at
        known = self._listings.stamps([ticket.id for ticket in tickets])
        self.late_s = max([self.late_s or 0.0, *(self._late(ticket) for ticket in tickets if ticket.id not in known)])
        fresh = [ticket for ticket in tickets if known.get(ticket.id) != ticket.updated_at]
        self._open.update((ticket.id, ticket) for ticket in fresh)
        self._keep((ticket, "") for ticket in fresh)
        return {ticket.id for ticket in fresh}

    def settled(self, ticket_id: int) -> None:
        """The ticket has its end in this run, or is on the retry list, if it is one of the listing."""
        ticket = self._open.pop(ticket_id, None)
        if ticket is not None:
            self._keep([(ticket, ticket.updated_at)])

    def ended(self, since: float) -> None:
        """The listing of what was created since ``since`` was looked at; no later one goes back further."""
        if self._begun_at is not None:
            self._state.remember(**{SEARCHED: json.dumps([since, self._begun_at])})
        self.flush()
        self._listings.forget(since)

    def flush(self) -> None:
        """Have the state know all of it."""
        kept, self._kept = self._kept, []
        if kept:
            self._listings.keep(kept)

    def _keep(self, stamped: Iterable[tuple[Ticket, str]]) -> None:
        self._kept += [Listed(ticket.id, parse_iso(ticket.created_at), stamp) for ticket, stamp in stamped]
        if len(self._kept) >= FLUSH or not self._open:
            self.flush()

    def _late(self, ticket: Ticket) -> float:
        """For how long the listing before has missed a ticket that it should have shown."""
        if self._before is None:
            return 0.0
        since, at = self._before
        created = parse_iso(ticket.created_at)
        missed = since <= created <= at and parse_iso(ticket.updated_at) <= at
        return at - created if missed else 0.0


def _listing(text: str | None) -> tuple[float, float] | None:
    """Since when the last listing was, and when it was made."""
    if text is None:
        return None
    since, at = json.loads(text)
    return float(since), float(at)
