"""A server in a process of its own beside a sandbox, and Zendesk's deliveries to it, for ``measure_serve.py``."""

from __future__ import annotations

import asyncio
import hmac
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from tests.imitation import Sandbox
from tests.imitation.latency import LatencyProfile
from ticket_processor.sandbox.access import Credentials
from ticket_processor.sandbox.app import SandboxServer
from ticket_processor.sandbox.basics import OffsetClock
from ticket_processor.sandbox.fill import fill
from ticket_processor.web.gate import signature
from ticket_processor.web.worker import DeliveryQueue

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


# Deliveries

SECRET = b64encode(b"a secret to measure with, 32 byte").decode()
SIGNATURE, STAMP = "X-Zendesk-Webhook-Signature", "X-Zendesk-Webhook-Signature-Timestamp"
KINDS = (
    *("body byte", "body cut", "body longer", "time byte", "time moved", "signature byte", "signature case"),
    *("signature cut", "another key", "decoded key", "no signature", "no time", "two signatures", "moved byte"),
    *("re-serialised", "expired", "in the future", "other algorithm"),
)


def stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def signed(ticket: int, at: float, mark: object = "created") -> tuple[bytes, dict[str, str]]:
    """A delivery's body and headers."""
    body = f'{{"ticket_id":"{ticket}","event":"{mark}"}}'.encode()
    when = stamp(at)
    return body, {STAMP: when, SIGNATURE: signature(SECRET, when.encode(), body).decode()}


def mutated(dice: random.Random, now: float) -> tuple[str, bytes, dict[str, str]]:
    """A kind of forgery, and a request of it."""
    body, headers = signed(1, now, dice.random())
    kind = dice.choice(KINDS)
    place = dice.randrange(len(body))
    if kind == "body byte":
        body = body[:place] + bytes([body[place] ^ dice.randrange(1, 256)]) + body[place + 1 :]
    elif kind == "body cut":
        body = body[:place]
    elif kind == "body longer":
        body += dice.choice([b" ", b"\n", b"\0", b"{}"])
    elif kind == "time byte":
        place = dice.randrange(len(headers[STAMP]))
        old = headers[STAMP][place]
        headers[STAMP] = (
            headers[STAMP][:place]
            + dice.choice([c for c in "0123456789TZ:-x" if c != old])
            + headers[STAMP][place + 1 :]
        )
    elif kind == "time moved":
        headers[STAMP] = stamp(now + dice.choice([-1, 1]) * dice.randrange(1, 250))
    elif kind == "signature byte":
        place = dice.randrange(len(headers[SIGNATURE]))
        old = headers[SIGNATURE][place]
        new = dice.choice([c for c in "ABCabc0189+/=é" if c != old])
        headers[SIGNATURE] = headers[SIGNATURE][:place] + new + headers[SIGNATURE][place + 1 :]
    elif kind == "signature case":
        headers[SIGNATURE] = headers[SIGNATURE].swapcase()
    elif kind == "signature cut":
        headers[SIGNATURE] = headers[SIGNATURE][: dice.randrange(len(headers[SIGNATURE]))]
    elif kind == "another key":
        headers[SIGNATURE] = signature(dice.randbytes(16).hex(), headers[STAMP].encode(), body).decode()
    elif kind == "decoded key":
        digest = hmac.digest(b64decode(SECRET), headers[STAMP].encode() + body, "sha256")
        headers[SIGNATURE] = b64encode(digest).decode()
    elif kind == "no signature":
        del headers[SIGNATURE]
    elif kind == "no time":
        del headers[STAMP]
    elif kind == "two signatures":
        headers[SIGNATURE] += f",{headers[SIGNATURE]}"
    elif kind == "moved byte":
        body, headers[STAMP] = headers[STAMP][-1:].encode() + body, headers[STAMP][:-1]
    elif kind == "re-serialised":
        body = body.replace(b":", b": ")
    elif kind == "expired":
        body, headers = signed(1, now - dice.randrange(302, 10**6))
    elif kind == "in the future":
        body, headers = signed(1, now + dice.randrange(302, 10**6))
    else:
        digest = hmac.digest(SECRET.encode(), headers[STAMP].encode() + body, "sha1")
        headers[SIGNATURE] = b64encode(digest).decode()
    return kind, body, headers


Came = tuple[list[float], set[int], Counter[str]]
"""Seconds to each answer, the deliveries that were answered with 202, and the answers by status."""


async def steadily(
    url: str, rate: int, seconds: float, stop: asyncio.Event, ticket_of: Callable[[int], int] = int
) -> Came:
    """Deliver at a steady rate over 40 connections; latencies count from when each was due."""
    host, _, port = url.removeprefix("http://").partition(":")
    latencies: list[float] = []
    taken: set[int] = set()
    became: Counter[str] = Counter()
    due: asyncio.Queue[tuple[int, float]] = asyncio.Queue()

    async def client() -> None:
        reader = writer = None
        while True:
            number, moment = await due.get()
            body, headers = signed(ticket_of(number), time.time(), number)
            head = "".join(f"{name}: {text}\r\n" for name, text in headers.items())
            raw = f"POST /webhooks/zendesk HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode()
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection(host, int(port))
                writer.write(raw + body)
                answer = await reader.readuntil(b"\r\n\r\n")  # type: ignore[union-attr]
                length = re.search(rb"content-length: (\d+)", answer, re.IGNORECASE)
                await reader.readexactly(int(length[1]) if length else 0)  # type: ignore[union-attr]
                became[answer[9:12].decode()] += 1
                latencies.append(time.perf_counter() - moment)
                if answer[9:12] == b"202":
                    taken.add(number)
            except (OSError, asyncio.IncompleteReadError):
                became["lost connection"] += 1
                reader = writer = None

    clients = [asyncio.create_task(client()) for _ in range(40)]
    began = time.perf_counter()
    for number in range(1, int(rate * seconds) + 1):
        moment = began + number / rate
        if (ahead := moment - time.perf_counter()) > 0:
            await asyncio.sleep(ahead)
        if stop.is_set():
            break
        due.put_nowait((number, moment))
    await asyncio.sleep(1.0)
    for each in clients:
        each.cancel()
    return latencies, taken, became
