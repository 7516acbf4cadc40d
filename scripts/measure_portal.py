"""Measures the portal's pages on this machine; each figure has its own sub-command.

python scripts/measure_portal.py list [--tickets N]     # agents' list: search and filters, first and last pages, CSV
python scripts/measure_portal.py poll [--tabs N]        # tracking pages that ask every 5 s
python scripts/measure_portal.py idle [--addresses N]   # pages beside 1,100 connections that go no further

Tickets are invented; the store is a file in a temporary folder. ``list`` times whole requests inside the server's
process; for ``poll`` and ``idle`` the server is a process of its own, and its clients share this machine's processors.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import random
import re
import resource
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from html import unescape
from pathlib import Path

import httpx2
from starlette.testclient import TestClient

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ticket_processor.helpdesk.local_model import AI, Actor, NewTicket  # noqa: E402
from ticket_processor.helpdesk.local_store import LocalStore  # noqa: E402
from ticket_processor.seeding.corpus import load_corpus  # noqa: E402
from ticket_processor.web.portal.admin.sessions import COOKIE  # noqa: E402
from ticket_processor.web.portal.application import make_portal  # noqa: E402
from ticket_processor.web.portal.parts import Portal, PortalSettings  # noqa: E402
from ticket_processor.web.server import Server  # noqa: E402

KEY = b"a key for measuring only, 32 byte"
YEAR_S = 365 * 86_400.0
POLL_S = 5.0
FILES = 1024
"""That the server may open, as on most systems."""
BODY = (
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 90000\r\n\r\n"
    b'--b\r\nContent-Disposition: form-data; name="description"\r\n\r\n'
)
STOPPED = {"silent": b"", "half a head": BODY[:60], "half a body": BODY + b"x" * 9000}
SEARCHES = ("password reset", "invoice", "refund order", "error login app", "card", "delivery late")


def filled(store: LocalStore, count: int) -> None:
    """Submit tickets over a year, with the words of the corpus in new orders, and triage them."""
    dice, now = random.Random(17), time.time()
    corpus = [ticket for ticket in load_corpus() if ticket.subject and ticket.body]
    words = [word for ticket in corpus for word in str(ticket.body).split()]
    labels, agent = store.labels, Actor("agent")
    began = time.perf_counter()
    for number in range(count):
        seed = dice.choice(corpus)
        text = " ".join(dice.choices(words, k=dice.randrange(20, 120)))
        at = now - YEAR_S * (count - number) / count
        made = store.create(NewTicket(f"{seed.subject} {number}", text, f"person{number % 20_000}@example.com"), at)
        tags = [dice.choice(list(named.values())) for named in (labels.category, labels.urgency, labels.sentiment)]
        tags += [labels.escalated] if dice.random() < 0.05 else []
        store.change(made.id, AI, version=1, now=at + 5, tags_add=tags)
        if dice.random() < 0.8:
            store.change(made.id, agent, version=2, now=at + 3600, status="resolved")
        if number % 10_000 == 0:
            print(f"  {number} tickets, {time.perf_counter() - began:.0f} s", file=sys.stderr)


def listing(folder: Path, count: int) -> None:
    """Time the agents' list."""
    with closing(LocalStore(folder / "helpdesk.sqlite3")) as store:
        filled(store, count)
        agent = store.add_person("agent@example.com", "Agent", "agent")
        with TestClient(
            make_portal(Portal(store, PortalSettings(KEY), time.time)), base_url="http://help.test"
        ) as browser:
            browser.cookies.set(
                COOKIE, store.open_session(agent.id, time.time() + 86_400), domain="help.test", path="/admin"
            )
            browser.get("/admin")
            kinds = {
                "no filter": [""] * 50,
                "search and filter": [
                    f"q={text.replace(' ', '+')}&status=open&{more}"
                    for text in SEARCHES
                    for more in (
                        "category=billing",
                        "urgency=high",
                        "sentiment=negative",
                        "escalated=yes",
                        "age=7d",
                        "sort=urgency",
                    )
                ],
                "filter": [
                    f"status=open&urgency={urgency}&sort={sort}"
                    for urgency in ("low", "high")
                    for sort in ("updated", "created", "oldest", "urgency")
                ]
                * 6,
            }
            for name, addresses in kinds.items():
                report(name, [timed(browser, f"/admin?{address}") for address in addresses])
            last = f"/admin?sort=created&after={place(store, count)}"
            report("page 1", [timed(browser, "/admin?sort=created") for _ in range(50)])
            report(f"page {(count - 25) // 25 + 1}", [timed(browser, last) for _ in range(50)])
            taken = timed(browser, "/admin/tickets.csv")
            print(f"CSV of all: {taken:.1f} s")


