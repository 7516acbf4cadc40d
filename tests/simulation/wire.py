"""The network between one run and the helpdesk: takes time, and may be where the process dies."""

from __future__ import annotations

from collections.abc import Mapping
from http.client import IncompleteRead, RemoteDisconnected
from typing import TYPE_CHECKING, Any

import orjson
import requests
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from ticket_processor.helpdesk.http_messages import parsed_json
from ticket_processor.sandbox.messages import Request

from ..support.inmemory_adapter import InMemoryAdapter
from .virtual import Countdown

if TYPE_CHECKING:
    from .world import World

BASE_URL = "http://127.0.0.1:1"


class Passage:
    """What happens to a request under way, besides being answered."""

    def __init__(self, world: World, run: str, crash: Countdown) -> None:
        self._world = world
        self._run = run
        self._crash = crash

    def carry(self, method: str, path: str, tickets: tuple[int, ...], answer: Any) -> Any:
        """The answer that ``answer()`` gives or raises, a little later; others act before and behind it."""
        world = self._world
        self._crash.step()
        world.somebody_interferes(tickets)
        world.breathe()
        end = "lost"
        try:
            response = answer()
            end = str(response.status_code)
        finally:
            world.wire.append((self._run, method, path, tickets, end))
        if not tickets and world.faulty and end == "200" and "json" in response.headers.get("Content-Type", ""):
            shown = parsed_json(response.content, 10**9) or {}
            rows = shown if isinstance(shown, list) else shown.get("tickets", ())
            tickets = tuple(row["id"] for row in rows if isinstance(row["id"], int) and "subject" in row)
        world.somebody_interferes(tickets)
        world.breathe()
        self._crash.step()
        return response


class Wire(InMemoryAdapter):
    """Under all of ``requests``, as in a real run."""

    def __init__(self, world: World, run: str, crash: Countdown) -> None:
        super().__init__(world.sandbox, sleep=world.time.wait)
        self._passage = Passage(world, run, crash)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        url = (request.url or "")[len(BASE_URL) :]
        path, _, query = url.partition("?")
        ids = query.partition("ids=")[2].partition("&")[0].replace("%2C", ",") if "show_many" in path else ""
        tickets = _tickets_of(path, ids, request.body)
        answer: requests.Response = self._passage.carry(
            request.method or "", path, tickets, lambda: super(Wire, self).send(request, *args, **kwargs)
        )
        return answer


class ShortWire:
    """A session without ``requests`` around it: for the same requests the same answers and errors, much sooner."""

    def __init__(self, world: World, run: str, crash: Countdown) -> None:
        self._sandbox = world.sandbox
        self._time = world.time
        self._passage = Passage(world, run, crash)

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str | int] | None,
        data: bytes | None,
        headers: dict[str, str],
        timeout: tuple[float, float],
        allow_redirects: bool,
    ) -> _Answer:
        path = url[len(BASE_URL) :]
        asked = _Asked(method, path, params or {}, headers, data or b"")
        tickets = _tickets_of(asked.path, asked.query.get("ids", ""), asked.body)
        answer: _Answer = self._passage.carry(method, asked.path, tickets, lambda: self._answer(asked, timeout[1]))
        return answer

    def close(self) -> None:
        """Nothing is held open."""

    def _answer(self, request: _Asked, patience: float) -> _Answer:
        response = self._sandbox.handle(request)  # type: ignore[arg-type]
        if response.delay > patience:
            self._time.wait(patience)
            raise requests.exceptions.ReadTimeout(ReadTimeoutError(None, "", "Read timed out."))  # type: ignore[arg-type]
        if response.delay > 0:
            self._time.wait(response.delay)
        if response.fate == "drop":
            gone = RemoteDisconnected("Remote end closed connection without response")
            raise requests.exceptions.ConnectionError(ProtocolError("Connection aborted.", gone))
        if response.fate == "half":
            body = response.body[: len(response.body) // 2]
            broken = IncompleteRead(body, len(response.body) - len(body))
            raise requests.exceptions.ChunkedEncodingError(ProtocolError(f"Connection broken: {broken!r}", broken))
        return _Answer(response.status, response.headers, response.body)


class _Asked:
    """As much of a request as signing it and the sandbox need; the sandbox asks for header names in small letters."""

    __slots__ = ("body", "headers", "method", "path", "query")

    def __init__(
        self, method: str, path: str, params: Mapping[str, str | int], headers: dict[str, str], body: bytes
    ) -> None:
        query = {name: str(value) for name, value in params.items()}
        if "?" in path or "%" in path:
            known = Request.from_target(method, path, headers, body)
            path, query = known.path, {**known.query, **query}
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body

    def header(self, name: str, default: str = "") -> str:
        return next((value for known, value in self.headers.items() if known.lower() == name), default)

    def json(self) -> Any:
        return orjson.loads(self.body)


class _Answer:
    """As much of a response as the transport reads."""

    __slots__ = ("content", "headers", "status_code")

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status_code = status
        self.headers = headers
        self.content = body


def _tickets_of(path: str, ids: str, body: Any) -> tuple[int, ...]:
    """The tickets that a request names: in its path, in its query, or one by one in a job of many updates."""
    if path.endswith("/tickets/show_many"):
        return tuple(int(item) for item in ids.split(",") if item)
    if path.endswith("/tickets/update_many"):
        return tuple(int(item["id"]) for item in orjson.loads(body)["tickets"])
    place = path.partition("/tickets/")[2].partition("/")[0]
    return (int(place),) if place.isdigit() else ()
