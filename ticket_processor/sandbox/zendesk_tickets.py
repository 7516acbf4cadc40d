"""Tickets: lists, ``show_many``, comments and audits; show, update, create, delete and count a single one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from .clock import iso
from .messages import Response, json_response, refuse
from .records import NO_SOURCE, StoredTicket, without_generated
from .zendesk_call import Call, Row, bad_request, missing_scope
from .zendesk_paging import paged
from .zendesk_writes import CREATABLE, UPDATABLE, apply_creation, apply_update, unknown_keys

ROLES = ("requester_id", "submitter_id", "assignee_id")


def list_tickets(call: Call) -> Response:
    """``GET /tickets``: not deleted, by id; cursor paging sorts by ``updated_at``, ``id`` or ``status`` only."""
    call.spend("list_tickets")
    rows = [ticket.json for ticket in call.store.tickets.values() if not ticket.deleted]
    wanted = call.request.query.get("external_id")
    if wanted is not None:
        rows = [row for row in rows if row["external_id"] == wanted]
    by_cursor = any(name.startswith("page[") for name in call.request.query)
    show = _without_fields if by_cursor else without_generated
    return paged(call, "tickets", rows, sorts=("updated_at", "id", "status"), show=show)


def _without_fields(row: Row) -> Row:
    """A ticket as the list by cursor shows it: its own fields stand in ``custom_fields`` alone."""
    return {name: value for name, value in without_generated(row).items() if name != "fields"}


def show_many(call: Call) -> Response:
    """``GET /tickets/show_many?ids=``: at most 100, always by id; tickets that are gone are absent."""
    rows = [ticket.shown for ticket in call.store.read(*sorted(call.ids()))]
    payload = {"tickets": rows, "next_page": None, "previous_page": None, "count": len(rows), **side_loads(call, rows)}
    return json_response(200, payload)


def side_loads(call: Call, rows: list[Row], roles: Sequence[str] = ROLES) -> dict[str, list[Row]]:
    """With ``include=users`` everybody whom the rows name, once each; nothing else is side-loaded here."""
    if "users" not in call.request.query.get("include", "").split(","):
        return {}
    wanted = dict.fromkeys(row[role] for row in rows for role in roles if row.get(role) is not None)
    return {"users": [call.store.users[user] for user in wanted if user in call.store.users]}


def comments(call: Call) -> Response:
    """``GET /tickets/{id}/comments``: oldest first, or by ``sort=-created_at``; ``include=users`` adds the authors."""
    rows = list(call.shown_ticket().comments)
    authors = side_loads(call, rows, ("author_id",))
    return paged(call, "comments", rows, sorts=("created_at",), besides=authors)


def count_comments(call: Call) -> Response:
    """``GET /tickets/{id}/comments/count``: with those that a ticket must have had where it takes few more."""
    value = len(call.shown_ticket().comments) + call.rules.had_comments
    return json_response(200, {"count": {"value": value, "refreshed_at": iso(call.now)}})


def audits(call: Call) -> Response:
    """``GET /tickets/{id}/audits``: oldest first, or by ``sort=-created_at``; needs the global read scope."""
    scopes = call.identity.scopes
    if scopes is not None and "read" not in scopes:
        raise missing_scope("read")
    call.spend("audits")
    rows = [audit.as_json() for audit in call.shown_ticket().audits]
    return paged(call, "audits", rows, sorts=("created_at",))


def show(call: Call) -> Response:
    """``GET /tickets/{id}``"""
    return json_response(200, {"ticket": call.shown_ticket().shown})


def update(call: Call) -> Response:
    """``PUT /tickets/{id}``: 200 with the ticket and the audit of the change."""
    ticket = call.ticket()
    call.spend("update_ticket")
    call.spend("updates_per_ticket", key=(call.identity.user_id, ticket.id))
    payload = ticket_payload(call)
    kept = call.rules.counting(payload, in_batch=False)
    audit = apply_update(call.store, ticket, kept, call.identity, call.rules, sent=payload)
    call.headers |= unknown_keys(payload, call.rules.told(UPDATABLE))
    shown = audit.as_json() if audit else _empty_audit(call, ticket)
    return json_response(200, {"ticket": ticket.shown, "audit": shown})


def create(call: Call) -> Response:
    """``POST /tickets``: 201 with the ticket and its first audit."""
    payload = ticket_payload(call)
    ticket = apply_creation(call.store, payload, call.identity)
    call.headers |= unknown_keys(payload, CREATABLE, "create")
    answer = {"ticket": ticket.shown, "audit": ticket.audits[0].as_json()}
    return json_response(201, answer, Location=ticket.json["url"])


def count(call: Call) -> Response:
    """``GET /tickets/count``"""
    living = sum(not ticket.deleted for ticket in call.store.tickets.values())
    return json_response(200, {"count": {"value": living, "refreshed_at": iso(call.now)}})


def list_tags(call: Call) -> Response:
    """``GET /tags``: every tag in use with its count, most frequent first."""
    call.spend("tags")
    counts = Counter(tag for ticket in call.store.tickets.values() if not ticket.deleted for tag in ticket.json["tags"])
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    rows = [{"id": place, "name": tag, "count": used} for place, (tag, used) in enumerate(ranked)]
    return paged(call, "tags", rows, show=lambda row: {"name": row["name"], "count": row["count"]})


def ticket_payload(call: Call) -> dict[str, Any]:
    """The object ``ticket`` in the body; 400 without it."""
    payload = call.payload().get("ticket")
    if not isinstance(payload, dict):
        raise bad_request("Invalid attribute", "ticket is required")
    return payload


def _empty_audit(call: Call, ticket: StoredTicket) -> dict[str, Any]:
    """The audit in the answer to a write that changed nothing; it is not kept."""
    return {
        "id": call.store.event_id(),
        "ticket_id": ticket.id,
        "created_at": iso(call.now),
        "author_id": call.identity.user_id,
        "metadata": {"system": {}, "custom": {}},
        "events": [],
        "via": {"channel": "api", "source": NO_SOURCE},
    }


class Idempotency:
    """``Idempotency-Key``: the first answer to a key is given again, for two hours. Creation only."""

    def __init__(self) -> None:
        self._answers: dict[str, tuple[float, tuple[str, str, bytes], Response]] = {}

    def answer(self, call: Call, handler: Callable[[Call], Response]) -> Response:
        """The handler's answer, or the one it gave before to the same key and the same parameters."""
        key = call.request.header("idempotency-key")
        if not key:
            return handler(call)
        asked = (call.request.method, call.request.path, call.request.body)
        until, before, answer = self._answers.get(key, (0.0, asked, Response(0)))
        if until > call.now:
            if before != asked:
                message = "The idempotency key was used before with other parameters."
                raise refuse(400, {"error": "IdempotentRequestError", "description": message})
            call.headers["x-idempotency-lookup"] = "hit"
            return Response(answer.status, dict(answer.headers), answer.body)
        response = handler(call)
        kept = Response(response.status, dict(response.headers), response.body)
        self._answers[key] = (call.now + 7_200, asked, kept)
        call.headers["x-idempotency-lookup"] = "miss"
        return response
