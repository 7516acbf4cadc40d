"""What the portal's pages share: limits, templates, Markdown, its store and settings, and who may see a ticket.

Headers of every answer, tokens of forms and signed cookies keep strangers out. Whoever opens a ticket's link may see
the ticket and gets a cookie for it; neither can be guessed.
"""

from __future__ import annotations

import ipaddress
import math
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import nh3
from itsdangerous import BadSignature, TimestampSigner
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...core.clock import iso, parse_iso
from ...core.text import many
from ...helpdesk.local_model import LocalTicket
from ...helpdesk.local_store import LocalStore
from ...replies.assembly import ArticleLines
from ..gate import declared_length

MOST_BODY_BYTES, MOST_OF_STRANGERS_BYTES = 26 * 2**20, 2**20
"""Limits of a request: room for five files and the text; less for a browser that never got a form from us."""
FORM_COOKIE = "portal_form"
FORM_LIFE_S = 7 * 24 * 3600.0
"""Seconds that a form may stay open before it is sent."""
TOO_OLD = "The page was open for too long, or cookies are off. Nothing was stored yet."
TOO_MUCH = "That is too much at once. Send fewer or smaller files."
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class SafeAnswers:
    """Sets the security headers of every answer, and refuses a body that is too long.

    ``has_form`` says whether a request's browser got a form from us before.
    """

    def __init__(self, app: ASGIApp, has_form: Callable[[Request], bool]) -> None:
        self._app = app
        self._has_form = has_form

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        declared, taken = declared_length(request), 0
        is_known = self._has_form(request)
        most = MOST_BODY_BYTES if is_known else MOST_OF_STRANGERS_BYTES

        async def limited() -> Message:
            nonlocal taken
            message: Message = {} if declared > most else await receive()
            taken += len(message.get("body", b""))
            if max(declared, taken) > most:
                raise HTTPException(413, TOO_MUCH) if is_known else HTTPException(403, TOO_OLD)
            return message

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-cache" if "etag" in headers else "no-store")
            await send(message)

        await self._app(scope, limited, guarded)


@dataclass(frozen=True)
class Cookies:
    """Signs, sets and reads cookies. A signature is valid for one ``purpose`` only, and for ``life_s``."""

    key: bytes = field(repr=False)
    now: Callable[[], float]
    https: bool

    def sign(self, purpose: str, value: str) -> str:
        """The value with the time and a signature."""
        return self._signer(purpose).sign(value).decode()

    def signed_at(self, purpose: str, signed: str, value: str, life_s: float) -> float | None:
        """When this value was signed (Unix seconds); ``None`` if it was not, or too long ago."""
        found, at = self.unsigned(purpose, signed, life_s) or ("", 0.0)
        return at if found and found == value else None

    def unsigned(self, purpose: str, signed: str, life_s: float) -> tuple[str, float] | None:
        """The signed value and when it was signed (Unix seconds); ``None`` if it was not, or too long ago."""
        try:
            value, at = self._signer(purpose).unsign(signed, return_timestamp=True)
        except BadSignature:
            return None
        return (value.decode(), at.timestamp()) if 0 <= self.now() - at.timestamp() <= life_s else None

    def set(self, response: Response, name: str, value: str, *, path: str, life_s: float, strict: bool = False) -> None:
        """Set a cookie that no script can read."""
        response.set_cookie(
            name,
            value,
            max_age=int(life_s),
            path=path,
            secure=self.https,
            httponly=True,
            samesite="strict" if strict else "lax",
        )

    def _signer(self, purpose: str) -> TimestampSigner:
        signer = TimestampSigner(self.key, salt=f"ticketbot portal {purpose}")
        signer.get_timestamp = lambda: int(self.now())  # type: ignore[method-assign]
        return signer


