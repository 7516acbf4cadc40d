"""Who may call the imitated helpdesks: the credentials that they accept, and what a caller may do."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from .account import BOT_ID
from .messages import Refusal, Request, Response, json_response, refuse
from .store import Store

TOKEN_LIFE = range(300, 172_801)
DEFAULT_TOKEN_LIFE = 1_800
_FOR_FRESHDESK_ADMINS = ("GET agents", "GET agents/{id}", "GET groups", "GET ticket_fields")


@dataclass(frozen=True)
class Credentials:
    """The credentials that a sandbox accepts; others are refused with 401.

    OAuth client for ``POST /oauth/tokens``; a Bearer token that never expires; e-mail and API token for
    HTTP Basic (``email/token:api_token``); Freshdesk's API key, with any password; and the key of the
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


@dataclass(frozen=True)
class Identity:
    """The caller. ``scopes`` is ``None`` for credentials without scopes, as all of Freshdesk's are."""

    user_id: int
    role: str
    scopes: frozenset[str] | None = None

    def may(self, method: str, resource: str) -> bool:
        """Whether the token's scopes allow this; a mistyped scope allows nothing."""
        if self.scopes is None:
            return True
        verb = "read" if method == "GET" else "write"
        return bool(self.scopes & {verb, f"{resource}:{verb}"})

    def may_at_freshdesk(self, route: str) -> bool:
        """Whether the role allows this: an agent may not see the account's set-up, an observer may only read."""
        if self.role == "admin":
            return True
        if route in _FOR_FRESHDESK_ADMINS or " automations" in route:
            return False
        return self.role == "agent" or route.startswith("GET ")


class Authenticator:
    """Checks credentials, and issues Zendesk's tokens. The sandbox's lock covers it."""

    def __init__(self, credentials: Credentials, store: Store, role: str) -> None:
        self.credentials = credentials
        self.role = role
        self._store = store
        self._issued: dict[str, tuple[float, frozenset[str]]] = {}
        store.users[BOT_ID]["role"] = role

    def identify(self, request: Request) -> Identity | None:
        """Zendesk's caller, or ``None`` without credentials. Raises :class:`Refusal` (401) for wrong ones."""
        scheme, _, value = request.header("authorization").partition(" ")
        known = self.credentials
        if scheme.lower() == "bearer":
            return self._bearer(value.strip())
        if scheme.lower() == "basic" and _decoded(value) == f"{known.email}/token:{known.api_token}":
            return Identity(BOT_ID, self.role)
        if scheme:
            raise refuse(401, {"error": "Couldn't authenticate you"})
        return None

    def identify_at_freshdesk(self, request: Request) -> Identity:
        """Freshdesk's caller. Raises :class:`Refusal` (401) for missing or wrong credentials."""
        scheme, _, value = request.header("authorization").partition(" ")
        name, colon, _ = _decoded(value).partition(":")
        if scheme.lower() == "basic" and colon and name == self.credentials.api_key:
            return Identity(BOT_ID, self.role)
        message = "You have to be logged in to perform this action."
        raise refuse(401, {"code": "invalid_credentials", "message": message})

    def _bearer(self, token: str) -> Identity:
        if token == self.credentials.oauth_token:
            return Identity(BOT_ID, self.role)
        issued = self._issued.get(token)
        if issued is None or issued[0] <= self._store.now():
            self._issued.pop(token, None)
            invalid = "The access token provided is expired, revoked, malformed or invalid for other reasons."
            raise _oauth_error(401, "invalid_token", invalid)
        return Identity(BOT_ID, self.role, issued[1])

    def issue(self, request: Request) -> Response:
        """``POST /oauth/tokens``: 201 with a token that lives for ``expires_in`` seconds."""
        fields = _fields(request)
        if fields.get("grant_type") != "client_credentials":
            raise _oauth_error(400, "unsupported_grant_type", "The authorization grant type is not supported.")
        client, secret = self.credentials.oauth_client_id, self.credentials.oauth_client_secret
        if (fields.get("client_id"), fields.get("client_secret")) != (client, secret):
            raise _oauth_error(401, "invalid_client", "Client authentication failed.")
        try:
            life = int(fields.get("expires_in") or DEFAULT_TOKEN_LIFE)
        except (TypeError, ValueError):
            life = 0
        if life not in TOKEN_LIFE:
            raise _oauth_error(400, "invalid_request", "expires_in must be between 300 and 172800.")
        scope = str(fields.get("scope") or "read write")
        scopes = frozenset(scope.split())
        allowed = self.credentials.allowed_scopes
        if allowed is not None and not scopes <= allowed:
            raise _oauth_error(400, "invalid_scope", "The requested scope is invalid, unknown, or malformed.")
        if any(f":{verb}" in name and verb in scopes for name in scopes for verb in ("read", "write")):
            raise _oauth_error(400, "invalid_scope", "The requested scopes overlap.")
        token = f"{self._store.random.getrandbits(256):064x}"
        self._issued[token] = (self._store.now() + life, scopes)
        answer = {"access_token": token, "token_type": "bearer", "scope": scope, "expires_in": life}
        return json_response(201, answer)

    def revoke_all(self) -> None:
        """Forget every issued token, as when an administrator revokes them."""
        self._issued.clear()


def _fields(request: Request) -> dict[str, Any]:
    if "json" not in request.header("content-type"):
        return dict(parse_qsl(request.body.decode("utf-8", "replace")))
    try:
        payload = request.json()
    except ValueError:
        payload = None
    return payload if isinstance(payload, dict) else {}


def _oauth_error(status: int, error: str, description: str) -> Refusal:
    return refuse(status, {"error": error, "error_description": description})


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value.strip(), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
