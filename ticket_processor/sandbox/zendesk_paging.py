"""The two ways of paging through a list: by cursor and by offset."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import orjson

from .messages import Refusal, Response, json_response, refuse
from .zendesk_call import Call, Row

PAGE = 100
DEEPEST_OFFSET = 10_000

Key = tuple[Any, ...]


def paged(
    call: Call,
    name: str,
    rows: list[Row],
    *,
    sorts: Sequence[str] = ("id",),
    show: Callable[[Row], Row] = dict,
    besides: Mapping[str, Any] = MappingProxyType({}),
    order: str = "",
) -> Response:
    """A page of ``rows``, each as ``show`` gives it: by cursor when the query has ``page[…]``, by offset otherwise.

    ``besides`` is shown with every page. ``order`` names the fields that rows are sorted by where the query names none,
    with commas between them.

    ``sort_order`` and ``sort_by`` belong to offsets and are ignored beside ``page[…]``.
    """
    query = call.request.query
    if "page[size]" in query or "page[after]" in query or "page[before]" in query:
        return _by_cursor(call, name, rows, (*sorts, order), show, besides, default=order)
    page = call.number("page", 1, at_most=10**9)
    size = call.number("per_page", PAGE, at_most=PAGE)
    if page * size > DEEPEST_OFFSET and page > 1:
        raise _error(400, "InvalidPaginationDepth", "Pagination depth is limited to 10,000 records")
    asked = query.get("sort_by") or query.get("sort") or order
    key, backwards = _sort_key(asked, ("created_at", order, *sorts))
    rows = sorted(rows, key=key, reverse=backwards or query.get("sort_order") == "desc")
    start, end = (page - 1) * size, page * size
    shown = {name: list(map(show, rows[start:end])), **besides}
    return json_response(200, {**shown, **neighbours(call, page, size, len(rows))})


def neighbours(call: Call, page: int, size: int, count: int) -> dict[str, Any]:
    """The links and the count of a page by offset."""
    return {
        "next_page": call.link(page=str(page + 1)) if page * size < count else None,
        "previous_page": call.link(page=str(page - 1)) if page > 1 else None,
        "count": count,
    }


def _by_cursor(
    call: Call,
    name: str,
    rows: list[Row],
    sorts: Sequence[str],
    show: Callable[[Row], Row],
    besides: Mapping[str, Any],
    *,
    default: str = "",
) -> Response:
    query = call.request.query
    sort = query.get("sort", default)
    if sort.lstrip("-") not in ("", "id", *sorts):
        raise _error(400, "InvalidPaginationParameter", f"sort is not valid: {sort[:40]}")
    key, backwards = _sort_key(sort, sorts)
    size = call.number("page[size]", PAGE, at_most=PAGE)
    ordered = sorted(rows, key=key, reverse=backwards)
    rest = ordered
    if query.get("page[after]"):
        position = decode_cursor(query["page[after]"])
        try:
            rest = [row for row in ordered if (key(row) < position if backwards else key(row) > position)]
        except TypeError:
            raise _error(400, "InvalidPaginationParameter", "page[after] is not valid") from None
    page, more = rest[:size], len(rest) > size
    after = encode_cursor(key(page[-1])) if page else None
    before = encode_cursor(key(page[0])) if page else None
    payload = {
        name: list(map(show, page)),
        **besides,
        "meta": {"has_more": more, "after_cursor": after, "before_cursor": before},
        "links": _links(call, before, after, len(rest) < len(ordered), more),
    }
    return json_response(200, payload)


def _links(call: Call, before: str | None, after: str | None, earlier: bool, later: bool) -> dict[str, str | None]:
    """Both links on every page that has rows, even where nothing follows; the help center's tell the truth."""
    back = call.link(page__before=before, page__after=None) if before else None
    on = call.link(page__after=after, page__before=None) if after else None
    if "/help_center/" not in call.request.path:
        return {"prev": back, "next": on}
    first = call.link(page__before=None, page__after=None)
    return {"first": first, **({"prev": back} if earlier else {}), **({"next": on} if later else {})}


def _sort_key(sort: str, sorts: Sequence[str]) -> tuple[Callable[[Row], Key], bool]:
    """The sort key, with ties broken by id, and whether the order is descending."""
    name = sort.lstrip("-")
    if name in ("", "id") or name not in sorts:
        return (lambda row: (row["id"],)), sort.startswith("-")
    parts = name.split(",")
    return (lambda row: (*(_sortable(row.get(part)) for part in parts), row["id"])), sort.startswith("-")


def _sortable(value: Any) -> str:
    return f"{value:012d}" if isinstance(value, int) else str(value)


def encode_cursor(key: Key) -> str:
    """A position as an opaque cursor."""
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode("ascii")


def decode_cursor(cursor: str) -> Key:
    """The position in a cursor; 400 for anything else."""
    try:
        position = orjson.loads(base64.urlsafe_b64decode(cursor))
    except (binascii.Error, ValueError):
        position = None
    if not isinstance(position, list) or not position:
        raise _error(400, "InvalidPaginationParameter", "page[after] is not valid")
    return tuple(position)


def _error(status: int, code: str, title: str) -> Refusal:
    return refuse(status, {"errors": [{"code": code, "title": title, "detail": title}]})
