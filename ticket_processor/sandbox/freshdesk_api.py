"""The imitated Freshdesk API as one function from request to response: routes, identity, credits, and the account.

Source: developers.freshdesk.com/api. Left out is what ticketbot never calls, such as bulk updates, merging,
the archive and companies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import articles, freshdesk_tickets
from .account import shaped
from .calls import PREFIX, Api, route_of
from .credentials import Authenticator
from .freshdesk_call import FreshdeskCall, not_allowed, not_found
from .freshdesk_store import FreshdeskStore
from .limits import FreshdeskLimits
from .messages import Request, Response, json_response, refuse


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
    return json_response(200, _agent(_found(call, call.store.agents)))


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
    return json_response(200, _found(call, call.store.contacts))


def rules(call: FreshdeskCall) -> Response:
    """``GET /automations/{type}/rules``: they are kept and shown, and never do anything."""
    return call.paged(_found(call, call.store.automations))


def _found(call: FreshdeskCall, known: Mapping[int, Any]) -> Any:
    """The one that the path names; 404 when there is none."""
    if call.args[0] not in known:
        raise not_found()
    return known[call.args[0]]


def _agent(row: dict[str, Any]) -> dict[str, Any]:
    made = row["created_at"]
    stamps = dict.fromkeys(("created_at", "updated_at"), made)
    person = {"email": row["email"], "name": row["name"], "last_login_at": made}
    contact = shaped("freshdesk agent as contact", **person, **stamps)
    return {**shaped("freshdesk agent", id=row["id"], last_active_at=made, **stamps), "contact": contact}


ROUTES: dict[str, Callable[[FreshdeskCall], Response]] = {
    "GET tickets": freshdesk_tickets.list_tickets,
    "POST tickets": freshdesk_tickets.create,
    "GET tickets/{id}": freshdesk_tickets.view,
    "PUT tickets/{id}": freshdesk_tickets.update,
    "GET tickets/{id}/conversations": freshdesk_tickets.list_conversations,
    "POST tickets/{id}/notes": freshdesk_tickets.add_note,
    "DELETE conversations/{id}": freshdesk_tickets.delete,
    "GET search/tickets": freshdesk_tickets.search_tickets,
    "GET ticket_fields": ticket_fields,
    "GET groups": groups,
    "GET agents": agents,
    "GET agents/me": current_agent,
    "GET agents/{id}": agent,
    "GET contacts": contacts,
    "GET contacts/{id}": contact,
    "GET automations/{id}/rules": rules,
    "GET solutions/categories": articles.categories,
    "GET solutions/categories/{id}/folders": articles.folders,
    "GET solutions/folders/{id}/articles": articles.articles,
    "GET solutions/articles/{id}": articles.article,
    "GET solutions/articles/{id}/{language}": articles.translation,
    "GET solutions/folders/{id}/subfolders": articles.subfolders,
    "GET search/solutions": articles.search,
    "GET search/solutions/{language}": articles.search,
    "GET settings/helpdesk": articles.settings,
}
_OWN_LIMITS = {
    "GET tickets": "list_tickets",
    "POST tickets": "create_ticket",
    "PUT tickets/{id}": "update_ticket",
    "GET contacts": "list_contacts",
}
_PER_INCLUDE = {"GET tickets": 2, "GET tickets/{id}": 1}


class FreshdeskApi(Api[FreshdeskStore, FreshdeskCall]):
    """Answers everything under ``/api/v2/``. The caller holds the store's lock."""

    def __init__(self, store: FreshdeskStore, auth: Authenticator, limits: FreshdeskLimits) -> None:
        super().__init__(store, ROUTES)
        self.auth = auth
        self.limits = limits

    def marks(self, response: Response) -> dict[str, str]:
        return {"X-Freshdesk-API-Version": "latest=v2; requested=v2"}

    def answer(self, request: Request, headers: dict[str, str]) -> Response:
        route, args = route_of(request.method, request.path)
        now = self.store.now()
        headers.update(self.limits.spend(_credits(route, request), _OWN_LIMITS.get(route), now))
        identity = self.auth.identify_at_freshdesk(request)
        handler = self.routes.get(route)
        if handler is None or not request.path.startswith(PREFIX):
            template = route.partition(" ")[2]
            others = [name.split(" ")[0] for name in ROUTES if name.partition(" ")[2] == template]
            raise not_allowed(request.method, others) if others else not_found()
        if not identity.may_at_freshdesk(route):
            message = "You are not authorized to perform this action."
            raise refuse(403, {"code": "access_denied", "message": message})
        return handler(FreshdeskCall(request, self.store, identity, now, args, headers))


def _credits(route: str, request: Request) -> int:
    """The credits of a request: one, and more for each thing it has included."""
    included = {part for part in request.query.get("include", "").split(",") if part}
    return 1 + _PER_INCLUDE.get(route, 0) * len(included)
