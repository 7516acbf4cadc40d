"""Who may call the imitated APIs, and how often.

Rate limits hold in fixed windows, by plan, and headers tell a client where it stands. Windows are aligned to the clock:
every account-wide count starts again at the full minute, Zendesk's per-ticket count at every full ten minutes. Refused
and invalid requests count. Not thread-safe; the sandbox's lock covers it.
"""

from __future__ import annotations

import base64
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .messages import Refusal, Request, Response, json_response, refuse, text_response
from .store import Store

DEFAULT_TOKEN_LIFE = 1_800
EVERYTHING = frozenset(("read", "write"))
"""The scopes of what allows everything."""


@dataclass(frozen=True)
class Credentials:
    """The credentials that a sandbox accepts; others are refused with 401.

    OAuth client for ``POST /oauth/tokens``; a Bearer token that never expires; e-mail and API token for
    HTTP Basic (``email/token:api_token``); Freshdesk's API key, with the password ``X``; and the key of the
    OpenAI-compatible part.
    """

    oauth_client_id: str = "ticketbot"
    oauth_client_secret: str = "sandbox-secret"  # noqa: S105 - documented, and opens nothing but the sandbox
    oauth_token: str = "sandbox-oauth-token"  # noqa: S105
    email: str = "bot@example.com"
    api_token: str = "sandbox-token"  # noqa: S105
    api_key: str = "sandbox-api-key"
    openai_key: str = "sandbox-key"
    allowed_scopes: frozenset[str] | None = None
    """What the OAuth client may ask for; ``None`` is everything."""


class Authenticator:
    """Checks credentials, and issues Zendesk's tokens. The sandbox's lock covers it."""

    def __init__(self, credentials: Credentials, store: Store, role: str) -> None:
        if role not in ("admin", "agent"):
            raise ValueError("bot_role is one of admin, agent")
        self.credentials = credentials
        self.role = role
        self._store = store
        self.issued: dict[str, tuple[float, frozenset[str]]] = {}

    def scopes_of(self, request: Request) -> frozenset[str] | None:
        """What Zendesk's caller may do; ``None`` without credentials. Raises :class:`Refusal` (401) for wrong ones."""
        sent, known = request.header("authorization"), self.credentials
        if sent.startswith("Bearer "):
            return self._bearer(sent.removeprefix("Bearer "))
        if sent == _basic(f"{known.email}/token:{known.api_token}"):
            return EVERYTHING
        if sent:
            raise refuse(401, {"error": "Couldn't authenticate you"})
        return None

    def check_freshdesks(self, request: Request) -> None:
        """Raise :class:`Refusal` (401) for missing or wrong credentials of Freshdesk's."""
        if request.header("authorization") != _basic(f"{self.credentials.api_key}:X"):
            message = "You have to be logged in to perform this action."
            raise refuse(401, {"code": "invalid_credentials", "message": message})

    def _bearer(self, token: str) -> frozenset[str]:
        if token == self.credentials.oauth_token:
            return EVERYTHING
        expires, scopes = self.issued.get(token, (0.0, frozenset()))
        if expires <= self._store.now():
            invalid = "The access token provided is expired, revoked, malformed or invalid for other reasons."
            raise _oauth_error(401, "invalid_token", invalid)
        return scopes

    def issue(self, request: Request) -> Response:
        """``POST /oauth/tokens``: 201 with a token that lives for ``expires_in`` seconds."""
        fields: dict[str, Any] = request.json()
        client, secret = self.credentials.oauth_client_id, self.credentials.oauth_client_secret
        if (fields.get("client_id"), fields.get("client_secret")) != (client, secret):
            raise _oauth_error(401, "invalid_client", "Client authentication failed.")
        life, scope = int(fields.get("expires_in") or DEFAULT_TOKEN_LIFE), str(fields.get("scope") or "read write")
        scopes, allowed = frozenset(scope.split()), self.credentials.allowed_scopes
        if allowed is not None and not scopes <= allowed:
            raise _oauth_error(400, "invalid_scope", "The requested scope is invalid, unknown, or malformed.")
        token = f"{self._store.random.getrandbits(256):064x}"
        self.issued[token] = (self._store.now() + life, scopes)
        answer = {"access_token": token, "token_type": "bearer", "scope": scope, "expires_in": life}
        return json_response(201, answer)


