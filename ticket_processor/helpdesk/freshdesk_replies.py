"""Agents' public replies on Freshdesk. Reads only.

Facts and their sources: developers.freshdesk.com/api, "Conversations", "List All Tickets" (filters), "Agents".
"""

from __future__ import annotations

import functools
from collections.abc import Collection

from ..core.clock import iso
from ..core.errors import CannotRun, NotAuthorised, TicketError
from .agent_replies import AgentReply
from .freshdesk_format import (
    ACCOUNT_LIMIT,
    LIST_LIMIT,
    error_code,
    read_conversations,
    rows_of,
)
from .json_values import mapping, string
from .transport import Transport

PAGE_SIZE = 100
MOST_PAGES = 10
"""Of deleted tickets, the newest of which come first."""
MAX_BYTES = 2_000_000


class FreshdeskReplies:
    """The conversations of one account. ``own`` is the number of our own agent."""

    def __init__(self, transport: Transport, own: int | None) -> None:
        self._transport = transport
        self._own = own
        self._name = functools.cache(self._asked_name)

    def of(self, ticket_id: int) -> tuple[AgentReply, ...]:
        """See :meth:`AgentReplies.of`; one request, and one for each agent that is new to it."""
        reply = self._transport.request(
            "GET",
            f"/api/v2/tickets/{ticket_id}/conversations",
            params={"per_page": PAGE_SIZE},
            limits=(ACCOUNT_LIMIT,),
            most=MAX_BYTES,
            about_one=True,
        )
        if reply.status == 404:
            return ()
        if not reply.ok:
            raise TicketError(
                f"Freshdesk refuses this ticket's conversations (HTTP {reply.status}{error_code(reply)})",
                if_shared=NotAuthorised if reply.status == 403 else CannotRun,
            )
        return tuple(
            AgentReply(said.text, "" if said.author is None else self._name(said.author))
            for said in read_conversations(reply.body)
            if not said.private and not said.incoming and said.author != self._own
        )

    def gone_since(self, moment: float) -> Collection[int]:
        """See :meth:`AgentReplies.gone_since`: trash and spam, which no other list shows; a page of each or more."""
        return {number for kind in ("deleted", "spam") for number in self._listed(kind, moment)}

    def _listed(self, kind: str, moment: float) -> list[int]:
        found: list[int] = []
        for page in range(1, MOST_PAGES + 1):
            reply = self._transport.request(
                "GET",
                "/api/v2/tickets",
                params={"filter": kind, "updated_since": iso(moment), "per_page": PAGE_SIZE, "page": page},
                limits=(ACCOUNT_LIMIT, LIST_LIMIT),
            )
            if not reply.ok:
                raise CannotRun(f"Freshdesk refuses to list {kind} tickets (HTTP {reply.status}{error_code(reply)})")
            rows = rows_of(reply)
            found += [row["id"] for row in rows if isinstance(row.get("id"), int)]
            if len(rows) < PAGE_SIZE:
                break
        return found

    def _asked_name(self, agent: int) -> str:
        """An agent's name; empty where we may not ask for it."""
        reply = self._transport.request("GET", f"/api/v2/agents/{agent}", limits=(ACCOUNT_LIMIT,), about_one=True)
        return string(mapping(mapping(reply.body).get("contact")).get("name")) if reply.ok else ""
