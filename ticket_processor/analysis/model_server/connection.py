"""One connection to an OpenAI-compatible server: signed in as its settings say, bounded in time and size, faults named.

The SDK brings signing in, addresses and connections. Its own retries are off, its redirects are not followed, it is
kept from headers that are none of the server's business, and neither a slow server nor a small answer that unpacks to a
large one can hold it up. What it would read is read here: it takes an answer of any length, and calls half of the odd
ones a success. It is imported at the first call: it takes half a second.
"""

from __future__ import annotations

import functools
import json
import math
import os
import random
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, cast

import tenacity

from ...core.clock import parse_http_date
from ...core.errors import AnalysisFailed
from ...core.guards import backoff_seconds, retry_after_seconds
from ...core.http import is_loopback, lowest_tls, show_request
from ...core.models import Usage
from ...core.text import RedactionLevel
from ..text.outgoing import leaving_line
from ..text.redact import redact
from .settings import OPENAI_URL, ModelTarget

if TYPE_CHECKING:
    import httpx2
    from openai import OpenAI

NO_KEY = "none"
"""Key for servers without keys: they take any."""
CONNECT_TIMEOUT_S = 5.0
MAX_ANSWER_BYTES = 1_000_000
MAX_ERROR_BYTES = 64_000
SAID_CHARS, SAID_READ = 200, 2_000
"""Characters of a server's own error sentence that are shown, and that are read."""
_NESTED = ("messages", "response_format")
CONNECTING = ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")
"""The environment variables that say how to connect; of proxies, in small letters as well."""
What = Literal["chat", "embeddings", "models"]


class ModelBusy(AnalysisFailed):
    """The server could not answer now: worth another try, after ``wait`` seconds if it said so."""

    def __init__(self, reason: str, wait: float | None = None, detail: str = "") -> None:
        self.wait = wait
        super().__init__(reason, detail)


class AnswerUnusable(AnalysisFailed):
    """The model answered, which has to be paid for, and the answer cannot be used: what it spent is kept."""

    def __init__(
        self, reason: str, detail: str = "", *, usage: Usage | None = None, cost_usd: float | None = None
    ) -> None:
        self.usage = usage or Usage()
        self.cost_usd = cost_usd
        super().__init__(reason, detail)


class FormRefused(AnalysisFailed):
    """The server does not take this way of asking for structure."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("form_refused", detail)


_ARGUMENTS = {
    **{name: re.compile(name) for name in ("max_tokens", "max_completion_tokens", "temperature", "reasoning_effort")},
    # A word that an error may hold for other reasons.
    "store": re.compile(r"[`'\".]store\b|\bstore:|: store\b"),
}
"""Arguments that not every server knows, and how its refusal names them."""


class _Bounds(threading.local):
    """Of this thread's request: when it has to be over, and how many bytes its answer may have."""

    until = math.inf
    size = MAX_ANSWER_BYTES