def place(store: LocalStore, count: int) -> str:
    """Where the last page begins, as a link says it."""
    from urllib.parse import quote

    from ticket_processor.helpdesk.local_search import Query

    after: str | None = None
    for _ in range((count - 25) // 500):
        after = store.search(Query(sort="created"), after, 500).next_key
    rest = (count - 25) % 500
    if rest:
        after = store.search(Query(sort="created"), after, rest).next_key
    return quote(after or "")


def timed(browser: TestClient, address: str) -> float:
    """How long the server takes for one page."""
    began = time.perf_counter()
    answer = browser.get(address)
    taken = time.perf_counter() - began
    assert answer.status_code == 200, answer.status_code
    return taken


def report(name: str, times: Sequence[float]) -> None:
    """Print median, 95% and the most."""
    times = sorted(times)
    told = (times[len(times) // 2], times[int(len(times) * 0.95)], times[-1])
    print(
        f"{name}: "
        + ", ".join(
            f"{what} {value * 1000:.0f} ms" for what, value in zip(("median", "95%", "most"), told, strict=True)
        )
    )


def serve(path: Path, at: socket.socket) -> None:
    """The server's process."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
    server = Server(make_portal(Portal(LocalStore(path), PortalSettings(KEY), time.time)), at)
    server.start()
    while server.is_alive:
        time.sleep(1)


@contextmanager
def serving(path: Path) -> Iterator[tuple[str, multiprocessing.Process]]:
    """A server in a process of its own."""
    at = socket.create_server(("127.0.0.1", 0))
    process = multiprocessing.get_context("fork").Process(target=serve, args=(path, at), daemon=True)
    process.start()
    url = f"http://127.0.0.1:{at.getsockname()[1]}"
    try:
        yield url, process
    finally:
        process.terminate()
        process.join(20)


def polling(folder: Path, tabs: int, seconds: float) -> None:
    """Let many tabs ask for news while now and then a ticket changes."""
    path = folder / "helpdesk.sqlite3"
    with closing(LocalStore(path)) as store:
        made = [store.create(NewTicket(f"Ticket {n}", "Help.", f"p{n}@example.com"), time.time()) for n in range(tabs)]
        with serving(path) as (url, process):
            answers = asyncio.run(
                _poll(store, url, [(one.number, one.secret, one.id) for one in made], seconds, process.pid or 0)
            )
    statuses = Counter(status for status, _ in answers)
    times = sorted(taken for _, taken in answers)
    print(f"{tabs} tabs for {seconds:.0f} s: {len(answers)} requests, {statuses[304] / len(answers):.1%} are 304")
    print(f"median {times[len(times) // 2] * 1000:.0f} ms, 99% {times[int(len(times) * 0.99)] * 1000:.0f} ms")


async def _poll(
    store: LocalStore, url: str, made: Sequence[tuple[str, str, int]], seconds: float, pid: int
) -> list[tuple[int, float]]:
    answers: list[tuple[int, float]] = []
    dice = random.Random(5)
    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(base_url=url, limits=limits, timeout=30) as first:
        await first.get("/")
    clients = [httpx2.AsyncClient(base_url=url, timeout=30) for _ in made]
    pages = []
    for client, (number, secret, _) in zip(clients, made, strict=True):
        page = (await client.get(f"/t/{number}?k={secret}", follow_redirects=True)).text
        pages.append(page)
    began, used = time.perf_counter(), cpu_s(pid)

    async def tab(client: httpx2.AsyncClient, page: str) -> None:
        await asyncio.sleep(dice.random() * POLL_S)
        while time.perf_counter() - began < seconds:
            found = re.search(r'data-etag="([^"]*)".*?hx-get="([^"]+)"', page, re.DOTALL)
            if found is None:
                return
            asked = time.perf_counter()
            answer = await client.get(unescape(found[2]), headers={"If-None-Match": unescape(found[1])})
            answers.append((answer.status_code, time.perf_counter() - asked))
            if answer.status_code == 200:
                page = answer.text
            await asyncio.sleep(max(0.0, POLL_S - (time.perf_counter() - asked)))

    async def work() -> None:
        while time.perf_counter() - began < seconds:
            await asyncio.sleep(1)
            await asyncio.to_thread(store.reply, dice.choice(made)[2], AI, "A note.", public=False, now=time.time())

    await asyncio.gather(work(), *(tab(client, page) for client, page in zip(clients, pages, strict=True)))
    share = (cpu_s(pid) - used) / (time.perf_counter() - began)
    print(f"the server took {share:.0%} of one processor")
    for client in clients:
        await client.aclose()
    return answers


def idling(folder: Path, count: int, addresses: int) -> None:
    """Open many connections of a kind that says too little, from so many addresses, and ask for pages beside them."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    path = folder / "helpdesk.sqlite3"
    LocalStore(path).close()
    for kind, sent in STOPPED.items():
        with serving(path) as (url, _):
            where = ("127.0.0.1", int(url.rpartition(":")[2]))
            page(where)
            began, idle = time.perf_counter(), []
            for number in range(count):
                idle.append(socket.create_connection(where, 30, (f"127.0.0.{2 + number % addresses}", 0)))
                with suppress(ConnectionError):
                    idle[-1].sendall(sent)
            times = [page(where)]
            first = sum(map(is_open, idle))
            while left := sum(map(is_open, idle)):
                if time.perf_counter() - began > 110:
                    break
                times.append(page(where))
                time.sleep(0.2)
            kept = f"{first} kept at first, {left} after {time.perf_counter() - began:.0f} s"
            print(f"{count} connections from {addresses} addresses, {kind}: {kept}")
            report(f"  {len(times)} pages meanwhile", times)
            for one in idle:
                one.close()


def page(where: tuple[str, int]) -> float:
    """How long a new connection takes to get the form."""
    began = time.perf_counter()
    with socket.create_connection(where, 30) as one:
        one.settimeout(30)
        one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        with one.makefile("rb") as answer:
            assert answer.read().startswith(b"HTTP/1.1 200"), "no page"
    return time.perf_counter() - began


def is_open(one: socket.socket) -> bool:
    """Whether the server has not ended it."""
    one.setblocking(False)
    with suppress(BlockingIOError):
        with suppress(ConnectionError):
            while one.recv(2**16):
                pass
        return False
    return True


def cpu_s(pid: int) -> float:
    """Processor time of a process so far (Linux)."""
    import os

    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    lists = commands.add_parser("list")
    lists.add_argument("--tickets", type=int, default=100_000)
    poll = commands.add_parser("poll")
    poll.add_argument("--tabs", type=int, default=300)
    poll.add_argument("--seconds", type=float, default=60)
    idle = commands.add_parser("idle")
    idle.add_argument("--connections", type=int, default=1_100)
    idle.add_argument("--addresses", type=int, default=1)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="portal-") as name:
        if told.command == "list":
            listing(Path(name), told.tickets)
        elif told.command == "idle":
            idling(Path(name), told.connections, told.addresses)
        else:
            polling(Path(name), told.tabs, told.seconds)


if __name__ == "__main__":
    main()
