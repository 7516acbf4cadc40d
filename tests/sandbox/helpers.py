"""A sandbox on virtual time and the shortest way to ask it something."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlencode

import orjson

from ticket_processor.sandbox.app import fill
from ticket_processor.sandbox.messages import Request, Response

from ..imitation import Sandbox
from ..support.fakes import ManualClock

BASIC, KEY = (
    "Basic " + base64.b64encode(text).decode("ascii")
    for text in (b"bot@example.com/token:sandbox-token", b"sandbox-api-key:X")
)
THE_BOTS = "the bot's credentials"
API = "/api/v2"


class Desk:
    """A sandbox with a few tickets, ten minutes old, and a caller with the bot's credentials."""

    def __init__(self, tickets: int = 3, **options: Any) -> None:
        self.clock = ManualClock()
        self.sandbox = Sandbox(self.clock, **options)
        self.store = self.sandbox.store
        self.auth = KEY if self.sandbox.helpdesk == "freshdesk" else BASIC
        self.ids = [self.add() for _ in range(tickets)]

    def add(self, age: float = 600.0, **row: Any) -> int:
        row = {"subject": "Broken", "body": "It does not work.", "age": age, **row}
        return fill(self.sandbox, [row])[0]

    def ask(
        self, method: str, path: str, payload: object = None, auth: str | None = THE_BOTS, **headers: str
    ) -> Response:
        """``path`` may carry a query; without a leading ``/`` it is meant under ``/api/v2``."""
        target = path if path.startswith("/") else f"{API}/{path}"
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if auth:
            sent["Authorization"] = self.auth if auth == THE_BOTS else auth
        body = b""
        if payload is not None:
            body = orjson.dumps(payload)
            sent.setdefault("Content-Type", "application/json")
        return self.sandbox.handle(Request.from_target(method, target, sent, body))

    def get(self, path: str, **query: object) -> Any:
        target = f"{path}?{urlencode(query)}" if query else path
        response = self.ask("GET", target)
        assert response.status == 200, response.body
        return response.json()

    def put(self, ticket_id: int, **fields: object) -> Response:
        return self.ask("PUT", f"tickets/{ticket_id}.json", {"ticket": fields})

    def stamp(self, ticket_id: int) -> str:
        return self.store.tickets[ticket_id].stamp

    def tags(self, ticket_id: int) -> list[str]:
        return list(self.store.tickets[ticket_id].tags)

    def finish(self, response: Response) -> dict[str, Any]:
        """The job status at its end, after enough time has passed."""
        assert response.status in (200, 202), response.body
        name = response.json()["job_status"]["id"]
        self.clock.advance(30)
        job: dict[str, Any] = self.get(f"job_statuses/show_many?ids={name}")["job_statuses"][0]
        assert job["status"] == "completed"
        return job
