"""The imitated Freshdesk account: its ticket fields, groups, agents, contacts and automation rules."""

from __future__ import annotations

from typing import Any

from .account import shaped
from .freshdesk_call import FreshdeskCall, not_found
from .messages import Response, json_response


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


def rules(call: FreshdeskCall) -> Response:
    """``GET /automations/{type}/rules``: they are kept and shown, and never do anything."""
    kept = call.store.automations.get(call.args[0])
    if kept is None:
        raise not_found()
    return call.paged(kept)


def _agent(row: dict[str, Any]) -> dict[str, Any]:
    made = row["created_at"]
    stamps = dict.fromkeys(("created_at", "updated_at"), made)
    person = {"email": row["email"], "name": row["name"], "last_login_at": made}
    contact = shaped("freshdesk agent as contact", **person, **stamps)
    return {**shaped("freshdesk agent", id=row["id"], last_active_at=made, **stamps), "contact": contact}
