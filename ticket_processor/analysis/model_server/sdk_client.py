"""The openai SDK's client for one model server: signed in as its settings say, and bounded in time and size.

The SDK brings signing in, addresses and connections. Its own retries are off, its redirects are not followed, it is
kept from headers that are none of the server's business, and neither a slow server nor a small answer that unpacks to a
large one can hold it up. It is imported at the first call: it takes half a second.
"""

from __future__ import annotations

import functools
import os
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ...core import tls, verbose
from ...core.urls import is_loopback
from .presets import OPENAI_URL, ModelTarget

if TYPE_CHECKING:
    import httpx2
    from openai import OpenAI

NO_KEY = "none"
"""Key for servers without keys: they take any."""


def sdk_client(target: ModelTarget, left: Callable[[], float]) -> OpenAI:
    """A client for the server of ``target``. Thread-safe, as is all that it asks.

    ``left`` gives the seconds that the request of the calling thread may still take. Raises ``OSError``,
    ``ImportError``, ``ValueError`` or ``httpx2.InvalidURL`` for proxies and certificates of the environment that cannot
    be used.
    """
    import openai

    options: dict[str, Any] = {
        "api_key": target.api_key or NO_KEY,
        "max_retries": 0,
        "default_headers": _headers(target),
        "http_client": openai.DefaultHttpxClient(
            # A proxy named in the environment cannot reach this machine's own loopback.
            trust_env=not is_loopback(target.base_url),
            verify=certificates(),
            # The next server would be sent the ticket, and perhaps the key.
            follow_redirects=False,
            event_hooks={"request": [_bound_reads(left)], "response": [_bound_errors, _shown]},
        ),
    }
    if target.api_version is not None:
        return openai.AzureOpenAI(azure_endpoint=target.base_url, api_version=target.api_version, **options)
    return openai.OpenAI(base_url=target.base_url, **options)


def _headers(target: ModelTarget) -> dict[str, Any]:
    """Headers to send besides the SDK's own, and headers of the SDK to leave out.

    The SDK sends every server the headers that OPENAI_CUSTOM_HEADERS names, even in place of the key; their names are
    read here as it reads them. The environment's organization and project are sent to OpenAI only.
    """
    import openai

    lines = os.environ.get("OPENAI_CUSTOM_HEADERS", "").split("\n")
    headers: dict[str, Any] = {line.partition(":")[0].strip(): openai.Omit() for line in lines if ":" in line}
    if target.base_url != OPENAI_URL:
        headers |= {"OpenAI-Organization": openai.Omit(), "OpenAI-Project": openai.Omit()}
    # Unasked, no server compresses; so nothing has to be unpacked that could be a thousand times as long.
    ours = {
        "Authorization": openai.Omit() if target.api_version else f"Bearer {target.api_key or NO_KEY}",
        "Accept-Encoding": "identity",
    }
    return {name: value for name, value in headers.items() if name.title() not in ours} | ours


def certificates() -> ssl.SSLContext:
    """The trusted certificates, and the lowest version of TLS."""
    context = _trusted()
    context.minimum_version = tls.lowest()
    return context


@functools.cache
def _trusted() -> ssl.SSLContext:
    """Reading the certificates takes a tenth of a second, so all connections share them."""
    import httpx2

    return httpx2.create_ssl_context()


def _bound_reads(left: Callable[[], float]) -> Callable[[httpx2.Request], None]:
    """Makes every read from the network end when no time is ``left``, be it of a proxy, a head, a body or an error.

    The timeouts of SDK and HTTP client are for each piece, not for the whole.
    """
    import httpcore2

    def trace(event: str, info: dict[str, Any]) -> None:
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            stream = info["return_value"]
            stream.read = functools.partial(bounded, stream.read)

    def bounded(read: Callable[..., bytes], max_bytes: int, timeout: float | None = None) -> bytes:
        seconds = left()
        if seconds <= 0:
            raise httpcore2.ReadTimeout
        return read(max_bytes, timeout=seconds if timeout is None else min(seconds, timeout))

    def follow(request: httpx2.Request) -> None:
        request.extensions["trace"] = trace
        request.extensions["began"] = time.monotonic()

    return follow


def _shown(response: httpx2.Response) -> None:
    request = response.request
    seconds = time.monotonic() - request.extensions.get("began", time.monotonic())
    verbose.request(
        request.method, str(request.url), response.status_code, seconds, response.headers.get("x-request-id")
    )


def is_packed(headers: Mapping[str, str]) -> bool:
    """Whether a body is compressed, in whatever way."""
    return headers.get("content-encoding", "").strip().lower() not in ("", "identity")


def _bound_errors(response: httpx2.Response) -> None:
    """The SDK reads the whole body of an error; of these the beginning is enough, and of packed ones the status."""
    if not response.is_success:
        import httpx2

        packed = is_packed(response.headers)
        if packed:
            del response.headers["content-encoding"]
        inner = response.stream

        class Beginning(httpx2.SyncByteStream):
            def __iter__(self) -> Iterator[bytes]:
                seen = 0
                if packed:
                    return
                for chunk in inner if isinstance(inner, httpx2.SyncByteStream) else ():
                    yield chunk
                    seen += len(chunk)
                    if seen > 64_000:
                        return

            def close(self) -> None:
                if isinstance(inner, httpx2.SyncByteStream):
                    inner.close()

        response.stream = Beginning()
