"""Clients that keep connections and say nothing, or too little, shut nobody out."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import pytest

pytest.importorskip("fastapi", reason="the extra 'serve' is not installed")

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from ticket_processor.web.server import MOST, ConnectionLimits, Server, listening, most_connections, place_of

LONG_S = 30.0
PATIENT = dict.fromkeys(("head_s", "part_s", "rest_s", "answer_s"), LONG_S)
HASTY = dict.fromkeys(PATIENT, 0.7)
LARGE = 30 * 2**20
PAGE = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
BODY = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
IDLE = {
    "silent": b"",
    "half a line": b"GE",
    "half a head": PAGE[:-2],
    "half a later head": PAGE + PAGE[:-2],
    "no body": BODY,
    "half a body": BODY + b"x" * 500_000,
    "a body of pieces": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal",
    "a body that nobody reads": BODY.replace(b"POST /", b"POST /refused") + b"x" * 500_000,
    "an answer that is not taken": PAGE.replace(b"/ ", b"/large "),
}
needs_addresses = pytest.mark.skipif(sys.platform != "linux", reason="only one loopback address can be used here")


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with how much has come; ``/refused`` before that."""
    request = Request(scope, receive)
    try:
        count = 0 if scope["path"] == "/refused" else len(await request.body())
    except ClientDisconnect:
        return
    text = "x" * LARGE if scope["path"] == "/large" else f"{count} bytes"
    await PlainTextResponse(text, 403 if scope["path"] == "/refused" else 200)(scope, receive, send)


class House:
    """A server, and connections to it."""

    def __init__(self, ends: ExitStack, limits: ConnectionLimits, proxies: tuple[str, ...]) -> None:
        at = listening("0.0.0.0", 0)
        self._ends, self._port = ends, at.getsockname()[1]
        self._server = Server(app, at, proxies, limits)
        self._server.start()
        ends.callback(self._server.stop)
        self.page()

    def connection(self, sent: bytes = b"", source: str = "127.0.0.1") -> socket.socket:
        """A connection from an address, on which this was sent."""
        made = socket.socket()
        self._ends.callback(made.close)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        made.settimeout(LONG_S)
        made.bind((source, 0))
        made.connect(("127.0.0.1", self._port))
        made.sendall(sent)
        return made

    def page(self, source: str = "127.0.0.1") -> bytes:
        """What a browser gets that keeps no connection."""
        one = self.connection(PAGE.replace(b"x\r\n", b"x\r\nConnection: close\r\n"), source)
        found = answer(one)
        left_unread(one)
        return found


def answer(one: socket.socket) -> bytes:
    """A whole short answer; what came of it where the connection was ended."""
    found = b""
    with suppress(ConnectionError):
        while b" bytes" not in found and (came := one.recv(65_536)):
            found += came
    return found


def left_unread(one: socket.socket) -> int:
    """How many bytes still come until the server ends the connection."""
    count = 0
    with suppress(ConnectionError):
        while came := one.recv(2**20):
            count += len(came)
    return count


def is_open(one: socket.socket) -> bool:
    """Whether the server has not ended it until now."""
    one.settimeout(0.05)
    try:
        return bool(one.recv(1))
    except TimeoutError:
        return True
    except ConnectionError:
        return False


Open = Callable[..., House]


@pytest.fixture
def house() -> Iterator[Open]:
    """Start a server with these limits."""
    with ExitStack() as ends:
        yield lambda proxies=(), **limits: House(ends, ConnectionLimits(**limits), proxies)


@pytest.mark.parametrize("kind", IDLE)
def test_a_client_that_does_not_go_on_loses_its_connection_and_others_get_their_pages(house: Open, kind: str) -> None:
    here = house(most=100, **HASTY)
    idle = [here.connection(IDLE[kind]) for _ in range(20)]
    assert b"0 bytes" in here.page()
    if kind == "an answer that is not taken":
        time.sleep(3)
    assert all(left_unread(one) < LARGE for one in idle)


def test_a_connection_between_two_requests_is_kept(house: Open) -> None:
    one = house(most=10, **HASTY).connection(PAGE)
    assert b"0 bytes" in answer(one)
    time.sleep(1.5)
    one.sendall(PAGE)
    assert b"0 bytes" in answer(one)


def test_a_slow_body_is_taken_while_it_goes_on(house: Open) -> None:
    here = house(most=10, **{**HASTY, "part_s": 2.0}, part_bytes=1)
    one = here.connection(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 30\r\n\r\n")
    for _ in range(30):
        time.sleep(0.1)
        one.sendall(b"x")
    assert b"30 bytes" in answer(one)


def test_a_body_that_only_drips_is_not_waited_for(house: Open) -> None:
    one = house(most=10, **HASTY, part_bytes=1000).connection(BODY)

    def drip() -> None:
        for _ in range(600):
            time.sleep(0.1)
            one.sendall(b"x")

    with pytest.raises(ConnectionError):
        drip()


def test_where_all_places_are_taken_whoever_was_idle_for_longest_makes_room(house: Open) -> None:
    here = house(most=40, **PATIENT)
    uploading = here.connection(BODY)
    assert b"0 bytes" in here.page()  # by now its body is known to have begun
    idle = [here.connection() for _ in range(9)]
    assert b"0 bytes" in here.page()
    assert [is_open(one) for one in (uploading, idle[0], idle[1], idle[-1])] == [True, False, True, True]


def test_bodies_make_room_where_there_is_nothing_else(house: Open) -> None:
    here = house(most=40, **PATIENT)
    bodies = [here.connection(BODY) for _ in range(10)]
    assert b"0 bytes" in here.page()
    assert sum(map(is_open, bodies)) == 9


@needs_addresses
def test_one_address_takes_no_place_of_another(house: Open) -> None:
    here = house(most=40, **PATIENT)
    other = [here.connection(source="127.0.0.2") for _ in range(5)]
    strangers = [here.connection() for _ in range(60)]
    assert b"0 bytes" in here.page("127.0.0.3")
    assert all(map(is_open, other))
    assert sum(map(is_open, strangers)) == 10


@needs_addresses
def test_many_addresses_together_have_so_many_places(house: Open) -> None:
    here = house(most=40, **PATIENT)
    idle = [here.connection(source=f"127.0.0.{1 + number}") for number in range(60)]
    assert b"0 bytes" in here.page("127.0.0.100")
    assert [is_open(one) for one in idle] == [False] * 21 + [True] * 39


def test_a_proxy_may_have_all_places(house: Open) -> None:
    here = house(("10.0.0.1", "127.0.0.0/8"), most=40, **PATIENT)
    idle = [here.connection() for _ in range(40)]
    assert b"0 bytes" in here.page()
    assert [is_open(one) for one in idle] == [False] + [True] * 39


def test_there_are_fewer_connections_than_files_that_may_be_open() -> None:
    assert 0 < most_connections() <= MOST
    if sys.platform != "win32":
        import resource

        allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        assert allowed == resource.RLIM_INFINITY or most_connections() <= allowed / 2


def test_a_household_has_one_place_whichever_of_its_addresses_it_comes_from() -> None:
    assert place_of("2001:db8:1:2::1") == place_of("2001:db8:1:2:ffff::9") != place_of("2001:db8:1:3::1")
    assert [place_of(host) for host in ("203.0.113.5", "::ffff:203.0.113.5", "a socket")] == [
        "203.0.113.5",
        "::ffff:203.0.113.5",
        "a socket",
    ]
