"""One call of the imitated Zendesk API while it is being answered: who calls, and the ways of refusing it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from .account import BOT_ID
from .limits import RequestLimits
from .messages import Refusal, Request, Response, json_response, refuse
from .records import StoredTicket
from .store import Store
from .zendesk_rules import Rules

SHORTEST_TOKEN_LIFE = 300
LONGEST_TOKEN_LIFE = 172_800
DEFAULT_TOKEN_LIFE = 1_800


@dataclass(frozen=True)
class Credentials:
    """The credentials that a sandbox accepts; others are refused with 401.

    OAuth client for ``POST /oauth/tokens``; a Bearer token that never expires; e-mail and API token for
    HTTP Basic (``email/token:api_token``); and the key of the OpenAI-compatible part.
    """

    oauth_client_id: str = "ticketbot"
    oauth_client_secret: str = "sandbox-secret"  # noqa: S105 - documented, and opens nothing but the sandbox
    oauth_token: str = "sandbox-oauth-token"  # noqa: S105
    email: str = "bot@example.com"
    api_token: str = "sandbox-token"  # noqa: S105
    openai_key: str = "sandbox-key"
    allowed_scopes: frozenset[str] | None = None
    """What the OAuth client may ask for; ``None`` is everything."""


@dataclass(frozen=True)
class Identity:
    """The caller. ``scopes`` is ``None`` for credentials without scopes."""

    user_id: int
    role: str
    scopes: frozenset[str] | None = None

    def may(self, method: str, resource: str) -> bool:
        """Whether the token's scopes allow this; a mistyped scope allows nothing."""
        if self.scopes is None:
            return True
        verb = "read" if method == "GET" else "write"
        return bool(self.scopes & {verb, f"{resource}:{verb}"})


class Authenticator:
    """Checks credentials and issues tokens. The sandbox's lock covers it."""

    def __init__(self, credentials: Credentials, store: Store, bot_role: str) -> None:
        if bot_role not in ("admin", "agent"):
            raise ValueError("bot_role is 'admin' or 'agent'")
        self.credentials = credentials
        self.role = bot_role
        self._store = store
        self._issued: dict[str, tuple[float, frozenset[str]]] = {}
        store.users[BOT_ID]["role"] = bot_role

    def identify(self, request: Request) -> Identity | None:
        """The caller, or ``None`` without credentials. Raises :class:`Refusal` (401) for wrong ones."""
        scheme, _, value = request.header("authorization").partition(" ")
        if scheme.lower() == "bearer":
            return self._bearer(value.strip())
        if scheme.lower() == "basic":
            known = self.credentials
            if _decode(value) == f"{known.email}/token:{known.api_token}":
                return Identity(BOT_ID, self.role)
        if scheme:
            raise refuse(401, {"error": "Couldn't authenticate you"})
        return None

    def _bearer(self, token: str) -> Identity:
        if token == self.credentials.oauth_token:
            return Identity(BOT_ID, self.role)
        issued = self._issued.get(token)
        if issued is None or issued[0] <= self._store.now():
            self._issued.pop(token, None)
            raise refuse(
                401,
                {
                    "error": "invalid_token",
                    "error_description": "The access token provided is expired, revoked, malformed or "
                    "invalid for other reasons.",
                },
            )
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
        if not SHORTEST_TOKEN_LIFE <= life <= LONGEST_TOKEN_LIFE:
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
    if "json" in request.header("content-type"):
        try:
            payload = request.json()
        except ValueError:
            payload = None
        return payload if isinstance(payload, dict) else {}
    return dict(parse_qsl(request.body.decode("utf-8", "replace")))


def _oauth_error(status: int, error: str, description: str) -> Exception:
    return refuse(status, {"error": error, "error_description": description})


