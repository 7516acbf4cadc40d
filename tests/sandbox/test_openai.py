"""The OpenAI-compatible part: filled schemas, errors, usage, embeddings, latency."""

from __future__ import annotations

import math
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from ticket_processor.sandbox.messages import Response

from .helpers import Desk

KEY = "Bearer sandbox-key"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "category": {
            "enum": ["billing", "refund", "technical", "account", "order", "feature_request", "security", "general"]
        },
        "urgency": {"enum": ["critical", "high", "medium", "low"]},
        "sentiment": {"enum": ["negative", "neutral", "positive"]},
        "language": {"type": "string", "pattern": "^[a-z]{2,3}$"},
        "summary": {"type": "string", "maxLength": 80},
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
    },
    "required": ["category", "urgency", "sentiment", "language", "summary", "confidence"],
    "additionalProperties": False,
}


def chat(text: str, schema: Any = SCHEMA, system: str = "You sort tickets.", **more: Any) -> Response:
    body: dict[str, Any] = {
        "model": "sandbox-model",
        "messages": [
            {"role": "system", "content": system},
            {"role": "user", "content": "I forgot my password"},
            {"role": "assistant", "content": "{}"},
            {"role": "user", "content": text},
        ],
    }
    if schema is not None:
        wanted = {"name": "analysis", "strict": True, "schema": schema}
        body["response_format"] = {"type": "json_schema", "json_schema": wanted}
    return Desk(0).ask("POST", "/v1/chat/completions", body | more, auth=KEY)


def answer(text: str, schema: Any = SCHEMA, **more: Any) -> Any:
    response = chat(text, schema, **more)
    assert response.status == 200, response.body
    content = orjson.loads(response.json()["choices"][0]["message"]["content"])
    if schema is not None:
        Draft202012Validator(schema).validate(content)
    return content


@pytest.mark.parametrize(
    ("text", "category", "urgency", "sentiment", "language"),
    [
        ("I want a refund, this is unacceptable and urgent!", "refund", "high", "negative", "en"),
        ("Die Rechnung ist falsch, bitte prüfen Sie die Zahlung.", "billing", "medium", "neutral", "de"),
        ("Mon compte est bloqué, je ne retrouve pas le mot de passe", "account", "medium", "neutral", "fr"),
        ("La aplicación no funciona, es inaceptable y urgente", "technical", "high", "negative", "es"),
        ("Would be great to have a dark mode, no rush. I love it", "feature_request", "low", "positive", "en"),
        ("Hello there", "general", "medium", "neutral", "en"),
    ],
)
def test_the_answer_follows_the_last_user_message(
    text: str, category: str, urgency: str, sentiment: str, language: str
) -> None:
    content = answer(text)
    assert (content["category"], content["urgency"]) == (category, urgency)
    assert (content["sentiment"], content["language"]) == (sentiment, language)


def test_a_schema_is_filled_by_what_the_text_says() -> None:
    schema = {
        "type": "object",
        "properties": {
            "evidence": {"type": "array", "items": {"type": "string", "maxLength": 40}, "maxItems": 2},
            "secondary": {"type": "array", "items": {"enum": ["refund", "order"]}, "maxItems": 2},
            "urgent_tone": {"type": "boolean"},
            "risk": {"enum": ["low", "medium", "high"]},
        },
    }
    content = answer("The production is down.\nOrder AB-10442 cost €49.90. Please help me. Thanks.", schema)
    assert content == {
        "evidence": ["The production is down.", "Order AB-10442 cost €49.90."],
        "secondary": ["order"],
        "urgent_tone": True,
        "risk": "high",
    }


def test_usage_counts_tokens() -> None:
    said = chat("Hello").json()
    usage = said["usage"]
    assert usage["prompt_tokens"] > usage["completion_tokens"] > 0
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert said["model"] == "sandbox-model"


@pytest.mark.parametrize("path", ["/v1/models", "/v1/chat/completions", "/v1/embeddings"])
def test_a_wrong_key_is_a_401(path: str) -> None:
    method = "GET" if path == "/v1/models" else "POST"
    response = Desk(0).ask(method, path, {} if method == "POST" else None, auth="Bearer wrong")
    assert (response.status, response.json()["error"]["code"]) == (401, "invalid_api_key")


def embeddings(**body: Any) -> Response:
    return Desk(0).ask("POST", "/v1/embeddings", {"model": "sandbox-embedding", **body}, auth=KEY)


def test_embeddings_are_repeatable_unit_vectors_and_similar_texts_are_near() -> None:
    texts = ["reset my password", "resetting my password", "the parcel is late"]
    data = embeddings(input=texts).json()["data"]
    vectors = [row["embedding"] for row in data]
    assert vectors[0] == embeddings(input=texts[0]).json()["data"][0]["embedding"]
    assert all(math.isclose(sum(x * x for x in vector), 1.0) for vector in vectors)

    def near(a: int, b: int) -> float:
        return sum(x * y for x, y in zip(vectors[a], vectors[b], strict=True))

    assert near(0, 1) > 0.5 > near(0, 2)
