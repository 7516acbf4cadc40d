"""Single Freshdesk tickets: view, create, update."""

from __future__ import annotations

from typing import Any

from .freshdesk_call import FreshdeskCall, missing, validation_failed
from .freshdesk_lists import embedded
from .freshdesk_records import LOW, OPEN, FreshdeskTicket
from .freshdesk_writes import CREATABLE, UPDATABLE, checked
from .messages import Response, json_response

MOST_INCLUDED = 10
_INCLUDES = ("conversations", "requester", "company", "stats")


def view(call: FreshdeskCall) -> Response:
    """``GET /tickets/{id}``: in the trash or spam as well; of its conversations the ten oldest at most."""
    included = call.includes(_INCLUDES)
    ticket = call.ticket()
    return json_response(200, _shown(call, ticket, included))


def create(call: FreshdeskCall) -> Response:
    """``POST /tickets``: 201 with the ticket."""
    payload = call.payload()
    values = checked(call.store, payload, CREATABLE)
    person = call.store.contacts.get(payload.get("requester_id", 0))
    ticket = call.store.create(
        subject=values.pop("subject", None) or "",
        html_body=values.pop("description", ""),
        requester_name=str(payload.get("name") or payload.get("email") or (person or {}).get("name") or "Customer"),
        requester_email=payload.get("email"),
        requester_id=values.pop("requester_id", None),
        tags=values.pop("tags", ()),
        source=values.pop("source", 2),
        priority=values.pop("priority", LOW),
        status=values.pop("status", OPEN),
        fields={name: value for name, value in values.items() if name != "description_text"},
        by=call.by,
        sent=payload,
    )
    address = f"{call.store.base_url}/api/v2/tickets/{ticket.id}"
    return json_response(201, _shown(call, ticket, frozenset()), Location=address)


def update(call: FreshdeskCall) -> Response:
    """``PUT /tickets/{id}``: what the body names is replaced, whoever changed it last; the whole ticket is answered."""
    ticket = call.writable_ticket()
    payload = call.payload()
    if not payload:
        raise validation_failed([missing("request_body")])
    values = checked(call.store, payload, UPDATABLE, ticket=ticket)
    call.store.change(ticket, values, call.by, sent=payload)
    return json_response(200, _shown(call, ticket, frozenset()))


def _shown(call: FreshdeskCall, ticket: FreshdeskTicket, included: frozenset[str]) -> dict[str, Any]:
    ticket.shown_tags = frozenset(ticket.tags)
    shown = {**ticket.json, **embedded(call, ticket, included)}
    if ticket.deleted:
        shown["deleted"] = True
    if "conversations" in included:
        shown["conversations"] = ticket.conversations[:MOST_INCLUDED]
    return shown
