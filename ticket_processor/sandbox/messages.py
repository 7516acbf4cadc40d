"""Requests and responses as plain data, without any I/O, and what the imitated APIs of both vendors share."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal
from urllib.parse import parse_qsl, quote, unquote, urlencode

import orjson

Fate = Literal["reply", "drop", "half"]


@dataclass(frozen=True)
class Request:
    """One HTTP request. ``path`` is decoded and has no query; a repeated query key keeps its last value.

    ``headers`` may come in any spelling; :meth:`header` looks names up without regard to case.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def from_target(cls, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Request:
        """From the request line's target, such as ``/api/v2/tickets.json?page%5Bsize%5D=2``."""
        path, _, query = target.partition("?")
        if "%" in path:
            path = unquote(path)
        pairs = dict(parse_qsl(query, keep_blank_values=True)) if query else {}
        return cls(method.upper(), path, pairs, headers, body)

    def header(self, name: str) -> str:
        """A header's value, empty without it; ``name`` is in small letters."""
        return next((value for known, value in self.headers.items() if known.lower() == name), "")

    def json(self) -> Any:
        """The body as JSON. Raises ``ValueError``."""
        return orjson.loads(self.body)


@dataclass
class Response:
    """One HTTP response, and how it should reach the client.

    ``delay``: seconds the shell lets pass before it answers (the core never sleeps).
    ``fate``: ``reply`` as usual; ``drop`` closes the connection without an answer; ``half`` announces the
    whole body, sends half of it and closes.
    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0.0
    fate: Fate = "reply"

    def json(self) -> Any:
        """The body as JSON. Raises ``ValueError``."""
        return orjson.loads(self.body)


def json_response(status: int, payload: object, **headers: str) -> Response:
    """A JSON response; keyword names become header names with ``_`` written as ``-``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, {"Content-Type": "application/json; charset=utf-8", **named}, orjson.dumps(payload))


def text_response(status: int, text: str, content_type: str = "text/plain; charset=utf-8") -> Response:
    return Response(status, {"Content-Type": content_type}, text.encode("utf-8"))


class Refusal(Exception):
    """Raised anywhere below the core to end a request with an error response."""

    def __init__(self, response: Response) -> None:
        self.response = response
        super().__init__(f"HTTP {response.status}")


def refuse(status: int, payload: object, **headers: str) -> Refusal:
    """A :class:`Refusal` with a JSON body; the caller raises it."""
    return Refusal(json_response(status, payload, **headers))


# --- calls of a helpdesk's API ----------------------------------------------------------------------------

PREFIX = "/api/v2/"


def route_of(method: str, path: str, known: Container[str]) -> tuple[str, tuple[Any, ...]]:
    """The route's template, such as ``PUT tickets/{id}``, and the values in its place holders.

    Every number is one for ``id``; a ``known`` route may have one for a ``name`` too.
    """
    parts = path.removeprefix(PREFIX).strip("/").split("/")
    numbers = [part for part in parts if part.isdecimal() and part.isascii() and len(part) < 20]
    places = ["{id}" if part in numbers else part for part in parts]
    values = tuple(map(int, numbers))
    for at, part in enumerate(places):
        named = f"{method} {'/'.join([*places[:at], '{name}', *places[at + 1 :]])}"
        if named in known:
            return named, (*values, part)
    return f"{method} {'/'.join(places)}", values


@dataclass
class ApiCall:
    """A request with all that a handler needs: the ``role`` and the ``scopes`` of the bot that asks, and the time.

    ``headers`` collects what the answer will carry besides its own.
    """

    request: Request
    store: Any
    role: str
    scopes: frozenset[str]
    now: float
    args: tuple[Any, ...]
    headers: dict[str, str]

    @cached_property
    def included(self) -> frozenset[str]:
        return frozenset(part for part in self.request.query.get("include", "").split(",") if part)

    def link(self, **changes: str | None) -> str:
        """This request's address with some of its query changed; ``__`` in a name stands for brackets."""
        query: dict[str, str | None] = dict(self.request.query)
        for name, value in changes.items():
            head, _, inner = name.partition("__")
            query[f"{head}[{inner}]" if inner else head] = value
        asked = urlencode({name: value for name, value in query.items() if value is not None})
        return f"{self.store.base_url}{quote(self.request.path)}" + (f"?{asked}" if asked else "")
