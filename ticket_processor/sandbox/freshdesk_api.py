"""The imitated Freshdesk API as one function from request to response: tickets, their conversations, routes, credits.

Source: developers.freshdesk.com/api. Left out is what ticketbot never calls, such as bulk updates, merging,
the archive and companies. A write that is not allowed is refused with every problem found. There is no guard against
others' changes: the vendor has none.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from .access import EVERYTHING, Authenticator, Limits
from .basics import html_to_text, parse_iso
from .freshdesk_store import LOW, OPEN, WORDS, FreshdeskStore
from .messages import PREFIX, ApiCall, Refusal, Request, Response, json_response, refuse, route_of
from .store import BOT_ID, SHAPES, Comment, Row, StoredTicket, shaped

PAGE = 30


class FreshdeskCall(ApiCall):
    """A request with all that a handler needs."""

    store: FreshdeskStore

    def one_of(self, known: Mapping[int, Any] | list[Row]) -> Any:
        """The one that the path names; 404 when there is none."""
        by_id = known if isinstance(known, Mapping) else {row["id"]: row for row in known[::-1]}
        if self.args[0] not in by_id:
            raise not_found()
        return by_id[self.args[0]]

    def whole(self, name: str, default: int, *, at_most: int) -> int:
        """A positive whole number from the query; 400 for more than ``at_most``."""
        value = int(self.request.query.get(name, default))
        if not 1 <= value <= at_most:
            raise validation_failed([problem(name, "invalid_value")])
        return value

    def paged(self, rows: Iterable[Any]) -> Response:
        """A page of ``rows`` by ``page`` and ``per_page``."""
        size = self.whole("per_page", PAGE, at_most=100)
        page, rows = self.whole("page", 1, at_most=10**8), list(rows)
        if page * size < len(rows):
            self.link_to_next(page)
        return json_response(200, rows[(page - 1) * size : page * size])

    def link_to_next(self, page: int) -> None:
        self.headers["Link"] = f'<{self.link(page=str(page + 1))}>; rel="next"'

    def with_email(self, people: Mapping[int, Row]) -> list[Row]:
        """Some people, or those of the ``email`` that is asked for."""
        email = self.request.query.get("email", "").lower()
        return [row for row in people.values() if email in ("", (row["email"] or "").lower())]


def problem(name: str, code: str) -> Row:
    """What is wrong with one field of a request, by the vendor's word for it."""
    return {"field": name[:80], "message": f"It is refused: {code.replace('_', ' ')}", "code": code}


def validation_failed(problems: Iterable[Row]) -> Refusal:
    """400 with every problem."""
    return refuse(400, {"description": "Validation failed", "errors": list(problems)})


def not_found() -> Refusal:
    return Refusal(Response(404))


# --- tickets ----------------------------------------------------------------------------------------------

_KEYS: Mapping[str, list[str]] = SHAPES["freshdesk keys"]
"""Of a ticket that may be updated, those of these that are not kept, those that name a requester, and a note's."""


def checked(store: FreshdeskStore, payload: Row, ticket: StoredTicket | None = None) -> Row:
    """The fields of a ticket that a payload sets, as the ticket holds them; 400 when anything is wrong with it."""
    types = next((row["choices"] for row in store.ticket_fields if row["name"] == "ticket_type"), ())
    choices = {
        "status": store.statuses,
        "priority": WORDS["priority"].values(),
        "source": WORDS["source"].values(),
        "type": types,
        "group_id": store.groups,
        "responder_id": store.agents,
        "requester_id": store.contacts,
    }
    problems = list(_problems(payload, _KEYS["ticket"], choices))
    own = payload.get("custom_fields") or {}
    fields = {field["name"]: field for field in store.ticket_fields if not field["default"]}
    lists = {name: field["choices"] for name, field in fields.items() if "choices" in field}
    problems += _problems(own, fields, lists)
    if any(len(tag) > 32 for tag in payload.get("tags", ())):
        problems.append(problem("tags", "invalid_value"))
    if ticket is None and not any(payload.get(name) for name in _KEYS["requester"]):
        problems.append(problem("requester_id", "missing_field"))
    if problems:
        raise validation_failed(problems)
    values = {name: value for name, value in payload.items() if name not in _KEYS["not kept"]}
    if "description" in payload and ticket is not None:
        values["description_text"] = html_to_text(payload["description"])
    return values


