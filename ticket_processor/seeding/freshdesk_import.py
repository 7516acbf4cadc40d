"""A Freshdesk sandbox account for invented tickets.

Source: developers.freshdesk.com/api, "Tickets" (create, filter), "Rate Limit".
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

from ..core.errors import CannotRun
from ..helpdesk.freshdesk_format import ACCOUNT_LIMIT, read_limits
from ..helpdesk.freshdesk_reads import Listing
from ..helpdesk.transport import Transport
from .accounts import SANDBOX_HEADER, SandboxVerdict, judged, posted, tag_of, with_attachments

LOW_LIMIT = 50
"""A trial may make fifty calls a minute."""
OPEN = 2
_SOURCES = {"email": 1, "web": 2, "voice": 3, "chat": 7, "api": 1}
"""There is no source for programs; what they send comes by mail."""


class FreshdeskSeedTarget:
    """An account to seed. Use from one thread."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def judge(self) -> SandboxVerdict:
        """See :meth:`SeedAccount.judge`."""
        params = {"query": "\"created_at:>'2000-01-01'\""}
        reply = self._transport.request("GET", "/api/v2/search/tickets", params=params)
        if not reply.ok:
            raise CannotRun(f"Freshdesk refuses to search its tickets (HTTP {reply.status})")
        if reply.headers.get(SANDBOX_HEADER):
            return SandboxVerdict(True, "it is ticketbot's own sandbox")
        count = reply.body.get("total") if isinstance(reply.body, dict) else None
        limit = read_limits(reply.headers).get(ACCOUNT_LIMIT)
        total = None if limit is None else limit.total
        of_a_test = f"its limit of {total} calls a minute is that of a trial"
        return judged(self._transport.base_url, count, total, LOW_LIMIT, "limit for calls", of_a_test)

    def existing(self) -> set[str]:
        """See :meth:`SeedAccount.existing`: the tags of all tickets."""
        pages = Listing(self._transport).changed_since(0.0)
        return {str(tag) for rows, _, _ in pages for row in rows for tag in row.get("tags") or ()}

    def mark(self, item: Mapping[str, Any]) -> str:
        """See :meth:`SeedAccount.mark`."""
        return tag_of(item)

    def create(self, item: Mapping[str, Any], mark: str) -> bool:
        """See :meth:`SeedAccount.create`."""
        return posted(self._transport, "/api/v2/tickets", _freshdesk_row(item, mark))


def _freshdesk_row(item: Mapping[str, Any], tag: str) -> dict[str, Any]:
    comment = with_attachments(item)
    text = comment.get("html_body") or html.escape(comment["body"]).replace("\n", "<br>")
    return {
        "subject": item["subject"] or " ",
        "description": text,
        "name": item["requester"]["name"],
        "email": item["requester"]["email"],
        "source": _SOURCES.get(item["channel"], _SOURCES["web"]),
        "status": OPEN,
        "tags": [*item["tags"], tag],
    }