def _decode(value: str) -> str:
    try:
        return base64.b64decode(value.strip(), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


Row = dict[str, Any]

NOT_FOUND: Mapping[str, str] = {"error": "RecordNotFound", "description": "Not found"}


@dataclass
class Call:
    """A request with all that a handler needs. ``headers`` collects what the answer will carry besides its own."""

    request: Request
    store: Store
    limits: RequestLimits
    rules: Rules
    identity: Identity
    now: float
    args: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)

    def spend(self, limit: str, *, key: object = None) -> None:
        """Count this call against an endpoint's limit; raises :class:`Refusal` (429)."""
        self.headers |= self.limits.spend(limit, self.now, key=key)

    def ticket(self) -> StoredTicket:
        """The ticket the path names; 404 when there is none."""
        found = self.store.living(int(self.args[0]))
        if found is None:
            raise refuse(404, NOT_FOUND)
        return found

    def shown_ticket(self) -> StoredTicket:
        """The ticket the path names as a reading shows it; 404 when there is none."""
        found = self.store.read(int(self.args[0]))
        if not found:
            raise refuse(404, NOT_FOUND)
        return found[0]

    def payload(self) -> dict[str, Any]:
        """The JSON body. One that is not declared as JSON counts as empty, one that does not parse is a 400."""
        if "json" not in self.request.header("content-type"):
            return {}
        try:
            payload = self.request.json() if self.request.body else {}
        except ValueError:
            raise bad_request("Unprocessable JSON", "The request body could not be parsed as JSON.") from None
        if not isinstance(payload, dict):
            raise bad_request("Invalid attribute", "The request body must be a JSON object.")
        return payload

    def number(self, name: str, default: int, *, at_most: int, at_least: int = 1) -> int:
        """A whole number from the query, kept within bounds; 400 when it is no number."""
        text = self.request.query.get(name, "")
        if not text:
            return default
        try:
            return max(at_least, min(int(text), at_most))
        except ValueError:
            raise bad_request("Invalid attribute", f"{name} must be an integer") from None

    def ids(self, *, at_most: int = 100) -> list[int]:
        """``ids=1,2,3`` from the query; 400 for too many or for none."""
        parts = [part for part in self.request.query.get("ids", "").split(",") if part.strip()]
        if len(parts) > at_most:
            raise too_many_values(at_most)
        try:
            ids = [int(part) for part in parts]
        except ValueError:
            ids = []
        if not ids:
            raise bad_request("Invalid attribute", "ids must be a comma-separated list of integers")
        return list(dict.fromkeys(ids))

    def link(self, **changes: str | None) -> str:
        """This request's address with some of its query changed; ``__`` in a name stands for brackets."""
        query = dict(self.request.query)
        for name, value in changes.items():
            head, _, inner = name.partition("__")
            spelled = f"{head}[{inner}]" if inner else head
            query.pop(spelled, None)
            if value is not None:
                query[spelled] = value
        path = quote(self.request.path)
        return f"{self.store.base_url}{path}" + (f"?{urlencode(query)}" if query else "")


def bad_request(title: str, message: str) -> Refusal:
    """400 in the vendor's form for a wrong attribute."""
    return refuse(400, {"error": {"title": title, "message": message}})


def too_many_values(at_most: int) -> Refusal:
    """400 for a list longer than an endpoint takes."""
    return refuse(
        400,
        {
            "error": "TooManyValues",
            "description": f"Parameter  cannot specify more than {at_most} values",
            "max_count": at_most,
        },
    )


def invalid(field_name: str, description: str, error: str = "InvalidValue") -> Refusal:
    """422 for one field that does not validate."""
    return refuse(
        422,
        {
            "error": "RecordInvalid",
            "description": "Record validation errors",
            "details": {field_name: [{"description": description, "error": error}]},
        },
    )


def missing_scope(scope: str) -> Refusal:
    """403 for a token whose scopes do not allow this; the sentence is the vendor's."""
    message = f"You are missing the following required scopes: {scope}"
    return refuse(403, {"error": {"title": "Forbidden", "message": message}})


def forbidden() -> Refusal:
    """403 in the vendor's form."""
    message = "You do not have access to this page. Please contact the account owner for further help."
    return refuse(403, {"error": {"title": "Forbidden", "message": message}})
