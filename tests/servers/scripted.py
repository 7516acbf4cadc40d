"""A server on a real socket that answers with whatever a test says, however wrong."""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LONGEST_HANG_S = 20.0


@dataclass(frozen=True)
class Reply:
    """What is sent back. ``ends`` says how: "well", "hang" before anything is sent, "reset" after the body.

    Head and body go in so many pieces, with a pause of so many seconds after each.
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    ends: str = "well"
    pieces: int = 1
    head_pieces: int = 1
    pause: float = 0.0


def reply(body: object, status: int = 200, ends: str = "well", pieces: int = 1, **headers: str) -> Reply:
    """A reply with a body of JSON, or of text or bytes as they are; ``retry_after`` is the header ``retry-after``."""
    if not isinstance(body, str | bytes):
        body, headers = json.dumps(body), {"content_type": "application/json", **headers}
    raw = body.encode() if isinstance(body, str) else body
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(raw, status, named, ends, pieces)


@dataclass(frozen=True)
class Received:
    """A request as it came."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]


class ScriptedServer:
    """Gives its replies in turn, the last one for ever. ``received`` grows; ``finished`` counts what went out whole."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.received: list[Received] = []
        self.finished = 0
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def close(self) -> None:
        self._over.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _next(self) -> Reply:
        with self._lock:
            return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer.received.append(Received(self.path, headers, json.loads(raw or b"{}")))
                self._answer(outer._next())

            do_GET = do_PUT = do_POST

            def _answer(self, answer: Reply) -> None:
                self.close_connection = answer.headers.get("connection") != "keep-alive"
                if answer.ends == "hang":
                    outer._over.wait(LONGEST_HANG_S)
                    return
                missing = 10 if answer.ends == "reset" else 0
                named = {"content-length": str(len(answer.body) + missing), "connection": "close"}
                head = [f"HTTP/1.1 {answer.status} Scripted"]
                head += [f"{name}: {value}" for name, value in {**named, **answer.headers}.items()]
                try:
                    self._write(("\r\n".join(head) + "\r\n\r\n").encode("latin-1"), answer.head_pieces, answer.pause)
                    self._write(answer.body, answer.pieces, answer.pause)
                except OSError:  # the client has had enough
                    return
                outer.finished += 1
                if answer.ends == "reset":
                    self.connection.setsockopt(
                        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
                    )
                    self.connection.close()

            def _write(self, raw: bytes, pieces: int, pause: float) -> None:
                step = max(1, -(-len(raw) // pieces))
                for start in range(0, len(raw), step):
                    self.wfile.write(raw[start : start + step])
                    self.wfile.flush()
                    if pause and outer._over.wait(pause):
                        return

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


@contextmanager
def scripted(*replies: Reply) -> Iterator[ScriptedServer]:
    """A server for as long as the block lasts."""
    server = ScriptedServer(*replies)
    try:
        yield server
    finally:
        server.close()
