"""Replies that are longer than anybody needs, or that unpack to more: none is held, and each has its consequence."""

from __future__ import annotations

import gzip
import importlib.util
import os
import random
import subprocess
import sys
import tracemalloc
import zlib
from pathlib import Path

import orjson
import pytest

from ticket_processor.core.clock import Deadline
from ticket_processor.core.errors import HelpdeskDown, NotAuthorised, OutcomeUnknown
from ticket_processor.core.guards import Breaker
from ticket_processor.core.http import MAX_REPLY_BYTES, JsonTooLarge, bounded_json
from ticket_processor.helpdesk.transport import MAX_ATTEMPTS, Throttle, Transport
from ticket_processor.monitoring.receivers import Heartbeat, tame_libraries, through

from ..support.fakes import ManualClock, Upper
from .scripted import Reply, ScriptedServer, scripted

ROOT = Path(__file__).parents[2]
JSON = {"content-type": "application/json"}
ZIPPED = {**JSON, "content-encoding": "gzip"}
BOMB = gzip.compress(b'{"a": "' + b" " * 50_000_000 + b'"}')


def transport(server: ScriptedServer) -> Transport:
    clock = ManualClock()
    return Transport(
        server.url,
        name="Desk",
        clock=clock,
        deadline=Deadline(clock, 540),
        breaker=Breaker("desk", clock, threshold=99),
        throttle=Throttle(clock),
        rng=Upper(),
    )


def write(server: ScriptedServer) -> object:
    return transport(server).request("PUT", "/t/1", json={})


# The helpdesk


def test_only_gzip_is_asked_for_and_it_is_unpacked() -> None:
    body = {"a": "ä" * 300_000}
    with scripted(Reply(gzip.compress(orjson.dumps(body)), headers=ZIPPED, pieces=7)) as server:
        assert transport(server).request("GET", "/t").body == body
        assert server.received[0].headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize("size", [1, 65_535, 65_536, 65_537, 200_000])
def test_whatever_the_length_gzip_is_unpacked_to_the_last_byte(size: int) -> None:
    for text in (b"a" * size, random.Random(size).randbytes(size).hex().encode()):
        with scripted(Reply(gzip.compress(orjson.dumps(text.decode())), headers=ZIPPED)) as server:
            assert transport(server).request("GET", "/t").body == text.decode()


LONG = [
    Reply(BOMB, headers=ZIPPED),
    Reply(BOMB, headers={**JSON, "content-encoding": "x-gzip"}),
    Reply(gzip.compress(b"") * (MAX_REPLY_BYTES // 20 + 1), headers=ZIPPED),
    Reply(b'"' + b" " * MAX_REPLY_BYTES + b'"', headers=JSON),
]


@pytest.mark.parametrize("reply", LONG, ids="gzip x-gzip nothing plain".split())
def test_a_reply_beyond_the_limit_is_no_answer_to_a_read_and_not_asked_for_again(reply: Reply) -> None:
    with scripted(reply) as server:
        with pytest.raises(HelpdeskDown, match=r"the answer to GET /t is larger than its limit of 8 MB") as raised:
            transport(server).request("GET", "/t", params={"secret": 1})
        assert raised.value.too_long
        assert len(server.received) == 1


@pytest.mark.parametrize("reply", LONG, ids="gzip x-gzip nothing plain".split())
def test_after_a_reply_beyond_the_limit_a_write_is_in_doubt(reply: Reply) -> None:
    with scripted(reply) as server, pytest.raises(OutcomeUnknown, match=r"PUT /t/1 is larger than its limit of 2 MB"):
        write(server)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(zlib.compress(b"{}"), headers={**JSON, "content-encoding": "deflate"}),
        Reply(gzip.compress(gzip.compress(b"{}")), headers={**JSON, "content-encoding": "gzip, gzip"}),
        Reply(b"{}", headers={**JSON, "content-encoding": "br"}),
        Reply(b"{}", headers={**JSON, "content-encoding": "zstd"}),
        Reply(b"{}", headers=ZIPPED),
        Reply(gzip.compress(b'{"a": 1}')[:-9], headers=ZIPPED),
    ],
    ids="deflate layered br zstd unpacked half".split(),
)
def test_what_is_packed_otherwise_or_not_whole_is_no_answer(reply: Reply) -> None:
    with scripted(reply) as server:
        with pytest.raises(HelpdeskDown, match="does not answer"):
            transport(server).request("GET", "/t")
        assert len(server.received) == MAX_ATTEMPTS
        with pytest.raises(OutcomeUnknown):
            write(server)


