"""The rest of the imitated API: ticket fields, groups, and the current user."""

from __future__ import annotations

from typing import Any

from .clock import iso
from .messages import Response, json_response
from .store import Store
from .zendesk_call import Call
from .zendesk_lists import paged

FIRST_GROUP = 8_001
ANONYMOUS = {"id": None, "name": "Anonymous user", "email": "invalid@example.com", "role": "end-user"}


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
    return paged(call, "groups", rows, sorts=("id", "name"))


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
    return {
        "url": f"{store.base_url}/api/v2/ticket_fields/{field_id}.json",
        "id": field_id,
        "type": kind,
        "title": title,
        "raw_title": title,
        "description": title,
        "raw_description": title,
        "position": position,
        "active": True,
        "required": False,
        "collapsed_for_agents": False,
        "regexp_for_validation": None,
        "title_in_portal": title,
        "raw_title_in_portal": title,
        "visible_in_portal": True,
        "editable_in_portal": True,
        "required_in_portal": False,
        "tag": None,
        "created_at": stamp,
        "updated_at": stamp,
        "removable": False,
        "agent_description": "",
    }