class Connection:
    """A server and the credentials for it. Thread-safe. The SDK is imported at the first call."""

    def __init__(self, target: ModelTarget) -> None:
        self._target = target
        self._bounds = _Bounds()
        self._lock = threading.Lock()
        self._client: OpenAI | None = None

    def post(
        self,
        what: What,
        arguments: Mapping[str, Any],
        *,
        seconds: float,
        limit: int = MAX_ANSWER_BYTES,
        structured: bool = False,
    ) -> bytes:
        """The body of a 2xx answer of at most ``limit`` bytes, unchecked.

        Raises ``ModelBusy`` when another try may help, ``FormRefused`` when a ``structured`` request seems to have
        asked for too much, else ``AnalysisFailed``. Environment variables with which there can be no connection are
        ``model_connection_settings``.
        """
        client = self._connected()
        import httpx2
        import openai

        self._bounds.until, self._bounds.size = time.monotonic() + seconds, limit
        timeout = httpx2.Timeout(seconds, connect=min(seconds, CONNECT_TIMEOUT_S))
        try:
            answer = _asked(client, what, arguments, timeout)
            if is_packed(answer.headers):
                raise AnalysisFailed("model_nonsense", "compressed, which nobody asked for")
            body: bytes = answer.content
        except (openai.APITimeoutError, httpx2.TimeoutException) as error:
            raise ModelBusy("model_timeout") from error
        except openai.APIStatusError as error:
            failed = failure(error.status_code, error.body, error.response.headers, structured=structured)
            if self._target.api_key:  # some servers quote it
                failed.detail = failed.detail.replace(self._target.api_key, "[key]")
            if error.status_code in (400, 422):
                failed.about = tuple(name for name, pattern in _ARGUMENTS.items() if pattern.search(str(error.body)))
            raise failed from error
        except (openai.APIConnectionError, httpx2.TransportError) as error:
            raise ModelBusy("model_unreachable", detail=_what_broke(error)) from error
        except (openai.OpenAIError, httpx2.InvalidURL, httpx2.HTTPError, ValueError, RecursionError) as error:
            raise AnalysisFailed("model_nonsense", type(error).__name__) from error
        if len(body) > limit:
            raise AnalysisFailed("model_answer_too_long")
        return body

    def close(self) -> None:
        """Close the connections. Idempotent; the next call opens new ones."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def get_ready(self) -> None:
        """Load the SDK, which takes a second, before the first call. That call reports any failure."""
        with suppress(AnalysisFailed):
            self._connected()

    def _connected(self) -> OpenAI:
        import httpx2

        with self._lock:
            if self._client is None:
                try:
                    self._client = self._new_client()
                except (OSError, ImportError, ValueError, httpx2.InvalidURL) as error:
                    # Without their values: proxies hold passwords.
                    named = [name for name in CONNECTING if os.environ.get(name) or os.environ.get(name.lower())]
                    detail = f"{type(error).__name__}; see {', '.join(named) or 'base_url'}"
                    raise AnalysisFailed("model_connection_settings", detail) from error
            return self._client

    def _new_client(self) -> OpenAI:
        import openai

        return openai.OpenAI(
            base_url=self._target.base_url,
            api_key=self._target.api_key or NO_KEY,
            max_retries=0,
            default_headers=_headers(self._target),
            http_client=openai.DefaultHttpxClient(
                # A proxy named in the environment cannot reach this machine's own loopback.
                trust_env=not is_loopback(self._target.base_url),
                verify=certificates(),
                # The next server would be sent the ticket, and perhaps the key.
                follow_redirects=False,
                event_hooks={"request": [self._bound_time], "response": [self._bound_size]},
            ),
        )

    def _bound_time(self, request: httpx2.Request) -> None:
        """Makes every read from the network end in time, be it of a proxy, a head, a body or an error.

        The timeouts of SDK and HTTP client are for each piece, not for the whole.
        """
        import httpcore2

        def trace(event: str, info: dict[str, Any]) -> None:
            if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
                stream = info["return_value"]
                stream.read = functools.partial(bounded, stream.read)

        def bounded(read: Callable[..., bytes], max_bytes: int, timeout: float | None = None) -> bytes:
            seconds = self._bounds.until - time.monotonic()
            if seconds <= 0:
                raise httpcore2.ReadTimeout
            return read(max_bytes, timeout=seconds if timeout is None else min(seconds, timeout))

        request.extensions |= {"trace": trace, "began": time.monotonic()}

    def _bound_size(self, response: httpx2.Response) -> None:
        """Reads the body, at most a piece more than may be; of an error the beginning, of what is packed nothing."""
        import httpx2

        request = response.request
        took, number = time.monotonic() - request.extensions["began"], response.headers.get("x-request-id")
        show_request(request.method, str(request.url), response.status_code, took, number)
        most = self._bounds.size if response.is_success else MAX_ERROR_BYTES
        stream, body = cast(httpx2.SyncByteStream, response.stream), bytearray()
        for chunk in () if is_packed(response.headers) else cast(Iterable[bytes], stream):
            body += chunk
            if len(body) > most:
                break
        stream.close()
        response.stream = httpx2.ByteStream(bytes(body))


def _asked(client: OpenAI, what: What, arguments: Mapping[str, Any], timeout: httpx2.Timeout) -> Any:
    """The SDK's raw response."""
    if what == "models":
        return client.models.with_raw_response.list(timeout=timeout)
    # The SDK walks through every value of each argument, which for messages and a schema takes a third of the call.
    nested = {name: arguments[name] for name in _NESTED if name in arguments}
    plain = {name: [] if name == "messages" else arguments[name] for name in arguments if name != "response_format"}
    api: Any = client.chat.completions if what == "chat" else client.embeddings
    return api.with_raw_response.create(**plain, extra_body=nested, timeout=timeout)


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
    ours = {"Authorization": f"Bearer {target.api_key or NO_KEY}", "Accept-Encoding": "identity"}
    return {name: value for name, value in headers.items() if name.title() not in ours} | ours


def certificates() -> ssl.SSLContext:
    """The trusted certificates, and the lowest version of TLS."""
    context = _trusted()
    context.minimum_version = lowest_tls()
    return context


@functools.cache
def _trusted() -> ssl.SSLContext:
    """Reading the certificates takes a tenth of a second, so all connections share them."""
    import httpx2

    return httpx2.create_ssl_context()


def is_packed(headers: Mapping[str, str]) -> bool:
    """Whether a body is compressed, in whatever way."""
    return headers.get("content-encoding", "").strip().lower() not in ("", "identity")


# The server's own words

