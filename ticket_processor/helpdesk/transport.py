"""HTTP for the helpdesk clients: timeouts, retry where repeating is safe, rate limits, circuit breaker.

Understanding what a vendor's answer means is the client's business; this file decides only whether there *is* an
answer. Reads are repeated. A write is repeated only when it surely did nothing (the connection could not be made,
401, 429); in every other doubt :class:`OutcomeUnknown` is raised and the caller has to read before anything else.
"""

from __future__ import annotations

import base64
import random
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import orjson
import requests
from requests.adapters import BaseAdapter

from .. import __version__
from ..core.clock import Clock, Deadline, parse_http_date
from ..core.errors import HelpdeskDown, NotAuthorised, ReadOnlyViolation, TicketbotError, TicketError, TicketUnreadable
from ..core.guards import Admission, Breaker, backoff_seconds
from ..core.http import GROWTH, MAX_REPLY_BYTES, BoundedAdapter, JsonTooLarge, ReplyTooLong, is_loopback, show_request
from . import http_messages
from .http_messages import HttpRequest, Reply, TryAgain, is_unauthorised, mapping, parsed_json

REPEATABLE = ("GET", "DELETE")
"""Methods of requests that do nothing more when they are repeated; nor does one for a token, which is not signed."""
CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 30.0
MAX_ATTEMPTS = 4
MAX_ATTEMPTS_ON_ONE = 2
"""Attempts to read one ticket. A ticket that the server cannot show must not use up the run's time."""
WINDOW_S = 60.0
"""The window of a limit whose end the replies do not tell."""
RENEW_AT_SHARE = 0.8
"""Fetched credentials are renewed after this share of their life, so that none dies between check and use."""
MAX_RECEIPT_BYTES = 2_000_000
"""Maximum bytes of an answer to anything but a GET: it is about one ticket or one job, and many come at a time."""


@dataclass(frozen=True)
class Limit:
    """A rate limit as a reply's headers told it: calls per window, calls left, seconds to the next window if told."""

    total: int
    remaining: int
    resets_s: float | None


class Throttle:
    """Keeps our calls below a share of each limit, so that people and other tools keep the rest.

    Limits are learnt from the replies; before the first one nothing is held back. Within a window at most
    ``share`` of the total is used by us, and nothing once others have left less than ``spare`` of it. Where replies do
    not tell when a window ends, that holds for any minute, wherever the vendor's begins.
    Safe for threads; waiting happens outside the lock.
    """

    def __init__(self, clock: Clock, share: float = 0.5, *, spare: float = 0.05) -> None:
        self._clock = clock
        self._share = share
        self._spare = spare
        self._lock = threading.Lock()
        self._buckets = defaultdict[str, _Bucket](lambda: _Bucket(clock.monotonic() + WINDOW_S))

    def delay(self, limits: Iterable[str] | Mapping[str, int]) -> float:
        """Seconds to wait before a call that counts against these limits; 0.0 takes the places at once.

        A mapping says how much the call costs of each, where that is not one.
        """
        costs = limits if isinstance(limits, Mapping) else dict.fromkeys(limits, 1)
        now = self._clock.monotonic()
        with self._lock:
            waits = (self._buckets[name].delay(now, cost, self._share, self._spare) for name, cost in costs.items())
            wait = max(waits, default=0.0)
            if wait <= 0:
                for name, cost in costs.items():
                    self._buckets[name].take(now, cost)
            return wait

    def learn(self, limits: Mapping[str, Limit]) -> None:
        """Take in what a reply said about the limits it counted against."""
        now = self._clock.monotonic()
        with self._lock:
            for name, limit in limits.items():
                bucket = self._buckets[name]
                bucket.told = limit.resets_s is not None
                if limit.resets_s is not None:
                    bucket.window_ends = now + max(0.0, limit.resets_s)
                bucket.total, bucket.remaining = limit.total, limit.remaining


