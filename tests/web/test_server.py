"""Connections to the server."""

from __future__ import annotations

import contextlib
import socket
import time
from contextlib import closing
from http.client import HTTPConnection

import pytest

pytest.importorskip("fastapi", reason="the extra 'serve' is not installed")

from fastapi import FastAPI, Request
from pydantic import ValidationError

from ticket_processor.settings.schema import ServeSettings
from ticket_processor.web import server as module
from ticket_processor.web.server import Server, listening


@pytest.mark.slow
def test_a_page_that_asks_again_after_a_while_finds_its_connection_open() -> None:
    at = listening("127.0.0.1", 0)
    server = Server(FastAPI(), at)
    server.start()
    with closing(HTTPConnection(*at.getsockname()[:2], timeout=10)) as client:
        for _ in range(2):
            client.request("GET", "/nothing")
            assert client.getresponse().read()
            time.sleep(6)  # longer than uvicorn would wait by itself
    server.stop()


def test_a_client_that_gets_no_further_with_its_request_is_cut_off_and_one_that_does_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "WATCHED_EVERY_S", 0.6)
    app = FastAPI()

    @app.post("/")
    async def length(request: Request) -> int:
        return len(await request.body())

    at = listening("127.0.0.1", 0)
    server = Server(app, at)
    server.start()
    head = b"POST / HTTP/1.1\r\nHost: x\r\n"
    for begun in (b"", head, head + b"Content-Length: 90\r\n\r\nabc"):
        with socket.create_connection(at.getsockname()[:2], timeout=10) as stuck:
            stuck.sendall(begun)
            with contextlib.suppress(ConnectionResetError):
                assert stuck.recv(100) == b""
    with socket.create_connection(at.getsockname()[:2], timeout=10) as slow:
        slow.sendall(head + b"Content-Length: 120000\r\n\r\n")
        for _ in range(12):
            time.sleep(0.12)
            slow.sendall(b"a" * 10_000)
        assert slow.recv(1000).startswith(b"HTTP/1.1 200")
    server.stop()


@pytest.mark.parametrize(
    "proxy", ["*", "0.0.0.0/0", "::/0", "8.0.0.0/8", "0.0.0.0/1", "10.0.0.0/7", "proxy.example", ""]
)
def test_a_proxy_that_stands_for_anybody_is_refused(proxy: str) -> None:
    with pytest.raises(ValidationError):
        ServeSettings(proxies=("127.0.0.1", proxy))


def test_single_proxies_and_private_networks_are_taken() -> None:
    named = ("127.0.0.1", "203.0.113.7", "10.0.0.0/8", "192.168.4.0/24", "fd00::/8", "2001:db8::1")
    assert ServeSettings(proxies=named).proxies == named
