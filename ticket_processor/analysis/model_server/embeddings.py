"""Vectors for texts from an OpenAI-compatible embedding server, whose address need not be the chat models'.

Servers cut long inputs without a word, fail on them, or give one vector for each token: so texts are cut here first,
and what comes back is counted and measured.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from ...core.errors import AnalysisFailed, ConfigError
from ...core.http import GROWTH, bounded_json
from .connection import Connection, retrying
from .prompt import first_words
from .settings import EmbeddingSettings, ModelTarget

BATCH = 64
SAFE_TOKENS = 256
"""llama.cpp and others take 512 at most as they come; estimates may be half of what a small vocabulary counts."""
ATTEMPTS = 3
TIMEOUT_S = 30.0
"""Seconds of a request: a server that computes on processors takes some ten for a full batch."""
LONGEST_WAIT_S = 20.0
MAX_BYTES = 12_000_000

Vector = tuple[float, ...]


_TOO_MUCH = frozenset(
    ("embeddings_http_400", "embeddings_http_413", "embeddings_http_422", "embeddings_prompt_too_long")
)


class EmbeddingsFailed(AnalysisFailed):
    """The server gave no vectors; ``reason`` is a fixed word, the message a sentence for the server's administrator."""


class Embedder:
    """Turns texts into vectors. Thread-safe. ``wait`` sleeps, ``rng`` jitters, both for tests to replace.

    A text is cut to ``tokens``, by estimate, and ``cut`` counts those that were. No request and no wait outlives the
    ``remaining`` seconds.
    """

    def __init__(
        self,
        settings: EmbeddingSettings,
        *,
        tokens: int = SAFE_TOKENS,
        remaining: Callable[[], float] = lambda: math.inf,
        wait: Callable[[float], None] = time.sleep,
        rng: random.Random | None = None,
    ) -> None:
        """Raises :class:`ConfigError` when model, address or a named key are missing."""
        if not settings.model or not settings.base_url:
            raise ConfigError("embeddings.model and embeddings.base_url are needed together")
        if settings.api_key_variable and not settings.api_key:
            raise ConfigError(f"embeddings.api_key_variable names {settings.api_key_variable}, which is not set")
        self._model = settings.model
        self._remaining = remaining
        key = settings.api_key.get_secret_value() if settings.api_key else None
        self._connection = Connection(
            ModelTarget(
                name=settings.model, model=settings.model, preset="compatible", base_url=settings.base_url, api_key=key
            )
        )
        self._wait = wait
        self._rng = rng or random.Random()
        self._safe_tokens = tokens
        self._together = BATCH
        self.cut = 0

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """One vector for each text, all of one length, in the order of the texts.

        A text without letters or digits is not sent, and its vector is all zeros. Raises :class:`EmbeddingsFailed`.
        """
        sent = [place for place, text in enumerate(texts) if any(map(str.isalnum, text))]
        vectors: dict[int, Vector] = {}
        start = 0
        while start < len(sent):
            places = sent[start : start + self._together]
            try:
                found = self._batch([texts[place] for place in places])
            except EmbeddingsFailed as failed:
                if failed.reason not in _TOO_MUCH or len(places) == 1:
                    raise
                self._together = len(places) // 2  # servers limit a batch by number, or by all of its tokens
                continue
            vectors |= zip(places, found, strict=True)
            start += len(places)
        lengths = {len(vector) for vector in vectors.values()}
        if len(lengths) > 1:
            raise EmbeddingsFailed("embeddings_unusable", "its vectors are of different lengths")
        nothing = (0.0,) * max(lengths, default=0)
        return [vectors.get(place, nothing) for place in range(len(texts))]

    def close(self) -> None:
        """Close the connections to the server."""
        self._connection.close()

    def _batch(self, texts: Sequence[str]) -> list[Vector]:
        for _halving in range(3):
            try:
                short = [shortened(text, self._safe_tokens) for text in texts]
                vectors = self._tried(short)
            except AnalysisFailed as failed:
                if failed.reason != "model_prompt_too_long" or len(texts) > 1:
                    raise _worded(failed) from failed
                self._safe_tokens //= 2
                self._together = BATCH
            else:
                self.cut += sum(len(one) < len(text.strip()) for one, text in zip(short, texts, strict=True))
                return vectors
        raise EmbeddingsFailed("embeddings_too_long", f"it takes no {self._safe_tokens * 2} tokens")

    def _tried(self, texts: Sequence[str]) -> list[Vector]:
        # Asked for floats: the SDK's default is base64, which not every server knows.
        arguments = {"model": self._model, "input": list(texts), "encoding_format": "float"}
        again = retrying(
            self._rng,
            attempts=ATTEMPTS,
            longest_wait_s=LONGEST_WAIT_S,
            remaining=self._remaining,
            sleep=self._wait,
        )

        def post() -> bytes:
            seconds = max(0.1, min(TIMEOUT_S, self._remaining()))
            return self._connection.post("embeddings", arguments, limit=MAX_BYTES, seconds=seconds)

        return _vectors(again(post), len(texts))


def shortened(text: str, tokens: int) -> str:
    """The beginning of a text, of at most ``tokens`` estimated tokens, cut between words where there are any."""
    text = text.encode("utf-8", "replace").decode("utf-8").strip()
    return first_words(text, tokens).rstrip() or text[:1]


_SENTENCES = {
    "model_not_authorised": "it does not take this key: see embeddings.api_key_variable",
    "model_unknown": "it has no embeddings, or no such model; some servers want a process of its own for them",
    "model_http_501": "it was started without embeddings",
    "model_redirected": "it points to another address; give that one",
}


def _worded(failed: AnalysisFailed) -> AnalysisFailed:
    absent = failed.reason in ("model_unknown", "model_http_501")
    if isinstance(failed, EmbeddingsFailed):
        return failed
    reason = "embeddings_absent" if absent else failed.reason.replace("model_", "embeddings_", 1)
    if failed.reason == "model_connection_settings":
        return EmbeddingsFailed(reason, str(failed).partition(": ")[2])
    return EmbeddingsFailed(reason, _SENTENCES.get(failed.reason, ""))


def _vectors(body: bytes, expected: int) -> list[Vector]:
    try:
        answer = bounded_json(body, most=GROWTH * MAX_BYTES)
        data: list[Any] = answer["data"]
        if all(isinstance(item.get("index"), int) for item in data):
            data = sorted(data, key=lambda item: item["index"])
        vectors = [_vector(item["embedding"]) for item in data]
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError, OverflowError) as error:
        raise EmbeddingsFailed("embeddings_unusable", "its answer holds no vectors") from error
    if len(vectors) != expected:
        raise EmbeddingsFailed("embeddings_unusable", f"{len(vectors)} vectors for {expected} texts")
    return vectors


def _vector(value: object) -> Vector:
    if isinstance(value, list) and value and isinstance(value[0], list):
        raise EmbeddingsFailed("embeddings_unusable", "it gives one vector for each token: start it with pooling")
    if not isinstance(value, (list, tuple)) or not value:
        raise ValueError("no vector")
    vector = tuple(float(number) for number in value)
    if not all(map(math.isfinite, vector)):
        raise ValueError("not a finite vector")
    return vector