@dataclass(slots=True)
class _Bucket:
    """Calls of ours that may still count, by moment and cost, and their sum. A window's end is not always ``told``."""

    window_ends: float
    total: int | None = None
    remaining: int | None = None
    taken: deque[tuple[float, int]] = field(default_factory=deque)
    used: int = 0
    told: bool = False

    def take(self, now: float, cost: int) -> None:
        self.taken.append((now, cost))
        self.used += cost

    def delay(self, now: float, cost: int, share: float, spare: float) -> float:
        if now >= self.window_ends:
            self.remaining = None
            self.window_ends = now + WINDOW_S
            if self.told:
                self.taken.clear()
                self.used = 0
        while not self.told and self.taken and self.taken[0][0] + WINDOW_S <= now:
            self.used -= self.taken.popleft()[1]
        if self.total is None:
            return 0.0
        if self.used > 0 and self.used + cost > max(1, int(self.total * share)):
            return (self.window_ends if self.told else self.taken[0][0] + WINDOW_S) - now + 0.05
        theirs_spent = self.remaining is not None and self.remaining <= int(self.total * spare + 1e-9)
        return self.window_ends - now + 0.05 if theirs_spent else 0.0


class Auth:
    """Puts credentials on a request: here the value of a header, which stays as it is. Shared by threads."""

    name = "Authorization"
    """The header that carries them: this one, or ``Cookie``."""

    def __init__(self, header: str) -> None:
        self._header = header

    @classmethod
    def basic(cls, name: str, password: str) -> Auth:
        """A name and a password, by HTTP Basic."""
        return cls("Basic " + base64.b64encode(f"{name}:{password}".encode()).decode("ascii"))

    def header(self) -> str:
        """The header's value. May raise :class:`NotAuthorised`."""
        return self._header

    def renew(self, refused: str) -> bool:
        """After a 401 for ``refused``: true when another value is worth one more try."""
        return False


class FetchedAuth(Auth):
    """Credentials that ``fetch`` gives, with the seconds that they are good for, renewed by age and after a 401.

    Threads share them: the first to find them old fetches, the others wait for that.
    """

    def __init__(self, clock: Clock, fetch: Callable[[], tuple[str, float]], name: str = Auth.name) -> None:
        super().__init__("")
        self.name = name
        self._clock = clock
        self._fetch = fetch
        self._lock = threading.Lock()
        self._renew_at = 0.0

    def header(self) -> str:
        with self._lock:
            if not self._header or self._clock.monotonic() >= self._renew_at:
                self._header, seconds = self._fetch()
                self._renew_at = self._clock.monotonic() + seconds * RENEW_AT_SHARE
            return self._header

    def renew(self, refused: str) -> bool:
        with self._lock:
            if self._header == refused:
                self._header = ""  # another thread may have fetched new ones already
        return True


