"""An OpenAI-compatible server: chat completions, models and embeddings, without a model."""

from __future__ import annotations

import base64
import hashlib
import math
import random
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from .messages import Refusal, Request, Response, json_response, refuse
from .openai_answers import NONE_KNOWN, answer_for
from .store import shaped

CHAT_MODEL = "sandbox-model"
EMBEDDING_MODEL = "sandbox-embedding"
EMBEDDING_SIZE = 256


class OpenAIApi:
    """Answers everything under ``/v1/``. The sandbox's lock covers it; ``calls`` only grows.

    ``latency`` gives the seconds that an answer takes, by a number that tells their texts apart.
    """

    def __init__(self, key: str, latency: Callable[[int], float] | None, seed: int) -> None:
        self.latency = latency
        self.calls = 0
        self.latency_total = 0.0
        self._key = key
        self._dice = random.Random(seed + 2)
        self.known = NONE_KNOWN
        """Texts to which the answers are known."""

    def handle(self, request: Request, now: float) -> Response:
        """The answer. Raises :class:`~.messages.Refusal` with an error in OpenAI's form."""
        if request.header("authorization") != f"Bearer {self._key}":
            raise _error(401, "Incorrect API key provided.", "invalid_api_key")
        route = f"{request.method} {request.path.rstrip('/')}"
        if route == "GET /v1/models":
            row = {"object": "model", "created": 0, "owned_by": "sandbox"}
            data = [{"id": name, **row} for name in (CHAT_MODEL, EMBEDDING_MODEL)]
            return json_response(200, {"object": "list", "data": data})
        if route == "POST /v1/chat/completions":
            return self._chat(request, now)
        if route == "POST /v1/embeddings":
            return self._embeddings(request)
        raise _error(404, f"Invalid URL ({request.method} {request.path[:80]})", None)

    def _chat(self, request: Request, now: float) -> Response:
        body = request.json()
        _require_model(body, CHAT_MODEL)
        messages = body["messages"]
        content = answer_for(messages, body.get("response_format") or {"type": "text"}, self.known)
        limit = body.get("max_completion_tokens") or body.get("max_tokens")
        finish = "stop"
        if limit and tokens(content) > limit:
            content, finish = content[: limit * 4], "length"
        said = {"role": "assistant", "content": content, "refusal": None}
        prompt, completion = sum(tokens(str(one.get("content") or "")) + 4 for one in messages) + 3, tokens(content)
        usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
        answer = shaped(
            "chat completion",
            id=f"chatcmpl-{self._dice.getrandbits(96):024x}",
            created=int(now),
            choices=[shaped("chat choice", message=said, finish_reason=finish)],
            usage=shaped("chat usage", **usage),
        )
        response = json_response(200, answer)
        self.calls += 1
        if self.latency is not None:
            response.delay = self.latency(zlib.crc32(request.body))
            self.latency_total += response.delay
        return response

    def _embeddings(self, request: Request) -> Response:
        body = request.json()
        _require_model(body, EMBEDDING_MODEL)
        given = body["input"]
        texts: list[str] = [given] if isinstance(given, str) else given
        encoded = body.get("encoding_format") == "base64"
        vectors = [embed(text, encoded) for text in texts]
        data = [{"object": "embedding", "index": at, "embedding": vector} for at, vector in enumerate(vectors)]
        count = sum(tokens(text) for text in texts)
        usage = {"prompt_tokens": count, "total_tokens": count}
        return json_response(200, {"object": "list", "data": data, "model": EMBEDDING_MODEL, "usage": usage})


def tokens(text: str) -> int:
    """A rough count of tokens: one for four bytes of UTF-8."""
    return max(1, (len(text.encode("utf-8", "replace")) + 3) // 4)


def embed(text: str, encoded: bool) -> list[float] | str:
    """A unit vector from hashed words and their pieces: the same for the same text, near for similar ones."""
    vector = [0.0] * EMBEDDING_SIZE
    for word in text.lower().split():
        pieces = [word, *(word[start : start + 4] for start in range(max(0, len(word) - 3)))]
        for weight, piece in zip([1.0] + [0.4] * len(pieces), pieces, strict=False):
            digest = hashlib.blake2b(piece.encode("utf-8", "replace"), digest_size=8).digest()
            place, sign = divmod(int.from_bytes(digest, "big"), 2)
            vector[place % EMBEDDING_SIZE] += weight if sign else -weight
    length = math.sqrt(sum(value * value for value in vector)) or 1.0
    unit = [value / length for value in vector]
    return base64.b64encode(struct.pack(f"<{len(unit)}f", *unit)).decode("ascii") if encoded else unit


def _require_model(body: Mapping[str, Any], model: str) -> None:
    if body["model"] != model:
        raise _error(404, f"The model `{body['model'][:80]}` does not exist.", "model_not_found", "model")


def _error(status: int, message: str, code: str | None, param: str | None = None) -> Refusal:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return refuse(status, {"error": error})
