from __future__ import annotations

import errno
import functools
import json
import os
import re
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.analysis.model_server import connection
from ticket_processor.analysis.model_server.chat import OpenAIServer, RawAnswer
from ticket_processor.analysis.model_server.connection import (
    SAID_CHARS,
    ModelBusy,
    failure,
)
from ticket_processor.analysis.model_server.settings import ModelTarget
from ticket_processor.core.errors import AnalysisFailed
from ticket_processor.core.models import Usage

from ..support.chats import compatible

# The SDK


class Sdk:
    """The real SDK over a transport in memory, with what it was made with and what it sent."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: dict[str, Any] = {}
        self.sent: list[httpx2.Request] = []
        self.answers: list[httpx2.Response | Exception] = []
        transport = httpx2.MockTransport(self._answer)
        self.client = httpx2.Client(transport=transport)
        original = openai.OpenAI

        def make(**options: Any) -> openai.OpenAI:
            self.made.update(options)
            return original(**{**options, "http_client": self.client})

        monkeypatch.setattr(openai, "OpenAI", make)
        self.server = OpenAIServer(compatible("http://model.invalid/v1", max_output_tokens=321), lambda: 12.5)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.sent.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def ask(self, answer: httpx2.Response | Exception, *, structured: bool = False) -> RawAnswer:
        self.answers = [answer]
        form = {"type": "json_object"} if structured else None
        return self.server.complete("m", [{"role": "user", "content": "x"}], form)


@pytest.fixture
def sdk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sdk]:
    sdk = Sdk(monkeypatch)
    yield sdk
    sdk.client.close()


def completion(content: object = "hello", **fields: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": content}
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 0,
        "model": "served",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
        **fields,
    }


reply = functools.partial(httpx2.Response, 200)


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        ({"completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4}}, Usage(input=9, output=3, cached=4)),
        *(
            ({"completion_tokens": None, "prompt_tokens_details": details}, Usage(input=9))
            for details in (None, {}, {"cached_tokens": None})
        ),
        # Hidden thoughts count as output, wherever a server counts them.
        (
            {"completion_tokens": 480, "total_tokens": 489, "completion_tokens_details": {"reasoning_tokens": 478}},
            Usage(input=9, output=480),
        ),
        ({"completion_tokens": 2, "total_tokens": 489}, Usage(input=9, output=480)),
        (
            {"completion_tokens": 2, "completion_tokens_details": {"reasoning_tokens": 478}},
            Usage(input=9, output=480),
        ),
        (
            {"completion_tokens": 3, "total_tokens": 12, "completion_tokens_details": None},
            Usage(input=9, output=3),
        ),
        ({"completion_tokens": 3, "total_tokens": 0}, Usage(input=9, output=3)),
    ],
)
def test_an_answer_is_read_with_its_tokens_and_the_name_of_the_model(
    sdk: Sdk, counts: dict[str, Any], usage: Usage
) -> None:
    raw = sdk.ask(reply(json=completion(usage={"prompt_tokens": 9, **counts})))
    assert raw == RawAnswer("hello", usage, "served")
    assert sdk.ask(reply(json=completion(usage=None))).usage == Usage()


def test_the_sdks_retries_are_off_and_its_timeout_is_replaced(sdk: Sdk) -> None:
    with pytest.raises(ModelBusy):
        sdk.ask(httpx2.Response(500))
    assert len(sdk.sent) == 1
    timeout = sdk.sent[0].extensions["timeout"]
    assert timeout["read"] == 12.5
    assert timeout["connect"] == 5.0
    assert sdk.made["max_retries"] == 0


def complaint(name: str) -> httpx2.Response:
    return httpx2.Response(400, json={"error": {"message": f"Unsupported parameter: '{name}'", "code": "unsupported"}})


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens", "temperature"])
def test_a_reasoning_model_is_asked_again_in_its_own_words_and_remembered(sdk: Sdk, name: str) -> None:
    sdk.answers = [complaint(name), reply(json=completion())]
    for model in ("thinker", "thinker", "plain"):
        assert sdk.server.complete(model, [{"role": "user", "content": "x"}], None).text == "hello"
    first, again, second, other = (json.loads(request.content) for request in sdk.sent)
    assert first["max_tokens"] == other["max_tokens"] == 321
    for body in (again, second):
        assert body["max_completion_tokens"] > 321
        assert not {"max_tokens", "temperature"} & body.keys()


def test_the_servers_sentence_is_short_plain_and_without_keys_and_customers() -> None:
    said = "Bad key sk-proj-abcdefghijklmnopqrstuvwx1234 of jane@example.org\n\x1b[31m\u202e" + "word " * 100
    detail = failure(400, {"error": {"message": said}}, {}).detail
    assert len(detail) <= SAID_CHARS
    assert not {"\n", "\x1b", "\u202e"} & set(detail)
    assert not re.search("sk-proj|jane@", detail)
    assert failure(502, "<html>bad gateway</html>", {}).detail == ""


def test_the_servers_sentence_never_holds_the_key_that_it_was_sent(monkeypatch: pytest.MonkeyPatch, sdk: Sdk) -> None:
    server = OpenAIServer(compatible(api_key="plainword", max_output_tokens=50), lambda: 5)
    sdk.answers = [httpx2.Response(401, json={"error": "Wrong key plainword given"})]
    with pytest.raises(AnalysisFailed) as error:
        server.complete("m", [{"role": "user", "content": "x"}], None)
    assert error.value.detail == "Wrong key [key] given"


def because(cause: Exception | None) -> httpx2.ConnectError:
    error = httpx2.ConnectError("CANARY")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (httpx2.ReadTimeout("CANARY"), "model_timeout"),
        (httpx2.ConnectTimeout("CANARY"), "model_timeout"),
        (httpx2.RemoteProtocolError("died in mid-answer"), "model_unreachable: the connection broke"),
        (because(ConnectionRefusedError(111, "CANARY")), "model_unreachable: connection refused"),
        (because(socket.gaierror(-2, "CANARY")), "model_unreachable: its name leads nowhere"),
        (because(ssl.SSLCertVerificationError("CANARY")), "model_unreachable: its certificate is not trusted"),
        (because(ssl.SSLError("CANARY")), "model_unreachable: no secure connection"),
        (
            because(OSError(errno.ENETUNREACH, "CANARY")),
            f"model_unreachable: {os.strerror(errno.ENETUNREACH).lower()}",
        ),
        (because(ConnectionResetError(104, "CANARY")), "model_unreachable: the connection broke"),
        (because(None), "model_unreachable: the connection broke"),
    ],
)
def test_a_server_that_gives_no_answer_is_busy_and_why_it_cannot_be_reached_is_told(
    sdk: Sdk, error: Exception, told: str
) -> None:
    with pytest.raises(ModelBusy) as raised:
        sdk.ask(error)
    assert str(raised.value) == told
    assert len(sdk.sent) == 1


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SSL_CERT_FILE", "/nonexistent/CANARY.pem"),
        ("ALL_PROXY", "socks5h://CANARY:CANARY@127.0.0.1:9"),
        ("HTTPS_PROXY", "foo://CANARY"),
    ],
)
def test_settings_with_which_nothing_can_be_connected_are_told_without_their_values(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv(variable, value)
    monkeypatch.setitem(sys.modules, "socksio", None)
    connection._trusted.cache_clear()
    server = OpenAIServer(compatible("https://model.invalid/v1", max_output_tokens=50), lambda: 5)
    try:
        with pytest.raises(AnalysisFailed) as error:
            server.complete("m", [{"role": "user", "content": "x"}], None)
    finally:
        connection._trusted.cache_clear()
    assert error.value.reason == "model_connection_settings"
    assert not isinstance(error.value, ModelBusy)
    assert variable in str(error.value)
    assert "CANARY" not in str(error.value)


EMPTY = completion(
    "", choices=[{"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": "length"}]
)


def test_an_empty_answer_at_the_limit_was_hidden_thought_and_gets_more_room_once_a_call(sdk: Sdk) -> None:
    sdk.answers = [reply(json=EMPTY), reply(json=completion()), reply(json=EMPTY), reply(json=EMPTY)]
    sent = [{"role": "user", "content": "x"}]
    assert sdk.server.complete("m", sent, None).usage == Usage(input=18, output=6), "both requests are paid"
    with pytest.raises(AnalysisFailed, match="model_empty_answer"):
        sdk.server.complete("m", sent, None)
    with pytest.raises(AnalysisFailed, match="model_empty_answer"):
        sdk.server.complete("m", sent, None)
    assert [json.loads(request.content)["max_tokens"] for request in sdk.sent] == [321, 2321, 2321, 8321, 8321]


def openai_server(model: str = "gpt-6-luna", **fields: Any) -> OpenAIServer:
    target = ModelTarget(model, model, "openai", "http://model.invalid/v1", "key", max_output_tokens=321, **fields)
    return OpenAIServer(target, lambda: 12.5)


def test_openai_is_asked_to_keep_nothing_and_to_think_as_little_as_it_can(sdk: Sdk) -> None:
    sdk.answers = [reply(json=completion())]
    sent = [{"role": "user", "content": "x"}]
    openai_server().complete("gpt-6-luna", sent, None)
    openai_server(model="gpt-4.1").complete("gpt-4.1", sent, None)
    openai_server(reasoning_effort="low").complete("gpt-6-luna", sent, None)
    sdk.server.complete("m", sent, None)
    names = ("store", "reasoning_effort")
    told = [tuple(json.loads(request.content).get(name) for name in names) for request in sdk.sent]
    assert told == [(False, "none"), (False, None), (False, "low"), (None, None)]


def test_many_threads_whose_first_requests_are_refused_all_ask_again(sdk: Sdk, monkeypatch: pytest.MonkeyPatch) -> None:
    together, asked = threading.Barrier(8), threading.local()

    def answer_of(request: httpx2.Request) -> httpx2.Response:
        if not hasattr(asked, "once"):
            asked.once = True
            together.wait(10.0)
        return complaint("temperature") if "temperature" in json.loads(request.content) else reply(json=completion())

    monkeypatch.setattr(sdk.client._transport, "handler", answer_of)
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda _n: sdk.server.complete("m", [{"role": "user", "content": "x"}], None), range(8))
        assert [answer.text for answer in answers] == ["hello"] * 8


WAITS = [
    ({"retry-after": "7"}, "", 7.0),
    ({"retry-after": "Sat, 21 Nov 2026 03:30:09 GMT", "date": "Sat, 21 Nov 2026 03:30:00 GMT"}, "", 9.0),
    ({"retry-after": "junk"}, "", None),
    ({"retry-after-ms": "1500", "retry-after": "9"}, "", 1.5),
    ({"retry-after": "1.5"}, "", 1.5),
    ({"retry-after-ms": "junk", "retry-after": "2"}, "", 2.0),
    ({"retry-after": "1e12"}, "", 3600.0),
    ({"retry-after": "-5"}, "", 0.0),
    ({}, "Try again later.", None),
]


@pytest.mark.parametrize(("headers", "words", "wait"), WAITS)
def test_a_wait_is_read_from_wherever_it_stands(
    sdk: Sdk, headers: dict[str, str], words: str, wait: float | None
) -> None:
    with pytest.raises(ModelBusy) as error:
        sdk.ask(httpx2.Response(429, json={"error": {"message": words}}, headers=headers))
    assert error.value.wait == wait


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["error", "message", "code", "type", "detail"]) | st.text(max_size=3), inner)
    ),
    max_leaves=8,
)


@given(status=st.integers(100, 599), body=JSON, wait=st.text(max_size=8), structured=st.booleans())
def test_whatever_an_error_looks_like_it_is_told_by_a_fixed_word(
    status: int, body: object, wait: str, structured: bool
) -> None:
    headers = {"retry-after": wait, "retry-after-ms": wait}
    failed = failure(status, body, headers, structured=structured)
    assert isinstance(failed, AnalysisFailed)
    assert re.fullmatch(r"model_[a-z_0-9]+|form_refused", failed.reason)
    if isinstance(failed, ModelBusy) and failed.wait is not None:
        assert 0 <= failed.wait <= 3600


ORIGINAL = openai.OpenAI


def _with_client(client: httpx2.Client, **options: Any) -> openai.OpenAI:
    return ORIGINAL(**{**options, "http_client": client})


CHOICES = st.lists(st.fixed_dictionaries({}, optional={"message": JSON, "finish_reason": JSON, "delta": JSON}))


@given(
    answer=JSON
    | st.fixed_dictionaries({"choices": CHOICES | JSON}, optional={"usage": JSON, "model": JSON, "error": JSON})
)
def test_whatever_is_answered_with_200_is_an_answer_or_a_failure(answer: object) -> None:
    transport = httpx2.MockTransport(lambda _request: httpx2.Response(200, text=json.dumps(answer)))
    with httpx2.Client(transport=transport) as client, pytest.MonkeyPatch.context() as patch:
        patch.setattr(openai, "OpenAI", functools.partial(_with_client, client))
        server = OpenAIServer(compatible("http://x.invalid/v1", max_output_tokens=50), lambda: 5)
        try:
            raw = server.complete("m", [{"role": "user", "content": "x"}], None)
        except AnalysisFailed:
            return
    assert raw.text.strip()
    assert raw.usage.input >= 0
