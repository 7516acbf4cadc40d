"""The imitated Support API as one function from request to response: routes, identity, limits, headers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from . import (
    zendesk_account,
    zendesk_export,
    zendesk_help_center,
    zendesk_jobs,
    zendesk_tickets,
)
from .limits import RequestLimits
from .messages import Refusal, Request, Response, refuse
from .store import Store
from .zendesk_call import Authenticator, Call, missing_scope
from .zendesk_rules import Rules

Handler = Callable[[Call], Response]

PREFIX = "/api/v2/"
TOKEN_PATHS = frozenset(("/oauth/tokens", "/oauth/tokens.json", "/api/v2/oauth/tokens", "/api/v2/oauth/tokens.json"))

ROUTES: dict[str, Handler] = {
    "GET incremental/tickets/cursor": zendesk_export.incremental,
    "GET search/export": zendesk_export.search_export,
    "GET tickets": zendesk_tickets.list_tickets,
    "POST tickets": zendesk_tickets.create,
    "GET tickets/count": zendesk_tickets.count,
    "GET tickets/show_many": zendesk_tickets.show_many,
    "POST tickets/create_many": zendesk_jobs.create_many,
    "PUT tickets/update_many": zendesk_jobs.update_many,
    "GET tickets/{id}": zendesk_tickets.show,
    "PUT tickets/{id}": zendesk_tickets.update,
    "GET tickets/{id}/comments": zendesk_tickets.comments,
    "GET tickets/{id}/comments/count": zendesk_tickets.count_comments,
    "GET tickets/{id}/audits": zendesk_tickets.audits,
    "GET job_statuses/show_many": zendesk_jobs.show_many_jobs,
    "GET job_statuses/{job}": zendesk_jobs.show_job,
    "GET tags": zendesk_tickets.list_tags,
    "GET ticket_fields": zendesk_account.ticket_fields,
    "GET groups": zendesk_account.groups,
    "GET users/me": zendesk_account.current_user,
    "GET users/search": zendesk_account.search_users,
    "GET users/{id}/identities": zendesk_account.identities,
    "GET users/{id}/tickets/requested": zendesk_account.requested,
    "GET help_center/locales": zendesk_help_center.locales,
    "GET help_center/articles": zendesk_help_center.articles,
    "GET help_center/incremental/articles": zendesk_help_center.incremental,
    "GET help_center/user_segments": zendesk_help_center.user_segments,
    "GET help_center/articles/search": zendesk_help_center.search_articles,
    "GET help_center/{locale}/articles": zendesk_help_center.articles,
    "GET triggers": zendesk_account.triggers,
    "GET automations": zendesk_account.automations,
}
_CREATIONS = frozenset(("POST tickets", "POST tickets/create_many"))


def route_of(method: str, path: str) -> tuple[str, tuple[str, ...]]:
    """The route's template, such as ``PUT tickets/{id}``, and the values in its place holders."""
    path = path.removeprefix(PREFIX).removesuffix(".json").strip("/")
    parts = path.split("/")
    args: list[str] = []
    for index, part in enumerate(parts):
        if part.isdecimal() and part.isascii() and len(part) < 20:
            args.append(part)
            parts[index] = "{id}"
    if parts[0] == "job_statuses" and len(parts) == 2 and parts[1] != "show_many":
        args, parts[1] = [path.split("/")[1]], "{job}"
    elif parts[0] == "webhooks" and len(parts) == 3:
        args, parts[1] = [path.split("/")[1]], "{webhook}"
    elif (
        parts[0] == "help_center"
        and len(parts) == 3
        and parts[1:] != ["incremental", "articles"]
        and parts[2] == "articles"
    ):
        args, parts[1] = [path.split("/")[1].lower()], "{locale}"
    return f"{method} {'/'.join(parts)}", tuple(args)


class ZendeskApi:
    """Answers everything under ``/api/v2/`` and ``/oauth/tokens``. The caller holds the store's lock."""

    def __init__(self, store: Store, auth: Authenticator, limits: RequestLimits, rules: Rules) -> None:
        self.store = store
        self.auth = auth
        self.limits = limits
        self.rules = rules
        self.routes = dict(ROUTES)
        self._idempotency = zendesk_tickets.Idempotency()

    def handle(self, request: Request) -> Response:
        """The answer, with the vendor's headers on it; never raises for anything a client sent."""
        headers = {
            "x-zendesk-api-version": "v2",
            "x-request-id": f"{self.store.random.getrandbits(128):032x}",
        }
        try:
            response = self._answer(request, headers)
        except Refusal as refusal:
            response = refusal.response
        if response.status in (200, 201):
            headers["etag"] = f'W/"{hashlib.md5(response.body, usedforsecurity=False).hexdigest()}"'
        response.headers = {**headers, **response.headers}
        return response

    def _answer(self, request: Request, headers: dict[str, str]) -> Response:
        if request.path in TOKEN_PATHS and request.method == "POST":
            return self.auth.issue(request)
        route, args = route_of(request.method, request.path)
        identity = self.auth.identify(request)
        if identity is None:
            if route == "GET users/me":
                return zendesk_account.anonymous_user()
            raise refuse(401, {"error": "Couldn't authenticate you"})
        now = self.store.now()
        resource = route.partition(" ")[2].partition("/")[0]
        bucket = resource if resource in ("help_center", "webhooks") else "support"
        headers.update(self.limits.account(bucket, now))
        handler = self.routes.get(route)
        if handler is None or not request.path.startswith(PREFIX):
            raise refuse(404, {"error": "InvalidEndpoint", "description": "Not found"})
        if not identity.may(request.method, resource):
            lacking = f"{resource}:{'read' if request.method == 'GET' else 'write'}"
            raise missing_scope(lacking)
        call = Call(request, self.store, self.limits, self.rules, identity, now, args)
        try:
            if route not in _CREATIONS:
                return handler(call)
            return self._idempotency.answer(call, handler)
        finally:
            headers.update(call.headers)
