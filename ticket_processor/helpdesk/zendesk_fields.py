"""The words a Zendesk account already sorts its tickets by: tags, ticket fields, groups. Reads only.

Facts and their sources: developer.zendesk.com, "Ticket Fields", "Tags", "Groups". A drop-down's value is a tag too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..core.errors import CannotRun, HelpdeskDown
from .protocol import AccountLabels, TicketField
from .transport import Transport

PAGE_SIZE = 100
MAX_PAGES = 20
"""The tags come most used first; those behind the two thousandth sort hardly a ticket."""

CHOICES = ("tagger", "multiselect")
"""Fields whose values are tags."""


class LabelsForbidden(CannotRun):
    """This user may not read these labels (HTTP 403)."""


def read_labels(transport: Transport) -> AccountLabels:
    """Everything at once; a handful of requests. Raises :class:`CannotRun`, as any reading of the helpdesk."""
    return AccountLabels(
        tags={str(row["name"]): int(row.get("count") or 0) for row in _rows(transport, "tags") if row.get("name")},
        fields=read_fields(transport),
        groups={
            row["id"]: str(row.get("name"))
            for row in _rows(transport, "groups")
            if isinstance(row.get("id"), int) and not row.get("deleted")
        },
    )


def read_fields(transport: Transport) -> tuple[TicketField, ...]:
    """The fields of the account's tickets, by one request: they come without pages. Raises :class:`CannotRun`.

    :class:`LabelsForbidden` when this user may not read them.
    """
    return tuple(_field(row) for row in _body(transport, "ticket_fields", {})[0] if isinstance(row.get("id"), int))


def _field(row: Mapping[str, Any]) -> TicketField:
    options = [item for item in row.get("custom_field_options") or () if isinstance(item, dict)]
    return TicketField(
        id=row["id"],
        title=str(row.get("title") or ""),
        kind=str(row.get("type") or ""),
        active=row.get("active") is not False,
        system=row.get("removable") is False,
        required=row.get("required") is True,
        options={str(item.get("value")): str(item.get("name")) for item in options},
    )


def _rows(transport: Transport, name: str) -> Iterator[Mapping[str, Any]]:
    for page in range(1, MAX_PAGES + 1):
        rows, more = _body(transport, name, {"per_page": PAGE_SIZE, "page": page})
        yield from rows
        if not more:
            return


def _body(transport: Transport, name: str, params: Mapping[str, str | int]) -> tuple[list[dict[str, Any]], bool]:
    reply = transport.request("GET", f"/api/v2/{name}", params=params, limits=("account",))
    if not reply.ok:
        error = LabelsForbidden if reply.status == 403 else CannotRun
        raise error(f"Zendesk refuses to show its {name.replace('_', ' ')} (HTTP {reply.status})")
    rows = reply.body.get(name) if isinstance(reply.body, dict) else None
    if not isinstance(rows, list):
        raise HelpdeskDown(f"Zendesk's answer holds no list of {name.replace('_', ' ')}")
    return [row for row in rows if isinstance(row, dict)], bool(reply.body.get("next_page"))
