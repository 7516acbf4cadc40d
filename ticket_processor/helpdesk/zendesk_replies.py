"""Agents' public replies on Zendesk. Reads only.

Facts and their sources: developer.zendesk.com, "Ticket Comments" (sorting, side-loaded users).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..core.errors import CannotRun, NotAuthorised, TicketError
from .agent_replies import AgentReply
from .json_values import mapping
from .transport import Transport
from .zendesk_format import ACCOUNT_LIMIT, body_of, error_code

NEWEST = 100
"""Comments of a ticket that are looked at: a page."""
MAX_BYTES = 2_000_000
_AGENTS = ("agent", "admin")


class ZendeskReplies:
    """The comments of one account. ``own`` is the number of our own user."""

    def __init__(self, transport: Transport, own: int | None) -> None:
        self._transport = transport
        self._own = own

    def of(self, ticket_id: int) -> tuple[AgentReply, ...]:
        """See :meth:`AgentReplies.of`; one request, which tells who the authors are as well."""
        reply = self._transport.request(
            "GET",
            f"/api/v2/tickets/{ticket_id}/comments",
            params={"page[size]": NEWEST, "sort": "-created_at", "include": "users"},
            limits=(ACCOUNT_LIMIT,),
            most=MAX_BYTES,
            about_one=True,
        )
        if reply.status == 404:
            return ()
        if not reply.ok:
            raise TicketError(
                f"Zendesk refuses this ticket's comments (HTTP {reply.status}{error_code(reply)})",
                if_shared=NotAuthorised if reply.status == 403 else CannotRun,
            )
        body = body_of(reply)
        people: dict[object, Mapping[str, Any]] = {row.get("id"): row for row in map(mapping, body.get("users") or ())}
        found: list[AgentReply] = []
        for row in map(mapping, body.get("comments") or ()):
            author = people.get(row.get("author_id"), {})
            if row.get("public") is True and author.get("role") in _AGENTS and author.get("id") != self._own:
                text = row.get("plain_body") or row.get("body")
                found.append(AgentReply(str(text or ""), str(author.get("name") or "")))
        return tuple(reversed(found))

    def gone_since(self, moment: float) -> Collection[int]:
        """See :meth:`AgentReplies.gone_since`: the export shows deleted tickets."""
        return ()
