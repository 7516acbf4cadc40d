"""Reading many things at once: the ticket list, ``show_many``, comments, audits, and the two ways of paging."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import orjson

from .clock import iso
from .messages import Refusal, Response, json_response, refuse
from .records import without_generated
from .zendesk_call import Call, forbidden, missing_scope

PAGE = 100
DEEPEST_OFFSET = 10_000
ROLES = ("requester_id", "submitter_id", "assignee_id")

Row = dict[str, Any]
Key = tuple[Any, ...]


def list_tickets(call: Call) -> Response:
    """``GET /tickets``: not deleted, by id; cursor paging sorts by ``updated_at``, ``id`` or ``status`` only."""
    call.spend("list_tickets")
    rows = [ticket.json for ticket in call.store.tickets.values() if not ticket.deleted]
    wanted = call.request.query.get("external_id")
    if wanted is not None:
        rows = [row for row in rows if row["external_id"] == wanted]
    by_cursor = any(name.startswith("page[") for name in call.request.query)
    show = _without_fields if by_cursor else without_generated
    return paged(call, "tickets", rows, sorts=("updated_at", "id", "status"), show=show)


def _without_fields(row: Row) -> Row:
    """A ticket as the list by cursor shows it: its own fields stand in ``custom_fields`` alone."""
    return {name: value for name, value in without_generated(row).items() if name != "fields"}


def show_many(call: Call) -> Response:
    """``GET /tickets/show_many?ids=``: at most 100, always by id; tickets that are gone are absent."""
    rows = [ticket.shown for ticket in call.store.read(*sorted(call.ids()))]
    payload = {"tickets": rows, "next_page": None, "previous_page": None, "count": len(rows), **side_loads(call, rows)}
    return json_response(200, payload)


def side_loads(call: Call, rows: list[Row], roles: Sequence[str] = ROLES) -> dict[str, list[Row]]:
    """With ``include=users`` everybody whom the rows name, once each; nothing else is side-loaded here."""
    if "users" not in call.request.query.get("include", "").split(","):
        return {}
    wanted = dict.fromkeys(row[role] for row in rows for role in roles if row.get(role) is not None)
    return {"users": [call.store.users[user] for user in wanted if user in call.store.users]}


def comments(call: Call) -> Response:
    """``GET /tickets/{id}/comments``: oldest first, or by ``sort=-created_at``; ``include=users`` adds the authors."""
    rows = list(call.shown_ticket().comments)
    newest_first = call.request.query.get("sort_order") == "desc"
    authors = side_loads(call, rows, ("author_id",))
    return paged(call, "comments", rows, sorts=("created_at",), descending=newest_first, besides=authors)


def count_comments(call: Call) -> Response:
    """``GET /tickets/{id}/comments/count``: with those that a ticket must have had where it takes few more."""
    value = len(call.shown_ticket().comments) + call.rules.had_comments
    return json_response(200, {"count": {"value": value, "refreshed_at": iso(call.now)}})


def audits(call: Call) -> Response:
    """``GET /tickets/{id}/audits``: oldest first, or by ``sort=-created_at``; needs the global read scope."""
    scopes = call.identity.scopes
    if scopes is not None and "read" not in scopes:
        raise missing_scope("read")
    call.spend("audits")
    rows = [audit.as_json() for audit in call.shown_ticket().audits]
    newest_first = call.request.query.get("sort_order") == "desc"
    return paged(call, "audits", rows, sorts=("created_at",), descending=newest_first)


def all_audits(call: Call) -> Response:
    """``GET /ticket_audits``: every ticket's, for admins with the global read scope.

    By ``page[size]`` the oldest are first, whatever ``sort_order`` says; by ``limit``, ``sort_order`` and ``cursor`` as
    asked, with cursors and links at the top of the answer. Both are as recorded by public clients (zenpy's
    cassettes of 2023 and 2024; airbyte's source-zendesk-support).
    """
    if call.identity.role != "admin":
        raise forbidden()
    rows = [audit.as_json() for audit in call.store.told_history()]
    query = call.request.query
    if any(name.startswith("page[") for name in query):
        return _by_cursor(call, "audits", rows, ("created_at",), dict, {}, default="created_at")
    rows.sort(key=lambda row: (row["created_at"], row["id"]), reverse=query.get("sort_order", "desc") == "desc")
    size = call.number("limit", PAGE, at_most=1000)
    start = min(int(decode_cursor(query["cursor"])[0]), len(rows)) if query.get("cursor") else 0
    end = min(start + size, len(rows))
    # The names follow the order: newest first, what comes next is what was before.
    onward = encode_cursor((end,)) if end < len(rows) else None
    back = encode_cursor((max(0, start - size),)) if start else None
    before, after = (onward, back) if query.get("sort_order", "desc") == "desc" else (back, onward)
    payload = {
        "audits": rows[start:end],
        "before_cursor": before,
        "after_cursor": after,
        "before_url": before and call.link(cursor=before),
        "after_url": after and call.link(cursor=after),
    }
    return json_response(200, payload)


def paged(
    call: Call,
    name: str,
    rows: list[Row],
    *,
    sorts: Sequence[str] = ("id",),
    descending: bool = False,
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
    rows = sorted(rows, key=key, reverse=backwards or query.get("sort_order") == "desc" or descending)
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
    start, end = 0, len(ordered)
    if query.get("page[after]"):
        position = decode_cursor(query["page[after]"])
        start = _index_after([key(row) for row in ordered], position, backwards)
        end = min(end, start + size)
    elif query.get("page[before]"):
        position = decode_cursor(query["page[before]"])
        end = _index_after([key(row) for row in ordered], position, backwards)
        end -= int(end > 0 and key(ordered[end - 1]) == position)
        start = max(0, end - size)
    else:
        end = min(end, size)
    page = ordered[start:end]
    more = end < len(ordered)
    after = encode_cursor(key(page[-1])) if page else None
    before = encode_cursor(key(page[0])) if page else None
    payload = {
        name: list(map(show, page)),
        **besides,
        "meta": {"has_more": more, "after_cursor": after, "before_cursor": before},
        "links": _links(call, before, after, start > 0, more),
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


def _index_after(keys: list[Key], position: Key, backwards: bool) -> int:
    """How many of the sorted keys come before, or stand at, a position."""
    try:
        if backwards:
            return len(keys) - bisect_left(keys[::-1], position)
        return bisect_right(keys, position)
    except TypeError:
        raise _error(400, "InvalidPaginationParameter", "page[after] is not valid") from None


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


def list_tags(call: Call) -> Response:
    """``GET /tags``: every tag in use with its count, most frequent first."""
    call.spend("tags")
    counts = Counter(tag for ticket in call.store.tickets.values() if not ticket.deleted for tag in ticket.json["tags"])
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    rows = [{"id": place, "name": tag, "count": used} for place, (tag, used) in enumerate(ranked)]
    return paged(call, "tags", rows, show=lambda row: {"name": row["name"], "count": row["count"]})
