"""Measures ``ticketbot serve`` against a sandbox on this machine; each figure has its own sub-command.

python scripts/measure_serve.py forged       # 1,000 mutated requests to a real server: accepted, crashes
python scripts/measure_serve.py replay       # one delivery at +0, +299, +301 s and after a restart; wrong clocks
python scripts/measure_serve.py verify       # time to verify 20 KB
python scripts/measure_serve.py load         # deliveries a second: p99 to the 202, and losses after kill -9
python scripts/measure_serve.py once         # tickets x 5 shuffled deliveries: notes
python scripts/measure_serve.py latency      # event to write with a 2 s model, alone and beside a scheduled run

Server, client and sandbox share this machine's processors.
"""

from __future__ import annotations

import argparse
import asyncio
import hmac
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import development
import requests

from tests.imitation import Sandbox
from tests.imitation.latency import LatencyProfile
from ticket_processor.sandbox.access import Credentials
from ticket_processor.sandbox.app import SandboxServer, fill
from ticket_processor.sandbox.basics import OffsetClock
from ticket_processor.web.gate import RequestRefused, signature, verified
from ticket_processor.web.worker import DeliveryQueue

ROOT = development.ROOT
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
        return self.sandbox.store

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


WORKED_ON = 2_000


def forged(count: int) -> None:
    """Send mutated requests to a real server."""
    dice, seen, answers = random.Random(7), Counter[str](), Counter[int]()
    with desk() as here, here.serving() as (url, process), requests.Session() as session:
        for _ in range(count):
            kind, body, headers = mutated(dice, time.time())
            raw = {name: text.encode("latin-1") for name, text in headers.items()}
            reply = session.post(f"{url}/webhooks/zendesk", data=body, headers=raw, timeout=30)
            seen[kind] += 1
            answers[reply.status_code] += 1
        alive = process.poll() is None
        accepted = sum(number for status, number in answers.items() if status < 400)
        crashes = sum(number for status, number in answers.items() if status >= 500) + (not alive)
        print(
            f"forged requests of {len(seen)} kinds: {count}; accepted: {accepted}; crashes: {crashes}; {dict(answers)}"
        )
        print(f"on the queue: {here.queued()}")


def replay() -> None:
    """Repeat one delivery, then let clocks be wrong."""
    now = time.time()
    with desk() as here:
        body, headers = signed(1, now - 1)
        told = []
        with here.serving() as (url, process):
            told += [_post(url, body, headers) for _ in range(2)]
            process.kill()
            process.wait(30)
        with here.serving() as (url, _):
            told.append(_post(url, body, headers))
            for off in (299, 301, 600, -600):
                late, marks = signed(1, time.time() - off, off)
                told.append(_post(url, late, marks))
                if off == 299:
                    told.append(_post(url, late, marks))
        names = ("first", "+0 s", "after a kill and a restart", "299 s old", "299 s old again", "301 s old")
        names += ("clock 10 min behind", "clock 10 min ahead")
        for name, answer in zip(names, told, strict=True):
            print(f"{name}: {answer}")
    body, headers = signed(1, now)
    for off in (299.0, 301.0):
        try:
            verified((SECRET,), [headers[STAMP]], [headers[SIGNATURE]], body, int(now) + off)
            print(f"+{off:.0f} s: in the window")
        except RequestRefused as error:
            print(f"+{off:.0f} s: {error}")


def _post(url: str, body: bytes, headers: dict[str, str]) -> str:
    reply = requests.post(f"{url}/webhooks/zendesk", data=body, headers=headers, timeout=30)
    return f"{reply.status_code} {reply.text}"


def verify() -> None:
    """Time the verification of 20 KB."""
    body, now = b"x" * 20_000, time.time()
    when = stamp(now)
    given = signature(SECRET, when.encode(), body).decode()
    times = []
    for _ in range(5_000):
        began = time.perf_counter()
        verified((SECRET,), [when], [given], body, now)
        times.append(time.perf_counter() - began)
    times.sort()
    print(f"verifying 20 KB: median {times[2_500] * 1e6:.0f} µs, 95%: {times[4_750] * 1e6:.0f} µs")


def load(rate: int, seconds: float, working: bool) -> None:
    """Deliver so many a second, and kill the server in the middle of a second round.

    ``working``: runs are played at the same time, on 2,000 tickets that are told of again and again.
    """
    with desk(tickets=1 + WORKED_ON * working) as here:
        if working:
            here.begin()
        numbers = sorted(here.store.tickets)
        with here.serving() as (url, _):

            def ticket_of(number: int) -> int:
                return numbers[number % len(numbers)] if working else number

            latencies, taken, became = asyncio.run(steadily(url, rate, seconds, asyncio.Event(), ticket_of))
            latencies.sort()
            p50, p99 = (latencies[int(len(latencies) * share)] for share in (0.5, 0.99))
            kept = f"answered 202 and not on the disk: {len(taken) - here.queued()}"
            end = time.perf_counter() + 300
            while working and here.queued() and time.perf_counter() < end:
                time.sleep(0.5)
            if working:
                kept = f"tickets told of and not written: {len(numbers) - len(here.marked())}"
            print(
                f"{rate} deliveries/s for {seconds:.0f} s: {dict(became)}; to the answer p50 {p50 * 1000:.1f} ms, "
                f"p99 {p99 * 1000:.1f} ms, longest {latencies[-1] * 1000:.1f} ms; {kept}",
                flush=True,
            )
    with desk() as here:
        with here.serving() as (url, process):
            stop = asyncio.Event()
            threading.Timer(3.0, lambda: (process.send_signal(signal.SIGKILL), stop.set())).start()
            _, taken, became = asyncio.run(steadily(url, rate, 6.0, stop))
            process.wait(30)
        with closing(DeliveryQueue(here.folder / "state", "zendesk")) as queue:
            kept = {item.ticket_id for item in queue.due(time.time() + 3000, most=10**6)}
        print(f"kill -9 in the middle: {len(taken)} answered 202, of these lost: {len(taken - kept)}")


