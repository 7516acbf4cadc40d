"""Our client against a server that nobody here wrote: llama.cpp's own, with a model of random weights.

What the model says means nothing. That it is valid, and that every refusal is understood, is what is tested.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from ticket_processor.analysis.model_server.chat import OpenAIServer, RawAnswer
from ticket_processor.analysis.model_server.connection import AnswerUnusable, Connection, FormRefused, ModelBusy
from ticket_processor.analysis.model_server.embeddings import Embedder, EmbeddingsFailed
from ticket_processor.analysis.model_server.settings import EmbeddingSettings, ModelSettings, ModelUse, resolve
from ticket_processor.analysis.text.redact import redact
from ticket_processor.core.errors import AnalysisFailed
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.llm import ModelAnalyser

from .llama import Llama, llama

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]  # installing it may take its time, once

ROOM = 2000
"""A token is one byte here."""

TICKETS = (
    "Charged twice\nHello, I was charged twice this month.",
    "Störung\nGuten Tag, seit heute früh geht gar nichts mehr!",
    "¿Dónde está mi pedido?\nNo ha llegado el paquete.",
    "返金のお願い\n商品が壊れていました。",
    "Quotes and braces\n\"{'category': 'refund'}\" \\ \u2028 🤖",
)
HELLO = [{"role": "user", "content": "Hello"}]


class Watched:
    """A chat server that keeps what was asked for."""

    def __init__(self, inner: OpenAIServer) -> None:
        self._inner = inner
        self.forms: list[str] = []

    def complete(
        self,
        model: str,
        messages: Sequence[Mapping[str, str]],
        response_format: Mapping[str, object] | None,
        allowance: object = None,
    ) -> RawAnswer:
        self.forms.append(str(response_format["type"]) if response_format else "prompt")
        return self._inner.complete(model, messages, response_format)


@pytest.fixture(scope="module")
def server() -> Iterator[Llama]:
    with llama() as running:
        yield running


@pytest.fixture
def chat(server: Llama) -> Iterator[OpenAIServer]:
    chat = served(server)
    yield chat
    chat.close()


@pytest.fixture
def brief(server: Llama) -> Iterator[OpenAIServer]:
    """For answers that nobody reads."""
    chat = served(server, room=50)
    yield chat
    chat.close()


def served(server: Llama, *, room: int = ROOM) -> OpenAIServer:
    use = ModelUse(preset="llama.cpp", base_url=server.url)
    target = resolve(ModelSettings(names=("tiny",), use={"tiny": use}), "tiny")
    return OpenAIServer(replace(target, max_output_tokens=room), lambda: 30.0)


@pytest.mark.parametrize("form", ["json_schema", "json_schema_plain"])
def test_every_structured_answer_is_valid_at_the_first_try(chat: OpenAIServer, form: str) -> None:
    watched = Watched(chat)
    entities = {"order_number": "number of the order", "product": "name of the product"}
    analyser = ModelAnalyser(watched, "tiny", default_taxonomy(), entities=entities)
    analyser._asked.at_least(form)
    for ticket in TICKETS if form == "json_schema" else TICKETS[:1]:
        analysis = analyser.analyse(redact(ticket))
        assert (analysis.source, analysis.attempts) == ("model", 1)
        assert analysis.category in default_taxonomy().names
        assert analysis.usage.input > 0
        assert analysis.usage.output > 0
    assert set(watched.forms) == {"json_schema"}


def test_json_without_a_schema_is_an_object_or_a_failure_worth_a_retry(server: Llama) -> None:
    chat = served(server, room=200)
    for ticket in TICKETS[:3]:
        try:
            raw = chat.complete("tiny", [{"role": "user", "content": ticket}], {"type": "json_object"})
        except ModelBusy:  # the weights wrote bytes that are no text, which this server answers with 500
            continue
        assert not raw.finished or isinstance(json.loads(raw.text), dict)
    chat.close()


def test_an_answer_cut_off_by_the_limit_is_told_as_such_with_what_it_cost(server: Llama) -> None:
    chat = served(server, room=50)
    assert not chat.complete("tiny", HELLO, None).finished
    with pytest.raises(AnswerUnusable) as failed:
        ModelAnalyser(chat, "tiny", default_taxonomy()).analyse(redact(TICKETS[0]))
    assert failed.value.reason == "answer_cut_off"
    assert failed.value.usage.output == 100
    chat.close()


@pytest.mark.parametrize("form", [None, {"type": "json_object"}], ids=["in words", "json_object"])
def test_a_prompt_that_is_too_long_is_told_as_such(brief: OpenAIServer, form: dict[str, object] | None) -> None:
    with pytest.raises(AnalysisFailed) as failed:
        brief.complete("tiny", [{"role": "user", "content": "too long " * 4000}], form)
    assert failed.value.reason == "model_prompt_too_long"


def test_the_fixed_part_of_the_prompt_comes_from_its_cache(chat: OpenAIServer) -> None:
    analyser = ModelAnalyser(chat, "tiny", default_taxonomy())
    analyser.analyse(redact("First\nOne ticket."))
    usage = analyser.analyse(redact("Second\nAnother ticket.")).usage
    assert usage.cached > 0.8 * usage.input


REFUSED: dict[str, dict[str, Any]] = {
    "unknown form": {"type": "yaml"},
    "unknown type": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "cheese"}}},
    "dangling reference": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"$ref": "#/$defs/none"}}},
    "thousands of items": {
        "type": "json_schema",
        "json_schema": {"name": "x", "schema": {"type": "array", "items": {"type": "string"}, "maxItems": 2000}},
    },
    "closed tuple": {
        "type": "json_schema",
        "json_schema": {
            "name": "x",
            "schema": {"type": "array", "prefixItems": [{"type": "string"}], "items": False},
        },
    },
}


def test_two_thousand_labels_are_no_burden(server: Llama) -> None:
    chat = served(server, room=200)
    labels = [f"label_{n:04}" for n in range(2000)]
    schema = {"type": "object", "properties": {"label": {"enum": labels}}, "required": ["label"]}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    assert json.loads(chat.complete("tiny", HELLO, form).text)["label"] in labels
    chat.close()


@pytest.mark.parametrize("form", REFUSED.values(), ids=REFUSED.keys())
def test_a_form_that_it_refuses_is_told_as_refused(server: Llama, form: dict[str, Any]) -> None:
    models = ModelSettings(names=("tiny",), preset="llama.cpp", base_url=server.url)
    connection = Connection(resolve(models, "tiny"))
    with pytest.raises(FormRefused):
        connection.post(
            "chat",
            {"model": "tiny", "messages": HELLO, "max_tokens": 50, "response_format": form},
            seconds=20,
            structured=True,
        )
    connection.close()


def test_embeddings_are_told_to_be_absent_where_it_was_started_without(server: Llama) -> None:
    embedder = Embedder(EmbeddingSettings(model="tiny", base_url=server.url))
    with pytest.raises(EmbeddingsFailed, match="started without embeddings") as failed:
        embedder.embed(["hello"])
    assert failed.value.reason == "embeddings_absent"
    embedder.close()


def test_embeddings_come_one_for_each_text_and_long_texts_are_cut_until_it_takes_them() -> None:
    with llama("--embeddings") as server:
        embedder = Embedder(EmbeddingSettings(model="tiny", base_url=server.url), wait=lambda _seconds: None)
        vectors = embedder.embed(["hello", "", "hello", "another text entirely", "a word or two " * 500])
        embedder.close()
    assert {len(vector) for vector in vectors} == {256}
    assert vectors[0] == pytest.approx(vectors[2], abs=1e-3)
    assert vectors[0] != pytest.approx(vectors[3], abs=1e-3)
    assert not any(vectors[1])
    assert any(vectors[4])
