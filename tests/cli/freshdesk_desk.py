"""The command, pointed at an imitated Freshdesk account that the test can look into."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ticket_processor.sandbox.access import Credentials
from ticket_processor.sandbox.app import SandboxServer
from ticket_processor.sandbox.basics import OffsetClock
from ticket_processor.sandbox.messages import Request

from ..imitation import Sandbox
from .conftest import Command


class FreshDesk(Command):
    """``ticketbot`` and the Freshdesk sandbox that it works on."""

    def __init__(self, folder: Path, sandbox: Sandbox, url: str) -> None:
        super().__init__(folder, {"FRESHDESK_URL": url, "FRESHDESK_API_KEY": Credentials().api_key})
        self.sandbox = sandbox
        self.seen: list[Request] = []
        sandbox.on_request.append(self.seen.append)

    def add(self, subject: str, text: str, **fields: Any) -> int:
        """A ticket of a customer's, an hour ago."""
        given = {"requester_name": "Ada Quist", "requester_email": "ada@example.com", **fields}
        return self.sandbox.store.create(subject=subject, html_body=f"<p>{text}</p>", **given).id

    def ticket(self, number: int) -> dict[str, Any]:
        return self.sandbox.store.tickets[number].json

    def notes(self, number: int) -> list[dict[str, Any]]:
        """The notes of ticketbot's own agent."""
        return list(self.sandbox.store.bot_notes(number))

    def writes(self) -> list[str]:
        """``METHOD /path`` of every request since the last call that was no reading."""
        seen = [f"{request.method} {request.path}" for request in self.seen if request.method != "GET"]
        self.seen.clear()
        return seen

    def advance(self, seconds: float) -> None:
        assert isinstance(self.sandbox.clock, OffsetClock)
        self.sandbox.clock.advance(seconds)


@contextmanager
def freshdesk(folder: Path, **options: Any) -> Iterator[FreshDesk]:
    sandbox = Sandbox(OffsetClock(), **{"plan": "unlimited", "helpdesk": "freshdesk", **options})
    with SandboxServer(sandbox) as server:
        desk = FreshDesk(folder, sandbox, server.url)
        try:
            yield desk
        finally:
            desk.close()
