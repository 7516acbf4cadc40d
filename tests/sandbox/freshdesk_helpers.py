"""A sandbox that plays Freshdesk, on virtual time, and the shortest way to ask it something."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlencode

import orjson

from ticket_processor.sandbox.messages import Request, Response

from ..imitation import FreshdeskRules, Sandbox
from ..imitation.clock import ManualClock


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode("ascii")


KEY = basic("sandbox-api-key:X")
API = "/api/v2"
DAY = 86_400


class FreshDesk:
    """A sandbox with a few tickets, ten minutes old, and a caller with the bot's key."""

    def __init__(self, tickets: int = 3, rules: FreshdeskRules | None = None, **options: Any) -> None:
        self.clock = ManualClock()
        self.sandbox = Sandbox(self.clock, helpdesk="freshdesk", freshdesk_rules=rules, **options)
        self.store = self.sandbox.desk
        self.ids = [self.add() for _ in range(tickets)]

    def add(self, age: float = 600.0, **row: Any) -> int:
        made = {"subject": "Broken", "body": "It does not work.", "created_at": self.clock.now() - age, **row}
        return self.store.create(**made).id

    def ask(self, method: str, path: str, payload: object = None, auth: str | None = KEY) -> Response:
        """``path`` may carry a query; without a leading ``/`` it is meant under ``/api/v2``."""
        target = path if path.startswith("/") else f"{API}/{path}"
        sent = {"Authorization": auth} if auth else {}
        body = b""
        if payload is not None:
            body = orjson.dumps(payload)
            sent["Content-Type"] = "application/json"
        return self.sandbox.handle(Request.from_target(method, target, sent, body))

    def get(self, path: str, **query: object) -> Any:
        response = self.ask("GET", f"{path}?{urlencode(query)}" if query else path)
        assert response.status == 200, response.body
        return response.json()

    def put(self, ticket_id: int, **fields: object) -> Response:
        return self.ask("PUT", f"tickets/{ticket_id}", fields)

    def note(self, ticket_id: int, body: str = "<p>seen</p>", **fields: object) -> Any:
        response = self.ask("POST", f"tickets/{ticket_id}/notes", {"body": body, **fields})
        assert response.status == 201, response.body
        return response.json()

    def problem(self, response: Response) -> tuple[int, str, str]:
        """Status, field and code of the first thing that was wrong."""
        first = response.json()["errors"][0]
        return response.status, first["field"], first["code"]

    def stamp(self, ticket_id: int) -> str:
        return self.store.tickets[ticket_id].stamp

    def listed(self, **query: object) -> list[int]:
        return [row["id"] for row in self.get("tickets", **query)]
