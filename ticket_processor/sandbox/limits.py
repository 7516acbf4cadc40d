"""Rate limits in fixed windows, by plan, with the headers that tell a client where it stands.

Windows are aligned to the clock: every account-wide count starts again at the full minute, Zendesk's per-ticket count
at every full ten minutes. Refused and invalid requests count. Not thread-safe; the sandbox's lock covers it.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from pathlib import Path

from .messages import Refusal, Response, json_response, text_response

MINUTE = 60
TEN_MINUTES = 600
WEBHOOKS = 100
"""Requests per minute of Zendesk's webhooks, whatever the plan."""

Plan = Mapping[str, int]
"""Requests, or credits, per window: for everything under ``account``, and for some endpoints; no limit where none is
named."""

_FILE = tomllib.loads(Path(__file__).with_name("limits.toml").read_text(encoding="utf-8"))
PLANS: Mapping[str, Plan] = {
    **{name: {**_FILE["usual"], **own} for name, own in _FILE["zendesk"].items()},
    "unlimited": {},
}
FRESHDESK_PLANS: Mapping[str, Plan] = {**_FILE["freshdesk"], "unlimited": {}}
"""By the names that a sandbox takes."""


class Limits:
    """Counts requests by name, each in a window that begins again at multiples of its length."""

    plans = PLANS

    def __init__(self, plan: str) -> None:
        if plan not in self.plans:
            raise ValueError(f"unknown plan {plan!r}; the plans are {', '.join(self.plans)}")
        self.name, self.plan = plan, self.plans[plan]
        self._counts: dict[tuple[object, int], int] = {}
        self._swept = -1

    def count(self, key: object, window: int, now: float, by: int = 1) -> tuple[int, int]:
        """Count; gives what has been used in this window, and the seconds until it ends."""
        current = int(now // window)
        if int(now // TEN_MINUTES) != self._swept:  # so that a long simulation does not grow
            self._swept = int(now // TEN_MINUTES)
            self._counts.clear()
        slot = ((key, window), current)
        self._counts[slot] = self._counts.get(slot, 0) + by
        return self._counts[slot], max(1, math.ceil((current + 1) * window - now))


class RequestLimits(Limits):
    """Counts Zendesk's. :meth:`account` and :meth:`spend` raise :class:`Refusal` (429) when used up."""

    def account(self, bucket: str, now: float) -> dict[str, str]:
        """Count one request in an account-wide bucket (``support``, ``help_center`` or ``webhooks``): its headers."""
        if not self.plan:
            return {}
        total = WEBHOOKS if bucket == "webhooks" else self.plan["account"]
        used, resets = self.count(bucket, MINUTE, now)
        left = max(0, total - used)
        headers = {"X-Rate-Limit": str(total), "X-Rate-Limit-Remaining": str(left)}
        if bucket == "support":  # as replies had them in 2024, and in 2023; the other services have none of these
            for name, value in (("", total), ("-remaining", left), ("-reset", resets)):
                headers[f"ratelimit{name or '-limit'}"] = headers[f"rate-limit{name}"] = str(value)
        if used > total:
            message = "Number of allowed API requests per minute exceeded"
            raise _too_many(text_response(429, message), headers, resets)
        return headers

    def spend(self, name: str, now: float, *, key: object = None) -> dict[str, str]:
        """Count one request against an endpoint's own limit: its header, or nothing without a limit."""
        total = self.plan.get(name)
        if total is None:
            return {}
        header, what, form = _FILE["endpoints"][name]
        window = TEN_MINUTES if name == "updates_per_ticket" else MINUTE
        used, resets = self.count((name, key), window, now)
        headers = {header: f"total={total}; remaining={max(0, total - used)}; resets={resets}"}
        if used > total:
            body: object = {"errors": [{"code": "TooManyRequests", "title": f"Too many {what}"}]}
            if form == "error":
                message = f"Number of allowed {what} API requests per minute exceeded"
                body = {"error": "APIRateLimitExceeded", "description": message}
            raise _too_many(json_response(429, body), headers, resets)
        return headers


class FreshdeskLimits(Limits):
    """Counts credits; :meth:`spend` raises :class:`Refusal` (429) when they are used up."""

    plans = FRESHDESK_PLANS

    def spend(self, credits: int, endpoint: str | None, now: float) -> dict[str, str]:
        """Count a request of so many credits; ``endpoint`` names the own limit that it falls under. Its headers."""
        used, resets = self.count("account", MINUTE, now, credits)
        headers = {"X-RateLimit-Used-CurrentRequest": str(credits)}
        total, own = self.plan.get("account"), self.plan.get(endpoint or "")
        if total is not None:
            headers["X-RateLimit-Total"] = f"{total}.0" if self.name == "trial" else str(total)
            headers["X-RateLimit-Remaining"] = str(max(0, total - used))
        calls = 0 if own is None else self.count(endpoint, MINUTE, now)[0]
        if (total is not None and used > total) or (own is not None and calls > own):
            message = "You have exceeded the limit of requests per minute"
            raise _too_many(json_response(429, {"message": message}), headers, resets)
        return headers


def _too_many(response: Response, headers: dict[str, str], resets: int) -> Refusal:
    response.headers |= {**headers, "Retry-After": str(resets)}
    return Refusal(response)
