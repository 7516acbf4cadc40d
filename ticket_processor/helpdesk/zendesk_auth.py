"""The three ways to sign in to Zendesk, and the user behind them.

OAuth ``client_credentials`` is the one to use: API tokens stop working on 2027-04-30, and no new
one can be made since 2026-10-27 (Zendesk, "OAuth migration").
"""

from __future__ import annotations

import base64
import threading

from ..core.clock import Clock
from ..core.errors import NotAuthorised
from .transport import Transport

TOKEN_LIFETIME_S = 1800
RENEW_AT_SHARE = 0.8
"""Tokens are renewed after this share of their life, so that none dies between check and use."""


class OAuthToken:
    """A token made elsewhere. It cannot be renewed here."""

    def __init__(self, token: str) -> None:
        self._header = f"Bearer {token}"

    def header(self) -> str:
        return self._header

    def renew(self, refused: str) -> bool:
        return False


class ApiToken:
    """E-mail and API token, by HTTP Basic."""

    def __init__(self, email: str, token: str) -> None:
        raw = f"{email}/token:{token}".encode()
        self._header = "Basic " + base64.b64encode(raw).decode("ascii")

    def header(self) -> str:
        return self._header

    def renew(self, refused: str) -> bool:
        return False


class ClientCredentials:
    """Tokens of half an hour from ``POST /oauth/tokens``, renewed by age and after a 401.

    Threads share one token: the first to find it old fetches, the others wait for that.
    Source: Zendesk API reference, "OAuth Tokens for Grant Types".
    """

    def __init__(
        self, transport: Transport, clock: Clock, client_id: str, client_secret: str, scope: str = "read write"
    ) -> None:
        self._scope = scope
        self._transport = transport
        self._clock = clock
        self._client_id = client_id
        self._client_secret = client_secret
        self._lock = threading.Lock()
        self._header = ""
        self._renew_at = 0.0

    def header(self) -> str:
        with self._lock:
            if not self._header or self._clock.monotonic() >= self._renew_at:
                self._fetch()
            return self._header

    def renew(self, refused: str) -> bool:
        with self._lock:
            if self._header == refused:
                self._header = ""  # another thread may have fetched a new one already
        return True

    def _fetch(self) -> None:
        try:
            reply = self._transport.request(
                "POST",
                "/oauth/tokens",
                json={
                    "grant_type": "client_credentials",
                    "client_id": self._client_id,
                    "client_secret": self._client_secret,
                    "scope": self._scope,
                    "expires_in": TOKEN_LIFETIME_S,
                },
                changes_nothing=True,
                signed=False,
            )
        except NotAuthorised:
            raise NotAuthorised(_REFUSED) from None
        if isinstance(reply.body, dict) and reply.body.get("error") == "invalid_scope":
            raise NotAuthorised(
                f"Zendesk does not grant this OAuth client the scope '{self._scope}' (invalid_scope): add it to the "
                "client's allowed scopes, or set zendesk.oauth_scope to what it may have, at least 'read tickets:write'"
            )
        if not reply.ok or not isinstance(reply.body, dict) or not reply.body.get("access_token"):
            raise NotAuthorised(f"{_REFUSED} (HTTP {reply.status})")
        granted = reply.body.get("scope")
        self._transport.granted = frozenset(granted.replace(",", " ").split() if isinstance(granted, str) else ())
        lifetime = reply.body.get("expires_in")
        seconds = float(lifetime) if isinstance(lifetime, int | float) and lifetime > 0 else TOKEN_LIFETIME_S
        self._header = f"Bearer {reply.body['access_token']}"
        self._renew_at = self._clock.monotonic() + seconds * RENEW_AT_SHARE


def own_user(transport: Transport) -> int | None:
    """The id of the user that ``transport`` signs in as; ``None`` where Zendesk does not say. One request."""
    reply = transport.request("GET", "/api/v2/users/me")
    user = reply.body.get("user") if reply.ok and isinstance(reply.body, dict) else None
    number = user.get("id") if isinstance(user, dict) else None
    return number if isinstance(number, int) else None


_REFUSED = (
    "Zendesk gives no token for this OAuth client; check ZENDESK_OAUTH_CLIENT_ID (the unique identifier) and "
    "ZENDESK_OAUTH_CLIENT_SECRET, and that the client is confidential"
)
