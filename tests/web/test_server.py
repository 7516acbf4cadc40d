from __future__ import annotations

import time
from contextlib import closing
from http.client import HTTPConnection

import pytest

pytest.importorskip("fastapi", reason="the extra 'serve' is not installed")

from fastapi import FastAPI
from pydantic import ValidationError

from ticket_processor.settings.schema import ServeSettings
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


@pytest.mark.parametrize(
    "proxy", ["*", "0.0.0.0/0", "::/0", "8.0.0.0/8", "0.0.0.0/1", "10.0.0.0/7", "proxy.example", ""]
)
def test_a_proxy_that_stands_for_anybody_is_refused(proxy: str) -> None:
    with pytest.raises(ValidationError):
        ServeSettings(proxies=("127.0.0.1", proxy))


def test_single_proxies_and_private_networks_are_taken() -> None:
    named = ("127.0.0.1", "203.0.113.7", "10.0.0.0/8", "192.168.4.0/24", "fd00::/8", "2001:db8::1")
    assert ServeSettings(proxies=named).proxies == named