def _problems(payload: Row, known: Container[str], choices: Mapping[str, Container[Any]]) -> Iterator[Row]:
    """What is wrong with a payload: keys and values that there are not. Every field may be empty."""
    for name, value in payload.items():
        if name not in known:
            yield problem(name, "invalid_field")
        elif value is not None and name in choices and value not in choices[name]:
            yield problem(name, "invalid_value")


LAST_PAGE = 300
LISTED_FOR = 30 * 86_400.0
"""Seconds after its creation during which a list without ``updated_since`` has a ticket."""


def list_tickets(call: FreshdeskCall) -> Response:
    """``GET /tickets``: created within 30 days, or changed since a time."""
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
    chosen = [store.tickets[number] for _, number in index[bisect_left(index, (start, -1)) :]]
    if order != ("created_at" if since is None else "updated_at"):
        chosen.sort(key=lambda ticket: (ticket.json[order], ticket.id))
    return iter(chosen[::-1] if backwards else chosen)


def _row(call: FreshdeskCall, ticket: StoredTicket) -> Row:
    hidden = ("attachments",) if "description" in call.included else ("attachments", "description", "description_text")
    return {name: value for name, value in ticket.json.items() if name not in hidden} | _embedded(call, ticket)


def _embedded(call: FreshdeskCall, ticket: StoredTicket) -> Row:
    """The parts that ``include`` adds to a ticket, in every answer."""
    more: Row = {"stats": _stats(ticket)} if "stats" in call.included else {}
    if "requester" in call.included:
        person = call.store.contacts.get(ticket.json["requester_id"]) or {}
        more["requester"] = {name: person.get(name) for name in ("id", "name", "email", "mobile", "phone")}
    return more


def _stats(ticket: StoredTicket) -> Row:
    said = (row["created_at"] for row in ticket.comments if not row["private"] and not row["incoming"])
    ended = ticket.json["updated_at"] if ticket.json["status"] in (4, 5) else None
    return {
        "first_responded_at": next(said, None),
        "status_updated_at": ticket.json["updated_at"],
        **dict.fromkeys(("resolved_at", "closed_at"), ended),
        **dict.fromkeys(("agent_responded_at", "requester_responded_at", "reopened_at", "pending_since")),
    }


def search_tickets(call: FreshdeskCall) -> Response:
    """``GET /search/tickets``: all that are there, whatever is asked for, of which the first page is shown."""
    rows = [ticket.json for ticket in call.store.tickets.values() if not call.store.gone(ticket)]
    return json_response(200, {"total": len(rows), "results": rows[:PAGE]})


def view(call: FreshdeskCall) -> Response:
    """``GET /tickets/{id}``: of its conversations the ten oldest at most."""
    return json_response(200, _shown(call, call.one_of(call.store.tickets)))


def create(call: FreshdeskCall) -> Response:
    payload = call.request.json()
    values = checked(call.store, payload)
    ticket = call.store.create(
        subject=values.pop("subject", None) or "",
        html_body=values.pop("description", ""),
        requester_name=str(payload.get("name") or payload.get("email") or "Customer"),
        requester_email=payload.get("email"),
        requester_id=values.pop("requester_id", None),
        tags=values.pop("tags", ()),
        source=values.pop("source", 2),
        priority=values.pop("priority", LOW),
        status=values.pop("status", OPEN),
        actor="api",
        author_id=BOT_ID,
        raw=payload,
        **values,
    )
    return json_response(201, _shown(call, ticket))


def update(call: FreshdeskCall) -> Response:
    """``PUT /tickets/{id}``: what the body names is replaced, whoever changed it last; the whole ticket is answered."""
    ticket = call.one_of(call.store.tickets)
    payload = call.request.json()
    values = checked(call.store, payload, ticket)
    call.store.change(ticket, values, actor="api", author_id=BOT_ID, raw=payload)
    return json_response(200, _shown(call, ticket))


def _shown(call: FreshdeskCall, ticket: StoredTicket) -> Row:
    shown = {**ticket.json, **_embedded(call, ticket)}
    if "conversations" in call.included:
        shown["conversations"] = ticket.comments[:10]
    return shown


def add_note(call: FreshdeskCall) -> Response:
    """``POST /tickets/{id}/notes``: 201 with the note, which is private unless told otherwise."""
    ticket = call.one_of(call.store.tickets)
    payload = call.request.json()
    if problems := list(_problems(payload, _KEYS["note"], {})):
        raise validation_failed(problems)
    comment = Comment(payload["body"], payload["body"], not payload.get("private", True))
    change = call.store.change(ticket, {}, actor="api", author_id=BOT_ID, comment=comment, raw=payload)
    return json_response(201, change and change.comment)


