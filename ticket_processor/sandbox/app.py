"""The sandbox's core: one function from request to response, over its own state and its own clock.

What fills it with tickets of different ages, and with articles. The sandbox over HTTP, on this machine only: HTTP/1.1
with keep-alive, a thread for each connection.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from http.client import responses
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any, ClassVar, Literal, NamedTuple

from .access import Authenticator, Credentials
from .basics import OffsetClock, SandboxClock, http_date
from .faults import FaultPlan
from .freshdesk_api import FreshdeskApi
from .freshdesk_store import FreshdeskStore
from .messages import PREFIX, Refusal, Request, Response, json_response, text_response
from .openai_api import OpenAIApi
from .store import SHAPES, Store
from .zendesk_api import SIGN_IN, ZendeskApi
from .zendesk_store import QUICK_JOBS, ZendeskStore

HelpdeskName = Literal["zendesk", "freshdesk"]


class Imitated(NamedTuple):
    """What is one vendor's own; ``account`` names the credentials by which its client signs in, as its settings do."""

    store: type[Store]
    api: Callable[[Any, Authenticator, str], ZendeskApi | FreshdeskApi]
    account: tuple[str, ...]


HELPDESKS: Mapping[HelpdeskName, Imitated] = {
    "zendesk": Imitated(ZendeskStore, ZendeskApi, ("oauth_client_id", "oauth_client_secret")),
    "freshdesk": Imitated(FreshdeskStore, FreshdeskApi, ("api_key",)),
}


def account_of(helpdesk: HelpdeskName) -> dict[str, str]:
    """The settings by which a client signs in to a sandbox of this helpdesk, by their names."""
    known = Credentials()
    return {name: getattr(known, name) for name in HELPDESKS[helpdesk].account}


class Sandbox:
    """An imitation of a helpdesk's API, Zendesk's or Freshdesk's, and of an OpenAI-compatible API.

    Thread-safe: one lock around all state; nothing sleeps inside it. Waiting and broken connections are
    only described, in :attr:`Response.delay` and :attr:`Response.fate`; a shell acts them out.

    - ``helpdesk``: who answers. Its account is ``store``.
    - ``plan``: rate limits, a name from :data:`~.access.PLANS` of the helpdesk; without limits, jobs are quick too.
    - ``seed``: makes generated ids, faults and latencies repeatable.
    - ``faults``: a plan, or its compact text.
    - ``bot_role``: ``admin``, or ``agent``, who may not use Zendesk's incremental export, nor see Freshdesk's set-up.

    Routes that no vendor's API has: ``GET /sandbox/stats``; ``/`` and a ticket's address, for a browser, as JSON.
    """

    helpdesks: ClassVar = HELPDESKS
    new_plan: ClassVar[type[FaultPlan]] = FaultPlan

    def __init__(
        self,
        clock: SandboxClock | None = None,
        plan: str = "enterprise",
        seed: int = 0,
        faults: FaultPlan | str | None = None,
        llm_latency: Callable[[int], float] | None = None,
        bot_role: str = "admin",
        *,
        credentials: Credentials | None = None,
        helpdesk: HelpdeskName = "zendesk",
    ) -> None:
        self.clock: SandboxClock = clock or OffsetClock()
        self.credentials = credentials or Credentials()
        self.helpdesk = helpdesk
        self.plan = plan
        row: Imitated = self.helpdesks[helpdesk]
        self.store: Any = row.store(self.clock, seed=seed)
        if plan == "unlimited":
            self.store.job_seconds = QUICK_JOBS
        self.auth = Authenticator(self.credentials, self.store, bot_role)
        self.api = row.api(self.store, self.auth, plan)
        self.openai = OpenAIApi(self.credentials.openai_key, llm_latency, seed)
        self.faults = faults if isinstance(faults, FaultPlan) else self.new_plan.parse(faults or "", seed)
        self.requests = 0
        """Those that an API was asked."""

    def stats(self) -> dict[str, object]:
        """Counts for a test, a benchmark or a person."""
        living = [ticket.tags for ticket in self.store.tickets.values() if not ticket.deleted]
        return {
            "plan": self.plan,
            "tickets": len(living),
            "marked": sum("ai_processed" in tags for tags in living),
            "requests_total": self.requests,
            "llm_calls": self.openai.calls,
            "llm_latency_total": self.openai.latency_total,
        }

    def handle(self, request: Request) -> Response:
        """The response to a request. A body or query that cannot be read as what it should be raises."""
        with self.store.lock:
            self.store.settle()
            response = self._respond(request)
            response.headers.setdefault("Date", http_date(self.store.now()))
            response.headers["X-Ticketbot-Sandbox"] = "1"
        return response

    def _respond(self, request: Request) -> Response:
        if not request.path.startswith((PREFIX, "/v1/", SIGN_IN)):
            page = self._page(request.path.rstrip("/"))
            page.headers["X-Content-Type-Options"] = "nosniff"
            return page
        self.requests += 1
        fault = self.faults.choose(request)
        route = self.way_to(request)
        return route() if fault is None else fault.spoils(route, self)

    def _page(self, path: str) -> Response:
        """The statistics, the list of tickets, the newest first, or one of them with all that was done to it."""
        if path == "/sandbox/stats":
            return json_response(200, self.stats())
        found = re.fullmatch(r"(?:/a|/agent)?/tickets/(\d{1,18})", path)
        ticket = self.store.tickets.get(int(found[1])) if found else None
        if ticket is not None:
            return json_response(200, {"ticket": ticket.json, "changes": ticket.audits})
        if path:
            return json_response(404, {"error": "InvalidEndpoint", "description": "Not found"})
        newest_first = [self.store.tickets[number] for _, number in reversed(self.store.by_created)]
        rows = [{"id": each.id, "subject": each.json["subject"], "tags": each.tags} for each in newest_first]
        return json_response(200, {"tickets": rows})

    def way_to(self, request: Request) -> Callable[[], Response]:
        """What handles a request, now or later."""
        return partial(self._route, request)

    def _route(self, request: Request) -> Response:
        headers: dict[str, str] = {}
        try:
            if request.path.startswith("/v1/"):
                response = self.openai.handle(request, self.store.now())
            else:
                response = self.api.handle(request, headers)
        except Refusal as refusal:
            response = refusal.response
        response.headers = {**headers, **response.headers}
        return response


