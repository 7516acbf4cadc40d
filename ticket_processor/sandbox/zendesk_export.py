"""Lists of tickets by last change (incremental export) and by a query (search export)."""

from __future__ import annotations

import base64
import binascii
import operator
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from typing import Any

from .clock import iso, parse_iso
from .messages import Response, json_response, refuse
from .records import without_generated
from .zendesk_call import Call, bad_request, decode_cursor, encode_cursor, forbidden
from .zendesk_tickets import side_loads

WITHHELD = 60
"""Seconds of the newest changes that the incremental export does not show yet."""

SEARCH_CURSOR_LIFE = 3_600

Document = dict[str, Any]
Test = Callable[[Document], bool]

_CURSOR = re.compile(r"^(\d{1,12})(?:\.0)?\|\|(\d{1,18})\|$")
_TERM = re.compile(r"([a-z]+)(:|>=|<=|>|<)(.+)")
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    ":": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}
_STATUSES = ("new", "open", "pending", "hold", "solved", "closed")
"""The lowest first."""


def incremental(call: Call) -> Response:
    """``GET /incremental/tickets/cursor``: every ticket once per last change, deleted ones too. Admins only.

    Sorted by (``generated_timestamp``, id); ``after_cursor`` is set on the last page as well.
    """
    if call.identity.role != "admin":
        raise forbidden()
    call.spend("incremental_exports")
    query = call.request.query
    size = call.number("per_page", 1_000, at_most=1_000)
    position = _position(call)
    edge = int(call.now) - WITHHELD
    keys = call.store.by_changed
    start = bisect_right(keys, position)
    end = bisect_right(keys, (edge, 1 << 62))
    taken = keys[start : min(start + size, end)]
    last = taken[-1] if taken else position
    cursor = _encode(last)
    rows = [call.store.tickets[ticket_id].json for _, ticket_id in taken]
    if query.get("exclude_deleted") == "true":
        rows = [row for row in rows if row["status"] != "deleted"]
    payload = {
        "tickets": rows,
        "after_url": call.link(cursor=cursor, start_time=None),
        "after_cursor": cursor,
        "before_url": call.link(start_time=None) if query.get("cursor") else None,
        "before_cursor": query.get("cursor") or None,
        "end_of_stream": start + size >= end,
        **side_loads(call, rows),
    }
    return json_response(200, payload)


def _position(call: Call) -> tuple[int, int]:
    cursor = call.request.query.get("cursor")
    if cursor:
        try:
            found = _CURSOR.match(base64.b64decode(cursor, validate=True).decode("ascii", "replace"))
        except (binascii.Error, ValueError):
            found = None
        if found is None:
            raise refuse(400, {"error": "InvalidValue", "description": "cursor is not valid"})
        return int(found[1]), int(found[2])
    text = call.request.query.get("start_time", "")
    try:
        start_time = int(float(text))
    except (ValueError, OverflowError):
        raise bad_request("Invalid attribute", "start_time or cursor is required") from None
    if start_time > call.now - WITHHELD:
        description = f"Too recent start_time. Use a start_time older than {WITHHELD} seconds"
        raise refuse(422, {"error": "InvalidValue", "description": description})
    return start_time, 0


def _encode(position: tuple[int, int]) -> str:
    return base64.b64encode(f"{position[0]}.0||{position[1]}|".encode("ascii")).decode("ascii")


def search_export(call: Call) -> Response:
    """``GET /search/export``: tickets that match, newest creation first, as the index knows them."""
    query = call.request.query
    if query.get("filter[type]") != "ticket":
        raise refuse(422, {"error": "invalid", "description": "Invalid search: filter[type] is required"})
    call.spend("search_export")
    size = call.number("page[size]", 100, at_most=1_000)
    test = _query(query.get("query", ""))
    keys = call.store.by_created
    end, begun = len(keys), call.now
    if query.get("page[after]"):
        position = decode_cursor(query["page[after]"])
        begun = position[-1] if all(isinstance(part, (int, float)) for part in position) else 0.0
        if len(position) != 3 or call.now - begun > SEARCH_CURSOR_LIFE:
            raise refuse(400, {"error": "invalid", "description": "The cursor has expired"})
        end = bisect_left(keys, position[:2])
    rows: list[Document] = []
    last: tuple[float, int] | None = None
    more = False
    for key in reversed(keys[:end]):
        document = call.store.indexed(call.store.tickets[key[1]])
        if document is None or not test(document):
            continue
        if len(rows) == size:
            more = True
            break
        rows.append({**without_generated(document), "result_type": "ticket"})
        last = key
    cursor = encode_cursor((*last, begun)) if last and more else None
    payload = {
        "results": rows,
        "facets": None,
        "meta": {"has_more": more, "after_cursor": cursor, "before_cursor": None},
        "links": {"prev": None, "next": call.link(page__after=cursor) if cursor else None},
    }
    return json_response(200, payload)


def _query(text: str) -> Test:
    """A search query as a test of one ticket: ``created``, ``status`` and ``requester``; 422 for the rest."""
    tests = []
    for term in text.split():
        found = _TERM.fullmatch(term)
        if found is None:
            raise _invalid(term)
        tests.append(_term(*found.groups()))
    return lambda row: all(test(row) for test in tests)


def _term(name: str, sign: str, value: str) -> Test:
    compare = _OPERATORS[sign]
    if name == "created":
        try:
            moment = iso(parse_iso(value))
        except ValueError:
            raise _invalid(value) from None
        return lambda row: compare(row["created_at"], moment)
    if name == "status" and value in _STATUSES:
        wanted = _STATUSES.index(value)
        return lambda row: row["status"] in _STATUSES and compare(_STATUSES.index(row["status"]), wanted)
    if name == "requester" and value.isdecimal():
        return lambda row: compare(row["requester_id"], int(value))
    raise _invalid(name)


def _invalid(text: str) -> Exception:
    return refuse(422, {"error": "invalid", "description": f"Invalid search: {text[:80]}"})