@dataclass(frozen=True)
class FormTokens:
    """Makes and checks tokens that prove that a form came from our page: signed, with the time, for one browser.

    Each token is unique and so names its form: a form that is sent twice is recognised by its token alone.
    """

    cookies: Cookies
    now: Callable[[], float]

    def browser(self, request: Request) -> str:
        """The browser's random name from its cookie, or a new one."""
        return self.known_browser(request) or secrets.token_urlsafe(24)

    def known_browser(self, request: Request) -> str:
        """The name that this browser got with an earlier form; empty if it got none."""
        found = self.cookies.unsigned("browser", request.cookies.get(FORM_COOKIE, ""), FORM_LIFE_S)
        return found[0] if found else ""

    def token(self, browser: str) -> str:
        """A new token for a form on this browser."""
        form = secrets.token_urlsafe(12)
        return f"{form}:{self.cookies.sign(f'form {form}', browser)}"

    def remember(self, response: Response, browser: str) -> None:
        """Set the cookie that goes with :meth:`token`."""
        self.cookies.set(response, FORM_COOKIE, self.cookies.sign("browser", browser), path="/", life_s=FORM_LIFE_S)

    def age(self, request: Request, token: str) -> float | None:
        """Seconds for which the form was open; ``None`` if it is not ours or too old."""
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return None  # a neighbouring site could have set the cookie
        browser, (form, _, signed) = self.known_browser(request), token.partition(":")
        at = self.cookies.signed_at(f"form {form}", signed, browser, FORM_LIFE_S) if browser else None
        return None if at is None else max(0.0, self.now() - at)

    def name(self, request: Request, token: str) -> str:
        """The unique name of a form that passed :meth:`check`; no other browser can send a form of this name."""
        return f"{token.partition(':')[0]} {self.known_browser(request)}"

    def check(self, request: Request, token: str) -> None:
        """Raise ``HTTPException`` (403) if the form is not ours."""
        if self.age(request, token) is None:
            raise HTTPException(403, TOO_OLD)


MOST_KEYS = 20_000
"""Maximum number of keys that a limit counts; beyond it, the oldest are forgotten."""


@dataclass
class RateLimit:
    """At most ``most`` of something within each ``seconds``, by key. Thread-safe."""

    most: int
    seconds: float
    now: Callable[[], float]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _taken: Counter[str] = field(default_factory=Counter)
    _window: float = 0.0

    def take(self, key: str, count: int = 1) -> float:
        """Count so many more and return 0; above the limit, count none and return the seconds until it starts again."""
        now = self.now()
        with self._lock:
            window = now // self.seconds
            if window != self._window:
                self._window, self._taken = window, Counter()
            if self._taken[key] + count > self.most:
                return (window + 1) * self.seconds - now
            self._taken[key] += count
            if len(self._taken) > MOST_KEYS:
                del self._taken[next(iter(self._taken))]
            return 0.0

    def give_back(self, key: str) -> None:
        """Count one less, for an attempt that need not be limited after all."""
        with self._lock:
            self._taken[key] = max(0, self._taken[key] - 1)


def address_of(request: Request) -> str:
    """The client's address; for IPv6 its network, since a household has a whole network."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))
    return host


def too_many(wait_s: float) -> HTTPException:
    """The refusal (429) that asks the client to try again in ``wait_s``."""
    minutes = math.ceil(wait_s / 60)
    words = f"Please try again in {many(minutes, 'minute')}."
    return HTTPException(429, words, {"Retry-After": str(math.ceil(wait_s))})


_TAGS = frozenset("a p br hr em strong code pre blockquote ul ol li h3 h4 h5 h6".split())
_SCHEMES = frozenset({"https", "http", "mailto"})


def rendered(text: str) -> Markup:
    """Markdown as HTML: paragraphs, lists, emphasis, code and links; no pictures, and no HTML tags from the text."""
    made = nh3.clean(
        _reader().render(text),
        tags=_TAGS,
        attributes={"a": {"href"}, "ol": {"start"}},
        url_schemes=_SCHEMES,
        url_relative="deny",
        link_rel="noopener noreferrer nofollow",
    )
    return Markup(made)  # noqa: S704 - what nh3 has cleaned


@cache
def _reader() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "breaks": True}).disable("image")


FOLDER = Path(__file__).parent


def moment(stamp: str) -> Markup:
    """A time (ISO 8601) as an HTML element that shows it in UTC; a script converts it to the browser's time zone."""
    at = parse_iso(stamp)
    day = datetime.fromtimestamp(at, UTC)
    return Markup('<time datetime="{}">{} UTC</time>').format(iso(at), f"{day.day} {day:%b %Y, %H:%M}")


def file_size(count: int) -> str:
    """A number of bytes, for people."""
    return f"{count / 2**20:.1f} MB" if count >= 2**20 else f"{max(1, round(count / 1024))} kB"


