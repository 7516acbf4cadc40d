from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pydantic import SecretStr

from ticket_processor.analysis.model_server.embeddings import BATCH, Embedder, EmbeddingsFailed
from ticket_processor.analysis.model_server.settings import EmbeddingSettings
from ticket_processor.core.errors import ConfigError

from ..servers.scripted import Reply, ScriptedServer, reply, scripted
from ..support.fakes import Upper


def vectors(*values: object) -> Reply:
    return reply({"data": [{"index": place, "embedding": value} for place, value in enumerate(values)], "model": "e"})


@contextmanager
def embedding(*replies: Reply) -> Iterator[tuple[Embedder, ScriptedServer, list[float]]]:
    waits: list[float] = []
    with scripted(*replies) as server:
        settings = EmbeddingSettings(model="e", base_url=server.url, api_key=SecretStr("own"))
        embedder = Embedder(settings, wait=waits.append, rng=Upper())
        yield embedder, server, waits
        embedder.close()


@pytest.mark.parametrize("known", [{}, {"model": "e"}, {"base_url": "http://127.0.0.1:1/v1"}])
def test_texts_go_to_no_server_that_nobody_named(known: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="needed together"):
        Embedder(EmbeddingSettings(**known))


def test_a_named_key_that_is_not_set_is_told_where_vectors_are_wanted() -> None:
    settings = EmbeddingSettings(model="e", base_url="http://127.0.0.1:1/v1", api_key_variable="E_KEY")
    with pytest.raises(ConfigError, match=r"embeddings\.api_key_variable names E_KEY, which is not set"):
        Embedder(settings)


def test_texts_without_a_word_are_never_sent_and_have_vectors_of_zeros() -> None:
    with embedding(vectors([1.0, 2.0])) as (embedder, server, _):
        assert embedder.embed(["", "  \n", "hello", "?!"]) == [(0.0, 0.0), (0.0, 0.0), (1.0, 2.0), (0.0, 0.0)]
        assert embedder.embed([]) == []
        assert embedder.embed([""]) == [()]
    assert [request.body["input"] for request in server.received] == [["hello"]]


def test_many_texts_go_in_batches_and_come_back_in_order() -> None:
    texts = [f"text {n}" for n in range(BATCH + 3)]
    first = reply({"data": [{"index": n, "embedding": [float(n)]} for n in reversed(range(BATCH))]})
    with embedding(first, vectors([100.0], [101.0], [102.0])) as (embedder, server, _):
        assert embedder.embed(texts) == [(float(n),) for n in [*range(BATCH), 100, 101, 102]]
    assert [len(request.body["input"]) for request in server.received] == [BATCH, 3]


ODD = {
    "a vector for each token": (vectors([[1.0], [2.0]]), "pooling"),
    "too few vectors": (vectors([1.0]), "1 vectors for 2 texts"),
    "different lengths": (vectors([1.0], [1.0, 2.0]), "different lengths"),
    "no data": (reply({"object": "list"}), "no vectors"),
    "empty vectors": (vectors([], []), "no vectors"),
    "words": (vectors(["a"], ["b"]), "no vectors"),
    "null": (vectors([None], [None]), "no vectors"),
    "half a float": (vectors("AAAAAAA=", "AAAA"), "no vectors"),
    "beyond floats": (reply('{"data": [{"embedding": [1e999]}, {"embedding": [NaN]}]}'), "no vectors"),
    "a number too big": (vectors([10**400], [1]), "no vectors"),
    "HTML": (reply("<html></html>"), "no vectors"),
    "nothing": (reply(""), "no vectors"),
}


@pytest.mark.parametrize(("odd", "says"), ODD.values(), ids=ODD.keys())
def test_what_holds_no_usable_vectors_is_told_as_such(odd: Reply, says: str) -> None:
    with embedding(odd) as (embedder, server, _), pytest.raises(EmbeddingsFailed, match=says) as failed:
        embedder.embed(["one", "two"])
    assert failed.value.reason == "embeddings_unusable"
    assert len(server.received) == 1


ABSENT = {
    "404 (vLLM in chat mode, transformers)": (404, "embeddings_absent", "process of its own"),
    "501 (llama.cpp)": (501, "embeddings_absent", "started without"),
    "401": (401, "embeddings_not_authorised", "api_key_variable"),
    "400": (400, "embeddings_http_400", ""),
}


@pytest.mark.parametrize(("status", "reason", "says"), ABSENT.values(), ids=ABSENT.keys())
def test_a_server_without_embeddings_is_told_in_a_sentence(status: int, reason: str, says: str) -> None:
    body = {"error": {"message": "CANARY", "code": status}}
    with embedding(reply(body, status)) as (embedder, server, waits), pytest.raises(EmbeddingsFailed) as failed:
        embedder.embed(["x"])
    assert failed.value.reason == reason
    assert says in str(failed.value)
    assert "CANARY" not in str(failed.value)
    assert (len(server.received), waits) == (1, [])


def test_what_is_too_long_for_it_is_cut_shorter_until_it_takes_it_and_that_is_remembered() -> None:
    too_long = reply({"error": {"message": "input is too large to process", "code": 500}}, 500)
    text = "word " * 2000
    with embedding(too_long, vectors([1.0])) as (embedder, server, waits):
        embedder.embed([text])
        embedder.embed([text])
    lengths = [len(request.body["input"][0]) for request in server.received]
    assert lengths[0] > 1.8 * lengths[1]
    assert lengths[1] == lengths[2]
    assert waits == []
    with embedding(too_long) as (embedder, server, _), pytest.raises(EmbeddingsFailed, match="too_long"):
        embedder.embed([text])
    assert len(server.received) == 3


@pytest.mark.parametrize("status", [400, 413])
def test_a_batch_that_is_too_large_is_halved_and_the_next_ones_are_as_small(status: int) -> None:
    refused = reply({"error": {"message": "batch size exceeds the limit"}}, status)
    one, two = vectors([1.0]), vectors([1.0], [2.0])
    with embedding(refused, two, two, one) as (embedder, server, _):
        assert embedder.embed(["a", "b", "c", "d"]) == [(1.0,), (2.0,), (1.0,), (2.0,)]
        embedder.embed(["e"])
    assert [request.body["input"] for request in server.received[1:]] == [["a", "b"], ["c", "d"], ["e"]]
    with embedding(refused) as (embedder, _, _), pytest.raises(EmbeddingsFailed):
        embedder.embed(["a", "b"])