@dataclass(eq=False, repr=False)
class Transport:
    """Requests to one server, on behalf of one run.

    Thread-safe: one ``requests.Session`` per thread, made at first use. ``read_only`` makes every write raise
    :class:`ReadOnlyViolation` before anything is sent. ``adapter`` replaces the network, for tests. ``notice`` is
    given a sentence when the first request fails, and is made again. ``probe`` is the path and the parameters of a
    small read that needs good credentials: it tells whether a 401 about one ticket is about them.
    """

    base_url: str
    _: KW_ONLY
    name: str
    clock: Clock
    deadline: Deadline
    breaker: Breaker
    throttle: Throttle
    auth: Auth | None = None
    read_limits: Callable[[Mapping[str, str]], Mapping[str, Limit]] = lambda _headers: {}
    read_only: bool = False
    adapter: Callable[[], BaseAdapter] | None = None
    rng: random.Random | None = None
    notice: Callable[[str], None] = lambda _sentence: None
    probe: tuple[str, Mapping[str, str | int]] | None = None
    counts: dict[str, int] = field(default_factory=dict, init=False)
    granted: frozenset[str] = field(default=frozenset(), init=False)
    """The scopes that the token of the last sign-in has; empty where the server did not say."""
    date: float | None = field(default=None, init=False)
    """The server's own clock in its last answer, Unix seconds."""

    def __post_init__(self) -> None:
        self.base_url = self.base_url.rstrip("/")
        self._rng = self.rng or random.Random()
        self._local = threading.local()
        self._lock = threading.Lock()
        self._sessions: list[requests.Session] = []
        self._heard = False  # an answer of the server's, whichever
        self._accepted = False  # our credentials, by some answer: a 401 after that may be one ticket's

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        limits: Collection[str] | Mapping[str, int] = ("account",),
        signed: bool = True,
        ours: Callable[[Reply], bool] = lambda _reply: False,
        about_one: bool = False,
        most: int | None = None,
    ) -> Reply:
        """One answer, or an error that says what to do.

        ``limits`` are the rate limits that it counts against, with what it costs of each where that is not one.
        ``signed=False`` is for asking for a token: it sends no credentials, and is no write. ``ours`` picks replies
        that the caller understands although they look like an overload, and wants as they are. ``about_one`` is for a
        read of one ticket or job: where the server answers it with nothing usable, that is :class:`TicketUnreadable`,
        and does not count against the server.
        ``most`` is how many bytes the answer may have, where the usual limits do not fit; a longer one is not asked for
        again: the error then says ``too_long``.
        Raises ``NotAuthorised``, ``HelpdeskDown``, ``RateLimited``, ``OutcomeUnknown`` (writes only),
        ``DeadlineReached`` and ``Stopping``. 4xx other than 401, 408 and 429 are replies, not errors.
        """
        if self.read_only and method != "GET" and signed:
            raise ReadOnlyViolation(f"{method} {path} in a run that must not write")
        most = most or (MAX_REPLY_BYTES if method == "GET" else MAX_RECEIPT_BYTES)
        body = None if json is None else orjson.dumps(json)
        once = signed and method not in REPEATABLE
        request = HttpRequest(method, path, most, params, body, headers, once, limits, ours, about_one)
        auth = self.auth if signed else None
        renewed, attempt = False, 0
        while True:
            attempt += 1
            try:
                token = auth.header() if auth else None
                reply = self._send_once(request, token)
                if reply.status == 401 and auth and token and not renewed:
                    renewed = True
                    if auth.renew(token):
                        reply = self._send_once(request, auth.header())
                if reply.status == 401 and about_one and auth and not self._accepted and self.probe:
                    small = HttpRequest("GET", self.probe[0], most, self.probe[1], ours=is_unauthorised)
                    self._accepted = self._send_once(small, auth.header()).ok
            except TryAgain as error:
                jitter = backoff_seconds(attempt, self._rng)
                # Threads that were told the same moment must not all return in it.
                wait = jitter if error.wait is None else error.wait + min(jitter, 0.25 * error.wait + 0.1)
                most_attempts = MAX_ATTEMPTS_ON_ONE if about_one else MAX_ATTEMPTS
                if attempt >= most_attempts or wait > self.deadline.remaining():
                    final = TicketUnreadable(str(error.final)) if about_one and error.may_be_local else error.final
                    raise final from error.__cause__
                if not self._heard:  # whoever waits is told of the first failure; later ones are common and pass
                    notice, self.notice = self.notice, lambda _sentence: None
                    notice(f"{error}; it is asked again")
                self.deadline.wait(wait)
                continue
            if reply.status == 401 and about_one and self._accepted:
                raise TicketError(f"{self.name} refuses to show this (HTTP 401)", if_shared=NotAuthorised)
            if reply.status == 401 and not request.ours(reply):
                raise NotAuthorised(f"{self.name} refused the credentials (HTTP 401)")
            self._accepted = self._accepted or (signed and reply.ok)
            return reply

    def close(self) -> None:
        """Close every thread's connections. Requests still under way in other threads fail."""
        with self._lock:
            sessions, self._sessions = self._sessions, []
        for session in sessions:
            session.close()

    # One attempt

    def _send_once(self, request: HttpRequest, token: str | None) -> Reply:
        self.deadline.check()
        while (wait := self.throttle.delay(request.limits)) > 0:
            self.deadline.wait(wait)
        admission = self.breaker.admit()
        if admission is None:
            seconds = self.breaker.seconds_until_trial()
            raise HelpdeskDown(
                f"{self.name} failed too often in a row; the circuit breaker is open for another {seconds:.0f} s"
            )
        all_headers = {"Accept": "application/json", **(request.headers or {})}
        if request.body is not None:
            all_headers["Content-Type"] = "application/json"
        if token and self.auth:
            all_headers[self.auth.name] = token
        remaining = self.deadline.remaining()
        shape = "/".join("{id}" if part.isdigit() else part for part in request.path.split("?")[0].split("/"))
        self._count(f"{request.method} {shape}")
        url = self.base_url + request.path
        began = self.clock.monotonic()
        try:
            response = self._session(request.most).request(
                request.method,
                url,
                params=request.params,
                data=request.body,
                headers=all_headers,
                timeout=(min(CONNECT_TIMEOUT_S, remaining + 0.1), min(READ_TIMEOUT_S, remaining + 0.1)),
                allow_redirects=False,
            )
            body = None
            if "json" in response.headers.get("Content-Type", "").lower() and response.content:
                body = parsed_json(response.content, GROWTH * request.most)
            date = parse_http_date(response.headers.get("Date"))
            reply = Reply(response.status_code, response.headers, body, date)
        except (ReplyTooLong, JsonTooLarge) as error:
            self.breaker.success(admission)  # it is up: it says too much, and may be asked for less
            raise http_messages.of_length(error, request, self.name) from error
        except requests.exceptions.RequestException as error:
            show_request(request.method, url, type(error).__name__, self.clock.monotonic() - began)
            failed = http_messages.of_connection(error, request, self.name, self.base_url, heard=self._heard)
            self._report(admission, failed, request.about_one)
            raise failed from error
        took, number = self.clock.monotonic() - began, reply.headers.get("X-Request-Id")
        show_request(request.method, url, reply.status, took, number)
        limited = (reply.status in (408, 429) or reply.status >= 500) and not request.ours(reply)
        due = request.about_one and request.method == "GET"
        senseless = reply.ok and reply.body is None and (reply.status != 204 or due)
        self.throttle.learn(self.read_limits(response.headers))
        if limited or senseless or 300 <= reply.status < 400:
            failed = http_messages.of_reply(reply, request, self.name, self.clock.now(), senseless=senseless)
            self._report(admission, failed, request.about_one)
            raise failed
        self.breaker.success(admission)
        self._heard = True
        self.date = reply.date or self.date
        return reply

    def _report(self, admission: Admission, failed: Exception, about_one: bool) -> None:
        """Tell the breaker of a failure, unless it may be the fault of the one thing that was asked for."""
        if about_one and isinstance(failed, TryAgain) and failed.may_be_local:
            self.breaker.release(admission)
        else:
            self.breaker.failure(admission)

    def _session(self, most: int) -> requests.Session:
        """This thread's session, which takes replies of up to ``most`` bytes."""
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.auth = lambda request: request  # or requests would take a password from .netrc
            # Credentials are all that a server learns of us; what it wants remembered would only grow.
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
            session.headers["User-Agent"] = f"ticketbot/{__version__}"
            if is_loopback(self.base_url):
                session.trust_env = False  # a proxy cannot reach this machine's own loopback
            if self.adapter is not None:
                session.mount(self.base_url, self.adapter())
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


def shown(
    transport: Transport, path: str, name: str = "", params: Mapping[str, str | int] | None = None
) -> Mapping[str, Any]:
    """What is found there, or below ``name`` in that; nothing where it is refused or cannot be read. One request."""
    try:
        reply = transport.request("GET", path, params=params)
    except TicketbotError:
        return {}
    found = mapping(reply.body) if reply.ok else {}
    return mapping(found.get(name)) if name else found