_TOO_LONG = (
    r"context_length_exceeded|exceed_context_size|maximum context length|available context size|context window"
    r"|input is too large|too large to process|physical batch size"
)
_REASONS = (
    ((402,), "", "model_no_quota"),
    ((429,), r"insufficient_quota|billing_(?:hard_limit|not_active)|insufficient[_ ]balance", "model_no_quota"),
    ((401, 403), "", "model_not_authorised"),
    ((400,), r"No connected db|invalid_api_key|api key not valid", "model_not_authorised"),
    ((404, 410), "", "model_unknown"),
    ((400,), r"model_not_found|invalid model name|deploymentnotfound", "model_unknown"),
    ((400,), r"content_filter|content_policy|ResponsibleAIPolicy|content management policy", "model_content_filter"),
    ((400, 413, 500), _TOO_LONG, "model_prompt_too_long"),
)
"""What an error means, by its status and a pattern of its words; the first row that fits counts."""
_FORM = re.compile(r"response_format|json_schema|grammar", re.I)


def failure(status: int, body: object, headers: Mapping[str, str], *, structured: bool = False) -> AnalysisFailed:
    """The failure that an error answer means: by its status first, since no two servers' bodies are alike.

    ``body`` is whatever was sent: text, ``{"error": …}`` around or already taken off, a list, nothing. Of its words the
    server's own sentence is kept as the failure's detail.
    """
    failed, words = AnalysisFailed(f"model_http_{status}"), _words(body)
    known = (reason for when, pattern, reason in _REASONS if status in when and re.search(pattern, words, re.I))
    if reason := next(known, None):
        failed = AnalysisFailed(reason)
    elif structured and (status in (400, 422, 501) or (status == 500 and _FORM.search(words))):
        failed = FormRefused()  # some servers answer a schema that they do not know with 400, llama-cpp-python with 500
    elif 300 <= status < 400:
        failed = AnalysisFailed("model_redirected")
    elif status in (408, 409, 429) or (status >= 500 and status != 501):
        failed = ModelBusy("model_rate_limited" if status == 429 else failed.reason, _wait(headers))
    failed.detail = server_sentence(body)
    return failed


def server_sentence(body: object) -> str:
    """A server's own sentence about an error, as one plain line of at most 200 characters; empty where it has none.

    It may quote what it was sent, so it is redacted at the strictest level.
    """
    while body and isinstance(body, list | Mapping):
        named = ("error", "message", "detail", "msg")
        body = body[0] if isinstance(body, list) else next((body[name] for name in named if body.get(name)), None)
    if not isinstance(body, str) or body.lstrip().startswith("<"):
        return ""  # a web page, or nothing
    return leaving_line(redact(body[:SAID_READ], level=RedactionLevel.STRICT).text, SAID_CHARS)


def _words(body: object) -> str:
    while isinstance(body, list) and body:
        body = body[0]
    if isinstance(body, Mapping) and isinstance(body.get("error"), Mapping):
        body = body["error"]
    if isinstance(body, Mapping):
        named = [body.get(name) for name in ("code", "type", "message", "detail", "error")]
        body = " ".join(item if isinstance(item, str) else json.dumps(item, default=str) for item in named if item)
    return str(body or "")[:4000]


_BROKEN: tuple[tuple[type[BaseException], str], ...] = (
    (ConnectionRefusedError, "connection refused"),
    (socket.gaierror, "its name leads nowhere"),
    (ssl.SSLCertVerificationError, "its certificate is not trusted"),
    (ssl.SSLError, "no secure connection"),
    (ConnectionError, "the connection broke"),
)


def _what_broke(error: BaseException) -> str:
    """Why there is no connection, in words of ours: the exceptions' own may hold addresses and passwords of proxies."""
    seen: BaseException | None = error
    while seen is not None:
        for kind, words in _BROKEN:
            if isinstance(seen, kind):
                return words
        if isinstance(seen, OSError) and seen.errno:
            return os.strerror(seen.errno).lower()
        seen = seen.__cause__ or seen.__context__
    return "the connection broke"


def _wait(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait: by its own milliseconds, or ``Retry-After``."""
    milliseconds = retry_after_seconds(headers.get("retry-after-ms"), 0.0)
    if milliseconds is not None:
        return milliseconds / 1000
    return retry_after_seconds(headers.get("retry-after"), parse_http_date(headers.get("date")) or 0.0)


def retrying(
    rng: random.Random,
    *,
    attempts: int,
    longest_wait_s: float,
    remaining: Callable[[], float],
    sleep: Callable[[float], None],
) -> tenacity.Retrying:
    """Calls a function again while it raises :class:`ModelBusy`, after the wait that the server asked for or a backoff.

    Gives up, raising what the last try raised, after ``attempts`` and before a wait that is longer than
    ``longest_wait_s`` or than the ``remaining`` seconds. Make one for each call.
    """

    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.wait if isinstance(error, ModelBusy) else None
        return backoff_seconds(state.attempt_number, rng) if asked is None else asked

    def stop(state: tenacity.RetryCallState) -> bool:
        return state.attempt_number >= attempts or state.upcoming_sleep > min(longest_wait_s, remaining())

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(ModelBusy), wait=wait, stop=stop, sleep=sleep, reraise=True
    )
