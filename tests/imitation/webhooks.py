"""Webhooks and new triggers of an account, for admins only. They are kept, and nothing is delivered."""

from __future__ import annotations

import base64
from typing import Any

from ticket_processor.sandbox.basics import iso
from ticket_processor.sandbox.messages import Response, json_response, refuse
from ticket_processor.sandbox.zendesk_call import NOT_FOUND, Call, forbidden, invalid

from .stores import LaggingStore

_NEEDED = ("name", "endpoint", "http_method", "request_format", "status")
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def list_webhooks(call: Call) -> Response:
    """``GET /webhooks``: the newest first, all on one page."""
    _admin(call)
    rows = list(_store(call).webhooks.values())[::-1]
    return json_response(200, {"webhooks": rows, "meta": {"has_more": False}})


def create_webhook(call: Call) -> Response:
    """``POST /webhooks``: its signing secret is made with it."""
    _admin(call)
    given = _object(call, "webhook")
    for name in _NEEDED:
        if not given.get(name):
            raise invalid(name, f"{name.capitalize()}: cannot be blank", "BlankValue")
    dice = call.store.random
    number = "01" + "".join(dice.choice(_LETTERS) for _ in range(24))
    row = {**given, "id": number, "created_at": iso(call.now), "created_by": str(call.identity.user_id)}
    _store(call).webhooks[number] = row
    _store(call).signing_secrets[number] = base64.b64encode(dice.randbytes(32)).decode()
    return json_response(201, {"webhook": row})


def signing_secret(call: Call) -> Response:
    """``GET /webhooks/{id}/signing_secret``."""
    _admin(call)
    secret = _store(call).signing_secrets.get(call.args[0])
    if secret is None:
        raise refuse(404, NOT_FOUND)
    return json_response(200, {"signing_secret": {"algorithm": "SHA256", "secret": secret}})


def create_trigger(call: Call) -> Response:
    """``POST /triggers``: one with a title, conditions and actions; a webhook that it calls has to be there."""
    _admin(call)
    given = _object(call, "trigger")
    if not given.get("title"):
        raise invalid("title", "Title: cannot be blank", "BlankValue")
    actions = given.get("actions")
    if not isinstance(actions, list) or not actions:
        raise invalid("base", "Actions: must have at least one action")
    for action in actions:
        if action.get("field") == "notification_webhook" and action["value"][0] not in _store(call).webhooks:
            raise invalid("actions", "Webhook: is invalid")
    number = 360_000 + len(call.store.triggers)
    place = {"active": True, "position": len(call.store.triggers) + 1, "category_id": "1", "description": None}
    stamps = {"created_at": iso(call.now), "updated_at": iso(call.now)}
    row = {**place, **given, "id": number, "raw_title": given["title"], "default": False, **stamps}
    call.store.triggers[number] = row
    return json_response(201, {"trigger": row})


def _store(call: Call) -> LaggingStore:
    assert isinstance(call.store, LaggingStore)
    return call.store


def _admin(call: Call) -> None:
    if call.identity.role != "admin":
        raise forbidden()


def _object(call: Call, name: str) -> dict[str, Any]:
    given = call.payload().get(name)
    if not isinstance(given, dict):
        raise refuse(400, {"error": "RecordInvalid", "description": f"Parameter {name} is required"})
    return given


ROUTES = {
    "GET webhooks": list_webhooks,
    "POST webhooks": create_webhook,
    "GET webhooks/{webhook}/signing_secret": signing_secret,
    "POST triggers": create_trigger,
}