_TEMPLATES = Environment(
    loader=FileSystemLoader(FOLDER / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters |= {"moment": moment, "rendered": rendered, "file_size": file_size}


Suggest = Callable[[str], Sequence[ArticleLines]]
"""Finds articles that may answer a customer's text."""
HOUR_S = 3600.0
API_REQUESTS = 300
"""Requests to the API that a token may make in a minute."""


@dataclass
class Portal:
    """The store and the clock, and what makes and checks pages, forms, cookies and limits.

    ``key`` signs cookies: random, secret, and the same after a restart. ``address`` is where browsers reach the portal,
    such as ``https://help.example.com``; with https, browsers send its cookies over https only. ``notify`` is called
    with the id of a ticket that a customer has just submitted or answered, or that an agent wants triaged; it returns
    whether the ticket is queued. Without ``suggest``, no articles are shown; ``url_of`` gives the address of one that
    everyone may read, by its id, and is empty for any other. Without it, nobody who is shown articles is counted.
    """

    store: LocalStore
    now: Callable[[], float]
    key: InitVar[bytes]
    name: str = "Support"
    address: str = ""
    notify: Callable[[int], bool] = lambda _ticket_id: True
    suggest: Suggest | None = None
    url_of: Callable[[str], str] | None = None

    def __post_init__(self, key: bytes) -> None:
        self.address = self.address.rstrip("/")
        self.cookies = Cookies(key, self.now, https=self.address.startswith("https:"))
        self.forms = FormTokens(self.cookies, self.now)
        self.wrong_keys = RateLimit(20, HOUR_S, self.now)
        self.wrong_passwords = RateLimit(20, HOUR_S, self.now)
        self.wrong_by_account = RateLimit(10, 600.0, self.now)
        self.wrong_by_stranger = RateLimit(10, 600.0, self.now)
        self.tickets = RateLimit(30, HOUR_S, self.now)
        self.acts = RateLimit(60, HOUR_S, self.now)
        self.searches = RateLimit(60, 60.0, self.now)
        self.files = RateLimit(60, HOUR_S, self.now)
        self.noted = RateLimit(300, HOUR_S, self.now)
        self.wrong_tokens = RateLimit(20, HOUR_S, self.now)
        self.api_requests = RateLimit(API_REQUESTS, 60.0, self.now)

    def text(self, template: str, **values: object) -> str:
        """The template with these values, without forms."""
        return _TEMPLATES.get_template(template).render(portal_name=self.name, **values)

    def page(
        self,
        request: Request,
        template: str,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        *,
        form_token: str = "",
        **values: object,
    ) -> HTMLResponse:
        """Render the template with these values. Its forms carry ``form_token``, which only this browser can send.

        Without ``form_token`` they carry a new one; give the token of a form that the browser has to send again.
        """
        browser = self.forms.browser(request)
        token = form_token or self.forms.token(browser)
        response = HTMLResponse(self.text(template, form_token=token, **values), status, headers)
        self.forms.remember(response, browser)
        return response


TICKET_COOKIE = "portal_ticket"
ACCESS_LIFE_S = 90 * 24 * 3600.0
LINK_COOKIE = "portal_link"
LINK_LIFE_S = 900.0
"""Seconds for which a customer who has just submitted a ticket is shown its link."""


def path_of(number: str) -> str:
    """The path of a ticket's page."""
    return f"/t/{number}"


def go_to(path: str) -> RedirectResponse:
    """The answer to an accepted form: a redirect to that page."""
    return RedirectResponse(path, 303)


def opened(portal: Portal, request: Request, number: str, secret: str) -> LocalTicket:
    """The ticket that a link opens. Raises ``HTTPException``: 404 for a wrong link, 429 after too many wrong ones."""
    who = address_of(request)
    if wait_s := portal.wrong_keys.take(who):
        raise too_many(wait_s)
    ticket = portal.store.opens(number, secret)
    if ticket is None:
        raise HTTPException(404)
    portal.wrong_keys.give_back(who)
    return ticket


def let_in(portal: Portal, response: Response, number: str) -> None:
    """Let this browser see the ticket from now on."""
    signed = portal.cookies.sign("ticket", number)
    portal.cookies.set(response, TICKET_COOKIE, signed, path=path_of(number), life_s=ACCESS_LIFE_S)


def seen_by(portal: Portal, request: Request, number: str) -> LocalTicket:
    """The ticket, if this browser may see it. Raises ``HTTPException`` (404) if not."""
    cookie = request.cookies.get(TICKET_COOKIE, "")
    is_let_in = portal.cookies.signed_at("ticket", cookie, number, ACCESS_LIFE_S) is not None
    ticket = portal.store.by_number(number) if is_let_in else None
    if ticket is None:
        raise HTTPException(404)
    return ticket
