"""Signs callers of the imitated Freshdesk in by API key, and knows the rights of each role."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from .freshdesk_store import BOT_ID
from .messages import Refusal, Request, refuse

ROLES = ("admin", "agent", "observer")
_FOR_ADMINS = ("GET agents", "GET agents/{id}", "GET groups", "GET ticket_fields")


@dataclass(frozen=True)
class FreshdeskCredentials:
    """The API key that a sandbox accepts; any password goes with it. Others are refused with 401."""

    api_key: str = "sandbox-api-key"


@dataclass(frozen=True)
class FreshdeskIdentity:
    """The caller. An ``agent`` may not see or change the account's set-up, an ``observer`` may only read tickets."""

    user_id: int
    role: str

    def may(self, route: str) -> bool:
        """Whether the role allows this route."""
        if self.role == "admin":
            return True
        if route in _FOR_ADMINS or " automations" in route:
            return False
        return self.role == "agent" or route.startswith("GET ")


class FreshdeskAuthenticator:
    """Checks credentials."""

    def __init__(self, credentials: FreshdeskCredentials, role: str) -> None:
        if role not in ROLES:
            raise ValueError("bot_role is 'admin', 'agent' or 'observer'")
        self.credentials = credentials
        self.role = role

    def identify(self, request: Request) -> FreshdeskIdentity:
        """The caller. Raises :class:`Refusal` (401) for missing or wrong credentials."""
        scheme, _, value = request.header("authorization").partition(" ")
        if scheme.lower() == "basic" and _user_name(value) == self.credentials.api_key:
            return FreshdeskIdentity(BOT_ID, self.role)
        raise invalid_credentials()


def invalid_credentials() -> Refusal:
    """401 in the vendor's form."""
    message = "You have to be logged in to perform this action."
    return refuse(401, {"code": "invalid_credentials", "message": message})


def _user_name(value: str) -> str:
    try:
        text = base64.b64decode(value.strip(), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
    name, colon, _ = text.partition(":")
    return name if colon else ""
