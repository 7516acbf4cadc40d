"""Describes the endpoints for ``/openapi.json``: they read raw bodies, so their types say nothing."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from starlette.responses import JSONResponse

MOST_TICKET = 10**15
"""Exact in every JSON reader."""


def _whole(value: object) -> object:
    """JSON has one kind of number: 5.0 is an integer there."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Asked(BaseModel):
    """A ticket by its number in the helpdesk, or a text with or without a subject."""

    model_config = ConfigDict(extra="forbid", strict=True)

    ticket: Annotated[int | None, Field(ge=1, le=MOST_TICKET), BeforeValidator(_whole)] = None
    subject: Annotated[str, Field(max_length=10_000)] = ""
    description: Annotated[str, Field(max_length=200_000)] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.ticket is None) == (self.description is None) or (self.ticket is not None and self.subject):
            raise ValueError("give a ticket's number, or a description with or without a subject")
        return self


_TICKET = {"type": "integer", "minimum": 1, "maximum": MOST_TICKET}
_ASKED = {
    "oneOf": [
        {
            "type": "object",
            "properties": {"ticket": _TICKET},
            "required": ["ticket"],
            "additionalProperties": False,
        },
        {
            "type": "object",
            "properties": {
                "subject": {"type": "string", "maxLength": 10_000},
                "description": {"type": "string", "maxLength": 200_000},
            },
            "required": ["description"],
            "additionalProperties": False,
        },
    ]
}
_ERROR = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
_TAKEN = {
    "type": "object",
    "properties": {
        "status": {"type": "string", "enum": ["queued", "duplicate", "ignored"]},
        "ticket_id": {"type": "integer"},
        "reason": {"type": "string"},
    },
    "required": ["status"],
}
_HEALTH = {
    "type": "object",
    "properties": {
        "status": {"type": "string", "enum": ["healthy", "degraded", "unhealthy"]},
        "version": {"type": "string"},
        "checks": {"type": "object", "additionalProperties": {"type": "string"}},
        "queue": {
            "type": "object",
            "properties": {"tickets": {"type": "integer"}, "oldest_s": {"type": "number"}},
            "required": ["tickets", "oldest_s"],
        },
    },
    "required": ["status", "version", "checks", "queue"],
}


def _json(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _errors(**why: str) -> dict[int | str, dict[str, Any]]:
    return {int(code.removeprefix("http_")): _json(words, _ERROR) for code, words in why.items()}


_BODY = {"http_400": "The body did not come.", "http_413": "The body is too long.", "http_503": "Try again later."}
_PLAIN = {"response_class": JSONResponse, "response_model": None}

DELIVERY: dict[str, Any] = {
    **_PLAIN,
    "status_code": 202,
    "responses": {
        202: _json("It is on the disk, and will be handled.", _TAKEN),
        200: _json("It is authentic, and there is nothing to do: it came before, or names no new ticket.", _TAKEN),
        **_errors(http_401="The signature is missing, wrong or too old.", **_BODY),
    },
    "openapi_extra": {
        # Whatever is authentic is answered with a 2xx, so that no body is wrong.
        "requestBody": {"content": {"application/json": {"schema": {}}}, "required": False},
    },
}
ASKED: dict[str, Any] = {
    **_PLAIN,
    "responses": {
        200: _json(
            "The analysis, and what a run would decide.",
            {"type": "object", "required": ["analysis", "decision"]},
        ),
        **_errors(
            http_401="The bearer token is wrong.",
            http_404="There is no such ticket.",
            http_422="The body makes no sense.",
            http_502="The ticket cannot be read.",
            **_BODY,
        ),
    },
    "openapi_extra": {
        "requestBody": {"content": {"application/json": {"schema": _ASKED}}, "required": True},
    },
}
HEALTH: dict[str, Any] = {
    **_PLAIN,
    "responses": {200: _json("Tickets are handled.", _HEALTH), 503: _json("A person should look.", _HEALTH)},
}
METRICS: dict[str, Any] = {
    "response_model": None,
    "response_class": JSONResponse,
    "responses": {200: {"description": "Metrics.", "content": {"text/plain": {"schema": {"type": "string"}}}}},
}
