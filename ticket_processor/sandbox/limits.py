"""Rate limits in fixed windows, by plan, with the headers that tell a client where it stands.

Windows are aligned to the clock: every account-wide count starts again at the full minute, the per-ticket count at
every full ten minutes. Not thread-safe by itself; the sandbox's lock covers it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .messages import Refusal, Response, json_response, text_response

MINUTE = 60
TEN_MINUTES = 600
WEBHOOKS = 100
"""Requests per minute of the webhooks' own service, whatever the plan."""


@dataclass(frozen=True)
class Plan:
    """Requests per minute: for everything, and for the endpoints of :data:`_ENDPOINTS`.

    ``None`` means no limit. ``list_tickets`` has been met on trial accounts only.
    """

    account: int | None
    incremental_exports: int | None = 10
    search_export: int | None = 100
    update_ticket: int | None = 100
    ticket_fields: int | None = 300
    audits: int | None = 500
    list_tickets: int | None = None
    updates_per_ticket: int | None = 30
    tags: int | None = 100


PLANS: dict[str, Plan] = {
    "team": Plan(200),
    "growth": Plan(400),
    "professional": Plan(400),
    "enterprise": Plan(700),
    "enterprise-plus": Plan(2500, incremental_exports=30, update_ticket=300),
    "sandbox": Plan(400, update_ticket=20, ticket_fields=40, list_tickets=100),
    "unlimited": Plan(None, None, None, None, None, None, None, None, None),
}
"""Plan names a sandbox takes. ``enterprise-plus`` includes the high-volume add-on's higher limits, ``sandbox``
is a vendor's sandbox or trial account."""


class RequestLimits:
    """Counts requests. :meth:`account` and :meth:`spend` raise :class:`Refusal` (429) when used up."""

    def __init__(self, plan: str) -> None:
        if plan not in PLANS:
            raise ValueError(f"unknown plan {plan!r}; the plans are {', '.join(PLANS)}")
        self.name = plan
        self.plan = PLANS[plan]
        self._windows: dict[object, int] = {}
        self._counts: dict[object, int] = {}
        self._swept = -1

    def account(self, bucket: str, now: float) -> dict[str, str]:
        """Count one request in an account-wide bucket (``support``, ``help_center`` or ``webhooks``): its headers."""
        if self.plan.account is None:
            return {}
        total = WEBHOOKS if bucket == "webhooks" else self.plan.account
        used, resets = self._count(bucket, MINUTE, now)
        left = max(0, total - used)
        headers = {
            "X-Rate-Limit": str(total),
            "X-Rate-Limit-Remaining": str(left),
        }
        if bucket == "support":  # as replies had them in 2024, and in 2023; the other services have none of these
            for name, value in (("", total), ("-remaining", left), ("-reset", resets)):
                headers[f"ratelimit{name or '-limit'}"] = headers[f"rate-limit{name}"] = str(value)
        if used > total:
            message = "Number of allowed API requests per minute exceeded"
            raise Refusal(_too_many(text_response(429, message), headers, resets))
        return headers

    def spend(self, name: str, now: float, *, key: object = None) -> dict[str, str]:
        """Count one request against an endpoint's own limit: its header, or nothing without a limit."""
        total = getattr(self.plan, name)
        if total is None:
            return {}
        header, window, message, form = _ENDPOINTS[name]
        used, resets = self._count((name, key), window, now)
        headers = {header: f"total={total}; remaining={max(0, total - used)}; resets={resets}"}
        if used > total:
            if form == "error":
                body: object = {"error": "APIRateLimitExceeded", "description": message}
            else:
                body = {"errors": [{"code": "TooManyRequests", "title": message}]}
            raise Refusal(_too_many(json_response(429, body), headers, resets))
        return headers

    def _count(self, key: object, window: int, now: float) -> tuple[int, int]:
        self._sweep(now)
        current = int(now // window)
        slot = (key, window)
        if self._windows.get(slot) != current:
            self._windows[slot] = current
            self._counts[slot] = 0
        self._counts[slot] += 1
        return self._counts[slot], max(1, math.ceil((current + 1) * window - now))

    def _sweep(self, now: float) -> None:
        """Forget the tickets of earlier windows, so that a long simulation does not grow."""
        current = int(now // TEN_MINUTES)
        if current != self._swept:
            self._swept = current
            self._windows.clear()
            self._counts.clear()


_ENDPOINTS: dict[str, tuple[str, int, str, str]] = {
    "incremental_exports": (
        "zendesk-ratelimit-incremental-exports",
        MINUTE,
        "Number of allowed incremental export API requests per minute exceeded",
        "error",
    ),
    "search_export": (
        "zendesk-ratelimit-search-export",
        MINUTE,
        "Number of allowed search export API requests per minute exceeded",
        "error",
    ),
    "update_ticket": ("zendesk-rate-limit-tickets-update", MINUTE, "Too many ticket updates", "errors"),
    "ticket_fields": ("zendesk-ratelimit-ticket-fields-index", MINUTE, "Too many requests for ticket fields", "errors"),
    "audits": ("zendesk-ratelimit-ticket-audits", MINUTE, "Too many requests for audits", "errors"),
    "list_tickets": ("zendesk-ratelimit-tickets-index", MINUTE, "Too many requests for the list of tickets", "errors"),
    "tags": ("zendesk-rate-limit-tags-index", MINUTE, "Too many requests for the list of tags", "errors"),
    "updates_per_ticket": (
        "zendesk-ratelimit-per-ticket-updates",
        TEN_MINUTES,
        "Too many updates of this ticket by this user",
        "errors",
    ),
}
"""By name, the header that reports a limit, its window in seconds, and the message and form of its 429."""


def _too_many(response: Response, headers: dict[str, str], resets: int) -> Response:
    response.headers |= {**headers, "Retry-After": str(resets)}
    return response
