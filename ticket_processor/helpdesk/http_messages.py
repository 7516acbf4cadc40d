"""One request to a helpdesk, and its reply as it is read: JSON, within bounds."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import orjson
import requests

from ..core import bounded_json
from ..core.clock import parse_http_date
from .json_values import LARGEST

_ESCAPE = re.compile(
    rb"""\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}
    |(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|u[0-9a-fA-F]{4}|["\\/bfnrt]|(?P<none>))""",
    re.VERBOSE,
)
"""A backslash of a JSON text with what it stands for: ``half`` of a surrogate pair without the other, or ``none``."""


class Effect(Enum):
    """The effect of repeating a request."""

    NONE = "repeating is harmless: a read, or a creation with an idempotency key"
    WRITE = "repeating may act twice"


@dataclass(frozen=True)
class Reply:
    """An answer with a status that the client has to interpret. ``body`` is parsed JSON, or ``None``."""

    status: int
    headers: Mapping[str, str]
    body: Any
    date: float | None
    """The server's own clock, Unix seconds."""
    unparsed: bytes = b""
    """A body that could not be parsed."""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True)
class HttpRequest:
    """A request as every attempt sends it; see :meth:`Transport.request`."""

    method: str
    path: str
    params: Mapping[str, str | int] | None
    body: bytes | None
    headers: Mapping[str, str] | None
    effect: Effect
    limits: Collection[str] | Mapping[str, int]
    ours: Callable[[Reply], bool]
    about_one: bool
    most: int


def is_unauthorised(reply: Reply) -> bool:
    """For the ``ours`` of a write to one ticket: a 401 that renewed credentials do not change may be that ticket's."""
    return reply.status == 401


def read_reply(response: requests.Response, most_parsed: int) -> Reply:
    """A response with its body parsed. Raises ``JsonTooLarge``."""
    body: Any = None
    if "json" in response.headers.get("Content-Type", "").lower() and response.content:
        body = parsed_json(response.content, most_parsed)
    return Reply(
        status=response.status_code,
        headers=response.headers,
        body=body,
        date=parse_http_date(response.headers.get("Date")),
        unparsed=response.content or b"" if body is None else b"",
    )


def parsed_json(content: bytes, most: int) -> Any:
    """The JSON of a reply; ``None`` where there is none.

    One ticket's odd subject or number must not make a page of a thousand unreadable: bytes that are no UTF-8, half of
    a surrogate pair and a backslash before anything else become U+FFFD, a control character stays, and a number that
    is too large for any use becomes its digits as a text. Raises ``JsonTooLarge``.
    """
    try:
        return bounded_json.loads(content, most=most)
    except orjson.JSONDecodeError:
        mended = _ESCAPE.sub(lambda match: match[0] if match.lastgroup is None else rb"\ufffd", content)
    text = mended.decode("utf-8-sig", "replace")
    try:
        return json.loads(text, strict=False, parse_int=_number, parse_float=_number, parse_constant=str)
    except (ValueError, RecursionError):
        return None


def _number(digits: str) -> int | float | str:
    if len(digits) <= 20 and digits.lstrip("-").isdecimal() and abs(int(digits)) <= LARGEST:
        return int(digits)
    number = float(digits)
    return number if math.isfinite(number) else digits
