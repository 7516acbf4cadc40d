"""Signing in to Freshdesk, and who that is. Source: developers.freshdesk.com/api, "Authentication"."""

from __future__ import annotations

import base64

from .transport import Transport


class ApiKey:
    """An agent's API key, by HTTP Basic; the password is a dummy."""

    def __init__(self, key: str) -> None:
        self._header = "Basic " + base64.b64encode(f"{key}:X".encode()).decode("ascii")

    def header(self) -> str:
        return self._header

    def renew(self, refused: str) -> bool:
        return False


def own_user(transport: Transport) -> int | None:
    """The number of the agent whose key ``transport`` uses; ``None`` where Freshdesk does not say. One request."""
    reply = transport.request("GET", "/api/v2/agents/me")
    number = reply.body.get("id") if reply.ok and isinstance(reply.body, dict) else None
    return number if isinstance(number, int) else None
