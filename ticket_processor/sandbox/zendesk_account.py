"""The imitated account: its ticket fields, groups and users, and what a user has requested."""

from __future__ import annotations

import shlex
from typing import Any

from .clock import iso
from .messages import Response, json_response, refuse
from .records import without_generated
from .store import Store
from .zendesk_call import NOT_FOUND, Call
from .zendesk_paging import PAGE, neighbours, paged

FIRST_GROUP = 8_001
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


def satisfaction_ratings(call: Call) -> Response:
    """``GET /satisfaction_ratings``: nobody rates anything here."""
    return paged(call, "satisfaction_ratings", [])


def current_user(call: Call) -> Response:
    """``GET /users/me`` with credentials."""
    return json_response(200, {"user": call.store.users[call.identity.user_id]})


def anonymous_user() -> Response:
    """``GET /users/me`` without credentials: 200 all the same."""
    return json_response(200, {"user": ANONYMOUS})


def default_groups(store: Store) -> dict[int, dict[str, Any]]:
    """The groups of agents that a fresh account might have."""
    stamp = iso(store.now())
    return {
        group_id: {
            "id": group_id,
            "url": f"{store.base_url}/api/v2/groups/{group_id}.json",
            "name": name,
            "description": "",
            "default": group_id == FIRST_GROUP,
            "deleted": False,
            "is_public": True,
            "created_at": stamp,
            "updated_at": stamp,
        }
        for group_id, name in enumerate(("Support", "Finance"), FIRST_GROUP)
    }


def default_fields(store: Store) -> list[dict[str, Any]]:
    """The ticket fields of a fresh account, and a drop-down and a line of text of its own."""
    stamp = iso(store.now())
    choices: dict[str, list[tuple[str, str]]] = {
        "status": [(name.capitalize(), name) for name in ("new", "open", "pending", "solved")],
        "tickettype": [(name.capitalize(), name) for name in ("question", "incident", "problem", "task")],
        "priority": [(name.capitalize(), name) for name in ("low", "normal", "high", "urgent")],
    }
    kinds = ("subject", "description", "status", "tickettype", "priority", "group", "assignee")
    fields: list[dict[str, Any]] = []
    for position, kind in enumerate(kinds):
        field = _field(store, 1_000 + position, kind, kind.capitalize(), position, stamp)
        if kind in choices:
            field["system_field_options"] = [{"name": name, "value": value} for name, value in choices[kind]]
        if kind == "priority":
            field["sub_type_id"] = 0
        fields.append(field)
    product = _field(store, 2_001, "tagger", "Product area", len(kinds), stamp)
    product["removable"] = True
    product["custom_field_options"] = [
        {"id": 3_000 + index, "name": name, "raw_name": name, "value": value}
        for index, (name, value) in enumerate((("Web shop", "area_web_shop"), ("App", "area_app")))
    ]
    order = _field(store, 2_002, "text", "Order number", len(kinds) + 1, stamp)
    order["removable"] = True
    return [*fields, product, order]


def _field(store: Store, field_id: int, kind: str, title: str, position: int, stamp: str) -> dict[str, Any]:
    names = ("title", "raw_title", "description", "raw_description", "title_in_portal", "raw_title_in_portal")
    switched_off = ("required", "collapsed_for_agents", "required_in_portal", "removable")
    return {
        "url": f"{store.base_url}/api/v2/ticket_fields/{field_id}.json",
        "id": field_id,
        "type": kind,
        "position": position,
        **dict.fromkeys(names, title),
        **dict.fromkeys(("active", "visible_in_portal", "editable_in_portal"), True),
        **dict.fromkeys(switched_off, False),
        **dict.fromkeys(("regexp_for_validation", "tag")),
        "agent_description": "",
        "created_at": stamp,
        "updated_at": stamp,
    }
