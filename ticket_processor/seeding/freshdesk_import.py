"""Putting invented tickets into a Freshdesk sandbox account, one after the other and never twice.

Source: developers.freshdesk.com/api, "Tickets" (create, filter), "Rate Limit". A Freshdesk ticket has no number of its
sender's, so a tag tells which ones are there already.
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..core.errors import CannotRun, HelpdeskDown, OutcomeUnknown
from ..helpdesk.freshdesk_format import ACCOUNT_LIMIT, read_limits
from ..helpdesk.freshdesk_reads import Listing
from ..helpdesk.http_messages import Effect
from ..helpdesk.transport import Transport
from .accounts import SANDBOX_HEADER, SandboxVerdict, Seeded, judged, with_attachments

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
        """The tags of all tickets, ours among them."""
        pages = Listing(self._transport).changed_since(0.0)
        return {str(tag) for rows, _, _ in pages for row in rows for tag in row.get("tags") or ()}

    def create(
        self, tickets: Iterator[Mapping[str, Any]], *, progress: Callable[[int], None] = lambda _n: None
    ) -> Seeded:
        """See :meth:`SeedAccount.create`."""
        known = self.existing()
        created = existing = failed = 0
        for item in tickets:
            tag = seed_tag(str(item["external_id"]))
            if tag in known:
                existing += 1
            elif self._create(item, tag):
                created += 1
            else:
                failed += 1
            known.add(tag)
            progress(1)
        return Seeded(created, existing, failed)

    def _create(self, item: Mapping[str, Any], tag: str) -> bool:
        try:
            reply = self._transport.request(
                "POST", "/api/v2/tickets", json=_freshdesk_row(item, tag), effect=Effect.WRITE
            )
        except OutcomeUnknown:
            raise HelpdeskDown(
                "no clear answer to a new ticket; wait a minute and seed again: what was created is found again by "
                "its tag, and nothing doubles"
            ) from None
        if reply.status in (403, 404, 405):
            raise CannotRun(f"Freshdesk refuses to create tickets (HTTP {reply.status})")
        return reply.ok


def seed_tag(external_id: str) -> str:
    """The tag of a seeded ticket; Freshdesk's tags have 32 characters at most."""
    return "seed_" + hashlib.sha256(external_id.encode()).hexdigest()[:16]


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
