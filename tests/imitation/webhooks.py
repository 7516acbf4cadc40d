"""Webhooks and new triggers of an account, for admins only. They are kept, and nothing is delivered."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import partial

from ticket_processor.sandbox.basics import iso
from ticket_processor.sandbox.messages import Response, json_response
from ticket_processor.sandbox.store import BOT_ID
from ticket_processor.sandbox.zendesk_call import Call, forbidden

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def list_webhooks(call: Call) -> Response:
    """The newest first, all on one page."""
    rows = list(call.store.webhooks.values())[::-1]
    return json_response(200, {"webhooks": rows, "meta": {"has_more": False}})


def create_webhook(call: Call) -> Response:
    """Its signing secret is made with it."""
    dice = call.store.random
    number = "01" + "".join(dice.choice(_LETTERS) for _ in range(24))
    made = {"id": number, "created_at": iso(call.now), "created_by": str(BOT_ID)}
    row = call.store.webhooks[number] = {**call.request.json()["webhook"], **made}
    call.store.signing_secrets[number] = base64.b64encode(dice.randbytes(32)).decode()
    return json_response(201, {"webhook": row})


def signing_secret(call: Call) -> Response:
    secret = call.store.signing_secrets[call.args[0]]
    return json_response(200, {"signing_secret": {"algorithm": "SHA256", "secret": secret}})


def create_trigger(call: Call) -> Response:
    given, number = call.request.json()["trigger"], 360_000 + len(call.store.triggers)
    place = {"active": True, "position": len(call.store.triggers) + 1, "category_id": "1", "description": None}
    stamps = {"created_at": iso(call.now), "updated_at": iso(call.now)}
    row = {**place, **given, "id": number, "raw_title": given["title"], "default": False, **stamps}
    call.store.triggers[number] = row
    return json_response(201, {"trigger": row})


def _for_admins(handle: Callable[[Call], Response], call: Call) -> Response:
    if call.role != "admin":
        raise forbidden()
    return handle(call)


ROUTES = {
    "GET webhooks": partial(_for_admins, list_webhooks),
    "POST webhooks": partial(_for_admins, create_webhook),
    "GET webhooks/{name}/signing_secret": partial(_for_admins, signing_secret),
    "POST triggers": partial(_for_admins, create_trigger),
}
