"""The imitated Freshdesk API as one function from request to response: tickets, their conversations, routes, credits.

Source: developers.freshdesk.com/api. Left out is what ticketbot never calls, such as bulk updates, merging,
the archive and companies. A write that is not allowed is refused with every problem found. There is no guard against
others' changes: the vendor has none.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from . import freshdesk_call as account
from .access import Authenticator, FreshdeskLimits
from .basics import html_to_text, parse_iso
from .freshdesk_call import (
    PAGE,
    FreshdeskCall,
    Problem,
    not_allowed,
    not_found,
    problem,
    validation_failed,
)
from .freshdesk_store import LOW, NOTE, OPEN, PRIORITIES, SOURCES, FreshdeskStore
from .messages import PREFIX, Request, Response, json_response, refuse, route_of
from .store import Comment, Row, StoredTicket

LONGEST_TAG = 32

UPDATABLE = frozenset(
    """requester_id status priority responder_id group_id product_id source company_id name email phone
    unique_external_id subject type description due_by fr_due_by tags custom_fields skip_close_notification""".split()
)
CREATABLE = UPDATABLE | {"cc_emails"}
_OF_A_NOTE = frozenset(("body", "private", "user_id", "notify_emails"))
REQUESTERS = ("requester_id", "email", "phone", "unique_external_id")
_NOT_KEPT = frozenset(("name", "email", "phone", "unique_external_id", "skip_close_notification"))


def checked(store: FreshdeskStore, payload: Row, known: Container[str], *, ticket: StoredTicket | None = None) -> Row:
    """The fields of a ticket that a payload sets, as the ticket holds them; 400 when anything is wrong with it."""
    types = next((row["choices"] for row in store.ticket_fields if row["name"] == "ticket_type"), ())
    choices = {
        "status": store.statuses,
        "priority": PRIORITIES,
        "source": SOURCES,
        "type": types,
        "group_id": store.groups,
        "responder_id": store.agents,
        "requester_id": store.contacts,
    }
    problems = list(_problems(payload, known, choices))
    own = payload.get("custom_fields") or {}
    fields = {field["name"]: field for field in store.ticket_fields if not field["default"]}
    lists = {name: field["choices"] for name, field in fields.items() if "choices" in field}
    problems += _problems(own, fields, lists)
    if any(len(tag) > LONGEST_TAG for tag in payload.get("tags", ())):
        problems.append(problem("tags", "invalid_value"))
    if ticket is None and not any(payload.get(name) for name in REQUESTERS):
        problems.append(problem("requester_id", "missing_field"))
    if not problems and ticket is not None:
        after = {**ticket.json, **payload, **ticket.json["custom_fields"], **own}
        blank = [name for name in store.rules.required_fields if after.get(name) in (None, "", [])]
        problems = [problem(name, "missing_field") for name in blank]
    if problems:
        raise validation_failed(problems)
    values = {name: value for name, value in payload.items() if name not in _NOT_KEPT}
    if "description" in payload and ticket is not None:
        values["description_text"] = html_to_text(payload["description"])
    return values


def _problems(payload: Row, known: Container[str], choices: Mapping[str, Container[Any]]) -> Iterator[Problem]:
    """What is wrong with a payload: keys and values that there are not. Every field may be empty."""
    for name, value in payload.items():
        if name not in known:
            yield problem(name, "invalid_field")
        elif value is not None and name in choices and value not in choices[name]:
            yield problem(name, "invalid_value")


LAST_PAGE = 300
LAST_SEARCH_PAGE = 10
LISTED_FOR = 30 * 86_400.0
"""Seconds after its creation during which a list without ``updated_since`` has a ticket."""

_NOT_IN_ROWS = frozenset(("description", "description_text", "attachments"))


def list_tickets(call: FreshdeskCall) -> Response:
    """``GET /tickets``: neither spam nor trash nor archive; created within 30 days, or changed since a time."""
    query = call.request.query
    size = call.whole("per_page", PAGE, at_most=100)
    page = call.whole("page", 1, at_most=LAST_PAGE)
    since = parse_iso(query["updated_since"]) if "updated_since" in query else None
    backwards = query.get("order_type", "desc") == "desc"
    requester = int(query["requester_id"]) if "requester_id" in query else None
    if requester not in (None, *call.store.contacts):
        raise validation_failed([problem("requester_id", "invalid_value")])
    found = (
        ticket
        for ticket in _ordered(call, query.get("order_by", "created_at"), backwards, since)
        if not call.store.gone(ticket) and requester in (None, ticket.json["requester_id"])
    )
    rows = list(islice(found, (page - 1) * size, page * size + 1))
    if len(rows) > size and page < LAST_PAGE:
        call.link_to_next(page)
    return json_response(200, [_row(call, ticket) for ticket in rows[:size]])


def _ordered(call: FreshdeskCall, order: str, backwards: bool, since: float | None) -> Iterator[StoredTicket]:
    """Tickets in order: those changed since a time, or created within 30 days."""
    store = call.store
    index: Sequence[tuple[float, int]] = store.by_created if since is None else store.by_changed
    start = math.ceil(call.now - LISTED_FOR) if since is None else math.ceil(since)
    if since is not None and not store.rules.since_inclusive:
        start = math.floor(since) + 1
    chosen = [store.tickets[number] for _, number in index[bisect_left(index, (start, -1)) :]]
    if order != ("created_at" if since is None else "updated_at"):
        chosen.sort(key=lambda ticket: (ticket.json[order], ticket.id))
    return iter(chosen[::-1] if backwards else chosen)


def _row(call: FreshdeskCall, ticket: StoredTicket) -> Row:
    row = {name: value for name, value in ticket.json.items() if name not in _NOT_IN_ROWS}
    if not call.store.rules.tags_in_lists:
        del row["tags"]
    if "description" in call.included:
        row |= {name: ticket.json[name] for name in ("description", "description_text")}
    return row | _embedded(call, ticket)


def _embedded(call: FreshdeskCall, ticket: StoredTicket) -> Row:
    """The parts that ``include`` adds to a ticket, in every answer."""
    if "requester" not in call.included:
        return {}
    person = call.store.contacts.get(ticket.json["requester_id"]) or {}
    return {"requester": {name: person.get(name) for name in ("id", "name", "email", "mobile", "phone")}}


def search_tickets(call: FreshdeskCall) -> Response:
    """``GET /search/tickets``: all that are there, whatever is asked for; thirty to a page, ten pages at most."""
    page = call.whole("page", 1, at_most=LAST_SEARCH_PAGE)
    tickets = map(call.store.tickets.__getitem__, [number for _, number in reversed(call.store.by_created)])
    rows = [ticket.json for ticket in tickets if not call.store.gone(ticket)]
    return json_response(200, {"total": len(rows), "results": rows[(page - 1) * PAGE : page * PAGE]})


MOST_INCLUDED = 10


def view(call: FreshdeskCall) -> Response:
    """``GET /tickets/{id}``: in the trash or spam as well; of its conversations the ten oldest at most."""
    return json_response(200, _shown(call, call.ticket()))


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
        actor="api",
        author_id=call.identity.user_id,
        raw=payload,
        **values,
    )
    address = f"{call.store.base_url}/api/v2/tickets/{ticket.id}"
    return json_response(201, _shown(call, ticket), Location=address)


def update(call: FreshdeskCall) -> Response:
    """``PUT /tickets/{id}``: what the body names is replaced, whoever changed it last; the whole ticket is answered."""
    ticket = call.writable_ticket()
    payload = call.payload()
    values = checked(call.store, payload, UPDATABLE, ticket=ticket)
    call.store.change(ticket, values, actor="api", author_id=call.identity.user_id, raw=payload)
    return json_response(200, _shown(call, ticket))


def _shown(call: FreshdeskCall, ticket: StoredTicket) -> Row:
    shown = {**ticket.json, **_embedded(call, ticket)}
    if ticket.deleted:
        shown["deleted"] = True
    if "conversations" in call.included:
        shown["conversations"] = ticket.comments[:MOST_INCLUDED]
    return shown


def list_conversations(call: FreshdeskCall) -> Response:
    """``GET /tickets/{id}/conversations``: oldest first, thirty to a page unless ``per_page`` says more."""
    return call.paged(call.ticket().comments, most=call.store.rules.conversations_per_page)


def add_note(call: FreshdeskCall) -> Response:
    """``POST /tickets/{id}/notes``: 201 with the note, which is private unless told otherwise."""
    ticket = call.writable_ticket()
    payload = call.payload()
    if problems := list(_problems(payload, _OF_A_NOTE, {})):
        raise validation_failed(problems)
    author, said = payload.get("user_id", call.identity.user_id), payload["body"]
    comment = Comment(said, said, not payload.get("private", True))
    change = call.store.change(ticket, {}, actor="api", author_id=author, comment=comment, raw=payload)
    return json_response(201, change and change.comment)


def delete(call: FreshdeskCall) -> Response:
    """``DELETE /conversations/{id}``: 204; 404 without one, 405 for a reply and on a ticket in trash or spam."""
    try:
        ticket, row = call.store.conversation(call.args[0])
    except KeyError:
        raise not_found() from None
    if call.store.archived(ticket):
        raise not_found()
    if row["source"] != NOTE or ticket.deleted or ticket.spam:
        raise not_allowed(call.request.method)
    call.store.delete_conversation(ticket, row, "api", call.identity.user_id)
    return Response(204)


ROUTES: dict[str, Callable[[FreshdeskCall], Response]] = {
    "GET tickets": list_tickets,
    "POST tickets": create,
    "GET tickets/{id}": view,
    "PUT tickets/{id}": update,
    "GET tickets/{id}/conversations": list_conversations,
    "POST tickets/{id}/notes": add_note,
    "DELETE conversations/{id}": delete,
    "GET search/tickets": search_tickets,
    **account.ROUTES,
}
_OWN_LIMITS = {
    "GET tickets": "list_tickets",
    "POST tickets": "create_ticket",
    "PUT tickets/{id}": "update_ticket",
    "GET contacts": "list_contacts",
}
_PER_INCLUDE = {"GET tickets": 2, "GET tickets/{id}": 1}
"""The credits that a request costs besides its own, for each thing it has included."""
_FOR_ADMINS = ("GET agents", "GET agents/{id}", "GET groups", "GET ticket_fields", "GET automations/{id}/rules")


class FreshdeskApi:
    """Answers everything under ``/api/v2/``. The caller holds the store's lock."""

    def __init__(self, store: FreshdeskStore, auth: Authenticator, plan: str) -> None:
        self.store = store
        self.auth = auth
        self.limits = FreshdeskLimits("freshdesk", plan)

    def handle(self, request: Request, headers: dict[str, str]) -> Response:
        """The answer; the vendor's headers are put into ``headers``. Raises :class:`~.messages.Refusal`."""
        headers |= {
            "X-Request-Id": f"{self.store.random.getrandbits(128):032x}",
            "X-Freshdesk-API-Version": "latest=v2; requested=v2",
        }
        route, args = route_of(request.method, request.path)
        now = self.store.now()
        included = {part for part in request.query.get("include", "").split(",") if part}
        cost = 1 + _PER_INCLUDE.get(route, 0) * len(included)
        self.limits.spend(headers, cost, _OWN_LIMITS.get(route), now)
        identity = self.auth.identify_at_freshdesk(request)
        handler = ROUTES.get(route)
        if handler is None or not request.path.startswith(PREFIX):
            raise not_found()
        if identity.role != "admin" and route in _FOR_ADMINS:
            message = "You are not authorized to perform this action."
            raise refuse(403, {"code": "access_denied", "message": message})
        return handler(FreshdeskCall(request, self.store, identity, now, args, headers))
