"""A server in a process of its own beside a sandbox, for ``measure_serve.py``."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import requests
from deliveries import SECRET, signed

from tests.imitation import Sandbox
from ticket_processor.sandbox.access import Credentials
from ticket_processor.sandbox.clock import OffsetClock
from ticket_processor.sandbox.fill import fill
from ticket_processor.sandbox.openai_api import LatencyProfile
from ticket_processor.sandbox.server import SandboxServer
from ticket_processor.web.delivery_queue import DeliveryQueue

ROOT = Path(__file__).resolve().parent.parent
OURS = ("ZENDESK_", "FRESHDESK_", "TICKETBOT_")
MODEL = LatencyProfile(2.0, 2.01)
"""Every answer of the model takes 2 s."""


class Desk:
    """A sandbox, and a folder with settings for it."""

    def __init__(self, folder: Path, *, model: bool = False, tickets: int = 1, helpdesk: Any = "zendesk") -> None:
        self.folder = folder
        self.helpdesk = helpdesk
        self.sandbox = Sandbox(OffsetClock(), plan="unlimited", llm_latency=MODEL if model else None, helpdesk=helpdesk)
        # No text comes twice: a kept answer would cost no time.
        text = "Hello, I was charged twice for order {}. Please check."
        fill(self.sandbox, [{"subject": f"Order {n}", "body": text.format(n), "age": 7200.0} for n in range(tickets)])
        self.server = SandboxServer(self.sandbox)
        known = self.sandbox.credentials
        self.environ = {
            **{name: text for name, text in os.environ.items() if not name.startswith(OURS)},
            "PYTHONPATH": str(ROOT),
            "TICKETBOT_STATE_DIR": str(folder / "state"),
            "TICKETBOT_LOG_DIR": str(folder / "logs"),
            "ZENDESK_WEBHOOK_SECRET": SECRET,
            "FRESHDESK_WEBHOOK_SECRET": SECRET,
            "TICKETBOT_MODELS": "",
        }
        if model:
            self.environ |= {"TICKETBOT_MODELS": "sandbox-model", "OPENAI_API_KEY": known.openai_key}

    def __enter__(self) -> Desk:
        self.server.__enter__()
        url, known = self.server.url, self.sandbox.credentials
        self.environ["OPENAI_BASE_URL"] = f"{url}/v1"
        if self.helpdesk == "freshdesk":
            self.environ |= {"FRESHDESK_URL": url, "FRESHDESK_API_KEY": Credentials().api_key}
        else:
            self.environ |= {
                "ZENDESK_URL": url,
                "ZENDESK_OAUTH_CLIENT_ID": known.oauth_client_id,
                "ZENDESK_OAUTH_CLIENT_SECRET": known.oauth_client_secret,
            }
        return self

    def __exit__(self, *how: Any) -> None:
        self.server.__exit__(*how)

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "ticket_processor", *words],
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def begin(self) -> None:
        """The first run."""
        process = self.start("run", "--since", "2020-01-01", "--limit", "1", "--quiet")
        if process.wait(120):
            raise SystemExit("the first run failed")

    @contextmanager
    def serving(self, *words: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
        """``ticketbot serve`` and its address."""
        process = self.start("serve", "--port", "0", *words)
        assert process.stdout is not None
        found = re.search(r"http://[\d.:]+", process.stdout.readline())
        if found is None:
            raise SystemExit("the server did not start")
        threading.Thread(target=process.stdout.read, daemon=True).start()
        try:
            yield found[0], process
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(30)

    def queued(self) -> int:
        with closing(DeliveryQueue(self.folder / "state", self.helpdesk)) as queue:
            return queue.length(time.time())[0]

    @property
    def store(self) -> Any:
        return self.sandbox.desk if self.helpdesk == "freshdesk" else self.sandbox.store

    def marked(self) -> list[int]:
        with self.store.lock:
            return [number for number, one in self.store.tickets.items() if "ai_processed" in one.json["tags"]]

    def notes(self, number: int) -> int:
        of = self.store.bot_notes if self.helpdesk == "freshdesk" else self.store.bot_comments
        return len(list(of(number)))

    def deliver(self, url: str, number: int, mark: object, session: Any = requests) -> int:
        """Tell of a ticket, as this helpdesk does; gives the answer's status."""
        body, headers = signed(number, time.time(), mark)
        if self.helpdesk == "freshdesk":
            headers = {"X-Ticketbot-Secret": SECRET}
        reply = session.post(f"{url}/webhooks/{self.helpdesk}", data=body, headers=headers, timeout=30)
        return int(reply.status_code)

    def new(self, dice: random.Random) -> int:
        """A ticket that is created now."""
        subject, text = f"Error {dice.random()}", "The app crashes whenever I log in."
        with self.store.lock:
            given = {"html_body": text} if self.helpdesk == "freshdesk" else {"body": text}
            return int(self.store.create(subject=subject, **given).id)


@contextmanager
def desk(**options: Any) -> Iterator[Desk]:
    with (
        tempfile.TemporaryDirectory(prefix="ticketbot-", ignore_cleanup_errors=True) as folder,
        Desk(Path(folder), **options) as made,
    ):
        yield made
