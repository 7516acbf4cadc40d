"""The imitated Support API as one function from request to response: routes, identity, limits, and the account."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Callable
from typing import Any

from . import articles, zendesk_tickets, zendesk_writes
from .calls import PREFIX, Api, route_of
from .credentials import Authenticator
from .limits import RequestLimits
from .messages import Request, Response, json_response, refuse
from .records import without_generated
from .store import Store
from .zendesk_call import NOT_FOUND, PAGE, Call, Rules, missing_scope, neighbours, paged

TOKEN_PATHS = frozenset(("/oauth/tokens", "/oauth/tokens.json", "/api/v2/oauth/tokens", "/api/v2/oauth/tokens.json"))
ANONYMOUS = {"id": None, "name": "Anonymous user", "email": "invalid@example.com", "role": "end-user"}
OLD_S = 120 * 86_400
"""A ticket that was closed so long ago is archived: no list has it."""


def search_users(call: Call) -> Response:
    """``GET /users/search``: users with all words in their name or address, parts included. Offset paging only."""
    text = call.request.query.get("query", "")
    try:
        words = [word.lower() for word in shlex.split(text.replace("'", r"\'"))]
    except ValueError:
        raise refuse(422, {"error": "invalid", "description": f"Invalid search: {text[:80]}"}) from None
    rows = [row for number, row in sorted(call.store.users.items()) if _matches(call.store, number, words)]
    page, size = call.number("page", 1, at_most=100), call.number("per_page", PAGE, at_most=PAGE)
    shown = rows[(page - 1) * size : page * size]
    return json_response(200, {"users": shown, **neighbours(call, page, size, len(rows))})


def _matches(store: Store, number: int, words: list[str]) -> bool:
    told = [str(store.users[number]["name"]), *store.users.addresses_of(number)]
    said = {"name": told[:1], "email": told[1:]}
    for word in words:
        kind, colon, value = word.partition(":")
        places = said.get(kind) if colon else told
        if places is None or not any((value if colon else word) in place.lower() for place in places):
            return False
    return bool(words)


def identities(call: Call) -> Response:
    """``GET /users/{id}/identities``: the addresses of a user, the primary one first."""
    user, number = _user(call), call.args[0]
    stamps = dict.fromkeys(("created_at", "updated_at"), user["created_at"])
    common = {"user_id": number, "type": "email", "verified": True, **stamps}
    rows: list[dict[str, Any]] = []
    for place, address in enumerate(call.store.users.addresses_of(number)):
        own = number * 100 + place
        url = f"{call.store.base_url}/api/v2/users/{number}/identities/{own}.json"
        rows.append({"id": own, "url": url, "value": address, "primary": place == 0, **common})
    return paged(call, "identities", rows)


def _user(call: Call) -> dict[str, Any]:
    """The user the path names; 404 when there is none."""
    found = call.store.users.get(call.args[0])
    if found is None:
        raise refuse(404, NOT_FOUND)
    return found


def requested(call: Call) -> Response:
    """``GET /users/{id}/tickets/requested``: neither deleted nor archived ones."""
    number = _user(call)["id"]
    rows = [
        ticket.json
        for ticket in call.store.tickets.values()
        if ticket.json["requester_id"] == number and not ticket.deleted
        if not (ticket.json["status"] == "closed" and call.now - ticket.changed > OLD_S)
    ]
    return paged(call, "tickets", rows, sorts=("updated_at", "id", "status"), show=without_generated)


def ticket_fields(call: Call) -> Response:
    """``GET /ticket_fields``: all of them, without paging."""
    call.spend("ticket_fields")
    fields = call.store.ticket_fields
    return json_response(200, {"ticket_fields": fields, "next_page": None, "previous_page": None, "count": len(fields)})


def groups(call: Call) -> Response:
    """``GET /groups``: those that are not deleted, unless asked for with ``exclude_deleted=false``."""
    rows = list(call.store.groups.values())
    if call.request.query.get("exclude_deleted") != "false":
        rows = [row for row in rows if not row["deleted"]]
    return paged(call, "groups", rows, sorts=("id", "name"), order="name")


def triggers(call: Call) -> Response:
    """``GET /triggers``: they are shown, and never do anything."""
    return paged(call, "triggers", list(call.store.triggers.values()), order="position,title")


def automations(call: Call) -> Response:
    """``GET /automations``: they are shown, and never do anything."""
    return paged(call, "automations", call.store.automations, order="position")


def current_user(call: Call) -> Response:
    """``GET /users/me`` with credentials."""
    return json_response(200, {"user": call.store.users[call.identity.user_id]})


ROUTES: dict[str, Callable[[Call], Response]] = {
    "GET incremental/tickets/cursor": zendesk_tickets.incremental,
    "GET search/export": zendesk_tickets.search_export,
    "GET tickets": zendesk_tickets.list_tickets,
    "GET tickets/count": zendesk_tickets.count,
    "GET tickets/show_many": zendesk_tickets.show_many,
    "PUT tickets/update_many": zendesk_writes.update_many,
    "GET tickets/{id}": zendesk_tickets.show,
    "PUT tickets/{id}": zendesk_tickets.update,
    "GET tickets/{id}/comments": zendesk_tickets.comments,
    "GET tickets/{id}/comments/count": zendesk_tickets.count_comments,
    "GET tickets/{id}/audits": zendesk_tickets.audits,
    "GET job_statuses/show_many": zendesk_writes.show_many_jobs,
    "GET job_statuses/{job}": zendesk_writes.show_job,
    "GET tags": zendesk_tickets.list_tags,
    "GET ticket_fields": ticket_fields,
    "GET groups": groups,
    "GET users/me": current_user,
    "GET users/search": search_users,
    "GET users/{id}/identities": identities,
    "GET users/{id}/tickets/requested": requested,
    "GET help_center/locales": articles.locales,
    "GET help_center/articles": articles.list_articles,
    "GET help_center/incremental/articles": articles.incremental,
    "GET help_center/user_segments": articles.user_segments,
    "GET help_center/articles/search": articles.search_articles,
    "GET help_center/{locale}/articles": articles.list_articles,
    "GET triggers": triggers,
    "GET automations": automations,
}


class ZendeskApi(Api[Store, Call]):
    """Answers everything under ``/api/v2/`` and ``/oauth/tokens``. The caller holds the store's lock."""

    request_id = "x-request-id"

    def __init__(self, store: Store, auth: Authenticator, limits: RequestLimits, rules: Rules) -> None:
        super().__init__(store, ROUTES)
        self.auth = auth
        self.limits = limits
        self.rules = rules
        self.routes["POST tickets"] = zendesk_tickets.Idempotency().create

    def marks(self, response: Response) -> dict[str, str]:
        marks = {"x-zendesk-api-version": "v2"}
        if response.status in (200, 201):
            marks["etag"] = f'W/"{hashlib.md5(response.body, usedforsecurity=False).hexdigest()}"'
        return marks

    def answer(self, request: Request, headers: dict[str, str]) -> Response:
        if request.path in TOKEN_PATHS and request.method == "POST":
            return self.auth.issue(request)
        route, args = route_of(request.method, request.path.removesuffix(".json"))
        identity = self.auth.identify(request)
        if identity is None:
            if route == "GET users/me":  # 200 all the same
                return json_response(200, {"user": ANONYMOUS})
            raise refuse(401, {"error": "Couldn't authenticate you"})
        now = self.store.now()
        resource = route.partition(" ")[2].partition("/")[0]
        bucket = resource if resource in ("help_center", "webhooks") else "support"
        headers.update(self.limits.account(bucket, now))
        handler = self.routes.get(route)
        if handler is None or not request.path.startswith(PREFIX):
            raise refuse(404, {"error": "InvalidEndpoint", "description": "Not found"})
        if not identity.may(request.method, resource):
            raise missing_scope(f"{resource}:{'read' if request.method == 'GET' else 'write'}")
        return handler(Call(request, self.store, identity, now, args, headers, self.limits, self.rules))
