"""The endpoints of ``ticketbot serve``. One without its secret is not there.

A delivery is verified, looked up among those that came before and put on the disk, in this order, and answered;
neither the helpdesk nor a model is asked for it. Everything authentic is answered with a 2xx, also when there is
nothing to do: Zendesk stops calling an address that answers with errors. The endpoints read raw bodies, so that
``/openapi.json`` describes these by hand.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, Self

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from starlette.responses import JSONResponse, Response

from .. import __version__
from ..core.clock import Clock
from ..core.errors import CannotRun, ConfigError, StateUnusable, TicketbotError
from ..monitoring.health.checks import Health, HealthVerdict, Status
from ..monitoring.health.exposition import exposition
from . import gate
from .delivery_queue import DeliveryQueue, GroupCommit, ToldTicket
from .gate import Hint, Nothing, RequestRefused, ZendeskVerifier, of_freshdesk, of_zendesk
from .worker import Worker

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


MOST_ANALYSES = 4
"""Analyses for ``/process-ticket`` at the same time."""
Say = Callable[[str], object]


@dataclass(frozen=True)
class Doors:
    """Secrets of the endpoints; one without its secret does not exist. ``marker`` is the tag of triaged tickets."""

    zendesk: ZendeskVerifier | None = None
    freshdesk: tuple[str, ...] = ()
    api: tuple[str, ...] = ()
    marker: str | None = None
    own_user: Callable[[], int | None] = lambda: None


@dataclass
class Service:
    """The parts that endpoints use. ``health`` and ``analyse`` may take their time: they are called in threads."""

    doors: Doors
    commit: GroupCommit
    now: Callable[[], float]
    health: Callable[[], tuple[bool, Mapping[str, Any]]]
    analyse: Callable[[Asked], Mapping[str, Any]]
    metrics: Callable[[str], tuple[bytes, str]] | None = None
    say: Say = lambda _line: None
    counted: Counter[str] = field(default_factory=Counter)
    """Requests by what became of them."""


def make(service: Service) -> FastAPI:
    """The application."""
    app = FastAPI(title="ticketbot", version=__version__, docs_url=None, redoc_url=None, redirect_slashes=False)
    limiter: list[CapacityLimiter] = []
    doors = service.doors

    @app.exception_handler(RequestRefused)
    async def refused(request: Request, why: RequestRefused) -> Response:
        service.counted[f"refused_{why.status}"] += 1
        if why.status == 401:
            service.say(f"refused {request.client.host if request.client else 'a client'}: {why.why}")
        return why.answer

    if doors.zendesk is not None:
        verifier = doors.zendesk

        @app.post("/webhooks/zendesk", **DELIVERY)
        async def zendesk(request: Request) -> Response:
            """Take a delivery of Zendesk's in: a trigger's own body, or an event of a ticket."""
            body = await gate.raw_body(request)
            key = gate.signed(request, verifier, body, service.now())
            hint = of_zendesk(body, own_user=doors.own_user(), marker=doors.marker)
            return await _take(service, request, hint, key)

    if doors.freshdesk:

        @app.post("/webhooks/freshdesk", **DELIVERY)
        async def freshdesk(request: Request) -> Response:
            """Take a delivery of Freshdesk's automation rule in."""
            gate.with_secret(request, doors.freshdesk)
            return await _take(service, request, of_freshdesk(await gate.raw_body(request)), "")

    if doors.api:

        @app.post("/process-ticket", **ASKED)
        async def process_ticket(request: Request) -> Response:
            """Analyse a ticket by its number, or a text, and say what a run would decide. Writes nothing."""
            gate.with_token(request, doors.api)
            asked = _asked(await gate.raw_body(request))
            if not limiter:
                limiter.append(CapacityLimiter(MOST_ANALYSES))
            service.counted["analyses"] += 1
            try:
                told = await to_thread.run_sync(partial(service.analyse, asked), limiter=limiter[0])
            except ConfigError as error:
                raise RequestRefused(404, str(error)) from None
            except CannotRun as error:
                raise RequestRefused(503, str(error)) from None
            except TicketbotError as error:
                raise RequestRefused(502, str(error)) from None
            return JSONResponse(dict(told))

    @app.get("/health", **HEALTH)
    async def health() -> Response:
        """Tell how the service is, its parts, and what waits on the queue."""
        well, told = await asyncio.to_thread(service.health)
        return JSONResponse(dict(told), 200 if well else 503, {"Cache-Control": "no-store"})

    if service.metrics is not None:
        exposition = service.metrics

        @app.get("/metrics", **METRICS)
        async def metrics(request: Request) -> Response:
            """Give the same in Prometheus' words."""
            body, kind = await asyncio.to_thread(exposition, request.headers.get("accept", ""))
            return Response(body, headers={"Content-Type": kind, "Cache-Control": "no-store"})

    return app


