"""What the pages of one portal share: limits, templates, Markdown, its store and settings, and who may see a ticket.

Whoever has a ticket's link may see it, and then a cookie for this one ticket; nobody can guess either.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import nh3
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ...core.clock import iso, parse_iso
from ...core.text import many
from ...helpdesk.local_model import LocalTicket
from ...helpdesk.local_store import LocalStore
from ...replies.assembly import ArticleLines
from ..server import place_of
from .security import Cookies, FormTokens

MOST_KEYS = 20_000
"""Keys that a limit counts; beyond these it begins anew."""


class Limit:
    """At most ``most`` of something within each ``seconds``, by key. Thread-safe."""

    def __init__(self, most: int, seconds: float, now: Callable[[], float]) -> None:
        self._most = most
        self._seconds = seconds
        self._now = now
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()
        self._window = 0.0

    def take(self, key: str, count: int = 1) -> float:
        """Count so many more, or none. Gives 0, or in how many seconds the counting begins anew."""
        now = self._now()
        with self._lock:
            window = now // self._seconds
            if window != self._window or len(self._taken) > MOST_KEYS:
                self._window, self._taken = window, Counter()
            if self._taken[key] + count > self._most:
                return (window + 1) * self._seconds - now
            self._taken[key] += count
            return 0.0

    def give_back(self, key: str) -> None:
        """Count one less: it turned out to need none."""
        with self._lock:
            self._taken[key] = max(0, self._taken[key] - 1)


def address_of(request: Request) -> str:
    """The client's address; of IPv6 the network, since a household has a whole one."""
    return place_of(request.client.host) if request.client else ""


def too_many(wait_s: float) -> HTTPException:
    """The refusal (429) of somebody who may try again in ``wait_s``."""
    minutes = math.ceil(wait_s / 60)
    words = f"Please try again in {many(minutes, 'minute')}."
    return HTTPException(429, words, {"Retry-After": str(math.ceil(wait_s))})


_TAGS = frozenset("a p br hr em strong code pre blockquote ul ol li h3 h4 h5 h6".split())
_SCHEMES = frozenset({"https", "http", "mailto"})


def rendered(text: str) -> Markup:
    """``text`` as HTML: paragraphs, lists, emphasis, code and links; no picture, and no tag that was written in it."""
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
    """A time (ISO 8601) for machines and, in UTC, for people; a script shows it in the browser's own zone."""
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
"""Finds articles that may answer what somebody wrote."""
HOUR_S = 3600.0


class Portal:
    """The store and the time, and what makes and checks pages, forms, cookies and limits.

    ``key`` signs cookies: random, secret, and the same after a restart. ``address`` is where browsers reach the portal,
    such as ``https://help.example.com``; with https, cookies go no other way. ``told`` is called with the id of a
    ticket that a customer has just submitted or answered. Without ``suggest``, no articles are shown.
    """

    def __init__(
        self,
        store: LocalStore,
        now: Callable[[], float],
        *,
        key: bytes,
        name: str = "Support",
        address: str = "",
        told: Callable[[int], object] = lambda _ticket_id: None,
        suggest: Suggest | None = None,
    ) -> None:
        self.store = store
        self.name = name
        self.address = address.rstrip("/")
        self.now = now
        self.told = told
        self.suggest = suggest
        self.cookies = Cookies(key, now, https=address.startswith("https:"))
        self.forms = FormTokens(self.cookies, now)
        self.wrong_keys = Limit(20, HOUR_S, now)
        self.wrong_passwords = Limit(20, HOUR_S, now)
        self.wrong_by_account = Limit(10, 600.0, now)
        self.tickets = Limit(30, HOUR_S, now)
        self.acts = Limit(60, HOUR_S, now)
        self.searches = Limit(60, 60.0, now)
        self.files = Limit(60, HOUR_S, now)

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
        """The template with these values; its forms take ``form_token``, which only this browser can send.

        It is a new one, unless the one that a form has brought is given.
        """
        browser = self.forms.browser(request)
        token = form_token or self.forms.token(browser)
        text = _TEMPLATES.get_template(template).render(portal_name=self.name, form_token=token, **values)
        response = HTMLResponse(text, status, headers)
        self.forms.remember(response, browser)
        return response


TICKET_COOKIE = "portal_ticket"
ACCESS_LIFE_S = 90 * 24 * 3600.0
LINK_COOKIE = "portal_link"
LINK_LIFE_S = 900.0
"""For so long a customer who has just submitted a ticket is shown its link."""


def path_of(number: str) -> str:
    """Where a ticket's page is."""
    return f"/t/{number}"


def go_to(path: str) -> RedirectResponse:
    """The answer to a form that was taken in: the browser fetches that page."""
    return RedirectResponse(path, 303)


def opened(portal: Portal, request: Request, number: str, secret: str) -> LocalTicket:
    """The ticket that a link opens. Raises ``HTTPException``: 404 for a wrong one, 429 after too many of them."""
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
    """The ticket, where this browser may see it. Raises ``HTTPException`` (404)."""
    cookie = request.cookies.get(TICKET_COOKIE, "")
    is_let_in = portal.cookies.signed_at("ticket", cookie, number, ACCESS_LIFE_S) is not None
    ticket = portal.store.by_number(number) if is_let_in else None
    if ticket is None:
        raise HTTPException(404)
    return ticket
