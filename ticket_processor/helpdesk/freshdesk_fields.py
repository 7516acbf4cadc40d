"""The words a Freshdesk account already sorts its tickets by: ticket fields and groups. Reads only.

Facts and their sources: developers.freshdesk.com/api, "Ticket Fields", "Groups". There is no list of the tags in use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .freshdesk_format import listed
from .protocol import AccountLabels, TicketField
from .transport import Transport

PAGE_SIZE = 100
MAX_PAGES = 20

_KINDS = {"custom_checkbox": "checkbox"}
"""Freshdesk's kinds of fields that others have another word for."""


def read_labels(transport: Transport) -> AccountLabels:
    """Everything at once; a handful of requests. Raises :class:`CannotRun`, as any reading of the helpdesk."""
    fields = tuple(_field(row) for row in _rows(transport, "ticket_fields", {}))
    return AccountLabels(tags=None, fields=fields, groups=dict(_groups(transport)))


def _groups(transport: Transport) -> Iterator[tuple[int, str]]:
    for page in range(1, MAX_PAGES + 1):
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
