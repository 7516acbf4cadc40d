from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr, ValidationError

from ticket_processor.core.errors import ExitCode
from ticket_processor.monitoring.receivers import START_AFTER_S, Heartbeat, ending, tame_libraries
from ticket_processor.settings.schema import AlertSettings


class Switch:
    """A dead man's switch on this machine: what it was told, and what it answers."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []
        self.queries: list[str] = []
        self.answers: list[int] = []
        self.location: str | None = None
        self.beginning: threading.Event | None = None
        """Until this is set, a start is not answered."""
        switch = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode("utf-8")
                parts = urlsplit(self.path)
                switch.heard.append((parts.path, body))
                switch.queries.append(parts.query)
                if switch.beginning is not None and parts.path.endswith("/start"):
                    switch.beginning.wait(30)
                self.send_response(switch.answers.pop(0) if switch.answers else 200)
                if switch.location:
                    self.send_header("Location", switch.location)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/ping/secret"
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True)
        self._thread.start()

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.heard]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def switch() -> Iterator[Switch]:
    made = Switch()
    yield made
    made.close()


def finish(heartbeat: Heartbeat, code: int = 0, body: str = "") -> None:
    ping = heartbeat.finish(code, body)
    assert ping is not None
    ping.join(30)
    assert not ping.is_alive()


def test_a_run_pings_its_start_and_its_end_with_one_id(switch: Switch) -> None:
    heartbeat = Heartbeat(switch.url)
    heartbeat.start()
    time.sleep(2 * START_AFTER_S)
    finish(heartbeat, 0, "3 updated")
    assert switch.heard == [("/ping/secret/start", ""), ("/ping/secret/0", "3 updated")]
    assert [parse_qs(query) for query in switch.queries] == [{"rid": [str(heartbeat._run)]}] * 2
    assert heartbeat.trouble is None


def test_a_start_that_was_not_heard_is_not_told_again_after_the_end(switch: Switch) -> None:
    """The switch would wait for the end of a run that is over."""
    switch.beginning, switch.answers = threading.Event(), [200, 500, 200]
    heartbeat, before = Heartbeat(switch.url), set(threading.enumerate())
    heartbeat.start()
    time.sleep(2 * START_AFTER_S)
    starting = set(threading.enumerate()) - before
    finish(heartbeat)
    switch.beginning.set()
    for thread in starting:
        thread.join(30)
    assert switch.paths == ["/ping/secret/start", "/ping/secret/0"]
    assert heartbeat.trouble is None


@pytest.mark.parametrize(
    ("code", "ping"),
    [
        (ExitCode.OK, "0"),
        (ExitCode.SOME_FAILED, "0"),
        (ExitCode.USAGE, "2"),
        (ExitCode.CANNOT_RUN, "3"),
        (ExitCode.LOCKED, "log"),
        (ExitCode.INTERRUPTED, "log"),
        (ExitCode.TERMINATED, "log"),
    ],
)
def test_each_exit_code_has_its_ping(code: ExitCode, ping: str) -> None:
    assert ending(code) == ping


def test_a_redirect_is_not_followed(switch: Switch) -> None:
    switch.answers, switch.location = [302, 302], f"{switch.url}/elsewhere"
    heartbeat = Heartbeat(switch.url)
    finish(heartbeat)
    assert set(switch.paths) == {"/ping/secret/0"}
    assert heartbeat.trouble == "it answered HTTP 302"


def test_nobody_there_is_told_without_the_address(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/CANARY"
    caplog.set_level(logging.DEBUG)
    logging.getLogger("urllib3.connectionpool").setLevel(logging.DEBUG)
    tame_libraries()
    heartbeat = Heartbeat(url)
    finish(heartbeat, 3, "")
    assert heartbeat.trouble == "it could not be reached (ConnectionError)"
    assert "CANARY" not in caplog.text


@pytest.mark.parametrize(
    "url", ["http://example.com/CANARY", "CANARY", "ftp://CANARY", "https://user:pw@example.com/CANARY"]
)
def test_the_settings_take_https_only_and_quote_nothing(url: str) -> None:
    with pytest.raises(ValidationError) as problem:
        AlertSettings(heartbeat_url=SecretStr(url))
    assert "CANARY" not in str(problem.value)
