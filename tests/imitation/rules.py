"""Ways in which a vendor may act where no source is certain, or in which accounts differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ticket_processor.sandbox import zendesk_store
from ticket_processor.sandbox.freshdesk_store import FreshdeskRules
from ticket_processor.sandbox.messages import Refusal, refuse, text_response
from ticket_processor.sandbox.zendesk_call import forbidden

__all__ = ["ErrorForm", "FreshdeskRules", "Rules"]

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

    @property
    def had_comments(self) -> int:  # type: ignore[override]
        return zendesk_store.Rules.most_comments - self.most_comments

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

    def told(self, known: frozenset[str]) -> frozenset[str]:
        return known.difference(self.drops) if self.drops_told else known

    def guarded_since(self, queued: float) -> float:
        return queued if self.batch_guard else 1e12

    def failed_item(self, index: int, row: Mapping[str, Any]) -> dict[str, Any]:
        if self.failed_item_form == "schema":
            return {"action": "update", "success": False, **row}
        return super().failed_item(index, row)

    def refusal(self, status: int, code: str, description: str, **headers: str) -> Refusal:
        form = self.conflict_form
        if code == "TooManyJobs":
            form, status = self.too_many_jobs_form, self.too_many_jobs_status
            headers = headers if status in (429, 503) else {}
        if form == "error":
            return super().refusal(status, code, description, **headers)
        if form == "text":
            return Refusal(text_response(status, f"{description}\n"))
        titled = {"error": {"title": code, "message": description}}
        return refuse(
            status, titled if form == "titled" else {"errors": [{"code": code, "title": description}]}, **headers
        )

    def enter_help_center(self) -> None:
        if self.help_center == "none":
            raise refuse(404, {"error": "InvalidEndpoint", "description": "Not found"})
        if self.help_center == "not_in_plan":
            raise refuse(401, {"error": "Couldn't authenticate you"})
        if self.help_center == "forbidden":
            raise forbidden()
