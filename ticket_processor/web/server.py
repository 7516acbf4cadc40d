"""The endpoints of ``ticketbot serve``, the HTTP server, and the runs that it plays.

The server verifies a delivery, compares it with earlier ones, stores it on disk, in this order, and answers; for that
it asks neither the helpdesk nor a model. It answers every authentic delivery with a 2xx, also when there is nothing to
do, since Zendesk stops calling an address that answers with errors.

The server limits the number of connections; the reverse proxy deals with slow clients. Runs are the same as those of
the command line: same lock, guards, receipts, budget, alerts.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Self

import uvicorn
from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from .. import __version__
from ..core.clock import Clock, Deadline, SystemClock
from ..core.errors import CannotRun, ConfigError, StateUnusable, TicketbotError
from ..core.models import Outcome
from ..core.run_summary import RunSummary
from ..monitoring.health_checks import Health, HealthVerdict, Status, exposition
from ..monitoring.run_watch import tally_of, tended
from ..reporting.run_words import outcome_line
from ..settings.schema import Settings
from ..wiring import runs
from ..wiring.desks import Subjects
from ..wiring.explain import as_data, fetched, pasted, walk
from . import gate
from .gate import MOST_TICKET, Doors, RequestRefused
from .worker import SOON, DeliveryQueue, Heard, WebhookTicket, Worker

MOST_ANALYSES = 4
"""Maximum number of simultaneous analyses for ``/process-ticket``."""
LONG_S = 900.0
"""If a ticket waits for longer than this on the queue, the health check warns."""
FRESH_S = 30.0
"""Seconds between examinations of health, however often scrapers ask."""


def _whole(value: object) -> object:
    """Turn 5.0 into 5: JSON does not tell them apart."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Asked(BaseModel):
    """The body of ``/process-ticket``: a ticket's number in the helpdesk, or a text with or without a subject."""

    model_config = ConfigDict(extra="forbid", strict=True)

    ticket: Annotated[int | None, Field(ge=1, le=MOST_TICKET), BeforeValidator(_whole)] = None
    subject: Annotated[str, Field(max_length=10_000)] = ""
    description: Annotated[str, Field(max_length=200_000)] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.ticket is None) == (self.description is None) or (self.ticket is not None and self.subject):
            raise ValueError("give a ticket's number, or a description with or without a subject")
        return self


def remembered(examine: Callable[[], Health], clock: Clock) -> Callable[[], Health]:
    """Wrap ``examine`` so that it runs at most every :data:`FRESH_S`. Thread-safe: callers wait for the result."""
    lock, last = threading.Lock(), list[tuple[float, Health]]()

    def remembering() -> Health:
        with lock:
            if not last or clock.monotonic() - last[0][0] > FRESH_S:
                health = examine()
                last[:] = [(clock.monotonic(), health)]
            return last[0][1]

    return remembering


