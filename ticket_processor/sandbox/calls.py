"""What the imitated APIs of both vendors share: routes, a call while it is answered, and the answer's headers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode

from .account import Account
from .credentials import Identity
from .messages import Refusal, Request, Response

PREFIX = "/api/v2/"
_NAMED = {
    "job": re.compile(r"job_statuses/(?!show_many$)([^/]+)"),
    "webhook": re.compile(r"webhooks/([^/]+)/[^/]+"),
    "locale": re.compile(r"help_center/(?!incremental/)([^/]+)/articles"),
    "language": re.compile(r"(?:solutions/articles/\d+|search/solutions)/([^/]+)"),
}
"""Place holders for names, and where in a path they stand; every number is one for ``id``."""

Row = dict[str, Any]
AnyAccount = TypeVar("AnyAccount", bound=Account[Any])
AnyCall = TypeVar("AnyCall", bound="ApiCall[Any]")


def route_of(method: str, path: str) -> tuple[str, tuple[Any, ...]]:
    """The route's template, such as ``PUT tickets/{id}``, and the values in its place holders."""
    path = path.removeprefix(PREFIX).strip("/")
    names: list[str] = []
    for name, pattern in _NAMED.items():
        if found := pattern.fullmatch(path):
            names.append(found[1])
            path = f"{path[: found.start(1)]}{{{name}}}{path[found.end(1) :]}"
    parts = path.split("/")
    numbers = [part for part in parts if part.isdecimal() and part.isascii() and len(part) < 20]
    template = "/".join("{id}" if part in numbers else part for part in parts)
    return f"{method} {template}", (*map(int, numbers), *names)


@dataclass
class ApiCall(Generic[AnyAccount]):
    """A request with all that a handler needs. ``headers`` collects what the answer will carry besides its own."""

    request: Request
    store: AnyAccount
    identity: Identity
    now: float
    args: tuple[Any, ...]
    headers: dict[str, str]

    def link(self, **changes: str | None) -> str:
        """This request's address with some of its query changed; ``__`` in a name stands for brackets."""
        query: dict[str, str | None] = dict(self.request.query)
        for name, value in changes.items():
            head, _, inner = name.partition("__")
            spelled = f"{head}[{inner}]" if inner else head
            query[spelled] = value
        asked = urlencode({name: value for name, value in query.items() if value is not None})
        return f"{self.store.base_url}{quote(self.request.path)}" + (f"?{asked}" if asked else "")


class Api(Generic[AnyAccount, AnyCall]):
    """Answers everything under ``/api/v2/``. The caller holds the store's lock."""

    request_id = "X-Request-Id"

    def __init__(self, store: AnyAccount, routes: Mapping[str, Callable[[AnyCall], Response]]) -> None:
        self.store = store
        self.routes = dict(routes)

    def handle(self, request: Request) -> Response:
        """The answer, with the vendor's headers on it; never raises for anything a client sent."""
        headers = {self.request_id: f"{self.store.random.getrandbits(128):032x}"}
        try:
            response = self.answer(request, headers)
        except Refusal as refusal:
            response = refusal.response
        response.headers = {**headers, **self.marks(response), **response.headers}
        return response

    def answer(self, request: Request, headers: dict[str, str]) -> Response:
        """The answer; ``headers`` are those that it gets, be it a refusal or not."""
        raise NotImplementedError

    def marks(self, response: Response) -> dict[str, str]:
        """The headers that every answer has, by what is in it."""
        raise NotImplementedError
