"""HTTP for the helpdesk clients: timeouts, retry where repeating is safe, rate limits, circuit breaker.

Understanding what a vendor's answer means is the client's business; this file decides only whether there *is* an
answer. Reads are repeated. A write is repeated only when it surely did nothing (the connection could not be made,
401, 429); in every other doubt :class:`OutcomeUnknown` is raised and the caller has to read before anything else.
"""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Protocol
from urllib.parse import urlsplit

import orjson
import requests
import tenacity
from requests.adapters import BaseAdapter
from urllib3.exceptions import MaxRetryError, NameResolutionError, NewConnectionError

from .. import __version__
from ..core import bounded_json, verbose
from ..core.backoff import backoff_seconds, retry_after_seconds
from ..core.bounded_http import MAX_REPLY_BYTES, BoundedAdapter, ReplyTooLong
from ..core.bounded_json import JsonTooLarge
from ..core.circuit_breaker import Admission, Breaker
from ..core.clock import Clock, Deadline, iso, parse_http_date
from ..core.errors import HelpdeskDown, NotAuthorised, OutcomeUnknown, RateLimited, ReadOnlyViolation, TicketUnreadable
from ..core.urls import is_loopback
from .rate_limit import Limit, Throttle

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 30.0
MAX_ATTEMPTS = 4
MAX_ATTEMPTS_ON_ONE = 2
"""Attempts to read one ticket. A ticket that the server cannot show must not use up the run's time."""
MAX_RECEIPT_BYTES = 2_000_000
"""Maximum bytes of an answer to anything but a GET: it is about one ticket or one job, and many come at a time."""

_OLD_TLS = re.compile(r"PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL")
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
"""An escape in a JSON text; the group is half of a surrogate pair without the other."""


class Effect(Enum):
    """The effect of repeating a request."""

    NONE = "repeating is harmless: a read, or a creation with an idempotency key"
    WRITE = "repeating may act twice"


@dataclass(frozen=True)
class Reply:
    """An answer with a status that the client has to interpret. ``body`` is parsed JSON, or ``None``."""

    status: int
    headers: Mapping[str, str]
    body: Any
    date: float | None
    """The server's own clock, Unix seconds."""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class Auth(Protocol):
    """Puts credentials on a request. Shared by threads."""

    def header(self) -> str:
        """The value of ``Authorization``. May raise :class:`NotAuthorised`."""

    def renew(self, refused: str) -> bool:
        """After a 401 for ``refused``: true when another value is worth one more try."""