def make(
    queue: DeliveryQueue,
    worker: Worker,
    now: Callable[[], float],
    examine: Callable[[], Health],
    analyse: Callable[[Asked], Mapping[str, Any]],
    say: Callable[[str], object],
    doors: Doors,
    *,
    has_metrics: bool,
) -> FastAPI:
    """Make the application. ``examine`` and ``analyse`` may be slow: they are called in threads."""
    app = FastAPI(title="ticketbot", version=__version__, docs_url=None, redoc_url=None, redirect_slashes=False)
    limiter: list[CapacityLimiter] = []
    counted: Counter[str] = Counter()  # requests by what became of them
    storing, waiting = asyncio.Lock(), dict[object, tuple[WebhookTicket, bool | None]]()

    @app.exception_handler(RequestRefused)
    async def refused(request: Request, why: RequestRefused) -> Response:
        counted[f"refused_{why.status}"] += 1
        if why.status == 401:
            say(f"refused {request.client.host if request.client else 'a client'}: {why.why}")
        return why.answer

    async def take(name: str, ticket: int | None, key: str) -> Response:
        """Store an authentic delivery of this name, and answer whether it is new."""
        if ticket is None:
            counted["ignored"] += 1
            say(f"webhook {name}: nothing to do: no ticket")
            return JSONResponse({"status": "ignored", "reason": "no ticket"})
        try:
            is_new = await put(WebhookTicket(ticket, key))
        except StateUnusable as error:
            raise RequestRefused(503, str(error)) from None
        became = "queued" if is_new else "duplicate"
        counted[became] += 1
        say(f"webhook {name}: ticket {ticket} {became}")
        return JSONResponse({"status": became, "ticket_id": ticket}, 202 if is_new else 200)

    async def put(delivery: WebhookTicket) -> bool:
        """Store a delivery, in one write with those that came meanwhile; true if it is new."""
        mine = object()
        waiting[mine] = (delivery, None)
        try:
            async with storing:
                if waiting[mine][1] is None:
                    taken = dict(waiting)
                    deliveries = [each for each, _ in taken.values()]
                    results = await asyncio.to_thread(queue.put, deliveries, now())
                    worker.wake()
                    stored = zip(taken, deliveries, results, strict=True)
                    waiting.update({each: (one, is_new) for each, one, is_new in stored if each in waiting})
                return bool(waiting[mine][1])
        finally:
            del waiting[mine]

    if doors.secrets:

        @app.post(f"/webhooks/{doors.name}")
        async def webhook(request: Request) -> Response:
            """Accept a delivery of the helpdesk."""
            body, key = await gate.delivered(request, doors, now())
            name = gate.name_of(request, doors.webhook)
            return await take(name, gate.ticket_in(body, doors.webhook), key)

    if doors.api:

        @app.post("/process-ticket")
        async def process_ticket(request: Request) -> Response:
            """Analyse a ticket by its number, or a text, and say what a run would decide. Writes nothing."""
            given = [gate.bearer(one) for one in request.headers.getlist("authorization")]
            gate.check(given, doors.api, "the bearer token is wrong")
            asked = _asked(await gate.raw_body(request))
            if not limiter:
                limiter.append(CapacityLimiter(MOST_ANALYSES))
            counted["analyses"] += 1
            try:
                found = await to_thread.run_sync(partial(analyse, asked), limiter=limiter[0])
            except ConfigError as error:
                raise RequestRefused(404, str(error)) from None
            except CannotRun as error:
                raise RequestRefused(503, str(error)) from None
            except TicketbotError as error:
                raise RequestRefused(502, str(error)) from None
            return JSONResponse(dict(found))

    @app.get("/health")
    def health() -> Response:
        """Report the state of the service and its parts, and what waits on the queue."""
        found = examine()
        checks = {check.name: str(check.status) for check in found.checks}
        checks["worker"] = str(Status.OK if worker.is_alive() else Status.FAIL)
        verdict, length, oldest = found.status, 0, 0.0
        try:
            length, oldest = queue.length(now())
            checks["queue"] = str(Status.OK if oldest <= LONG_S else Status.WARN)
        except StateUnusable:
            checks["queue"] = str(Status.FAIL)
        if Status.FAIL in (checks["worker"], checks["queue"]):
            verdict = HealthVerdict.UNHEALTHY
        elif checks["queue"] == Status.WARN and verdict is HealthVerdict.HEALTHY:
            verdict = HealthVerdict.DEGRADED
        waits = {"tickets": length, "oldest_s": round(oldest, 1)}
        report = {"status": str(verdict), "version": __version__, "checks": checks, "queue": waits}
        status = 503 if verdict is HealthVerdict.UNHEALTHY else 200
        return JSONResponse(report, status, {"Cache-Control": "no-store"})

    if has_metrics:

        @app.get("/metrics")
        def metrics(request: Request) -> Response:
            """Report the same in the format of Prometheus."""
            length, oldest = queue.length(now())
            body, kind = exposition(
                examine(),
                request.headers.get("accept", ""),
                (
                    ("queue_tickets", "Tickets on the queue.", "", {"": float(length)}),
                    ("queue_oldest_seconds", "How long the oldest has waited on it.", "", {"": oldest}),
                    ("serve_requests", "Requests since the start, by what became of them.", "result", dict(counted)),
                    ("serve_work", "Runs and tickets since the start.", "what", dict(worker.counted)),
                ),
            )
            return Response(body, headers={"Content-Type": kind, "Cache-Control": "no-store"})

    return app


