"""The API's OpenAPI document, in which every operation names the problems and headers that it answers with."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from .api_model import Problem
from .parts import API_REQUESTS

_ERRORS = {
    400: "The body is no JSON.",
    401: "No valid token.",
    403: "The token may only read.",
    404: "There is no such ticket.",
    409: "The ticket's status does not allow it; allowed are the statuses that may follow.",
    412: "Somebody has changed the ticket since.",
    413: "The body has more than 256 KiB.",
    415: "The body is not application/json.",
    422: "Something in the request is wrong, or its key was used for another one.",
    428: "If-Match is missing.",
    429: f"Too many requests, {API_REQUESTS} a minute for a token, or wrong tokens: see Retry-After.",
    500: "The mistake is ours.",
    503: "The helpdesk cannot be used at the moment.",
}
_ALWAYS = {401, 422, 429, 500, 503}
_WRITING = {400, 403, 413, 415}
_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def document(api: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of the routes, made once."""
    if api.openapi_schema is None:
        made = get_openapi(title=api.title, version=api.version, description=api.description, routes=api.routes)
        schemas = made["components"]["schemas"]
        del schemas["HTTPValidationError"], schemas["ValidationError"]
        schemas["Problem"] = Problem.model_json_schema(mode="serialization")
        for path, methods in made["paths"].items():
            for method, operation in methods.items():
                _complete(path, method, operation)
        api.openapi_schema = made
    return api.openapi_schema


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    on_one, guarded = "{number}" in path, any(each["name"] == "if-match" for each in operation.get("parameters", ()))
    statuses = _ALWAYS | ({404} if on_one else set())
    if method != "get":
        statuses |= _WRITING | ({409} if on_one else set())
    if guarded:
        statuses |= {412} | ({428} if method == "patch" else set())
    answers = operation["responses"]
    answers |= {str(one): {"description": _ERRORS[one], "content": _PROBLEM} for one in statuses}
    operation["responses"] = dict(sorted(answers.items()))
    next(iter(answers.values()))["description"] = "Done."
    for status, name, words in (("429", "Retry-After", "Seconds."), ("201", "Location", "The ticket's address.")):
        if status in answers and (name != "Location" or not on_one):
            answers[status]["headers"] = {name: {"description": words, "schema": {"type": "string"}}}
    if path.endswith("{number}"):
        answers["200"]["headers"] = {"ETag": {"description": "The version.", "schema": {"type": "string"}}}
