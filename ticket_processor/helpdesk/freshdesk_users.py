"""Finds a requester by number or address, and the numbers of their tickets. Reads only.

Facts and their sources: developers.freshdesk.com/api, "Contacts" (list), "Agents" (list), "Tickets" (list). Archived,
deleted and spam tickets are in no list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..core.errors import CannotRun, ConfigError
from .freshdesk_format import listed
from .http_messages import Reply
from .requesters import BY_TICKET, number_or_address, the_only
from .transport import Transport

PAGE_SIZE = 100
MAX_PAGES = 300
"""More are refused."""
BEGINNING = "1970-01-01T00:00:00Z"
"""Without a moment the list ends after thirty days."""
HINT = f"; {BY_TICKET}"


class FreshdeskRequesters:
    """The people of an account. What they are called never stands in an error or a log. Use from one thread."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def find(self, named: str) -> int:
        """See :meth:`RequesterSearch.find`: a contact or an agent, who may be requesters as well."""
        known = number_or_address(named)
        if isinstance(known, int):
            return known
        found = {row["id"] for row in listed(self._get("/contacts", {"email": known}), "contacts", HINT)}
        if not found:
            agents = self._get("/agents", {"email": known})
            found = set() if agents.status == 403 else {row["id"] for row in listed(agents, "agents", HINT)}
        return the_only(found)

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