def _asked(body: bytes) -> Asked:
    try:
        return Asked.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"])) or "the body"
        raise RequestRefused(422, f"{place}: {first['msg']}") from None


MOST_CONNECTIONS = 400
"""More are answered with 503. A process may usually open 1024 files; the state, the log and models need some, too."""


BACKLOG = 1024
ANSWERS_S = 5
"""Seconds that answers may take after :meth:`Server.stop`."""
IDLE_S = 75
"""Seconds that a connection stays open without a request: long enough for a page that asks for news every minute."""


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens at the address; port 0 picks a free one. Raises :class:`ConfigError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # there this option would let two servers share a port
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen(BACKLOG)  # from now on clients wait instead of being refused
    except (OSError, OverflowError, TypeError) as error:  # a malformed host name raises TypeError
        found.close()
        why = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"--port {port} on {host} cannot be used: {why}") from None
    return found


class Server:
    """Serves the application at a socket, in its own thread. Only ``proxies`` may state the client's address.

    With ``lifespan`` the application is told when it begins and ends.
    """

    def __init__(self, app: ASGIApp, at: socket.socket, proxies: Sequence[str] = (), *, lifespan: bool = False) -> None:
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                http="h11",
                log_level="error",
                access_log=False,
                server_header=False,
                lifespan="on" if lifespan else "off",
                ws="none",
                backlog=BACKLOG,
                limit_concurrency=MOST_CONNECTIONS,
                proxy_headers=bool(proxies),
                forwarded_allow_ips=list(proxies),
                timeout_graceful_shutdown=ANSWERS_S,
                timeout_keep_alive=IDLE_S,
            )
        )
        self._thread = threading.Thread(target=self._server.run, args=[[at]], name="server", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """True while the thread runs."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Accept no more requests, and finish the answers under way."""
        self._server.should_exit = True
        self._thread.join(ANSWERS_S + 2)


ANALYSIS_S = 120.0
"""How long an analysis for ``/process-ticket`` may take."""
_SHOWN = ("ticket_id", "machine_mail", "chain", "analysis", "decision")


def played(
    settings: Settings, clock: SystemClock, say: Callable[[str], object], asked: runs.RunArguments, heard: Heard
) -> RunSummary:
    """Play a run as ``ticketbot run`` does, and ``say`` the result of each ticket.

    A run of kind ``webhook`` sends alerts if there are addresses, and no heartbeat.
    """
    subjects = Subjects()
    tally = tally_of(settings, subjects)
    silent = asked.kind == "webhook" and not (settings.alerts.urls or settings.alerts.page_urls)

    def listen(outcome: Outcome) -> None:
        seen = tally.take(outcome)
        if outcome.reason not in SOON:  # the others are tried again
            say(outcome_line(seen))
        heard(outcome)

    with tended(settings, clock, asked.kind, deadline_s=settings.run.deadline_s, silent=silent) as tending:
        finished = runs.play(settings, asked, clock=clock, listener=listen, subjects=subjects)
        tending.ended(finished.summary, tally=tally)
    return finished.summary


def analysed(asked: Asked, settings: Settings, clock: Clock) -> Mapping[str, Any]:
    """The analysis of a ticket or a text and what a run would decide, as plain data. Nothing is written."""
    deadline = Deadline(clock, ANALYSIS_S)
    if asked.ticket is not None:
        ticket = fetched(asked.ticket, settings, clock, deadline)
    else:
        ticket = pasted(clock, asked.subject, asked.description or "")
    data = as_data(ticket, walk(ticket, settings, clock, deadline))
    return {name: data[name] for name in _SHOWN}