def delete(call: FreshdeskCall) -> Response:
    ticket, row = call.store.conversation(call.args[0])
    if ticket is None:
        raise not_found()
    call.store.delete_conversation(ticket, row)
    return Response(204)


# --- the account ------------------------------------------------------------------------------------------


def _name(row: Row) -> str:
    return str(row["name"])


def _agent(row: Row) -> Row:
    made = row["created_at"]
    stamps = dict.fromkeys(("created_at", "updated_at"), made)
    person = {"email": row["email"], "name": row["name"], "last_login_at": made}
    contact = shaped("freshdesk agent as contact", **person, **stamps)
    return {**shaped("freshdesk agent", id=row["id"], last_active_at=made, **stamps), "contact": contact}


def _articles(call: FreshdeskCall) -> Response:
    """A folder's, drafts as well."""
    folder = call.one_of(call.store.folders)["id"]
    return call.paged(row for row in call.store.articles if row["folder_id"] == folder)


# All articles are in the one language of the account, and no folder lies in another.
_LANGUAGES = {"primary_language": "en", "supported_languages": [], "portal_languages": [], "help_widget_languages": []}

ROUTES: dict[str, Callable[[FreshdeskCall], Response]] = {
    "GET tickets": list_tickets,
    "POST tickets": create,
    "GET tickets/{id}": view,
    "PUT tickets/{id}": update,
    "GET tickets/{id}/conversations": lambda call: call.paged(call.one_of(call.store.tickets).comments),
    "POST tickets/{id}/notes": add_note,
    "DELETE conversations/{id}": delete,
    "GET search/tickets": search_tickets,
    "GET ticket_fields": lambda call: json_response(200, call.store.ticket_fields),
    "GET groups": lambda call: call.paged(sorted(call.store.groups.values(), key=_name)),
    "GET agents": lambda call: call.paged(map(_agent, sorted(call.with_email(call.store.agents), key=_name))),
    "GET agents/me": lambda call: json_response(200, _agent(call.store.agents[BOT_ID])),
    "GET agents/{id}": lambda call: json_response(200, _agent(call.one_of(call.store.agents))),
    "GET contacts": lambda call: call.paged(call.with_email(call.store.contacts)),
    "GET contacts/{id}": lambda call: json_response(200, call.one_of(call.store.contacts)),
    "GET solutions/categories": lambda call: call.paged(call.store.categories),
    "GET solutions/categories/{id}/folders": lambda call: call.paged(call.store.folders),
    "GET solutions/folders/{id}/articles": _articles,
    "GET settings/helpdesk": lambda _call: json_response(200, _LANGUAGES),
}
_OWN_LIMITS = {
    "GET tickets": "list_tickets",
    "POST tickets": "create_ticket",
    "PUT tickets/{id}": "update_ticket",
    "GET contacts": "list_contacts",
}
_PER_INCLUDE = {"GET tickets": 2, "GET tickets/{id}": 1}
"""The credits that a request costs besides its own, for each thing it has included."""
_FOR_ADMINS = ("GET agents", "GET agents/{id}", "GET groups", "GET ticket_fields")


class FreshdeskApi:
    """Answers everything under ``/api/v2/``. The caller holds the store's lock."""

    def __init__(self, store: FreshdeskStore, auth: Authenticator, plan: str) -> None:
        self.store = store
        self.auth = auth
        self.limits = Limits("freshdesk", plan)
        self.routes = dict(ROUTES)

    def handle(self, request: Request, headers: dict[str, str]) -> Response:
        """The answer; the vendor's headers are put into ``headers``. Raises :class:`~.messages.Refusal`."""
        headers["X-Request-Id"] = f"{self.store.random.getrandbits(128):032x}"
        route, args = route_of(request.method, request.path, self.routes)
        now = self.store.now()
        included = {part for part in request.query.get("include", "").split(",") if part}
        cost = 1 + _PER_INCLUDE.get(route, 0) * len(included)
        self.limits.spend(headers, cost, _OWN_LIMITS.get(route), now)
        self.auth.check_freshdesks(request)
        handler = self.routes.get(route)
        if handler is None or not request.path.startswith(PREFIX):
            raise not_found()
        if self.auth.role != "admin" and route in _FOR_ADMINS:
            message = "You are not authorized to perform this action."
            raise refuse(403, {"code": "access_denied", "message": message})
        return handler(FreshdeskCall(request, self.store, self.auth.role, EVERYTHING, now, args, headers))