def once(tickets: int, helpdesk: str) -> None:
    """Deliver five times for each ticket, shuffled."""
    with desk(tickets=tickets + 1, helpdesk=helpdesk) as here:
        (here.folder / "ticketbot.toml").write_text('[policy]\nnote = "always"\n', encoding="utf-8")
        here.begin()
        first = here.marked()[0]
        numbers = [number for number in here.store.tickets if number != first][:tickets]
        deliveries = [(number, turn) for number in numbers for turn in range(5)]
        random.Random(5).shuffle(deliveries)
        with here.serving() as (url, _), requests.Session() as session:
            began = time.perf_counter()

            with ThreadPoolExecutor(8) as pool:
                answers = Counter(pool.map(lambda each: here.deliver(url, *each, session), deliveries))
            while (left := here.queued()) and time.perf_counter() - began < 900:
                time.sleep(0.5)
            took = time.perf_counter() - began
        notes = Counter(here.notes(number) for number in numbers)
        print(
            f"{helpdesk}: {tickets} tickets x 5 deliveries ({dict(answers)}): notes on each ticket {dict(notes)}; "
            f"left on the queue: {left}; {took:.0f} s"
        )


def latency(events: int, gap_s: float, helpdesk: str) -> None:
    """New tickets, each delivered the moment it is there; the write is the PUT that the sandbox sees."""
    for beside in (False, True):
        backlog = 400 if beside else 1
        with desk(model=True, tickets=backlog, helpdesk=helpdesk) as here:
            (here.folder / "ticketbot.toml").write_text("[run]\nwrite_mode = 'single'\n", encoding="utf-8")
            here.begin()
            born: dict[int, float] = {}
            written: dict[int, float] = {}

            def saw(request: Any, seen: dict[int, float] = written) -> None:
                if request.method == "PUT" and (found := re.search(r"/tickets/(\d+)", request.path)):
                    seen.setdefault(int(found[1]), time.perf_counter())

            here.sandbox.on_request.append(saw)
            with here.serving() as (url, _):
                run = here.start("run", "--quiet") if beside else None
                time.sleep(3)
                dice = random.Random(3)
                for _ in range(events):
                    number = here.new(dice)
                    born[number] = time.perf_counter()
                    here.deliver(url, number, number)
                    time.sleep(dice.expovariate(1 / gap_s))
                end = time.perf_counter() + 120
                while born.keys() - written.keys() and time.perf_counter() < end:
                    time.sleep(0.2)
                still = run is not None and run.poll() is None
                if run is not None:
                    run.terminate()
                    run.wait(60)
            taken = sorted(written[number] - born[number] for number in born if number in written)
            where = f"beside a scheduled run over {backlog} tickets (still at it: {still})" if beside else "alone"
            print(
                f"{helpdesk}: event to write, {where}, model 2 s, {events} events about {gap_s:g} s apart: "
                f"median {taken[len(taken) // 2]:.1f} s, p95 {taken[int(len(taken) * 0.95)]:.1f} s, "
                f"longest {taken[-1]:.1f} s; not written: {len(born) - len(taken)}",
                flush=True,
            )


def main(words: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("forged").add_argument("count", type=int, nargs="?", default=1_000)
    commands.add_parser("replay")
    commands.add_parser("verify")
    loading = commands.add_parser("load")
    loading.add_argument("--rate", type=int, default=500)
    loading.add_argument("--seconds", type=float, default=60.0)
    loading.add_argument("--working", action="store_true")
    again = commands.add_parser("once")
    again.add_argument("tickets", type=int, nargs="?", default=1_000)
    timing = commands.add_parser("latency")
    timing.add_argument("--events", type=int, default=40)
    timing.add_argument("--gap", type=float, default=1.5)
    for each in (again, timing):
        each.add_argument("--helpdesk", choices=("zendesk", "freshdesk"), default="zendesk")
    asked = parser.parse_args(words)
    if asked.command == "forged":
        forged(asked.count)
    elif asked.command == "load":
        load(asked.rate, asked.seconds, asked.working)
    elif asked.command == "once":
        once(asked.tickets, asked.helpdesk)
    elif asked.command == "latency":
        latency(asked.events, asked.gap, asked.helpdesk)
    else:
        {"replay": replay, "verify": verify}[asked.command]()


if __name__ == "__main__":
    main()
