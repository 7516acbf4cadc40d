"""Why rules answered: the cause is kept behind the breaker, and told in words wherever somebody looks."""

from __future__ import annotations

import http.server
import json
import socket
import threading
from collections.abc import Iterator

import pytest

from .conftest import Desk, OpenDesk

PINNED = "Server is pinned to 'a'; requested 'b'"


@pytest.fixture
def nobody() -> str:
    """An address at which nobody listens."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{closed.getsockname()[1]}/v1"


@pytest.fixture
def refusing() -> Iterator[str]:
    """A model server that refuses every request with a sentence, and quotes what it was sent."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            quoted = sent["messages"][-1]["content"][-60:]
            self._say({"error": {"message": f"{PINNED}, in {quoted}"}})

        def do_GET(self) -> None:
            self._say({"error": {"message": PINNED}})

        def _say(self, body: object) -> None:
            raw = json.dumps(body).encode()
            self.send_response(400)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()


def at(desk: Desk, url: str) -> Desk:
    desk.environ["OPENAI_BASE_URL"] = url
    return desk


def log_of(desk: Desk) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(desk.logs.glob("*.jsonl")))


def test_the_cause_behind_the_breaker_is_told_in_receipts_and_summary(open_desk: OpenDesk, nobody: str) -> None:
    desk = at(open_desk(12, model=True), nobody)
    ended = desk("run", "--since", "1d")
    assert "no model answered, because the model server is unreachable: connection refused: 12" in ended.out
    whys = {line["analysis"]["why_fallback"] for line in desk.events("ticket")}
    assert whys == {"model_unreachable"}
    assert "breaker" not in ended.out
    again = desk("run", "--retry-fallbacks", "--json").object
    assert again["causes"] == {"model_unreachable": "connection refused"}


def test_a_refusal_carries_the_servers_own_sentence_wherever_somebody_looks(open_desk: OpenDesk, refusing: str) -> None:
    words = "My cat Zebedee has eaten the router and now nothing works"
    desk = at(open_desk([{"subject": "Router", "body": words}], model=True), refusing)
    ended = desk("run", "--since", "1d")
    assert PINNED in ended.out
    assert PINNED in desk("analyse", "1").out
    assert PINNED in desk("health", code=None).out
    assert PINNED in desk("init", code=3).out
    # A server may quote the ticket, so no word of it gets into the log, and none of the ticket anywhere.
    assert "pinned" not in log_of(desk)
    assert "Zebedee" not in ended.out
    assert "router and now" not in ended.out