class _Signature(requests.auth.AuthBase):
    """Our credentials, or none. Without an auth object requests would take a password from ``.netrc``."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = self._token
        return request


class _TryAgain(Exception):
    """A failed attempt that may be repeated; ``final`` is what to raise when it is not."""

    def __init__(self, final: Exception, wait: float | None = None, *, may_be_local: bool = False) -> None:
        self.final = final
        self.wait = wait
        self.may_be_local = may_be_local
        """The server was reached, so that the fault may be of what was asked for."""
        super().__init__(str(final))


class Transport:
    """Requests to one server, on behalf of one run.

    Thread-safe: one ``requests.Session`` per thread, made at first use. ``read_only`` makes every write raise
    :class:`ReadOnlyViolation` before anything is sent. ``adapter`` replaces the network, for tests.
    """

    def __init__(
        self,
        base_url: str,
        *,
        name: str,
        clock: Clock,
        deadline: Deadline,
        breaker: Breaker,
        throttle: Throttle,
        auth: Auth | None = None,
        read_limits: Callable[[Mapping[str, str]], Mapping[str, Limit]] = lambda _headers: {},
        read_only: bool = False,
        adapter: Callable[[], BaseAdapter] | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.name = name
        self._clock = clock
        self._deadline = deadline
        self._breaker = breaker
        self.throttle = throttle
        self._auth = auth
        self._read_limits = read_limits
        self._read_only = read_only
        self._adapter = adapter
        self._rng = rng or random.Random()
        self._local = threading.local()
        self._lock = threading.Lock()
        self._sessions: list[requests.Session] = []
        self.counts: dict[str, int] = {}
        self.date: float | None = None
        """The server's own clock in its last answer, Unix seconds."""

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        effect: Effect = Effect.NONE,
        limits: Collection[str] | Mapping[str, int] = ("account",),
        changes_nothing: bool | None = None,
        signed: bool = True,
        ours: Callable[[Reply], bool] = lambda _reply: False,
        about_one: bool = False,
        most: int | None = None,
    ) -> Reply:
        """One answer, or an error that says what to do.

        ``limits`` are the rate limits that it counts against, with what it costs of each where that is not one.
        ``changes_nothing`` is for calls that are no writes although they are not GETs (asking for a token), and
        ``signed=False`` sends no credentials with them. ``ours`` picks replies that the caller understands although
        they look like an overload, and wants as they are. ``about_one`` is for a read of one ticket or job: where the
        server answers it with nothing usable, that is :class:`TicketUnreadable`, and does not count against the server.
        ``most`` is how many bytes the answer may have, where the usual limits do not fit; a longer one is not asked for
        again: the error then says ``too_long``.
        Raises ``NotAuthorised``, ``HelpdeskDown``, ``RateLimited``, ``OutcomeUnknown`` (writes only),
        ``DeadlineReached`` and ``Stopping``. 4xx other than 401, 408 and 429 are replies, not errors.
        """
        harmless = method == "GET" if changes_nothing is None else changes_nothing
        if self._read_only and not harmless:
            raise ReadOnlyViolation(f"{method} {path} in a run that must not write")
        most = most or (MAX_REPLY_BYTES if method == "GET" else MAX_RECEIPT_BYTES)
        body = None if json is None else orjson.dumps(json)
        auth = self._auth if signed else None
        renewed = False
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_TryAgain),
            wait=self._wait_before,
            stop=lambda state: self._stop(state, MAX_ATTEMPTS_ON_ONE if about_one else MAX_ATTEMPTS),
            sleep=self._deadline.wait,
            reraise=True,
        )

        def attempt() -> Reply:
            nonlocal renewed
            token = auth.header() if auth else None
            reply = self._send_once(method, path, params, body, headers, effect, limits, token, ours, about_one, most)
            if reply.status == 401 and auth and token and not renewed:
                renewed = True
                if auth.renew(token):
                    token = auth.header()
                    reply = self._send_once(
                        method, path, params, body, headers, effect, limits, token, ours, about_one, most
                    )
            if reply.status == 401:
                raise NotAuthorised(f"{self.name} refused the credentials (HTTP 401)")
            return reply

        try:
            return retrying(attempt)
        except _TryAgain as error:
            if about_one and error.may_be_local:
                raise TicketUnreadable(str(error.final)) from error.__cause__
            raise error.final from error.__cause__

    def sign_with(self, auth: Auth) -> None:
        """Sign the requests from now on."""
        self._auth = auth

    def close(self) -> None:
        """Close every thread's connections. Requests still under way in other threads fail."""
        with self._lock:
            sessions, self._sessions = self._sessions, []
        for session in sessions:
            session.close()

    # One attempt

    def _send_once(
        self,
        method: str,
        path: str,
        params: Mapping[str, str | int] | None,
        body: bytes | None,
        headers: Mapping[str, str] | None,
        effect: Effect,
        limits: Collection[str] | Mapping[str, int],
        token: str | None,
        ours: Callable[[Reply], bool],
        about_one: bool,
        most: int,
    ) -> Reply:
        self._deadline.check()
        while (wait := self.throttle.delay(limits)) > 0:
            self._deadline.wait(wait)
        admission = self._breaker.admit()
        if admission is None:
            seconds = self._breaker.seconds_until_trial()
            raise HelpdeskDown(
                f"{self.name} failed too often in a row; the circuit breaker is open for another {seconds:.0f} s"
            )
        all_headers = {"Accept": "application/json", **(headers or {})}
        if body is not None:
            all_headers["Content-Type"] = "application/json"
        remaining = self._deadline.remaining()
        self._count(f"{method} {_template(path)}")
        began = self._clock.monotonic()
        try:
            response = self._session(most).request(
                method,
                self.base_url + path,
                params=params,
                data=body,
                headers=all_headers,
                auth=_Signature(token),
                timeout=(min(CONNECT_TIMEOUT_S, remaining + 0.1), min(READ_TIMEOUT_S, remaining + 0.1)),
                allow_redirects=False,
            )
            reply = _read(response, bounded_json.GROWTH * most)
        except (ReplyTooLong, JsonTooLarge) as error:
            self._breaker.success(admission)  # it is up: it says too much, and may be asked for less
            raise self._too_long(error, f"{method} {path}", most, effect, about_one) from error
        except requests.exceptions.RequestException as error:
            verbose.request(method, self.base_url + path, type(error).__name__, self._clock.monotonic() - began)
            failed = self._translate(error, effect)
            self._report(admission, failed, about_one)
            raise failed from error
        verbose.request(
            method,
            self.base_url + path,
            reply.status,
            self._clock.monotonic() - began,
            reply.headers.get("X-Request-Id"),
        )
        limited = (reply.status in (408, 429) or reply.status >= 500) and not ours(reply)
        senseless = reply.ok and reply.body is None and reply.status != 204
        self.throttle.learn(self._read_limits(response.headers))
        if limited or senseless or 300 <= reply.status < 400:
            failed = self._not_an_answer(reply, effect, senseless=senseless)
            self._report(admission, failed, about_one)
            raise failed
        self._breaker.success(admission)
        self.date = reply.date or self.date
        return reply

    def _report(self, admission: Admission, failed: Exception, about_one: bool) -> None:
        """Tell the breaker of a failure, unless it may be the fault of the one thing that was asked for."""
        if about_one and isinstance(failed, _TryAgain) and failed.may_be_local:
            self._breaker.release(admission)
        else:
            self._breaker.failure(admission)

    def _translate(self, error: requests.exceptions.RequestException, effect: Effect) -> Exception:
        if isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE" in str(error).upper():
            return HelpdeskDown(f"{self.name}: no trusted TLS connection; check the address and the CA bundle")
        if isinstance(error, requests.exceptions.SSLError) and _OLD_TLS.search(str(error)):
            return HelpdeskDown(f"{self.name} speaks no TLS of the version that lowest_tls asks for")
        if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.MissingSchema):
            return HelpdeskDown(f"{self.name}: its address is not a usable URL")
        down = HelpdeskDown(f"{self.name} gives no answer ({type(error).__name__})")
        not_sent = _surely_not_sent(error)
        if not_sent or effect is Effect.NONE:
            return _TryAgain(down, may_be_local=not not_sent)
        return OutcomeUnknown(f"the connection failed after sending ({type(error).__name__})", if_shared=HelpdeskDown)

    def _too_long(self, error: Exception, what: str, most: int, effect: Effect, about_one: bool) -> Exception:
        limit = f"{most / 1e6:g} MB"
        if isinstance(error, JsonTooLarge):
            limit = f"{bounded_json.GROWTH * most / 1e6:g} MB once it is parsed"
        message = f"{self.name}: the answer to {what} is larger than its limit of {limit}, and was not used"
        if effect is Effect.WRITE:
            return OutcomeUnknown(message, if_shared=HelpdeskDown)
        return TicketUnreadable(message, too_long=True) if about_one else HelpdeskDown(message, too_long=True)

    def _not_an_answer(self, reply: Reply, effect: Effect, *, senseless: bool) -> Exception:
        if reply.status == 429:
            wait = retry_after_seconds(reply.headers.get("Retry-After"), reply.date or self._clock.now())
            not_before = self._clock.now() + (wait if wait is not None else 60.0)
            message = f"{self.name} asks to be left alone until {iso(not_before)} (HTTP 429)"
            return _TryAgain(RateLimited(message, not_before=not_before), wait)
        if 300 <= reply.status < 400:
            host = urlsplit(reply.headers.get("Location", "")).hostname or "elsewhere"
            return HelpdeskDown(f"{self.name} redirects to {host}; redirects are not followed, check the address")
        what = "HTML or half a body where JSON was due" if senseless else f"HTTP {reply.status}"
        if effect is Effect.WRITE:
            return OutcomeUnknown(f"{self.name} answered a write with {what}", if_shared=HelpdeskDown)
        wait = retry_after_seconds(reply.headers.get("Retry-After"), reply.date or self._clock.now())
        return _TryAgain(HelpdeskDown(f"{self.name} answers with {what}"), wait, may_be_local=True)

    # Retry

    def _wait_before(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.wait if isinstance(error, _TryAgain) else None
        jitter = backoff_seconds(state.attempt_number, self._rng)
        # Threads that were told the same moment must not all return in it.
        return jitter if asked is None else asked + min(jitter, 0.25 * asked + 0.1)

    def _stop(self, state: tenacity.RetryCallState, attempts: int) -> bool:
        return state.attempt_number >= attempts or state.upcoming_sleep > self._deadline.remaining()

    # Odds and ends

    def _session(self, most: int) -> requests.Session:
        """This thread's session, which takes replies of up to ``most`` bytes."""
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            # Credentials are all that a server learns of us; what it wants remembered would only grow.
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
            session.headers["User-Agent"] = f"ticketbot/{__version__}"
            if is_loopback(self.base_url):
                session.trust_env = False  # a proxy cannot reach this machine's own loopback
            if self._adapter is not None:
                session.mount(self.base_url, self._adapter())
            else:
                self._local.bounds = BoundedAdapter()
                session.mount("https://", self._local.bounds)
                session.mount("http://", self._local.bounds)
            self._local.session = session
            with self._lock:
                self._sessions.append(session)
        bounds: BoundedAdapter | None = getattr(self._local, "bounds", None)
        if bounds is not None:
            bounds.most = most
        return session

    def _count(self, what: str) -> None:
        with self._lock:
            self.counts[what] = self.counts.get(what, 0) + 1


def _read(response: requests.Response, most_parsed: int) -> Reply:
    """Raises ``JsonTooLarge``."""
    body: Any = None
    if "json" in response.headers.get("Content-Type", "").lower() and response.content:
        body = _parsed(response.content, most_parsed)
    return Reply(
        status=response.status_code,
        headers=response.headers,
        body=body,
        date=parse_http_date(response.headers.get("Date")),
    )


def _parsed(content: bytes, most: int) -> Any:
    """The JSON of a reply; ``None`` where there is none. Half of a surrogate pair becomes U+FFFD.

    One ticket's odd subject must not make a page of a thousand unreadable. Raises ``JsonTooLarge``.
    """
    try:
        return bounded_json.loads(content, most=most)
    except orjson.JSONDecodeError:
        mended = _ESCAPE.sub(lambda match: rb"\ufffd" if match[1] else match[0], content)
    try:
        return None if mended == content else orjson.loads(mended)
    except orjson.JSONDecodeError:
        return None


def _surely_not_sent(error: requests.exceptions.RequestException) -> bool:
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    cause = error.args[0] if error.args else None
    if isinstance(cause, MaxRetryError):
        cause = cause.reason
    return isinstance(cause, NewConnectionError | NameResolutionError)


def _template(path: str) -> str:
    return "/".join("{id}" if part.isdigit() else part for part in path.split("?")[0].split("/"))
