"""Freshdesk conversations: notes and replies of a ticket, and removing a note."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .freshdesk_call import (
    FreshdeskCall,
    Problem,
    mismatch,
    missing,
    not_allowed,
    not_found,
    unexpected,
    validation_failed,
    wrong,
)
from .freshdesk_records import NOTE, REPLY, By
from .freshdesk_store import FreshdeskStore
from .messages import Response, json_response

_OF_A_NOTE: Mapping[str, type] = {
    "body": str,
    "private": bool,
    "incoming": bool,
    "notify_emails": list,
    "user_id": int,
    "attachments": list,
}
_OF_A_REPLY: Mapping[str, type] = {
    "body": str,
    "from_email": str,
    "user_id": int,
    "cc_emails": list,
    "bcc_emails": list,
    "attachments": list,
}
_NAMES = {str: "String", bool: "Boolean", list: "Array", int: "Positive Integer"}


def list_conversations(call: FreshdeskCall) -> Response:
    """``GET /tickets/{id}/conversations``: oldest first, thirty to a page unless ``per_page`` says more."""
    call.only(("page", "per_page"))
    return call.paged(call.ticket().conversations, most=call.rules.conversations_per_page)


def add_note(call: FreshdeskCall) -> Response:
    """``POST /tickets/{id}/notes``: 201 with the note, which is private unless told otherwise."""
    ticket = call.writable_ticket()
    payload = _checked(call.store, call.payload(), _OF_A_NOTE)
    row = call.store.converse(
        ticket,
        payload["body"],
        _author(call, payload),
        source=NOTE,
        private=payload.get("private", True),
        incoming=payload.get("incoming", False),
        sent=payload,
    )
    return json_response(201, row)


def reply(call: FreshdeskCall) -> Response:
    """``POST /tickets/{id}/reply``: 201 with the reply, which the requester gets by mail."""
    ticket = call.writable_ticket()
    payload = _checked(call.store, call.payload(), _OF_A_REPLY)
    by = _author(call, payload)
    row = call.store.converse(ticket, payload["body"], by, source=REPLY, private=False, sent=payload)
    return json_response(201, row)


def delete(call: FreshdeskCall) -> Response:
    """``DELETE /conversations/{id}``: 204; notes only."""
    call.store.delete_conversation(_note(call)["id"], call.by)
    return Response(204)


def _note(call: FreshdeskCall) -> dict[str, Any]:
    """The note the path names; 404 when there is none, 405 for a reply and on a ticket in the trash or spam."""
    try:
        ticket, row = call.store.conversation(call.args[0])
    except KeyError:
        raise not_found() from None
    if call.store.archived(ticket):
        raise not_found()
    if row["source"] != NOTE or ticket.deleted or ticket.spam:
        raise not_allowed(call.request.method, ["GET"])
    return row


def _author(call: FreshdeskCall, payload: Mapping[str, Any]) -> By:
    return call.by._replace(user_id=payload.get("user_id", call.identity.user_id))


def _checked(store: FreshdeskStore, payload: dict[str, Any], known: Mapping[str, type]) -> dict[str, Any]:
    """The body of a request; 400 with everything that is wrong with it."""
    problems: list[Problem] = []
    for name, value in payload.items():
        kind = known.get(name)
        if kind is None:
            problems.append(unexpected(name))
        elif not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            problems.append(mismatch(name, _NAMES[kind], value))
        elif name == "user_id" and value not in store.agents and value not in store.contacts:
            problems.append(wrong(name, "There is no user matching the given user_id"))
    body = payload.get("body", "")
    if isinstance(body, str) and not body.strip():
        problems.append(missing("body"))
    if problems:
        raise validation_failed(problems)
    return payload
