"""The sandbox over HTTP, on this machine only: HTTP/1.1 with keep-alive, a thread for each connection."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from .app import Sandbox
from .messages import Request, Response, text_response

MOST_BODY = 16 * 1024 * 1024
IDLE_SECONDS = 75
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class SandboxServer:
    """Serves a :class:`Sandbox`. ``port`` 0 picks a free one; :attr:`url` is known from the start.

    Use as a context manager or by :meth:`start` and :meth:`stop` to serve from a thread, or call
    :meth:`serve_forever`. Raises ``ValueError`` for a host other than this machine, ``OSError`` when the
    port is taken. The sandbox's links are made to point at :attr:`url`.
    """

    def __init__(self, sandbox: Sandbox, host: str = "127.0.0.1", port: int = 0) -> None:
        if host not in LOOPBACK:
            raise ValueError("the sandbox serves this machine only: 127.0.0.1, localhost or ::1")
        self.sandbox = sandbox
        self._server = _Server(sandbox, host, port)
        self._thread: threading.Thread | None = None
        self._serving = False
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self._server.server_address[1]}"
        sandbox.store.base_url = sandbox.desk.base_url = self.url

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    def start(self) -> SandboxServer:
        """Serve from a thread of its own; gives itself."""
        self._serving = True
        self._thread = threading.Thread(target=self.serve_forever, name="sandbox-server", daemon=True)
        self._thread.start()
        return self

    def serve_forever(self) -> None:
        """Serve until :meth:`stop` is called from elsewhere, or ``KeyboardInterrupt`` comes."""
        self._serving = True
        try:
            self._server.serve_forever(poll_interval=0.05)
        finally:
            self._serving = False

    def stop(self) -> None:
        """End: no new connections, open ones are closed, waiting answers are dropped."""
        self._server.stopping.set()
        if self._serving:
            self._server.shutdown()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._server.server_close()
        self._server.close_connections()

    def __enter__(self) -> SandboxServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    # On Windows this option would let two servers share a port.
    allow_reuse_address = os.name != "nt"

    def __init__(self, sandbox: Sandbox, host: str, port: int) -> None:
        self.sandbox = sandbox
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Bind alone: the class between looks up the host's name, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """Wake every thread that waits for its client."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news; anything else is shown as usual."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS

    def answer(self) -> None:
        """Read the request's body, ask the sandbox, send what it says."""
        body = self._body()
        if body is None:
            return
        request = Request.from_target(self.command, self.path, dict(self.headers.items()), body)
        response = self.server.sandbox.handle(request)
        if response.delay > 0 and self.server.stopping.wait(response.delay):
            self.close_connection = True
            return
        self._send(response)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = answer

    def _body(self) -> bytes | None:
        """The body, or ``None`` where there is nobody to answer, or an error has been sent."""
        text = self.headers.get("content-length", "0").strip()
        known = text.isascii() and text.isdecimal()
        length = int(text[:12]) if known else 0
        status = 411 if "transfer-encoding" in self.headers else 413 if length > MOST_BODY else 0 if known else 400
        if status:
            self.close_connection = True
            self._send(text_response(status, responses.get(status, "")))
            return None
        body = self.rfile.read(length) if length else b""
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
        lines = [f"HTTP/1.1 {response.status} {responses.get(response.status, 'Unknown')}"]
        lines += [f"{name}: {value}" for name, value in response.headers.items()]
        if response.status not in (204, 304):
            lines.append(f"Content-Length: {len(response.body)}")
        if self.close_connection:
            lines.append("Connection: close")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
        body = b"" if self.command == "HEAD" else response.body
        if response.fate == "half":
            body = body[: len(body) // 2]
        # One call: two writes would wait for each other's acknowledgement.
        self.connection.sendall(head + body)

    def log_message(self, *_: Any) -> None:
        """Quiet: the sandbox counts its requests itself."""
