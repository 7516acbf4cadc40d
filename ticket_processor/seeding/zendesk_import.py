"""A Zendesk sandbox account for invented tickets.

Source: developer.zendesk.com, "Tickets" (create, idempotency), "Rate limits".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from ..core.errors import CannotRun
from ..helpdesk.http_messages import Reply
from ..helpdesk.transport import Transport
from ..helpdesk.zendesk_format import read_limits
from .accounts import SANDBOX_HEADER, SandboxVerdict, judged, posted, with_attachments
from .corpus import EXTERNAL_ID_PREFIX

LOW_FIELDS_LIMIT = 40
"""Zendesk allows 300 listings of ticket fields a minute, 40 in a sandbox and 20 in a trial."""


class ZendeskSeedTarget:
    """An account to seed. Use from one thread."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def judge(self) -> SandboxVerdict:
        """See :meth:`SeedAccount.judge`."""
        reply = self._get("/ticket_fields", {})
        if reply.headers.get(SANDBOX_HEADER):
            return SandboxVerdict(True, "it is ticketbot's own sandbox")
        limit = next(
            (limit.total for name, limit in read_limits(reply.headers).items() if name.startswith("ticket-fields")),
            None,
        )
        count_reply = self._get("/tickets/count", {})
        count = ((count_reply.body or {}).get("count") or {}).get("value")
        told = "limit for field listings"
        of_a_test = f"its limit of {limit} field listings a minute is that of a sandbox or trial"
        return judged(self._transport.base_url, count, limit, LOW_FIELDS_LIMIT, told, of_a_test)

    def existing(self) -> set[str]:
        """See :meth:`SeedAccount.existing`."""
        found: set[str] = set()
        params: dict[str, str | int] = {"page[size]": 100}
        while True:
            reply = self._get("/tickets", params)
            rows = (reply.body or {}).get("tickets") or ()
            ids = (str(row.get("external_id") or "") for row in rows)
            found.update(name for name in ids if name.startswith(EXTERNAL_ID_PREFIX))
            meta = (reply.body or {}).get("meta") or {}
            after = meta.get("after_cursor")
            if not meta.get("has_more") or not after or after == params.get("page[after]"):
                return found
            params["page[after]"] = str(after)

    def mark(self, item: Mapping[str, Any]) -> str:
        """See :meth:`SeedAccount.mark`: its external id."""
        return str(item["external_id"])

    def create(self, item: Mapping[str, Any], mark: str) -> bool:
        """See :meth:`SeedAccount.create`."""
        key = {"Idempotency-Key": f"ticketbot-{hashlib.sha256(mark.encode()).hexdigest()}"}
        return posted(self._transport, "/api/v2/tickets", {"ticket": _zendesk_row(item)}, key)

    def _get(self, path: str, params: Mapping[str, str | int]) -> Reply:
        reply = self._transport.request("GET", "/api/v2" + path, params=params)
        if not reply.ok:
            raise CannotRun(f"Zendesk refuses {path} (HTTP {reply.status})")
        return reply


def _zendesk_row(item: Mapping[str, Any]) -> dict[str, Any]:
    comment = with_attachments(item)
    return {
        "subject": item["subject"],
        "comment": comment,
        "requester": item["requester"],
        "external_id": item["external_id"],
        "tags": item["tags"],
        "via": {"channel": item["channel"]},
    }
