"""The imitated Support API as one function from request to response: tickets, the account, the Help Center, routes."""

from __future__ import annotations

import base64
import operator
import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from . import zendesk_writes as writes
from .access import Authenticator, Limits
from .basics import iso, parse_iso
from .messages import PREFIX, Request, Response, json_response, refuse, route_of
from .store import BOT_ID, Row
from .zendesk_call import NOT_FOUND, Call, decode_cursor, encode_cursor, forbidden, missing_scope, paged
from .zendesk_store import ZendeskStore, audit_json, without_generated

SIGN_IN = "/oauth/tokens"
ANONYMOUS = {"id": None, "name": "Anonymous user", "email": "invalid@example.com", "role": "end-user"}

# --- tickets ----------------------------------------------------------------------------------------------

WITHHELD = 60
"""Seconds of the newest changes that the incremental export does not show yet."""

_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {":": operator.eq, "<": operator.lt, ">=": operator.ge}
_STATUSES = ("new", "open", "pending", "hold", "solved", "closed")
"""The lowest first."""
_TERMS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "created": ("created_at", lambda value: iso(parse_iso(value))),
    "status": ("status", _STATUSES.index),
    "requester": ("requester_id", int),
}
"""What a search may ask for: the ticket's field, and what is compared of its values."""


def incremental(call: Call) -> Response:
    """``GET /incremental/tickets/cursor``: every ticket once per last change, deleted ones too. Admins only.

    Sorted by (``generated_timestamp``, id); ``after_cursor`` is set on the last page as well.
    """
    if call.role != "admin":
        raise forbidden()
    before = call.request.query.get("cursor")
    size = call.number("per_page", 1_000, at_most=1_000)
    position = _position(call, before)
    keys = call.store.by_changed
    start = bisect_right(keys, position)
    end = bisect_right(keys, (int(call.now) - WITHHELD, 1 << 62))
    taken = keys[start : min(start + size, end)]
    last = taken[-1] if taken else position
    cursor = base64.b64encode(f"{last[0]}.0||{last[1]}|".encode("ascii")).decode("ascii")
    rows = [call.store.tickets[ticket_id].json for _, ticket_id in taken]
    payload = {
        "tickets": _with_slas(call, rows),
        "after_url": call.link(cursor=cursor, start_time=None),
        "after_cursor": cursor,
        "before_url": call.link(start_time=None) if before else None,
        "before_cursor": before,
        "end_of_stream": start + size >= end,
        **_side_loads(call, rows),
    }
    return json_response(200, payload)


def _position(call: Call, cursor: str | None) -> tuple[int, int]:
    if cursor is not None:
        second, _, ticket_id, _ = base64.b64decode(cursor).decode("ascii").split("|")
        return int(float(second)), int(ticket_id)
    start_time = int(float(call.request.query["start_time"]))
    if start_time > call.now - WITHHELD:
        description = f"Too recent start_time. Use a start_time older than {WITHHELD} seconds"
        raise refuse(422, {"error": "InvalidValue", "description": description})
    return start_time, 0


def search_export(call: Call) -> Response:
    """``GET /search/export``: tickets that match, newest creation first, as the index knows them."""
    query = call.request.query
    if query.get("filter[type]") != "ticket":
        raise refuse(422, {"error": "invalid", "description": "Invalid search: filter[type] is required"})
    size = call.number("page[size]", 100, at_most=1_000)
    test = _query(query.get("query", ""))
    keys = call.store.by_created
    end = bisect_left(keys, decode_cursor(query["page[after]"])) if "page[after]" in query else len(keys)
    documents = ((key, call.store.indexed(call.store.tickets[key[1]])) for key in reversed(keys[:end]))
    found = list(islice(((key, row) for key, row in documents if row is not None and test(row)), size + 1))
    rows = [{**without_generated(row), "result_type": "ticket"} for _, row in found[:size]]
    cursor = encode_cursor(found[size - 1][0]) if len(found) > size else None
    payload = {
        "results": rows,
        "facets": None,
        "meta": {"has_more": cursor is not None, "after_cursor": cursor, "before_cursor": None},
        "links": {"prev": None, "next": call.link(page__after=cursor) if cursor else None},
    }
    return json_response(200, payload)


