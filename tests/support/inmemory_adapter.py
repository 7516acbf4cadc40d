"""The sandbox as a transport adapter of ``requests``: no sockets, and waiting is whatever the caller says it is."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping
from http.client import IncompleteRead, RemoteDisconnected, responses
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPResponse
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from ticket_processor.sandbox.messages import Request, Response

from ..imitation import Sandbox


class InMemoryAdapter(BaseAdapter):
    """Mount on a session to send its requests to a sandbox: ``session.mount("http://", InMemoryAdapter(sandbox))``.

    ``sleep`` is called for an answer's delay, with the seconds; a simulation passes its virtual clock's. A
    delay above the read timeout sleeps the timeout and raises ``ReadTimeout``. A dropped connection raises
    ``ConnectionError``, half a body ``ChunkedEncodingError``, as they do over the network; with
    ``stream=True`` half a body raises while it is read. May be shared by threads.
    """

    def __init__(self, sandbox: Sandbox, sleep: Callable[[float], None] = time.sleep) -> None:
        super().__init__()
        self.sandbox = sandbox
        self._sleep = sleep

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float | None, float | None] | None = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """The sandbox's answer as ``requests`` would give it."""
        url = request.url or ""
        parts = urlsplit(url)
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        asked = Request.from_target(request.method or "GET", target, request.headers, _bytes(request.body))
        response = self.sandbox.handle(asked)
        if response.delay > 0:
            self._wait(request, response.delay, timeout, parts.netloc)
        if response.fate == "drop":
            gone = RemoteDisconnected("Remote end closed connection without response")
            raise requests.exceptions.ConnectionError(ProtocolError("Connection aborted.", gone), request=request)
        return self._build(request, response, url, stream)

    def close(self) -> None:
        """Nothing is held open."""

    def _wait(
        self,
        request: requests.PreparedRequest,
        delay: float,
        timeout: float | tuple[float | None, float | None] | None,
        netloc: str,
    ) -> None:
        patience = timeout[1] if isinstance(timeout, tuple) else timeout
        if patience is None or delay <= patience:
            self._sleep(delay)
            return
        self._sleep(patience)
        text = f"Read timed out. (read timeout={patience})"
        raise requests.exceptions.ReadTimeout(
            ReadTimeoutError(None, netloc, text),  # type: ignore[arg-type]
            request=request,
        )

    def _build(
        self, request: requests.PreparedRequest, response: Response, url: str, stream: bool
    ) -> requests.Response:
        announced = len(response.body)
        body = response.body[: announced // 2] if response.fate == "half" else response.body
        headers = {**response.headers, "Content-Length": str(announced)}
        if response.fate == "half" and not stream:
            broken = IncompleteRead(body, announced - len(body))
            raise requests.exceptions.ChunkedEncodingError(
                ProtocolError(f"Connection broken: {broken!r}", broken), request=request
            )
        answer = requests.Response()
        answer.status_code = response.status
        answer.reason = responses.get(response.status, "Unknown")
        answer.headers = CaseInsensitiveDict(headers)
        answer.encoding = requests.utils.get_encoding_from_headers(answer.headers)
        answer.url = url
        answer.request = request
        if stream:
            answer.raw = HTTPResponse(
                body=io.BytesIO(body),
                headers=headers,
                status=response.status,
                reason=answer.reason,
                preload_content=False,
                request_method=request.method,
            )
        else:
            answer.raw = _Raw(headers, response.status)
            answer._content = body
            answer._content_consumed = True  # type: ignore[attr-defined]
        return answer


def _bytes(body: Any) -> bytes:
    """A request's body in one piece, also when it is a generator or a file."""
    if isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode("utf-8")
    return b"".join(body) if body else b""


class _Raw:
    """A response of the wire whose body has been read."""

    def __init__(self, headers: Mapping[str, str], status: int) -> None:
        self.headers = headers
        self.status = status
        self.version = 11

    def read(self, *_: object, **__: object) -> bytes:
        """Nothing: the body is with the response."""
        return b""

    def close(self) -> None:
        """Nothing is held open."""

    def release_conn(self) -> None:
        """Nothing is held open."""
