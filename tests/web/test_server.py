"""Connections to the server."""

from __future__ import annotations

import time
from contextlib import closing
from http.client import HTTPConnection

import pytest

pytest.importorskip("fastapi", reason="the extra 'serve' is not installed")

from fastapi import FastAPI

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
