"""The same sandbox in memory and over HTTP."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from ticket_processor.sandbox.openai_api import LatencyProfile
from ticket_processor.sandbox.server import SandboxServer

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


@pytest.fixture(params=["memory", "http"])
def shell(request: pytest.FixtureRequest) -> Iterator[Shell]:
    opened = Shell(Desk(), request.param)
    yield opened
    opened.close()


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


def test_a_dropped_reply_is_a_connection_error(shell: Shell) -> None:
    shell.desk.sandbox.faults = shell.desk.sandbox.faults.parse("lost-reply:PUT:times=1")
    with pytest.raises(requests.exceptions.ConnectionError, match="Connection aborted"):
        shell.ask("PUT", "tickets/1", json={"ticket": {"tags": ["mine"]}})
    assert shell.ask("GET", "tickets/1").json()["ticket"]["tags"] == ["mine"]


@pytest.mark.parametrize("stream", [False, True])
def test_half_a_body_breaks_while_it_is_read(shell: Shell, stream: bool) -> None:
    shell.desk.sandbox.faults = shell.desk.sandbox.faults.parse("half-body:GET:times=1")
    if stream:
        with shell.ask("GET", "tickets/1", stream=True) as answer:
            assert int(answer.headers["Content-Length"]) > 1_000
            with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
                answer.content  # noqa: B018
    else:
        with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
            shell.ask("GET", "tickets/1")
    assert shell.ask("GET", "tickets/1").status_code == 200


def test_an_answer_slower_than_the_patience_is_a_read_timeout_and_the_work_is_done(shell: Shell) -> None:
    shell.desk.sandbox.faults = shell.desk.sandbox.faults.parse("slow:PUT:seconds=30")
    with pytest.raises(requests.exceptions.ReadTimeout):
        shell.ask("PUT", "tickets/1", json={"ticket": {"tags": ["mine"]}}, timeout=(3, 0.1))
    assert shell.desk.tags(1) == ["mine"]
    if shell.kind == "memory":
        assert shell.slept == [0.1]


def test_a_slow_answer_within_the_patience_arrives_after_its_delay(shell: Shell) -> None:
    shell.desk.sandbox.faults = shell.desk.sandbox.faults.parse("slow:GET:seconds=0.05")
    begun = time.monotonic()
    assert shell.ask("GET", "tickets/1", timeout=5).status_code == 200
    if shell.kind == "memory":
        assert shell.slept == [0.05]
    else:
        assert time.monotonic() - begun >= 0.045


def test_a_streamed_answer_can_be_read_in_pieces(shell: Shell) -> None:
    with shell.ask("GET", "tickets/1", stream=True) as answer:
        pieces = b"".join(answer.iter_content(100))
    assert len(pieces) == int(answer.headers["Content-Length"])


def test_bodies_of_every_kind_reach_the_sandbox() -> None:
    shell = Shell(Desk(), "memory")
    headers = {"Content-Type": "application/json"}
    text = '{"ticket": {"subject": "grün"}}'
    for body in (text, text.encode(), iter([text.encode()])):
        assert shell.ask("PUT", "tickets/1", data=body, headers=headers).status_code == 200
    assert shell.desk.store.tickets[1].json["subject"] == "grün"


def test_latency_is_slept_in_memory_and_counted() -> None:
    desk = Desk(llm_latency=LatencyProfile(1.0, 3.0))
    shell = Shell(desk, "memory")
    body = {"model": "sandbox-model", "messages": [{"role": "user", "content": "Hello"}]}
    for _ in range(2):
        url = f"{shell.base}/v1/chat/completions"
        shell.session.post(url, json=body, headers={"Authorization": "Bearer sandbox-key"})
    assert len(set(shell.slept)) == 2
    assert desk.sandbox.llm_calls == 2
    assert desk.sandbox.llm_latency_total == pytest.approx(sum(shell.slept))


# --- HTTP only ------------------------------------------------------------------------------------------


def fetch(url: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, headers=HEADERS, timeout=30)


def exchange(server: SandboxServer, raw: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(raw)
        received = b""
        while piece := connection.recv(65536):
            received += piece
        return received


def test_one_connection_serves_many_requests() -> None:
    get = f"GET /api/v2/tickets/1 HTTP/1.1\r\nHost: x\r\nAuthorization: {BASIC}\r\n"
    with SandboxServer(Desk().sandbox) as server:
        received = exchange(server, f"{get}\r\n{get}\r\n{get}Connection: close\r\n\r\n".encode())
    assert received.count(b"HTTP/1.1 200 OK\r\n") == 3


@pytest.mark.parametrize(
    ("headers", "status"),
    [(b"Content-Length: 99999999", b"413"), (b"Content-Length: -1", b"400"), (b"Transfer-Encoding: chunked", b"411")],
)
def test_a_body_the_server_cannot_take_is_refused(headers: bytes, status: bytes) -> None:
    with SandboxServer(Desk().sandbox) as server:
        received = exchange(server, b"PUT /api/v2/tickets/1 HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 " + status)


def test_many_connections_at_once_lose_no_update() -> None:
    desk = Desk(20, plan="unlimited")
    failures: list[int] = []

    def work(ticket_id: int) -> None:
        with requests.Session() as session:
            session.trust_env = False
            session.headers.update(HEADERS)
            for number in range(5):
                body = {"ticket": {"comment": {"body": f"note {number}", "public": False}}}
                answer = session.put(f"{desk.store.base_url}/api/v2/tickets/{ticket_id}", json=body, timeout=10)
                if answer.status_code != 200:
                    failures.append(answer.status_code)

    with SandboxServer(desk.sandbox):
        threads = [threading.Thread(target=work, args=(ticket_id,)) for ticket_id in desk.ids]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []
    assert all(len(ticket.comments) == 6 for ticket in desk.store.tickets.values())


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


def test_serving_in_the_main_thread_ends_when_it_is_stopped_from_another() -> None:
    server = SandboxServer(Desk().sandbox)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    assert fetch(f"{server.url}/sandbox/stats").status_code == 200
    server.stop()
    thread.join(timeout=5)
    assert not thread.is_alive()


def test_the_server_binds_to_this_machine_only() -> None:
    with pytest.raises(ValueError, match="this machine only"):
        SandboxServer(Desk().sandbox, host="0.0.0.0")
