"""``/healthz`` and ``/metrics`` over HTTP: for load balancers, Kubernetes and Prometheus. Nothing else is there.

A web page can point a name of its own at this address, and read the answers in its visitor's browser. So requests are
answered under this machine's names only, and under addresses, which no page can have.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from ... import __version__
from ...core.clock import Clock
from ...core.errors import Stopping, unexpected
from .checks import Health, HealthVerdict
from .exposition import exposition

FRESH_S = 30.0
"""The helpdesk is asked no more often than this, however often scrapers come."""
IDLE_S = 15.0
"""Each client holds a thread, also one that connects and says nothing."""


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


class HealthServer:
    """Serves a health from threads of its own while it is open. Port 0 picks a free one; see :attr:`url`.

    It answers under addresses, ``localhost``, this machine's name, ``host``, and those of ``names``. Who says nothing
    for ``idle_s`` is hung up on. Raises ``OSError`` when the address cannot be used.
    """

    def __init__(
        self,
        health: Callable[[], Health],
        host: str,
        port: int,
        *,
        names: Iterable[str] = (),
        idle_s: float = IDLE_S,
    ) -> None:
        self._server = _Server(health, host, port, idle_s)
        self._server.names = frozenset(map(_plain, ("localhost", socket.gethostname(), host, *names)))
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.1], name="health", daemon=True)

    @property
    def is_open_to_others(self) -> bool:
        """Whether other machines can connect, as far as that is this program's doing."""
        return not ipaddress.ip_address(str(self._server.server_address[0])).is_loopback

    def __enter__(self) -> HealthServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    # On Windows this option would let two servers share a port.
    allow_reuse_address = os.name != "nt"

    def __init__(self, health: Callable[[], Health], host: str, port: int, idle_s: float) -> None:
        self.health = health
        self.idle_s = idle_s
        self.names: frozenset[str] = frozenset()
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        # The base class looks up the host's name, which can take seconds.
        if self.allow_reuse_address:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away, or an end in the middle of an examination, is no news."""
        error = sys.exc_info()[1]
        if isinstance(error, Exception) and not isinstance(error, OSError | Stopping):
            sys.stderr.write(f"ticketbot: {unexpected(error)}\n")


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def setup(self) -> None:
        self.request.settimeout(self.server.idle_s)
        super().setup()

    def version_string(self) -> str:
        return f"ticketbot/{__version__}"

    def do_GET(self) -> None:
        refused = self._refused()
        path = urlsplit(self.path).path
        if refused is not None:
            self._send(refused, b"not under this name; see --allow-host\n", "text/plain; charset=utf-8")
        elif path == "/healthz":
            health = self.server.health()
            unwell = health.status is HealthVerdict.UNHEALTHY
            status = HTTPStatus.SERVICE_UNAVAILABLE if unwell else HTTPStatus.OK
            self._send(status, health.model_dump_json().encode(), "application/json")
        elif path == "/metrics":
            body, content_type = exposition(self.server.health(), self.headers.get("Accept") or "")
            self._send(HTTPStatus.OK, body, content_type)
        else:
            self._send(HTTPStatus.NOT_FOUND, b"/healthz and /metrics are here\n", "text/plain; charset=utf-8")

    do_HEAD = do_GET

    def _refused(self) -> HTTPStatus | None:
        """The error for a request under a foreign name; ``None`` for one of ours."""
        hosts = self.headers.get_all("Host") or []
        if not hosts and self.request_version == "HTTP/1.0":
            return None  # no browser asks like that
        try:
            (host,) = hosts
            name = _plain(urlsplit(f"//{host}").hostname or "")
        except ValueError:
            return HTTPStatus.BAD_REQUEST
        return None if name in self.server.names or _is_address(name) else HTTPStatus.MISDIRECTED_REQUEST

    def log_message(self, *_: object) -> None:
        """A scrape is no news."""

    def _send(self, status: HTTPStatus, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _plain(name: str) -> str:
    return name.lower().rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
