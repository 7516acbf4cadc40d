"""The sandbox over HTTP: what its server refuses, and that it ends at once."""

from __future__ import annotations

import socket
import threading
import time

import pytest
import requests

from ticket_processor.sandbox.app import SandboxServer

from .helpers import BASIC, Desk


def exchange(server: SandboxServer, raw: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=5) as connection:
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
            with requests.Session() as session:
                session.trust_env = False
                session.get(f"{server.url}/api/v2/tickets/1", headers={"Authorization": BASIC}, timeout=30)
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