YOUNGEST = 120.0
"""Seconds. The exports show a ticket once it is a minute old."""


def fill(
    sandbox: Sandbox,
    rows: Sequence[Mapping[str, Any]],
    *,
    oldest: float = 6 * 3600.0,
    seed: int = 0,
) -> list[int]:
    """Create tickets from ``rows`` and give their ids, oldest first.

    A row has ``subject`` and ``body`` or ``html_body``; it may have ``requester`` (``name``, ``email``), ``channel``
    (``email`` by default), ``external_id``, ``attachments`` (names, or the API's objects), ``tags``, ``priority``
    and ``status``; Freshdesk gets its own numbers for these words, and no ``external_id``.
    Ages lie between two minutes and ``oldest`` seconds; an ``age`` in a row, in seconds, wins.
    """
    dice = random.Random(seed)
    with sandbox.store.lock:
        now, aged = sandbox.store.now(), []
        for row in rows:
            age = dice.uniform(YOUNGEST, max(YOUNGEST, oldest)) if row.get("age") is None else float(row["age"])
            aged.append((age, row))
        aged.sort(key=lambda pair: -pair[0])
        return [_created(sandbox.store, now - age, row) for age, row in aged]


def _created(store: Store, moment: float, row: Mapping[str, Any]) -> int:
    requester = row.get("requester") or {}
    ticket = store.create(
        created_at=moment,
        subject=str(row.get("subject") or ""),
        body=row.get("body"),
        html_body=row.get("html_body"),
        requester_name=str(requester.get("name") or "Customer"),
        requester_email=requester.get("email") or "customer@example.com",
        tags=row.get("tags") or (),
        **store.worded(row),
    )
    return ticket.id


def fill_articles(store: Store) -> None:
    """Put the articles of a fresh account into it: on some topics nothing, on some a side note."""
    for row in [row for row in SHAPES["articles"] if row["locale"][:2] in store.languages]:
        store.add_article(row["title"], f"<p>{row['text']}</p>", locale=row["locale"], labels=row["labels"])


MOST_BODY = 16 * 1024 * 1024
LOOPBACK = "127.0.0.1"


class SandboxServer(ThreadingMixIn, TCPServer):
    """Serves a :class:`Sandbox`. ``port`` 0 picks a free one; :attr:`url` is known from the start.

    Use as a context manager or by :meth:`start` and :meth:`stop`; it serves from a thread. Raises ``OSError`` when
    the port is taken. The sandbox's links are made to point at :attr:`url`.
    """

    daemon_threads = True
    request_queue_size = 256
    # On Windows this option would let two servers share a port.
    allow_reuse_address = os.name != "nt"

    def __init__(self, sandbox: Sandbox, *, port: int = 0) -> None:
        self.sandbox = sandbox
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._thread: threading.Thread | None = None
        super().__init__((LOOPBACK, port), _Handler)
        self.url = sandbox.store.base_url = f"http://{LOOPBACK}:{self.server_address[1]}"

    def start(self) -> SandboxServer:
        """Serve from a thread of its own; gives itself."""
        self._thread = threading.Thread(target=self.serve_forever, args=[0.05], daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """End: no new connections, open ones are closed, waiting answers are dropped."""
        self.stopping.set()
        if self._thread is not None:
            self.shutdown()
            self._thread.join()
            self._thread = None
        self.server_close()
        for connection in list(self._open):  # wake every thread that waits for its client
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    __enter__ = start

    def __exit__(self, *_: object) -> None:
        self.stop()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news; anything else is shown as usual."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: SandboxServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 75  # seconds without a request
    wbufsize = -1  # one packet: two writes would wait for each other's acknowledgement

    def answer(self) -> None:
        body = self._body()
        if body is None:
            return
        request = Request.from_target(self.command, self.path, dict(self.headers.items()), body)
        try:
            response = self.server.sandbox.handle(request)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            response = text_response(400, f"not understood: {type(error).__name__} {error}\n")
        if response.delay > 0 and self.server.stopping.wait(response.delay):
            self.close_connection = True
            return
        self._send(response)

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def _body(self) -> bytes | None:
        """The body; ``None`` if the client has gone or an error has been sent."""
        text = self.headers.get("content-length", "0").strip()
        length = int(text[:12]) if text.isascii() and text.isdecimal() else -1
        status = 413 if length > MOST_BODY else 400 if length < 0 else 0
        if status := 411 if "transfer-encoding" in self.headers else status:
            self.close_connection = True
            self._send(text_response(status, responses.get(status, "")))
            return None
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return None
        return body

    def _send(self, response: Response) -> None:
        if response.fate == "drop":
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.close_connection = self.close_connection or response.fate == "half"
        self.send_response_only(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.status not in (204, 304):
            self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(response.body[: len(response.body) // 2] if response.fate == "half" else response.body)

    def log_message(self, *_: Any) -> None:
        """Quiet: the sandbox counts its requests itself."""
