"""Freshdesk's rate limits: credits a minute for the whole account, by plan, with lower limits for some endpoints.

The minute is the clock's: counts start again when it is full. Credits are what the whole account may use; an endpoint's
own limit counts its calls. Refused and invalid requests count. Not thread-safe by itself; the sandbox's lock covers it.

Source: developers.freshdesk.com/api, "Rate Limit".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .messages import Refusal, json_response

MINUTE = 60


@dataclass(frozen=True)
class FreshdeskPlan:
    """Credits per minute for everything, and calls per minute of some endpoints; ``None`` means no limit.

    ``written`` is how the header writes the total.
    """

    account: int | None
    create_ticket: int | None = None
    update_ticket: int | None = None
    list_tickets: int | None = None
    list_contacts: int | None = None
    written: str = ""


FRESHDESK_PLANS: dict[str, FreshdeskPlan] = {
    "growth": FreshdeskPlan(200, 80, 80, 20, 20),
    "pro": FreshdeskPlan(400, 160, 160, 100, 100),
    "enterprise": FreshdeskPlan(700, 280, 280, 200, 200),
    "trial": FreshdeskPlan(50, written="50.0"),
    "plus1000": FreshdeskPlan(1000, 400, 400, 300, 300),
    "plus2000": FreshdeskPlan(2000, 800, 800, 400, 400),
    "unlimited": FreshdeskPlan(None),
}
"""Plan names a Freshdesk sandbox takes. ``plus1000`` and ``plus2000`` are limits bought on top."""


class FreshdeskLimits:
    """Counts credits; :meth:`spend` raises :class:`Refusal` (429) when they are used up."""

    def __init__(self, plan: str) -> None:
        if plan not in FRESHDESK_PLANS:
            raise ValueError(f"unknown plan {plan!r}; the plans are {', '.join(FRESHDESK_PLANS)}")
        self.name = plan
        self.plan = FRESHDESK_PLANS[plan]
        self.used = 0
        self._window = -1
        self._calls: dict[str, int] = {}

    def spend(self, credits: int, endpoint: str | None, now: float) -> dict[str, str]:
        """Count a request of so many credits; ``endpoint`` names the own limit that it falls under. Its headers."""
        window = int(now // MINUTE)
        if window != self._window:
            self._window, self.used, self._calls = window, 0, {}
        self.used += credits
        headers = {"X-RateLimit-Used-CurrentRequest": str(credits)}
        total = self.plan.account
        if total is not None:
            headers["X-RateLimit-Total"] = self.plan.written or str(total)
            headers["X-RateLimit-Remaining"] = str(max(0, total - self.used))
        own = getattr(self.plan, endpoint) if endpoint else None
        if own is not None and endpoint is not None:
            self._calls[endpoint] = self._calls.get(endpoint, 0) + 1
        if (total is not None and self.used > total) or (own is not None and self._calls[str(endpoint)] > own):
            resets = max(1, math.ceil((window + 1) * MINUTE - now))
            raise too_many(headers, resets)
        return headers


def too_many(headers: dict[str, str], resets: int) -> Refusal:
    """429 in the vendor's form."""
    response = json_response(429, {"message": "You have exceeded the limit of requests per minute"})
    response.headers |= {**headers, "Retry-After": str(resets)}
    return Refusal(response)