def _query(text: str) -> Callable[[Row], bool]:
    """A search query as a test of one ticket; 422 for what is not known here."""
    tests = []
    for term in text.split():
        found = re.fullmatch(r"(created|status|requester)(:|>=|<)(.+)", term)
        if found is None:
            raise refuse(422, {"error": "invalid", "description": f"Invalid search: {term}"})
        key, made = _TERMS[found[1]]
        tests.append((key, made, _OPERATORS[found[2]], made(found[3])))
    return lambda row: all(compare(made(row[key]), wanted) for key, made, compare, wanted in tests)


def list_tickets(call: Call) -> Response:
    """``GET /tickets``: not deleted, by id. By cursor a ticket's own fields stand in ``custom_fields`` alone."""
    by_cursor = any(name.startswith("page[") for name in call.request.query)
    hidden = {"generated_timestamp", "fields"} if by_cursor else {"generated_timestamp"}
    return paged(call, "tickets", _undeleted(call), hidden=hidden)


def _undeleted(call: Call) -> list[Row]:
    return [ticket.json for ticket in call.store.tickets.values() if not ticket.deleted]


def show(call: Call) -> Response:
    """``GET /tickets/{id}``."""
    (row,) = _with_slas(call, [without_generated(call.shown_ticket().json)])
    return json_response(200, {"ticket": row})


def show_many(call: Call) -> Response:
    """``GET /tickets/show_many?ids=``: at most 100, always by id; tickets that are gone are absent."""
    rows = [without_generated(ticket.json) for ticket in call.store.read(*sorted(map(int, call.names())))]
    return _unpaged("tickets", _with_slas(call, rows), **_side_loads(call, rows))


def _with_slas(call: Call, rows: list[Row]) -> list[Row]:
    """With ``include=slas,metric_events`` what each row then holds; a search holds neither."""
    wanted = call.included & {"slas", "metric_events"}
    return (
        [{**row, **{name: call.store.service_times(row)[name] for name in wanted}} for row in rows] if wanted else rows
    )


def _unpaged(name: str, rows: list[Row], **more: object) -> Response:
    return json_response(200, {name: rows, "next_page": None, "previous_page": None, "count": len(rows), **more})


def _side_loads(call: Call, rows: list[Row]) -> dict[str, list[Row]]:
    """With ``include=users`` everybody whom the rows name, once each; nothing else is side-loaded here."""
    if "users" not in call.included:
        return {}
    roles = ("requester_id", "submitter_id", "assignee_id")
    wanted = dict.fromkeys(row[role] for row in rows for role in roles if row.get(role) is not None)
    return {"users": [call.store.users[user] for user in wanted if user in call.store.users]}


def _counted(call: Call, value: int) -> Response:
    return json_response(200, {"count": {"value": value, "refreshed_at": iso(call.now)}})


def audits(call: Call) -> Response:
    """``GET /tickets/{id}/audits``: oldest first; needs the global read scope."""
    if "read" not in call.scopes:
        raise missing_scope("read")
    ticket = call.shown_ticket()
    return paged(call, "audits", [audit_json(audit, ticket) for audit in ticket.audits])


def list_tags(call: Call) -> Response:
    """``GET /tags``: every tag in use with its count, most frequent first."""
    counts = Counter(tag for row in _undeleted(call) for tag in row["tags"])
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    rows = [{"id": place, "name": tag, "count": used} for place, (tag, used) in enumerate(ranked)]
    return paged(call, "tags", rows, hidden={"id"})


# --- the account ------------------------------------------------------------------------------------------


def groups(call: Call) -> Response:
    """Those that are not deleted."""
    return paged(call, "groups", [row for row in call.store.groups.values() if not row["deleted"]], order="name")


