"""Whatever a model server answers about one ticket, and with which status and headers: the others get their answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import httpx2
import openai
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.analysis.chain import ModelLink, Understanding
from ticket_processor.analysis.model_server.chat import OpenAIServer
from ticket_processor.analysis.model_server.embeddings import Embedder, EmbeddingsFailed
from ticket_processor.analysis.model_server.settings import EmbeddingSettings
from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.core.circuit_breaker import Breaker
from ticket_processor.core.clock import Deadline
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.llm import ModelAnalyser

from ..helpdesk.test_one_tickets_fault import JSON, VALUES
from ..support.fakes import ManualClock, Upper, a_ticket
from ..support.tainted import UNTIL_WRITTEN, places
from ..support.targets import compatible

LABELS = default_taxonomy()
RULES = RulesAnalyser(LABELS)
SAID = {
    "category": "billing",
    "urgency": "high",
    "sentiment": "negative",
    "language": "en",
    "summary": "Charged twice.",
    "confidence": 0.9,
    "evidence": ["charged twice"],
}
CHAT: dict[str, Any] = {
    "id": "x",
    "object": "chat.completion",
    "created": 0,
    "model": "served",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 0}},
}
VECTORS: dict[str, Any] = {"data": [{"index": 0, "embedding": [1.0, 0.5]}], "model": "e", "usage": {"total_tokens": 1}}
HEADERS = st.dictionaries(
    st.sampled_from(
        ["Content-Type", "Content-Encoding", "Retry-After", "retry-after-ms", "Date", "x-request-id", "Location"]
    ),
    st.sampled_from(
        [
            "", "application/json", "text/html; charset=klingon", "gzip", "br", "identity", "-1", "1e400", "nan",
            "soon", "http://[",
        ]
    ),
    max_size=3,
)  # fmt: skip


@dataclass(frozen=True)
class Odd:
    """An answer as it is sent."""

    status: int
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@st.composite
def oddities(draw: st.DrawFn, whole: dict[str, Any]) -> Odd:
    """An answer that would be ``whole``, with one place of it, its status or its headers odd."""
    answer = orjson.loads(orjson.dumps(whole))
    there = list(places([None, answer]))
    holder, key = there[draw(st.integers(0, len(there) - 1))]
    value = draw(VALUES)
    if holder is not None:
        holder[key] = UNTIL_WRITTEN
        value = orjson.dumps(answer).replace(b'"%b"' % UNTIL_WRITTEN.encode(), value)
    status = draw(st.sampled_from([200, 200, 200]) | st.integers(200, 599))
    return Odd(status, value, draw(HEADERS))


class Server:
    """The real SDK over a transport in memory. What asks about the text ``ODD-ONE`` gets the odd answer."""

    def __init__(self, odd: Odd, good: dict[str, Any]) -> None:
        self._odd = odd
        self._good = good

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if b"ODD-ONE" in request.content:
            return httpx2.Response(
                self._odd.status, headers=self._odd.headers, stream=httpx2.ByteStream(self._odd.content)
            )
        return httpx2.Response(200, json=self._good)


@pytest.fixture(scope="module", autouse=True)
def _no_sockets() -> Iterator[None]:
    original = openai.OpenAI
    client = httpx2.Client(transport=httpx2.MockTransport(lambda request: _asked[0](request)))
    with mock.patch.object(openai, "OpenAI", lambda **options: original(**{**options, "http_client": client})):
        yield
    client.close()


_asked: list[Server] = []


def serve(odd: Odd, good: dict[str, Any]) -> None:
    _asked[:] = [Server(odd, good)]


def chat(**said: Any) -> dict[str, Any]:
    whole: dict[str, Any] = orjson.loads(orjson.dumps(CHAT))
    whole["choices"][0]["message"]["content"] = orjson.dumps({**SAID, **said}).decode()
    return whole


def understood(odd: Odd) -> tuple[list[str], list[str]]:
    """Who answered about each of five tickets, and what went wrong unexpectedly."""
    serve(odd, chat())
    clock, troubles = ManualClock(), list[str]()
    model = ModelAnalyser(OpenAIServer(compatible("http://model.invalid/v1"), timeout_s=lambda: 12.5), "m", LABELS)
    link = ModelLink(model, Breaker("m", clock, proven=False), Deadline(clock, 540.0), rng=Upper())
    understanding = Understanding([link], RULES, clock=clock, trouble=troubles.append)
    subjects = ("Charged twice", "ODD-ONE", "Charged twice again", "Refund please", "Invoice is wrong")
    return [understanding(a_ticket(place, subject=words)).source for place, words in enumerate(subjects)], troubles


@given(oddities(chat()))
def test_the_others_get_their_answers_and_nothing_unexpected_happens(odd: Odd) -> None:
    sources, troubles = understood(odd)
    assert (sources[0], *sources[2:]) == ("model",) * 4
    assert troubles == []


@pytest.mark.parametrize("status", [302, 400, 401, 404, 418, 500])
def test_the_odd_one_is_left_to_the_rules(status: int) -> None:
    assert understood(Odd(status, orjson.dumps(chat()))) == (["model", "rules", "model", "model", "model"], [])


@given(st.sampled_from(sorted(SAID)), JSON)
def test_so_they_do_whatever_stands_in_the_answer_itself(name: str, value: object) -> None:
    sources, troubles = understood(Odd(200, orjson.dumps(chat(**{name: value}))))
    assert (sources[0], *sources[2:]) == ("model",) * 4
    assert troubles == []


@given(oddities(VECTORS))
def test_odd_vectors_are_none_and_the_next_ones_are_read(odd: Odd) -> None:
    serve(odd, VECTORS)
    embedder = Embedder(
        EmbeddingSettings(model="e", base_url="http://vectors.invalid/v1"), wait=lambda _seconds: None, rng=Upper()
    )
    with suppress(EmbeddingsFailed):
        embedder.embed(["ODD-ONE"])
    assert embedder.embed(["plain"]) == [(1.0, 0.5)]
