"""Ways in which a vendor may act where no source is certain, or in which accounts differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from ticket_processor.sandbox import zendesk_store
from ticket_processor.sandbox.messages import Refusal, Response, json_response, refuse, text_response
from ticket_processor.sandbox.zendesk_call import Call, forbidden
from ticket_processor.sandbox.zendesk_writes import UPDATABLE, unknown_keys

ErrorForm = Literal["error", "titled", "errors", "text"]


@dataclass(frozen=True)
class Rules(zendesk_store.Rules):
    """Where the vendor's behaviour is not certain, or differs between accounts, this chooses a way.

    - ``stamp_rule``: a safe update passes when the stamp equals ``updated_at``, or when the ticket is not newer.
    - ``conflict_form``, ``too_many_jobs_form``: how these errors are written: ``error`` and ``description``, ``titled``
      (an object in ``error``), a list of ``errors``, or plain ``text``.
    - ``failed_item``: a job's failed item as recorded (no ``success`` key) or as the vendor's schema declares it.
    - ``batch_private``: whether ``public: false`` counts in a batch; else a comment goes the way of the first one.
    - ``batch_stamps``: whether an item's own stamp counts; else it is guarded by the time the job was queued.
    - ``batch_guard``: whether an item without a stamp that counts is guarded at all; else it is always written.
    - ``max_jobs``: jobs that may be queued or working at once; beyond it ``too_many_jobs_status`` is answered.
    - ``drops``: keys that updates and a batch's items leave out; with ``drops_told`` a header names them.
    - ``most_comments``: comments that a ticket takes. Where they are fewer than the vendor's, the others are counted as
      there already.
    - ``help_center``: open, not there (404), not in the account's plan (401), or forbidden for this user (403).
    """

    job_seconds: tuple[float, float] = (1.0, 0.07)
    stamp_rule: Literal["equal", "not_newer"] = "equal"
    conflict_form: ErrorForm = "error"
    failed_item_form: Literal["recorded", "schema"] = "recorded"
    batch_private: bool = True
    batch_stamps: bool = True
    batch_guard: bool = True
    max_jobs: int = 30
    too_many_jobs_status: int = 429
    too_many_jobs_form: ErrorForm = "error"
    drops: tuple[str, ...] = ()
    drops_told: bool = True
    most_comments: int = 5_000
    help_center: Literal["open", "none", "not_in_plan", "forbidden"] = "open"

    def passes(self, stamp: float, current: float) -> bool:
        return stamp == current or (self.stamp_rule == "not_newer" and current < stamp)

    def counting(self, payload: Mapping[str, Any], *, in_batch: bool) -> Mapping[str, Any]:
        dropped = set(self.drops)
        if in_batch:
            dropped |= set() if self.batch_stamps else {"safe_update", "updated_stamp"}
        counts = {key: value for key, value in payload.items() if key not in dropped}
        if in_batch and not self.batch_private and isinstance(counts.get("comment"), dict):
            counts["comment"] = {key: value for key, value in counts["comment"].items() if key != "public"}
        return counts

    def guarded_since(self, queued: float) -> float:
        return queued if self.batch_guard else 1e12

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


def by_the_rules(routes: Mapping[str, Handler]) -> dict[str, Handler]:
    """Those of an account's routes on which rules have a bearing, as they have it."""

    def write(handle: Handler, call: Call) -> Response:
        try:
            response = handle(call)
        except Refusal as refusal:
            raise call.store.rules.reworded(refusal) from None
        if call.store.rules.drops and call.store.rules.drops_told:
            payload = call.payload()
            keys = dict.fromkeys(key for item in payload.get("tickets") or [payload["ticket"]] for key in item)
            action = "update_many" if "tickets" in payload else "update"
            call.headers |= unknown_keys(keys, UPDATABLE.difference(call.store.rules.drops), action)
        return response

    def count_comments(handle: Handler, call: Call) -> Response:
        body = handle(call).json()
        body["count"]["value"] += zendesk_store.Rules.most_comments - call.store.rules.most_comments
        return json_response(200, body)

    def enter_help_center(handle: Handler, call: Call) -> Response:
        if call.store.rules.help_center == "none":
            raise refuse(404, {"error": "InvalidEndpoint", "description": "Not found"})
        if call.store.rules.help_center == "not_in_plan":
            raise refuse(401, {"error": "Couldn't authenticate you"})
        if call.store.rules.help_center == "forbidden":
            raise forbidden()
        return handle(call)

    ways = {
        "PUT tickets/{id}": write,
        "PUT tickets/update_many": write,
        "GET tickets/{id}/comments/count": count_comments,
        "GET help_center/articles": enter_help_center,
        "GET help_center/user_segments": enter_help_center,
    }
    return {route: partial(way, routes[route]) for route, way in ways.items()}
