"""Ways in which a vendor may act where no source is certain, or in which accounts differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from ticket_processor.sandbox.basics import iso, parse_iso
from ticket_processor.sandbox.freshdesk_api import PAGE, FreshdeskCall, problem, validation_failed
from ticket_processor.sandbox.freshdesk_store import NOTE
from ticket_processor.sandbox.messages import Refusal, Request, Response, json_response, refuse, text_response
from ticket_processor.sandbox.zendesk_call import Call
from ticket_processor.sandbox.zendesk_store import ZendeskStore
from ticket_processor.sandbox.zendesk_writes import UPDATABLE, unknown_keys

ErrorForm = Literal["error", "titled", "errors", "text"]


@dataclass(frozen=True)
class FreshdeskRules:
    """Where Freshdesk's behaviour is not certain, or differs between accounts, this chooses a way."""

    notes_move_stamp: bool = True  # one that is made, edited or deleted; replies always move updated_at
    tags_move_stamp: bool = True  # a change of nothing but tags
    since_inclusive: bool = True  # updated_since includes the second it names
    tags_in_lists: bool = True
    conversations_per_page: int = 100  # a higher per_page gives no more
    required_fields: tuple[str, ...] = ()  # which no update may leave empty, whatever it changes


@dataclass(frozen=True)
class Rules:
    """Where Zendesk's behaviour is not certain, or differs between accounts, this chooses a way.

    Errors are written as ``error`` and ``description``, ``titled`` (an object in ``error``), a list of ``errors``, or
    plain ``text``.
    """

    job_seconds: tuple[float, float] = (1.0, 0.07)
    stamp_rule: Literal["equal", "not_newer"] = "equal"  # than the ticket a stamp has to be, for a safe update to pass
    conflict_form: ErrorForm = "error"
    failed_item_form: Literal["recorded", "schema"] = "recorded"  # without a success key, or as the vendor declares it
    batch_private: bool = True  # "public: false" counts in a batch; else a comment goes the way of the first one
    batch_stamps: bool = True  # an item's own stamp counts; else it is guarded by the time the job was queued
    batch_guard: bool = True  # an item without a stamp that counts is guarded at all; else it is always written
    max_jobs: int = 30  # that may be queued or working at once
    too_many_jobs_status: int = 429
    too_many_jobs_form: ErrorForm = "error"
    drops: tuple[str, ...] = ()  # keys that updates and a batch's items leave out
    drops_told: bool = True  # by a header
    most_comments: int = 5_000  # that a ticket takes; where they are fewer, the others are counted as there already

    def counting(self, payload: Mapping[str, Any], *, in_batch: bool) -> Mapping[str, Any]:
        dropped = set(self.drops)
        if in_batch:
            dropped |= set() if self.batch_stamps else {"safe_update", "updated_stamp"}
        counts = {key: value for key, value in payload.items() if key not in dropped}
        if in_batch and not self.batch_private and isinstance(counts.get("comment"), dict):
            counts["comment"] = {key: value for key, value in counts["comment"].items() if key != "public"}
        return counts

    def reworded(self, refusal: Refusal) -> Refusal:
        """The error of a safe update that is outdated, or of a job too many, in its form; another as it is."""
        response = refusal.response
        told = response.json()
        code, description = told.get("error"), told.get("description")
        if code not in ("UpdateConflict", "TooManyJobs"):
            return refusal
        form, status = self.conflict_form, response.status
        if code == "TooManyJobs":
            form, status = self.too_many_jobs_form, self.too_many_jobs_status
        headers = {"Retry-After": response.headers["Retry-After"]} if status in (429, 503) else {}
        if form == "text":
            return Refusal(text_response(status, f"{description}\n"))
        body = {
            "error": told,
            "titled": {"error": {"title": code, "message": description}},
            "errors": {"errors": [{"code": code, "title": description}]},
        }[form]
        return refuse(status, body, **headers)


Handler = Callable[[Call], Response]
FreshHandler = Callable[[FreshdeskCall], Response]


def by_the_rules(routes: Mapping[str, Handler]) -> dict[str, Handler]:
    """Those of an account's routes on which rules have a bearing, as they have it."""

    def write(handle: Handler, call: Call) -> Response:
        try:
            response = handle(call)
        except Refusal as refusal:
            raise call.store.rules.reworded(refusal) from None
        if call.store.rules.drops and call.store.rules.drops_told:
            payload = call.request.json()
            keys = dict.fromkeys(key for item in payload.get("tickets") or [payload["ticket"]] for key in item)
            action = "update_many" if "tickets" in payload else "update"
            call.headers |= unknown_keys(keys, UPDATABLE.difference(call.store.rules.drops), action)
        return response

    def count_comments(handle: Handler, call: Call) -> Response:
        body = handle(call).json()
        body["count"]["value"] += ZendeskStore.most_comments - call.store.rules.most_comments
        return json_response(200, body)

    ways = {
        "PUT tickets/{id}": write,
        "PUT tickets/update_many": write,
        "GET tickets/{id}/comments/count": count_comments,
    }
    return {route: partial(way, routes[route]) for route, way in ways.items()}


def by_freshdesks_rules(routes: Mapping[str, FreshHandler]) -> dict[str, FreshHandler]:
    """The same of Freshdesk. In trash and spam all may be read alone."""

    def listed(call: FreshdeskCall) -> Response:
        since = call.request.query.get("updated_since")
        if since is not None and not call.store.rules.since_inclusive:
            call = _asked(call, updated_since=iso(parse_iso(since) + 1))
        response = routes["GET tickets"](call)
        if not call.store.rules.tags_in_lists:
            rows = [{name: row[name] for name in row if name != "tags"} for row in response.json()]
            response.body = json_response(200, rows).body
        return response

    def conversations(call: FreshdeskCall) -> Response:
        size = min(int(call.request.query.get("per_page", PAGE)), call.store.rules.conversations_per_page)
        return routes["GET tickets/{id}/conversations"](_asked(call, per_page=str(size)))

    def update(call: FreshdeskCall) -> Response:
        payload, held = call.request.json(), call.one_of(call.store.tickets).json
        after = {**held, **payload, **held["custom_fields"], **(payload.get("custom_fields") or {})}
        blank = [name for name in call.store.rules.required_fields if after.get(name) in (None, "", [])]
        if blank:
            raise validation_failed(problem(name, "missing_field") for name in blank)
        return routes["PUT tickets/{id}"](call)

    def of_ticket(handle: FreshHandler, call: FreshdeskCall) -> Response:
        ticket, row = call.store.tickets.get(call.args[0]), {"source": NOTE}
        if "/conversations/" in call.request.path:
            ticket, row = call.store.conversation(call.args[0])
        read_only = ticket is not None and (ticket.deleted or ticket.spam or row["source"] != NOTE)
        if read_only and call.request.method != "GET":
            raise refuse(405, {"code": "method_not_allowed", "message": "It should be one of: GET"}, Allow="GET")
        return handle(call)

    own = {"GET tickets/{id}/conversations": conversations, "PUT tickets/{id}": update}
    of_one = ("GET tickets/{id}", "POST tickets/{id}/notes", "DELETE conversations/{id}", *own)
    seen = {route: partial(of_ticket, {**routes, **own}[route]) for route in of_one}
    return {**seen, "GET tickets": listed}


def _asked(call: FreshdeskCall, **query: str) -> FreshdeskCall:
    """The same call with other values in its query."""
    asked = call.request
    return replace(call, request=Request(asked.method, asked.path, {**asked.query, **query}))
