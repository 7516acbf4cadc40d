"""Freshdesk's tickets: the list and the search, a single one, its notes and replies."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from .calls import Row
from .freshdesk_call import (
    PAGE,
    FreshdeskCall,
    invalid,
    missing,
    not_allowed,
    not_found,
    validation_failed,
)
from .freshdesk_records import LOW, NOTE, OPEN, FreshdeskTicket
from .freshdesk_writes import CREATABLE, UPDATABLE, checked, checked_note
from .messages import Response, json_response

LAST_PAGE = 300
LAST_SEARCH_PAGE = 10
_QUERY = re.compile(r"\"(?:tag:'([^']+)'|created_at:>'(\d{4}-\d\d-\d\d)')\"")
LISTED_FOR = 30 * 86_400.0
"""Seconds after its creation during which a list without ``updated_since`` has a ticket."""

_ORDERS = ("created_at", "updated_at")
_INCLUDES = ("description", "requester")
_KNOWN = frozenset("requester_id updated_since order_by order_type include page per_page".split())
_NOT_IN_ROWS = frozenset(("description", "description_text", "attachments"))


def list_tickets(call: FreshdeskCall) -> Response:
    """``GET /tickets``: neither spam nor trash nor archive; created within 30 days, or changed since a time."""
    call.only(_KNOWN)
    included = call.includes(_INCLUDES)
    size = call.whole("per_page", PAGE, at_most=100)
    page = call.whole("page", 1, at_most=10**8)
    if page > LAST_PAGE:
        text = f"You cannot access tickets beyond the {LAST_PAGE}th page. Please provide a smaller page number."
        raise invalid("page", text)
    since = call.moment("updated_since")
    order = call.choice("order_by", _ORDERS, "created_at")
    backwards = call.choice("order_type", ("asc", "desc"), "desc") == "desc"
    requester = _requester(call)
    found = (ticket for ticket in _ordered(call, order, backwards, since) if _listed(call, ticket, requester))
    rows = list(islice(found, (page - 1) * size, page * size + 1))
    if len(rows) > size and page < LAST_PAGE:
        call.link_to_next(page)
    return json_response(200, [_row(call, ticket, included) for ticket in rows[:size]])


def _ordered(call: FreshdeskCall, order: str, backwards: bool, since: float | None) -> Iterator[FreshdeskTicket]:
    """Tickets in order: those changed since a time, or created within 30 days."""
    store = call.store
    index: Sequence[tuple[float, int]]
    if since is None:
        start, place, index = _from(call.now - LISTED_FOR, inclusive=True), "created_at", store.by_created
    else:
        start, place, index = _from(since, inclusive=call.store.rules.since_inclusive), "updated_at", store.by_changed
    first = bisect_left(index, (start, -1))
    if order == place:
        places: Iterable[int] = range(first, len(index))
        if backwards:
            places = range(len(index) - 1, first - 1, -1)
        return (store.tickets[index[number][1]] for number in places)
    chosen = [store.tickets[ticket_id] for _, ticket_id in index[first:]]
    chosen.sort(key=lambda ticket: (ticket.json[order], ticket.id), reverse=backwards)
    return iter(chosen)


def _from(moment: float, *, inclusive: bool) -> int:
    """The first whole second that counts."""
    return math.ceil(moment) if inclusive else math.floor(moment) + 1


def _listed(call: FreshdeskCall, ticket: FreshdeskTicket, requester: int | None) -> bool:
    if ticket.deleted or ticket.spam or call.store.archived(ticket):
        return False
    return requester in (None, ticket.json["requester_id"])


def _requester(call: FreshdeskCall) -> int | None:
    """The contact whose tickets are asked for, if that is so; 400 for one that there is not."""
    text = call.request.query.get("requester_id")
    if text is None:
        return None
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
    if number not in call.store.contacts:
        raise invalid("requester_id", "There is no contact matching the given requester_id")
    return number


def _row(call: FreshdeskCall, ticket: FreshdeskTicket, included: frozenset[str]) -> Row:
    row = {name: value for name, value in ticket.json.items() if name not in _NOT_IN_ROWS}
    if not call.store.rules.tags_in_lists:
        del row["tags"]
    if "description" in included:
        row |= {name: ticket.json[name] for name in ("description", "description_text")}
    return row | embedded(call, ticket, included)


def embedded(call: FreshdeskCall, ticket: FreshdeskTicket, included: frozenset[str]) -> Row:
    """The parts that ``include`` adds to a ticket, in every answer."""
    more: Row = {}
    if "requester" in included:
        person = call.store.contacts.get(ticket.json["requester_id"]) or {}
        more["requester"] = {name: person.get(name) for name in ("id", "name", "email", "mobile", "phone")}
    return more


def search_tickets(call: FreshdeskCall) -> Response:
    """``GET /search/tickets``: thirty to a page, ten pages at most, from an index that lags behind.

    Of the vendor's language it knows ``tag:'x'`` and ``created_at:>'2026-11-01'``.
    """
    call.only(("query", "page"))
    page = call.whole("page", 1, at_most=LAST_SEARCH_PAGE)
    asked = _QUERY.fullmatch(call.request.query.get("query", ""))
    if asked is None:
        raise invalid("query", "Query should be enclosed in double quotes, and name a tag or a day of creation")
    tag, day = asked.groups()
    rows = [
        row
        for ticket_id, row in call.store.indexed.items()
        if not row["deleted"] and not row["spam"] and (tag in row["tags"] if tag else row["created_at"][:10] >= day)
        if not call.store.archived(call.store.tickets[ticket_id])
    ]
    rows.sort(key=lambda row: (row["created_at"], row["id"]), reverse=True)
    shown = [
        {name: value for name, value in row.items() if name not in ("deleted", "attachments")}
        for row in rows[(page - 1) * PAGE : page * PAGE]
    ]
    return json_response(200, {"total": len(rows), "results": shown})


MOST_INCLUDED = 10
_OF_A_TICKET = ("conversations", "requester")


def view(call: FreshdeskCall) -> Response:
    """``GET /tickets/{id}``: in the trash or spam as well; of its conversations the ten oldest at most."""
    included = call.includes(_OF_A_TICKET)
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


def list_conversations(call: FreshdeskCall) -> Response:
    """``GET /tickets/{id}/conversations``: oldest first, thirty to a page unless ``per_page`` says more."""
    call.only(("page", "per_page"))
    return call.paged(call.ticket().conversations, most=call.store.rules.conversations_per_page)


def add_note(call: FreshdeskCall) -> Response:
    """``POST /tickets/{id}/notes``: 201 with the note, which is private unless told otherwise."""
    ticket = call.writable_ticket()
    payload = checked_note(call.store, call.payload())
    row = call.store.converse(
        ticket,
        payload["body"],
        call.by._replace(user_id=payload.get("user_id", call.identity.user_id)),
        source=NOTE,
        private=payload.get("private", True),
        incoming=payload.get("incoming", False),
        sent=payload,
    )
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