async def _take(service: Service, request: Request, hint: Hint | Nothing, key: str) -> Response:
    """Put an authentic delivery on the disk, and say what became of it."""
    name = gate.webhook_id(request)
    if isinstance(hint, Nothing):
        service.counted["ignored"] += 1
        service.say(f"webhook {name}: nothing to do: {hint.reason}")
        return JSONResponse({"status": "ignored", "reason": hint.reason})
    keys = tuple(one for one in (key, hint.event_id and f"event {hint.event_id[:200]}") if one)
    try:
        is_new = await service.commit.put(ToldTicket(hint.ticket_id, keys))
    except StateUnusable as error:
        raise RequestRefused(503, str(error)) from None
    became = "queued" if is_new else "duplicate"
    service.counted[became] += 1
    service.say(f"webhook {name}: ticket {hint.ticket_id} {became}")
    return JSONResponse({"status": became, "ticket_id": hint.ticket_id}, 202 if is_new else 200)


def _asked(body: bytes) -> Asked:
    try:
        return Asked.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"])) or "the body"
        raise RequestRefused(422, f"{place}: {first['msg']}") from None


LONG_S = 900.0
"""A ticket that waits for longer on the queue is a reason to look."""
FRESH_S = 30.0
"""Health is examined no more often than this, however often scrapers come."""


class CachedExamination:
    """An examination that is repeated when older than ``fresh_s``. Thread-safe: other callers wait for it."""

    def __init__(self, examine: Callable[[], Health], clock: Clock, *, fresh_s: float = FRESH_S) -> None:
        self._examine = examine
        self._clock = clock
        self._fresh_s = fresh_s
        self._lock = threading.Lock()
        self._last: tuple[float, Health] | None = None

    def __call__(self) -> Health:
        """The health, as it was at most ``fresh_s`` ago."""
        with self._lock:
            if self._last is None or self._clock.monotonic() - self._last[0] > self._fresh_s:
                health = self._examine()
                self._last = self._clock.monotonic(), health
            return self._last[1]


class ServerCondition:
    """The condition of the server. Any thread may ask; ``examine`` gives the health of what runs need."""

    def __init__(
        self,
        examine: Callable[[], Health],
        queue: DeliveryQueue,
        worker: Worker,
        requests: Mapping[str, int],
        now: Callable[[], float],
    ) -> None:
        self._examine = examine
        self._queue = queue
        self._worker = worker
        self._requests = requests
        self._now = now

    def told(self) -> tuple[bool, Mapping[str, Any]]:
        """Whether tickets are handled, and what ``/health`` says."""
        health = self._examine()
        checks = {check.name: str(check.status) for check in health.checks}
        checks["worker"] = str(Status.OK if self._worker.is_alive() else Status.FAIL)
        verdict = health.status
        try:
            length, oldest = self._queue.length(self._now())
            checks["queue"] = str(Status.OK if oldest <= LONG_S else Status.WARN)
        except StateUnusable:
            length, oldest = 0, 0.0
            checks["queue"] = str(Status.FAIL)
        if Status.FAIL in (checks["worker"], checks["queue"]):
            verdict = HealthVerdict.UNHEALTHY
        elif checks["queue"] == Status.WARN and verdict is HealthVerdict.HEALTHY:
            verdict = HealthVerdict.DEGRADED
        told = {
            "status": str(verdict),
            "version": __version__,
            "checks": checks,
            "queue": {"tickets": length, "oldest_s": round(oldest, 1)},
        }
        return verdict is not HealthVerdict.UNHEALTHY, told

    def metrics(self, accept: str) -> tuple[bytes, str]:
        """The text of ``/metrics`` for a scraper, and its content type."""
        length, oldest = self._queue.length(self._now())
        return exposition(
            self._examine(),
            accept,
            (
                ("queue_tickets", "Tickets on the queue.", "", {"": float(length)}),
                ("queue_oldest_seconds", "How long the oldest has waited on it.", "", {"": oldest}),
                ("serve_requests", "Requests since the start, by what became of them.", "result", dict(self._requests)),
                ("serve_work", "Runs and tickets since the start.", "what", dict(self._worker.counted)),
            ),
        )