def search_users(call: Call) -> Response:
    """Those with the text in an address or, without ``email:`` before it, in the name too."""
    text, users = call.request.query.get("query", "").lower(), call.store.users
    wanted = text.removeprefix("email:").strip('"')
    found = {number for email, number in users.by_email.items() if wanted and wanted in email}
    if not text.startswith("email:"):
        found |= {number for number, row in users.items() if wanted and wanted in row["name"].lower()}
    return paged(call, "users", [users[number] for number in found])


def _user(call: Call) -> Row:
    """The user the path names; 404 when there is none."""
    found = call.store.users.get(call.args[0])
    if found is None:
        raise refuse(404, NOT_FOUND)
    return found


def requested(call: Call) -> Response:
    """``GET /users/{id}/tickets/requested``: neither deleted nor archived ones, as closed ones are after 120 days."""
    number, archived = _user(call)["id"], iso(call.now - 120 * 86_400)
    theirs = [row for row in _undeleted(call) if row["requester_id"] == number]
    rows = [row for row in theirs if row["status"] != "closed" or row["updated_at"] >= archived]
    return paged(call, "tickets", rows, hidden={"generated_timestamp"})


# Triggers and automations are shown, and never do anything.
ROUTES: dict[str, Callable[[Call], Response]] = {
    **writes.ROUTES,
    "GET incremental/tickets/cursor": incremental,
    "GET search/export": search_export,
    "GET tickets": list_tickets,
    "GET tickets/count": lambda call: _counted(call, len(_undeleted(call))),
    "GET tickets/show_many": show_many,
    "GET tickets/{id}": show,
    "GET tickets/{id}/comments/count": lambda call: _counted(call, len(call.shown_ticket().comments)),
    "GET tickets/{id}/audits": audits,
    "GET tags": list_tags,
    "GET ticket_fields": lambda call: _unpaged("ticket_fields", call.store.ticket_fields),
    "GET groups": groups,
    "GET users/me": lambda call: json_response(200, {"user": call.store.users[BOT_ID]}),
    "GET users/search": search_users,
    "GET users/{id}/tickets/requested": requested,
    "GET help_center/articles": lambda call: paged(call, "articles", call.store.articles),
    "GET triggers": lambda call: paged(call, "triggers", list(call.store.triggers.values()), order="position,title"),
    "GET automations": lambda call: paged(call, "automations", call.store.automations, order="position"),
}


class ZendeskApi:
    """Answers everything under ``/api/v2/`` and ``/oauth/tokens``. The caller holds the store's lock."""

    def __init__(self, store: ZendeskStore, auth: Authenticator, plan: str) -> None:
        self.store = store
        self.auth = auth
        self.limits = Limits("zendesk", plan)
        store.users[BOT_ID]["role"] = auth.role
        self.routes = dict(ROUTES)

    def handle(self, request: Request, headers: dict[str, str]) -> Response:
        """The answer; the vendor's headers are put into ``headers``. Raises :class:`~.messages.Refusal`."""
        headers |= {"x-request-id": f"{self.store.random.getrandbits(128):032x}", "x-zendesk-api-version": "v2"}
        if request.path == SIGN_IN and request.method == "POST":
            return self.auth.issue(request)
        route, args = route_of(request.method, request.path.removesuffix(".json"), self.routes)
        scopes = self.auth.scopes_of(request)
        if scopes is None:
            if route == "GET users/me":  # 200 all the same
                return json_response(200, {"user": ANONYMOUS})
            raise refuse(401, {"error": "Couldn't authenticate you"})
        now = self.store.now()
        resource = route.partition(" ")[2].partition("/")[0]
        bucket = resource if resource in ("help_center", "webhooks") else "support"
        self.limits.account(headers, bucket, now)
        handler = self.routes.get(route)
        if handler is None or not request.path.startswith(PREFIX):
            raise refuse(404, {"error": "InvalidEndpoint", "description": "Not found"})
        verb = "read" if request.method == "GET" else "write"
        if not scopes & {verb, f"{resource}:{verb}"}:
            raise missing_scope(f"{resource}:{verb}")
        self.limits.endpoint(headers, route, now, args)
        return handler(Call(request, self.store, self.auth.role, scopes, now, args, headers))
