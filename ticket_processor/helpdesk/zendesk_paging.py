"""Lists of a Zendesk account that not every plan or user may see, a page of a hundred at a time. Reads only.

Facts and their sources: developer.zendesk.com, "Pagination".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from ..core.errors import CannotRun, HelpdeskDown
from .json_values import mapping
from .transport import Transport

PAGE_SIZE = 100
MAX_PAGES = 50
_NOTHING: Mapping[str, str | int] = MappingProxyType({})


def listed_rows(
    transport: Transport,
    path: str,
    name: str,
    unread: list[str],
    *,
    needed: bool = False,
    params: Mapping[str, str | int] = _NOTHING,
) -> Iterator[Mapping[str, Any]]:
    """The rows of a list, 5,000 at most. What was not read, and why, is added to ``unread``.

    Raises :class:`CannotRun` where a ``needed`` list is refused.
    """
    asked = {**params, "page[size]": PAGE_SIZE}
    for _ in range(MAX_PAGES):
        rows, after = one_page(transport, path, name, asked, unread, needed=needed)
        yield from rows
        if not after or after == asked.get("page[after]"):
            return
        asked["page[after]"] = after
    unread.append(f"more than {MAX_PAGES * PAGE_SIZE} {_words(name)}: the others were not read")


def one_page(
    transport: Transport,
    path: str,
    name: str,
    params: Mapping[str, str | int],
    unread: list[str],
    *,
    needed: bool = False,
) -> tuple[list[Mapping[str, Any]], str | None]:
    """A page and the cursor of the next one; an empty one, and why in ``unread``, where it may not be read."""
    reply = transport.request("GET", f"/api/v2/{path}", params=params, limits=("account",))
    if not reply.ok:
        if needed:
            raise CannotRun(f"Zendesk refuses to show its {name} (HTTP {reply.status}): without them nothing is sure")
        unread.append(f"Zendesk does not show its {_words(name)} (HTTP {reply.status})")
        return [], None
    body = mapping(reply.body)
    rows = body.get(name)
    if not isinstance(rows, list):
        raise HelpdeskDown(f"Zendesk's answer holds no list of {name}")
    meta = mapping(body.get("meta"))
    after = meta.get("after_cursor") if meta.get("has_more") else None
    return [mapping(row) for row in rows], None if after is None else str(after)


def _words(name: str) -> str:
    return name.replace("sla_", "SLA ").replace("_", " ")
