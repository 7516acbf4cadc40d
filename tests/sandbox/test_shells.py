"""The same sandbox in memory and over HTTP."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import pytest
import requests

from ticket_processor.sandbox.app import SandboxServer

from ..support.inmemory_adapter import InMemoryAdapter
from .helpers import BASIC, Desk

HEADERS = {"Authorization": BASIC}


class Shell:
    """A session, the address to ask, and what was slept in memory."""

    def __init__(self, desk: Desk, kind: str) -> None:
        self.desk, self.kind = desk, kind
        self.slept: list[float] = []
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers.update(HEADERS)
        self.server: SandboxServer | None = None
        if kind == "http":
            self.server = SandboxServer(desk.sandbox).start()
        else:
            self.session.mount("http://", InMemoryAdapter(desk.sandbox, self.slept.append))
        self.base = desk.store.base_url

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.session.request(method, f"{self.base}/api/v2/{path}", **options)

    def close(self) -> None:
        self.session.close()
        if self.server:
            self.server.stop()


def test_both_shells_give_the_same_answers() -> None:
    def tour(kind: str) -> list[tuple[int, str, dict[str, str], str | None, str]]:
        opened = Shell(Desk(), kind)
        opened.desk.store.base_url = opened.base = "http://127.0.0.1:1" if kind == "memory" else opened.base
        answers = [
            opened.ask("GET", "tickets/1.json"),
            opened.ask("GET", "tickets", params={"page[size]": 2}),
            opened.ask("PUT", "tickets/1", json={"ticket": {"tags": ["grün"], "strange": 1}}),
            opened.ask("DELETE", "tickets/2"),
            opened.ask("GET", "nothing"),
            opened.ask("GET", "tickets/1", headers={"Authorization": "Bearer wrong"}),
            opened.ask("GET", "search/export", params={"filter[type]": "ticket", "query": "status<solved"}),
        ]
        opened.close()
        seen = []
        for answer in answers:
            headers = {name.lower(): value for name, value in answer.headers.items()}
            for name in ("content-length", "etag"):  # as the address of the server in it is long, and reads
                headers.pop(name, None)
            body = answer.text.replace(opened.base, "BASE")
            seen.append((answer.status_code, answer.reason, headers, answer.encoding, body))
        return seen

    assert tour("memory") == tour("http")


# --- HTTP only ------------------------------------------------------------------------------------------


def fetch(url: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, headers=HEADERS, timeout=30)


def exchange(server: SandboxServer, raw: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=5) as connection:
        connection.sendall(raw)
        received = b""
        while piece := connection.recv(65536):
            received += piece
        return received


@pytest.mark.parametrize(
    ("headers", "status"),
    [(b"Content-Length: 99999999", b"413"), (b"Content-Length: -1", b"400"), (b"Transfer-Encoding: chunked", b"411")],
)
def test_a_body_the_server_cannot_take_is_refused(headers: bytes, status: bytes) -> None:
    with SandboxServer(Desk().sandbox) as server:
        received = exchange(server, b"PUT /api/v2/tickets/1 HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 " + status)


def test_stopping_does_not_wait_for_idle_connections_or_slow_answers() -> None:
    desk = Desk(faults="slow:seconds=60")
    server = SandboxServer(desk.sandbox).start()
    outcome: list[str] = []

    def ask() -> None:
        try:
            fetch(f"{server.url}/api/v2/tickets/1")
        except requests.exceptions.ConnectionError:
            outcome.append("closed")

    thread = threading.Thread(target=ask)
    thread.start()
    while not desk.sandbox.requests:
        time.sleep(0.005)
    begun = time.monotonic()
    server.stop()
    thread.join()
    assert time.monotonic() - begun < 3
    assert outcome == ["closed"]
    server.stop()
