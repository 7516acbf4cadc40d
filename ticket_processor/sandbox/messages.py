"""A request and a response as plain data: what the sandbox's core takes and gives, without any I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote

import orjson

Fate = Literal["reply", "drop", "half"]

LOGIN_PAGE = """<!DOCTYPE html>
<html lang="en"><head><title>Sign in</title></head>
<body><h1>Sign in to continue</h1><form method="post" action="/access/login"></form></body></html>
"""


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

    @cached_property
    def _lowered(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def header(self, name: str, default: str = "") -> str:
        """A header's value, or ``default``."""
        return self._lowered.get(name.lower(), default)

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
    """A response of plain text, or of another text type."""
    return Response(status, {"Content-Type": content_type}, text.encode("utf-8"))


class Refusal(Exception):
    """Raised anywhere below the core to end a request with an error response."""

    def __init__(self, response: Response) -> None:
        self.response = response
        super().__init__(f"HTTP {response.status}")


def refuse(status: int, payload: object, **headers: str) -> Refusal:
    """A :class:`Refusal` with a JSON body; the caller raises it."""
    return Refusal(json_response(status, payload, **headers))
