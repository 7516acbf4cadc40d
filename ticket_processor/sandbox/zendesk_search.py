"""The search of the imitated account: tickets by a query, page by page, and how many there are."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .messages import Response, json_response, refuse
from .records import without_generated
from .zendesk_call import Call
from .zendesk_export import ORDERED, Document, indexed, parse_query
from .zendesk_lists import PAGE, neighbours

MOST_RESULTS = 1_000
"""Results that a search shows, over all its pages."""

_TYPE = re.compile(r"(?:^|(?<=\s))type:(\S+)")
_TIMES = ("created_at", "updated_at")
_TYPES = ("problem", "incident", "question", "task")


def search(call: Call) -> Response:
    """``GET /search``: tickets that match, as the index knows them; 422 beyond the first thousand.

    Pages are by offset only. Without ``sort_by`` the order is by relevance, here the latest change first.
    """
    rows = _found(call)
    page, size = call.number("page", 1, at_most=10**9), call.number("per_page", PAGE, at_most=PAGE)
    start, end = (page - 1) * size, page * size
    if start >= MOST_RESULTS:
        description = "Requested response size was greater than Search Response Limits"
        raise refuse(422, {"error": "invalid", "description": description})
    name = call.request.query.get("sort_by", "")
    rows.sort(key=_sort_key(name), reverse=call.request.query.get("sort_order") != "asc")
    payload = {
        "results": [
            {**without_generated(row), "result_type": "ticket"} for row in rows[start : min(end, MOST_RESULTS)]
        ],
        "facets": None,
        **neighbours(call, page, size, len(rows)),
    }
    return json_response(200, payload)


def count(call: Call) -> Response:
    """``GET /search/count``: how many there are, without a limit."""
    return json_response(200, {"count": len(_found(call))})


def _found(call: Call) -> list[Document]:
    query = call.request.query.get("query", "")
    if not query.strip():
        raise refuse(422, {"error": "invalid", "description": "Invalid search: query is required"})
    if others := set(_TYPE.findall(query)) - {"ticket"}:
        description = f"Invalid search: this sandbox finds tickets only, not type:{sorted(others)[0][:40]}"
        raise refuse(422, {"error": "invalid", "description": description})
    test = parse_query(_TYPE.sub(" ", query))
    documents = (indexed(call, ticket) for ticket in call.store.tickets.values())
    return [document for document in documents if document is not None and test(document)]


def _sort_key(name: str) -> Callable[[Document], tuple[Any, ...]]:
    ranks = _TYPES if name == "ticket_type" else ORDERED.get(name)
    if ranks is None:
        field = name if name in _TIMES else "updated_at"
        return lambda row: (row[field], row["id"])
    field = "type" if name == "ticket_type" else name
    return lambda row: (ranks.index(row[field]) if row.get(field) in ranks else -1, row["id"])
