"""The imitated account: its ticket fields, groups and users, and what a user has requested."""

from __future__ import annotations

import shlex
from typing import Any

from .messages import Response, json_response, refuse
from .records import without_generated
from .store import Store
from .zendesk_call import NOT_FOUND, Call
from .zendesk_paging import PAGE, neighbours, paged

ANONYMOUS = {"id": None, "name": "Anonymous user", "email": "invalid@example.com", "role": "end-user"}
OLD_S = 120 * 86_400
"""A ticket that was closed so long ago is archived: no list has it."""


def search_users(call: Call) -> Response:
    """``GET /users/search``: users with all words in their name or address, parts included. Offset paging only."""
    text = call.request.query.get("query", "")
    try:
        words = [word.lower() for word in shlex.split(text.replace("'", r"\'"))]
    except ValueError:
        raise refuse(422, {"error": "invalid", "description": f"Invalid search: {text[:80]}"}) from None
    rows = [row for number, row in sorted(call.store.users.items()) if _matches(call.store, number, words)]
    page, size = call.number("page", 1, at_most=100), call.number("per_page", PAGE, at_most=PAGE)
    shown = rows[(page - 1) * size : page * size]
    return json_response(200, {"users": shown, **neighbours(call, page, size, len(rows))})


def _matches(store: Store, number: int, words: list[str]) -> bool:
    told = [str(store.users[number]["name"]), *store.users.addresses_of(number)]
    said = {"name": told[:1], "email": told[1:]}
    for word in words:
        kind, colon, value = word.partition(":")
        places = said.get(kind) if colon else told
        if places is None or not any((value if colon else word) in place.lower() for place in places):
            return False
    return bool(words)


def identities(call: Call) -> Response:
    """``GET /users/{id}/identities``: the addresses of a user, the primary one first."""
    number = int(call.args[0])
    if number not in call.store.users:
        raise refuse(404, NOT_FOUND)
    stamp = call.store.users[number]["created_at"]
    rows: list[dict[str, Any]] = [
        {
            "id": number * 100 + place,
            "url": f"{call.store.base_url}/api/v2/users/{number}/identities/{number * 100 + place}.json",
            "user_id": number,
            "type": "email",
            "value": address,
            "primary": place == 0,
            "verified": True,
            "created_at": stamp,
            "updated_at": stamp,
        }
        for place, address in enumerate(call.store.users.addresses_of(number))
    ]
    return paged(call, "identities", rows)


def requested(call: Call) -> Response:
    """``GET /users/{id}/tickets/requested``: neither deleted nor archived ones."""
    number = int(call.args[0])
    if number not in call.store.users:
        raise refuse(404, NOT_FOUND)
    rows = [
        ticket.json
        for ticket in call.store.tickets.values()
        if ticket.json["requester_id"] == number and not ticket.deleted
        if not (ticket.json["status"] == "closed" and call.now - ticket.changed > OLD_S)
    ]
    return paged(call, "tickets", rows, sorts=("updated_at", "id", "status"), show=without_generated)


def ticket_fields(call: Call) -> Response:
    """``GET /ticket_fields``: all of them, without paging."""
    call.spend("ticket_fields")
    fields = call.store.ticket_fields
    return json_response(200, {"ticket_fields": fields, "next_page": None, "previous_page": None, "count": len(fields)})


def groups(call: Call) -> Response:
    """``GET /groups``: those that are not deleted, unless asked for with ``exclude_deleted=false``."""
    rows = list(call.store.groups.values())
    if call.request.query.get("exclude_deleted") != "false":
        rows = [row for row in rows if not row["deleted"]]
    return paged(call, "groups", rows, sorts=("id", "name"), order="name")


def triggers(call: Call) -> Response:
    """``GET /triggers``: they are shown, and never do anything."""
    return paged(call, "triggers", list(call.store.triggers.values()), order="position,title")


def automations(call: Call) -> Response:
    """``GET /automations``: they are shown, and never do anything."""
    return paged(call, "automations", call.store.automations, order="position")


def current_user(call: Call) -> Response:
    """``GET /users/me`` with credentials."""
    return json_response(200, {"user": call.store.users[call.identity.user_id]})


def anonymous_user() -> Response:
    """``GET /users/me`` without credentials: 200 all the same."""
    return json_response(200, {"user": ANONYMOUS})
