"""The sandbox as a transport adapter of ``requests``: no sockets, and waiting is whatever the caller says it is."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping
from http.client import RemoteDisconnected, responses
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
    ``ConnectionError``, half a body ``ChunkedEncodingError`` while it is read. May be shared by threads.
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
        return self._build(request, response, url)

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

    def _build(self, request: requests.PreparedRequest, response: Response, url: str) -> requests.Response:
        announced = len(response.body)
        body = response.body[: announced // 2] if response.fate == "half" else response.body
        headers = {**response.headers, "Content-Length": str(announced)}
        answer = requests.Response()
        answer.status_code = response.status
        answer.reason = responses.get(response.status, "Unknown")
        answer.headers = CaseInsensitiveDict(headers)
        answer.encoding = requests.utils.get_encoding_from_headers(answer.headers)
        answer.url = url
        answer.request = request
        answer.raw = HTTPResponse(
            body=io.BytesIO(body),
            headers=headers,
            status=response.status,
            reason=answer.reason,
            preload_content=False,
            request_method=request.method,
        )
        return answer


def _bytes(body: Any) -> bytes:
    """A request's body in one piece, also when it is a generator or a file."""
    if isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode("utf-8")
    return b"".join(body) if body else b""
