"""Deliveries of Zendesk for ``measure_serve.py``: signed ones, forged ones, and many a second."""

from __future__ import annotations

import asyncio
import hmac
import random
import re
import time
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from ticket_processor.web.gate import signature

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
