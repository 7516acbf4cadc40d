"""The imitated Freshdesk API as one function from request to response: routes, identity, credits, headers.

Source: developers.freshdesk.com/api. Left out is what ticketbot never calls, such as bulk updates, merging,
the archive and companies.
"""

from __future__ import annotations

from collections.abc import Callable

from . import freshdesk_account, freshdesk_solutions, freshdesk_tickets
from .freshdesk_call import FreshdeskAuthenticator, FreshdeskCall, denied, not_allowed, not_found
from .freshdesk_store import FreshdeskStore
from .limits import FreshdeskLimits
from .messages import Refusal, Request, Response

Handler = Callable[[FreshdeskCall], Response]

PREFIX = "/api/v2/"

ROUTES: dict[str, Handler] = {
    "GET tickets": freshdesk_tickets.list_tickets,
    "POST tickets": freshdesk_tickets.create,
    "GET tickets/{id}": freshdesk_tickets.view,
    "PUT tickets/{id}": freshdesk_tickets.update,
    "GET tickets/{id}/conversations": freshdesk_tickets.list_conversations,
    "POST tickets/{id}/notes": freshdesk_tickets.add_note,
    "DELETE conversations/{id}": freshdesk_tickets.delete,
    "GET search/tickets": freshdesk_tickets.search_tickets,
    "GET ticket_fields": freshdesk_account.ticket_fields,
    "GET groups": freshdesk_account.groups,
    "GET agents": freshdesk_account.agents,
    "GET agents/me": freshdesk_account.current_agent,
    "GET agents/{id}": freshdesk_account.agent,
    "GET contacts": freshdesk_account.contacts,
    "GET contacts/{id}": freshdesk_account.contact,
    "GET automations/{id}/rules": freshdesk_account.rules,
    "GET solutions/categories": freshdesk_solutions.categories,
    "GET solutions/categories/{id}/folders": freshdesk_solutions.folders,
    "GET solutions/folders/{id}/articles": freshdesk_solutions.articles,
    "GET solutions/articles/{id}": freshdesk_solutions.article,
    "GET solutions/articles/{id}/{language}": freshdesk_solutions.translation,
    "GET solutions/folders/{id}/subfolders": freshdesk_solutions.subfolders,
    "GET search/solutions": freshdesk_solutions.search,
    "GET search/solutions/{language}": freshdesk_solutions.search,
    "GET settings/helpdesk": freshdesk_solutions.settings,
}
_OWN_LIMITS = {
    "GET tickets": "list_tickets",
    "POST tickets": "create_ticket",
    "PUT tickets/{id}": "update_ticket",
    "GET contacts": "list_contacts",
}
_PER_INCLUDE = {"GET tickets": 2, "GET tickets/{id}": 1}


def route_of(method: str, path: str) -> tuple[str, tuple[int, ...]]:
    """The route's template, such as ``PUT tickets/{id}``, and the values in its place holders."""
    parts = path.removeprefix(PREFIX).strip("/").split("/")
    args: list[int] = []
    for index, part in enumerate(parts):
        if part.isdecimal() and part.isascii() and len(part) < 19:
            args.append(int(part))
            parts[index] = "{id}"
    if parts[:2] == ["solutions", "articles"] and len(parts) == 4:
        parts[3] = "{language}"
    elif parts[:2] == ["search", "solutions"] and len(parts) == 3:
        parts[2] = "{language}"
    return f"{method} {'/'.join(parts)}", tuple(args)


class FreshdeskApi:
    """Answers everything under ``/api/v2/``. The caller holds the store's lock."""

    def __init__(self, store: FreshdeskStore, auth: FreshdeskAuthenticator, limits: FreshdeskLimits) -> None:
        self.store = store
        self.auth = auth
        self.limits = limits
        self.routes = dict(ROUTES)

    def handle(self, request: Request) -> Response:
        """The answer, with the vendor's headers on it; never raises for anything a client sent."""
        headers = {
            "X-Freshdesk-API-Version": "latest=v2; requested=v2",
            "X-Request-Id": f"{self.store.random.getrandbits(128):032x}",
        }
        try:
            response = self._answer(request, headers)
        except Refusal as refusal:
            response = refusal.response
        response.headers = {**headers, **response.headers}
        return response

    def _answer(self, request: Request, headers: dict[str, str]) -> Response:
        route, args = route_of(request.method, request.path)
        now = self.store.now()
        headers.update(self.limits.spend(_credits(route, request), _OWN_LIMITS.get(route), now))
        identity = self.auth.identify(request)
        handler = self.routes.get(route)
        if handler is None or not request.path.startswith(PREFIX):
            template = route.partition(" ")[2]
            others = [name.split(" ")[0] for name in ROUTES if name.partition(" ")[2] == template]
            raise not_allowed(request.method, others) if others else not_found()
        if not identity.may(route):
            raise denied()
        call = FreshdeskCall(request, self.store, self.store.rules, identity, now, args)
        try:
            return handler(call)
        finally:
            headers.update(call.headers)


def _credits(route: str, request: Request) -> int:
    """The credits of a request: one, and more for each thing it has included."""
    included = {part for part in request.query.get("include", "").split(",") if part}
    return 1 + _PER_INCLUDE.get(route, 0) * len(included)