def test_of_a_long_error_the_status_counts() -> None:
    with scripted(Reply(BOMB, 401, ZIPPED)) as server, pytest.raises(NotAuthorised):
        transport(server).request("GET", "/t")
    with scripted(Reply(BOMB, 503, {**ZIPPED, "retry-after": "7"}), Reply(b"{}", headers=JSON)) as server:
        assert transport(server).request("GET", "/t").ok
    with scripted(Reply(BOMB, 422, ZIPPED)) as server:
        assert transport(server).request("GET", "/t").body is None
    with (
        scripted(Reply(BOMB, 302, {**ZIPPED, "location": "/"})) as server,
        pytest.raises(HelpdeskDown, match="redirect"),
    ):
        transport(server).request("GET", "/t")


# Parsed


SHAPES = {
    "objects": (b"[", b"{},", b"{}]"),
    "nested": (b"[", b'{"":{}},', b"0]"),
    "one each": (b"[", b'{"a":1},', b"0]"),
    "lists": (b"[", b"[],", b"0]"),
    "lists of one": (b"[", b"[0],", b"0]"),
    "numbers": (b"[", b"1e5,", b"0]"),
    "large numbers": (b"[", b"12345678901,", b"0]"),
    "texts": (b"[", b'"ab",', b"0]"),
    "emoji": (b'"\xf0\x9f\x98\x80', b"a", b'"'),
    "fields": (b"[", b'{"id":360000123456,"value":null},', b"0]"),
}


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_the_memory_that_parsing_takes_is_never_more_than_estimated(shape: str) -> None:
    begin, unit, end = SHAPES[shape]
    raw = begin + unit * (2_000_000 // len(unit)) + end
    tracemalloc.start()
    value = orjson.loads(raw)
    taken = tracemalloc.get_traced_memory()[0] + len(raw)
    tracemalloc.stop()
    del value
    with pytest.raises(JsonTooLarge):
        bounded_json(raw, most=taken - 1)


def test_a_reply_that_is_short_and_long_once_parsed_is_no_answer() -> None:
    tiny = gzip.compress(b"[" + b"{}," * 2_000_000 + b"{}]")
    with scripted(Reply(tiny, headers=ZIPPED)) as server:
        with pytest.raises(HelpdeskDown, match=r"limit of 64 MB once it is parsed") as raised:
            transport(server).request("GET", "/t")
        assert raised.value.too_long
        assert len(server.received) == 1


# Others


@pytest.mark.parametrize(
    ("status", "said"), [(200, None), (302, "it answered HTTP 302"), (500, "it answered HTTP 500")]
)
def test_what_answers_a_sign_of_life_is_not_read(status: int, said: str | None) -> None:
    with scripted(Reply(BOMB, status, {**ZIPPED, "location": "/"})) as server:
        heartbeat = Heartbeat(server.url)
        tracemalloc.start()
        thread = heartbeat.finish(0, "{}")
        assert thread is not None
        thread.join()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert heartbeat.trouble == said
    assert peak < 5_000_000


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # some of Apprise's plugins use it
@pytest.mark.skipif(importlib.util.find_spec("apprise") is None, reason="needs the extra 'alerts'")
@pytest.mark.parametrize(("status", "said"), [(200, None), (302, "HTTP 302"), (500, "HTTP 500")])
def test_of_what_answers_an_alert_no_more_is_read_than_there_is_memory_for(status: int, said: str | None) -> None:
    tame_libraries()
    with scripted(Reply(BOMB, status, {**ZIPPED, "location": "/"})) as server:
        tracemalloc.start()
        why = through(server.url.replace("http:", "json:"), lambda service: service.notify(body="x"))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert (why is None) if said is None else (said in (why or ""))
    assert peak < 20_000_000


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows does not tell the peak in the same way")
def test_no_reply_takes_more_than_200_mb() -> None:
    """The worst of each kind; ``scripts/measure_replies.py`` has all."""
    command = [sys.executable, str(ROOT / "scripts" / "measure_replies.py"), "--clients", "export", "--replies"]
    done = subprocess.run([*command, "gzip", "endless chunks", "chunk of any length", "page"], capture_output=True)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
