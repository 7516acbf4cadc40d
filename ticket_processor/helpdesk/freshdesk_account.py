"""What a Freshdesk account has besides tickets: fields and groups, its people, and who we are. Reads only.

Facts and their sources: developers.freshdesk.com/api, "Ticket Fields", "Groups", "Contacts" (list), "Agents" (list),
"Tickets" (list), "Authentication". There is no list of the tags in use; archived, deleted and spam tickets are in no
list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..core.errors import CannotRun, ConfigError
from .freshdesk_format import listed
from .http_messages import Reply
from .protocol import BY_TICKET, AccountLabels, RequesterSearch, TicketField
from .transport import FixedAuth, Transport

PAGE_SIZE = 100
GROUP_PAGES = 20

_KINDS = {"custom_checkbox": "checkbox"}
"""Freshdesk's kinds of fields that others have another word for."""


def read_labels(transport: Transport) -> AccountLabels:
    """Everything at once; a handful of requests. Raises :class:`CannotRun`, as any reading of the helpdesk."""
    fields = tuple(_field(row) for row in _rows(transport, "ticket_fields", {}))
    return AccountLabels(tags=None, fields=fields, groups=dict(_groups(transport)))


def _groups(transport: Transport) -> Iterator[tuple[int, str]]:
    for page in range(1, GROUP_PAGES + 1):
        rows = _rows(transport, "groups", {"per_page": PAGE_SIZE, "page": page})
        yield from ((row["id"], str(row.get("name"))) for row in rows)
        if len(rows) < PAGE_SIZE:
            return


def _field(row: Mapping[str, Any]) -> TicketField:
    kind = str(row.get("type") or "")
    return TicketField(
        id=row["id"],
        title=str(row.get("label") or row.get("name") or ""),
        kind=_KINDS.get(kind, kind),
        active=not row.get("archived"),
        system=row.get("default") is True,
        required=row.get("required_for_closure") is True,
        options={value: value for value in _choices(row.get("choices"))},
    )


def _choices(choices: object) -> Iterator[str]:
    """The values of a drop-down: a list or, where one choice leads to others, the names at the top of the tree."""
    if isinstance(choices, list | dict):
        yield from map(str, choices)


def _rows(transport: Transport, name: str, params: Mapping[str, str | int]) -> list[dict[str, Any]]:
    return listed(transport.request("GET", f"/api/v2/{name}", params=params), name.replace("_", " "))


MAX_PAGES = 300
"""More are refused."""
BEGINNING = "1970-01-01T00:00:00Z"
"""Without a moment the list ends after thirty days."""
HINT = f"; {BY_TICKET}"


class FreshdeskRequesters(RequesterSearch):
    """The people of an account: contacts and agents, who may be requesters as well."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def with_address(self, address: str) -> set[int]:
        """See :meth:`RequesterSearch.with_address`."""
        found = {row["id"] for row in listed(self._get("/contacts", {"email": address}), "contacts", HINT)}
        if not found:
            agents = self._get("/agents", {"email": address})
            found = set() if agents.status == 403 else {row["id"] for row in listed(agents, "agents", HINT)}
        return found

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


class ApiKey(FixedAuth):
    """An agent's API key, by HTTP Basic; the password is a dummy."""

    def __init__(self, key: str) -> None:
        super().__init__(self.basic(key, "X"))


def own_user(transport: Transport) -> int | None:
    """The number of the agent whose key ``transport`` uses; ``None`` where Freshdesk does not say. One request."""
    reply = transport.request("GET", "/api/v2/agents/me")
    number = reply.body.get("id") if reply.ok and isinstance(reply.body, dict) else None
    return number if isinstance(number, int) else None