def _oauth_error(status: int, error: str, description: str) -> Refusal:
    return refuse(status, {"error": error, "error_description": description})


def _basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode("ascii")


# --- rate limits ------------------------------------------------------------------------------------------

MINUTE = 60
TEN_MINUTES = 600

_FILE = tomllib.loads(Path(__file__).with_name("limits.toml").read_text(encoding="utf-8"))
PLANS: Mapping[str, Mapping[str, Mapping[str, int]]] = {
    "zendesk": {**{name: {**_FILE["usual"], **own} for name, own in _FILE["zendesk"].items()}, "unlimited": {}},
    "freshdesk": {**_FILE["freshdesk"], "unlimited": {}},
}
"""By helpdesk, and the names that a sandbox takes: requests, or credits, for everything under ``account``, and for some
endpoints; no limit where none is named."""


class Limits:
    """Counts requests by name, each in a window that begins again at multiples of its length.

    Its methods put headers into the dict that they are given, and raise :class:`Refusal` (429) when a limit is used up.
    """

    def __init__(self, helpdesk: str, plan: str) -> None:
        plans = PLANS[helpdesk]
        if plan not in plans:
            raise ValueError(f"unknown plan {plan!r}; the plans are {', '.join(plans)}")
        self.name, self.plan = plan, plans[plan]
        self._counts: dict[object, tuple[int, int]] = {}

    def count(self, key: object, window: int, now: float, by: int = 1) -> tuple[int, str]:
        """Count; gives what has been used in this window, and the seconds until it ends."""
        current = int(now // window)
        counted_in, used = self._counts.get(key, (current, 0))
        used = by if counted_in != current else used + by
        self._counts[key] = current, used
        return used, str(max(1, math.ceil((current + 1) * window - now)))

    # Zendesk counts requests

    def account(self, headers: dict[str, str], bucket: str, now: float) -> None:
        """Count one request in an account-wide bucket (``support``, or a service that is counted apart)."""
        if not self.plan:
            return
        total = self.plan.get(bucket, self.plan["account"])
        used, resets = self.count(bucket, MINUTE, now)
        left = str(max(0, total - used))
        headers |= {"X-Rate-Limit": str(total), "X-Rate-Limit-Remaining": left}
        if bucket == "support":  # as replies had them in 2024, and in 2023; the other services have none of these
            headers |= {"ratelimit-limit": str(total), "ratelimit-remaining": left, "ratelimit-reset": resets}
            headers |= {"rate-limit": str(total), "rate-limit-remaining": left, "rate-limit-reset": resets}
        if used > total:
            headers["Retry-After"] = resets
            raise Refusal(text_response(429, "Number of allowed API requests per minute exceeded"))

    def endpoint(self, headers: dict[str, str], route: str, now: float, key: object) -> None:
        """Count one request against its endpoint's own limits, one of which is for each ``key``."""
        for name, (limited, header, what) in _FILE["endpoints"].items():
            total = self.plan.get(name)
            if limited != route or total is None:
                continue
            each = name == "updates_per_ticket"
            used, resets = self.count((name, each and key), TEN_MINUTES if each else MINUTE, now)
            headers[header] = f"total={total}; remaining={max(0, total - used)}; resets={resets}"
            if used <= total:
                continue
            headers["Retry-After"] = resets
            message = f"Number of allowed {what} API requests per minute exceeded"
            raise refuse(429, {"error": "APIRateLimitExceeded", "description": message})

    # Freshdesk counts credits

    def spend(self, headers: dict[str, str], credits: int, endpoint: str | None, now: float) -> None:
        """Count a request of so many credits; ``endpoint`` names the own limit that it falls under."""
        used, resets = self.count("account", MINUTE, now, credits)
        headers["X-RateLimit-Used-CurrentRequest"] = str(credits)
        total, own = self.plan.get("account"), self.plan.get(endpoint or "")
        if total is not None:
            headers["X-RateLimit-Total"] = f"{total}.0" if self.name == "trial" else str(total)
            headers["X-RateLimit-Remaining"] = str(max(0, total - used))
        calls = 0 if own is None else self.count(endpoint, MINUTE, now)[0]
        if (total is not None and used > total) or (own is not None and calls > own):
            headers["Retry-After"] = resets
            raise refuse(429, {"message": "You have exceeded the limit of requests per minute"})
