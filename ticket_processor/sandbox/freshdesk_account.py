"""The imitated Freshdesk account: its ticket fields, groups, agents, contacts and automation rules."""

from __future__ import annotations

from typing import Any

from .clock import iso
from .freshdesk_call import FreshdeskCall, not_found
from .freshdesk_records import OPEN, PRIORITIES, SOURCES
from .freshdesk_store import FreshdeskStore
from .messages import Response, json_response

FIRST_GROUP = 8_001
TYPES = ("Question", "Incident", "Problem", "Feature Request", "Refund")
STATUSES = {
    OPEN: "Open",
    3: "Pending",
    4: "Resolved",
    5: "Closed",
    6: "Waiting on Customer",
    7: "Waiting on Third Party",
}
_SHOWN_TO_CUSTOMERS = {OPEN: "Being Processed", 3: "Awaiting your Reply", 4: "This ticket has been Resolved"}


def ticket_fields(call: FreshdeskCall) -> Response:
    """``GET /ticket_fields``: all of them, without paging."""
    return json_response(200, call.store.ticket_fields)


def groups(call: FreshdeskCall) -> Response:
    """``GET /groups``: by name."""
    return call.paged(sorted(call.store.groups.values(), key=lambda row: row["name"]))


def agents(call: FreshdeskCall) -> Response:
    """``GET /agents``: by name; ``email`` narrows them."""
    email = call.request.query.get("email")
    rows = [row for row in call.store.agents.values() if email in (None, row["email"])]
    return call.paged([_agent(row) for row in sorted(rows, key=lambda row: str(row["name"]))])


def agent(call: FreshdeskCall) -> Response:
    """``GET /agents/{id}``"""
    found = call.store.agents.get(call.args[0])
    if found is None:
        raise not_found()
    return json_response(200, _agent(found))


def current_agent(call: FreshdeskCall) -> Response:
    """``GET /agents/me``"""
    return json_response(200, _agent(call.store.agents[call.identity.user_id]))


def contacts(call: FreshdeskCall) -> Response:
    """``GET /contacts``; ``email`` narrows them."""
    email = call.request.query.get("email")
    rows = list(call.store.contacts.values())
    return call.paged([row for row in rows if email is None or (row["email"] or "").lower() == email.lower()])


def contact(call: FreshdeskCall) -> Response:
    """``GET /contacts/{id}``"""
    found = call.store.contacts.get(call.args[0])
    if found is None:
        raise not_found()
    return json_response(200, found)


def satisfaction_ratings(call: FreshdeskCall) -> Response:
    """``GET /surveys/satisfaction_ratings``: nobody rates anything here."""
    return call.paged([])


def rules(call: FreshdeskCall) -> Response:
    """``GET /automations/{type}/rules``: they are kept and shown, and never do anything."""
    kept = call.store.automations.get(call.args[0])
    if kept is None:
        raise not_found()
    return call.paged(kept)


# --- a fresh account --------------------------------------------------------------------------------------


def set_up(store: FreshdeskStore) -> None:
    """Give the account its statuses, groups and ticket fields: a drop-down and a line of text are its own."""
    stamp = iso(store.now())
    store.statuses = dict(STATUSES)
    store.groups = {
        group_id: {
            "id": group_id,
            "name": name,
            "description": None,
            "escalate_to": None,
            "unassigned_for": None,
            "agent_ids": [],
            "group_type": "support_agent_group",
            "created_at": stamp,
            "updated_at": stamp,
        }
        for group_id, name in enumerate(("Support", "Finance"), FIRST_GROUP)
    }
    choices: dict[str, Any] = {
        "ticket_type": list(TYPES),
        "source": {name.capitalize(): value for value, name in SOURCES.items()},
        "status": {str(value): [name, _SHOWN_TO_CUSTOMERS.get(value, name)] for value, name in STATUSES.items()},
        "priority": {name: value for value, name in PRIORITIES.items()},
        "group": {row["name"]: group_id for group_id, row in store.groups.items()},
        "agent": {row["name"]: agent_id for agent_id, row in store.agents.items()},
    }
    names = ("requester", "subject", "ticket_type", "source", "status", "priority", "group", "agent", "description")
    fields = [
        _field(1_000 + place, name, f"default_{name}", name.capitalize(), place, stamp, True, choices.get(name))
        for place, name in enumerate(names, 1)
    ]
    product = ["Web shop", "App"]
    fields.append(_field(2_001, "cf_product_area", "custom_dropdown", "Product area", 10, stamp, False, product))
    fields.append(_field(2_002, "cf_order_number", "custom_text", "Order number", 11, stamp, False, None))
    store.ticket_fields = fields


def _field(
    field_id: int, name: str, kind: str, label: str, position: int, stamp: str, default: bool, choices: Any
) -> dict[str, Any]:
    required = name in ("requester", "subject", "status", "priority", "description")
    switched_off = ("required_for_closure", "customers_can_filter", "required_for_customers")
    field: dict[str, Any] = {
        "id": field_id,
        "name": name,
        **dict.fromkeys(("label", "label_for_customers"), label),
        "description": None,
        "position": position,
        "required_for_agents": required,
        "type": kind,
        "default": default,
        **dict.fromkeys(("customers_can_edit", "displayed_to_customers"), True),
        **dict.fromkeys(switched_off, False),
        "created_at": stamp,
        "updated_at": stamp,
    }
    return field if choices is None else {**field, "choices": choices}


def _agent(row: dict[str, Any]) -> dict[str, Any]:
    stamps = dict.fromkeys(("created_at", "updated_at"), row["created_at"])
    return {
        "id": row["id"],
        "ticket_scope": 1,
        "type": "support_agent",
        "focus_mode": True,
        **dict.fromkeys(("available", "occasional"), False),
        **dict.fromkeys(("signature", "available_since")),
        **stamps,
        "last_active_at": row["created_at"],
        "contact": {
            "active": True,
            "email": row["email"],
            "name": row["name"],
            "language": "en",
            "time_zone": "UTC",
            **dict.fromkeys(("job_title", "mobile", "phone")),
            **stamps,
            "last_login_at": row["created_at"],
        },
    }
