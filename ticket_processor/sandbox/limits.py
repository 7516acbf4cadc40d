"""Rate limits in fixed windows, by plan, with the headers that tell a client where it stands.

Windows are aligned to the clock: every account-wide count starts again at the full minute, Zendesk's per-ticket count
at every full ten minutes. Refused and invalid requests count. Not thread-safe; the sandbox's lock covers it.

Sources: developer.zendesk.com, "Rate limits"; developers.freshdesk.com/api, "Rate Limit".
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from .messages import Refusal, Response, json_response, text_response

MINUTE = 60
TEN_MINUTES = 600
WEBHOOKS = 100
"""Requests per minute of Zendesk's webhooks, whatever the plan."""

Plan = Mapping[str, int]
"""Requests, or credits, per window: for everything under ``account``, and for some endpoints; no limit where none is
named."""

_USUAL = {
    "incremental_exports": 10,
    "search_export": 100,
    "update_ticket": 100,
    "ticket_fields": 300,
    "audits": 500,
    "updates_per_ticket": 30,
    "tags": 100,
}
PLANS: Mapping[str, Plan] = {
    "team": {**_USUAL, "account": 200},
    "growth": {**_USUAL, "account": 400},
    "professional": {**_USUAL, "account": 400},
    "enterprise": {**_USUAL, "account": 700},
    "enterprise-plus": {**_USUAL, "account": 2500, "incremental_exports": 30, "update_ticket": 300},
    "sandbox": {**_USUAL, "account": 400, "update_ticket": 20, "ticket_fields": 40, "list_tickets": 100},
    "unlimited": {},
}
"""Plan names a sandbox takes. ``enterprise-plus`` includes the high-volume add-on's higher limits, ``sandbox``
is a vendor's sandbox or trial account; a limit on the list of tickets has been met there only."""


def _freshdesk(account: int, written: int, listed: int) -> Plan:
    """Credits for everything, calls that make or change a ticket, and calls for a list."""
    own = {"create_ticket": written, "update_ticket": written, "list_tickets": listed, "list_contacts": listed}
    return {"account": account, **own}


FRESHDESK_PLANS: Mapping[str, Plan] = {
    "growth": _freshdesk(200, 80, 20),
    "pro": _freshdesk(400, 160, 100),
    "enterprise": _freshdesk(700, 280, 200),
    "trial": {"account": 50},
    "plus1000": _freshdesk(1000, 400, 300),
    "plus2000": _freshdesk(2000, 800, 400),
    "unlimited": {},
}
"""Plan names a Freshdesk sandbox takes. ``plus1000`` and ``plus2000`` are limits bought on top."""


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
        header, what, form = _ENDPOINTS[name]
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


_ENDPOINTS: dict[str, tuple[str, str, str]] = {
    "incremental_exports": ("zendesk-ratelimit-incremental-exports", "incremental export", "error"),
    "search_export": ("zendesk-ratelimit-search-export", "search export", "error"),
    "update_ticket": ("zendesk-rate-limit-tickets-update", "ticket updates", "errors"),
    "ticket_fields": ("zendesk-ratelimit-ticket-fields-index", "requests for ticket fields", "errors"),
    "audits": ("zendesk-ratelimit-ticket-audits", "requests for audits", "errors"),
    "list_tickets": ("zendesk-ratelimit-tickets-index", "requests for the list of tickets", "errors"),
    "tags": ("zendesk-rate-limit-tags-index", "requests for the list of tags", "errors"),
    "updates_per_ticket": ("zendesk-ratelimit-per-ticket-updates", "updates of this ticket by this user", "errors"),
}
"""By name, the header that reports a limit, what is limited, and the form of its 429."""


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
