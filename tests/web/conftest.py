"""A server in a process of its own, beside a sandbox that the test can look into."""

from __future__ import annotations

import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from ticket_processor.web.gate import signature

from ..cli.conftest import Command, OpenDesk, bare, open_desk

__all__ = ["bare", "open_desk"]

SECRET, OLD_SECRET, TOKEN = "the-newer-signing-secret", "the-older-signing-secret", "a-token-for-programs"
STARTS_WITHIN_S = 60.0


@dataclass
class Serving:
    """``ticketbot serve``, and a client of it."""

    process: subprocess.Popen[str]
    url: str
    lines: list[str] = field(default_factory=list)

    def deliver(self, ticket: int | str, *, secret: str = SECRET, at: float | None = None) -> requests.Response:
        """Deliver what a trigger says of a ticket."""
        return self.post(f'{{"ticket_id": "{ticket}", "event": "created"}}'.encode(), secret=secret, at=at)

    def post(self, body: bytes, *, secret: str = SECRET, at: float | None = None) -> requests.Response:
        stamp = datetime.fromtimestamp(time.time() if at is None else at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return requests.post(
            f"{self.url}/webhooks/zendesk",
            data=body,
            headers={
                "Content-Type": "application/json",
                "X-Zendesk-Webhook-Signature": signature(secret, stamp.encode(), body).decode(),
                "X-Zendesk-Webhook-Signature-Timestamp": stamp,
                "X-Zendesk-Webhook-Invocation-Id": "01HINVOCATION",
            },
            timeout=30,
        )

    def tell(self, ticket: int, *, secret: str = SECRET) -> requests.Response:
        """Deliver what a rule of Freshdesk says of a ticket."""
        headers = {"X-Ticketbot-Secret": secret}
        return requests.post(f"{self.url}/webhooks/freshdesk", json={"ticket_id": ticket}, headers=headers, timeout=30)

    def get(self, path: str) -> Any:
        return requests.get(f"{self.url}{path}", timeout=30).json()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; gives the exit code."""
        with suppress(ProcessLookupError):
            self.process.send_signal(number)
        return self.process.wait(30)


Serve = Callable[..., Serving]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server on a desk, with these options and variables."""
    pytest.importorskip("fastapi", reason="the extra 'serve' is not installed")
    started: list[Serving] = []

    def start(desk: Command, *options: str, **environ: str) -> Serving:
        process = desk.start(
            "serve", "--port", "0", *options, **{"ZENDESK_WEBHOOK_SECRET": f"{SECRET},{OLD_SECRET}", **environ}
        )
        serving = Serving(process, "")
        started.append(serving)
        assert process.stdout is not None
        assert process.stderr is not None
        said = process.stdout.readline()
        found = re.search(r"http://[\d.:]+", said)
        assert found, f"{said}{process.stderr.read()}"
        serving.url = found[0]
        errors = process.stderr
        threading.Thread(target=lambda: serving.lines.extend(errors), daemon=True).start()
        return serving

    yield start
    for serving in started:
        if serving.process.poll() is None:
            serving.process.kill()
            serving.process.wait(30)


def until(true: Callable[[], object], within: float = STARTS_WITHIN_S) -> None:
    """Wait until something is true."""
    end = time.monotonic() + within
    while not true():
        assert time.monotonic() < end, "it did not become true"
        time.sleep(0.05)


__all__ += ["OpenDesk"]
