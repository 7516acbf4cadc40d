"""The portal as one application: its pages, error pages, mail, and the queue from which runs take its tickets."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from ... import __version__
from ...audit.files import replace_file
from ...core.clock import Clock, iso
from ...core.errors import CannotRun, HelpdeskDown, StateUnusable, state_unusable
from ...core.files import make_folder
from ...helpdesk.local_transfer import MAIL_FOLDER
from ...knowledge.search import KnowledgeSearch
from ...replies.assembly import ArticleLines, best_lines
from ...settings.schema import Settings
from ...state.store import HORIZON
from ...wiring.desks import finish_erasures, local_store
from ...wiring.knowledge import knowledge_store
from ...wiring.parts import opened_state
from ..worker import DeliveryQueue, WebhookTicket
from . import agent_accounts as accounts
from . import agent_listing as listing
from . import agent_ticket as ticket
from . import api, form, tracking
from .mail import Outbox, Postman, Writer, by_smtp, into_folder
from .parts import FOLDER, HEADERS, Portal, SafeAnswers, Suggest

_TITLES = {
    400: "That request made no sense",
    401: "You are not logged in",
    403: "Please try again",
    404: "There is nothing here",
    405: "There is nothing here",
    409: "Something has changed",
    413: "That is too much",
    429: "Too many tries",
    503: "Out of order",
}
_WORDS = {
    400: "Something in it cannot be read. Nothing was stored.",
    404: "No page has this address, or the link that you followed is not complete.",
    405: "No page has this address.",
    503: "We cannot take anything in at the moment. Nothing was stored; please try again in a few minutes.",
}


def make_portal(portal: Portal) -> FastAPI:
    """Make the application."""
    app = FastAPI(
        title=portal.name,
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,  # a redirect would send a link's secret to any host that the request names
    )
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it warns of each body that it cannot read
    app.add_middleware(api.TokenGate, api=api.make_api(portal), portal=portal)
    app.add_middleware(SafeAnswers, has_form=lambda request: bool(portal.forms.known_browser(request)))
    # Only files that are the same for everyone are compressed: the length of a page could reveal its tokens.
    app.mount("/static", GZipMiddleware(StaticFiles(directory=FOLDER / "static")), name="static")
    for routes in (form.routes, tracking.routes):
        app.include_router(routes(portal))
    sessions, passwords = accounts.Sessions(portal), accounts.Passwords()
    app.include_router(accounts.login_routes(portal, sessions, passwords))
    for pages in (listing.routes, ticket.routes):
        app.include_router(pages(portal, sessions))
    app.include_router(accounts.people_routes(portal, sessions, passwords))

    def error(request: Request, status: int, words: str, headers: Mapping[str, str] | None = None) -> Response:
        return portal.page(
            request,
            "error.html",
            status,
            headers,
            heading=_TITLES.get(status, "That did not work"),
            words=words,
            path=request.url.path,
            needs_login=status == 401,
        )

    @app.exception_handler(HTTPException)
    def refused(request: Request, why: HTTPException) -> Response:
        ours = why.status_code != 400 and why.detail != HTTPException(why.status_code).detail
        words = why.detail if ours else _WORDS.get(why.status_code, "")
        return error(request, why.status_code, words, why.headers)

    @app.exception_handler(UnicodeEncodeError)  # a form may claim an encoding that makes half characters
    @app.exception_handler(RequestValidationError)
    @app.exception_handler(HelpdeskDown)
    def senseless_or_down(request: Request, why: Exception) -> Response:
        status = 503 if isinstance(why, HelpdeskDown) else 400
        return error(request, status, _WORDS[status])

    @app.exception_handler(Exception)
    def broken(request: Request, _why: Exception) -> Response:
        # It is answered outside of SafeAnswers.
        headers = {**HEADERS, "Cache-Control": "no-store"}
        return error(request, 500, "The mistake is ours. Go back, and try again.", headers)

    return app


MOST_PASSAGES = 8


def suggesting(search: KnowledgeSearch) -> Suggest:
    """A function that finds the best articles for a text that everyone may read, with their relevant lines."""

    def suggest(text: str) -> Sequence[ArticleLines]:
        found = search.search([text], lang="", audience="everyone", limit=MOST_PASSAGES)
        return [replace(each, url=_web(each.url)) for each in best_lines(found, text, floor=0.0)]

    return suggest


def _web(url: str) -> str:
    return url if url.startswith(("https://", "http://")) else ""


KEY_FILE = "portal.key"
END_S = 5.0
"""Seconds that a mail under way may take after a stop."""
_KEY_BYTES = 32


def portal_app(
    settings: Settings,
    clock: Clock,
    address: str,
    queue: DeliveryQueue,
    wake: Callable[[], object],
    say: Callable[[str], object],
    ends: ExitStack,
) -> FastAPI:
    """Make the portal of the settings, which browsers reach at ``address``. ``ends`` closes its files and its mail.

    A submitted ticket is put on ``queue``, then ``wake`` is called; if that fails, a scheduled run finds the ticket.
    ``say`` gets lines for the journal.
    """
    folder, own = settings.state_folder, settings.portal
    begin(settings, clock)
    store = ends.enter_context(local_store(settings, make=True))
    for line in finish_erasures(settings, store, clock.now()):
        say(line)
    suggest, kept = None, None
    if settings.knowledge.sources:
        kept = ends.enter_context(closing(knowledge_store(settings)))
        suggest = suggesting(KnowledgeSearch(kept))

    def url_of(article_id: str) -> str:
        article = kept.article(article_id) if kept else None
        return _web(article.url) if article and article.audience == "everyone" else ""

    def notify(ticket_id: int) -> bool:
        try:
            queue.put([WebhookTicket(ticket_id)], clock.now())
        except StateUnusable:
            return False
        wake()
        return True

    if own.mail_from:
        outbox = Outbox(folder, store.last_event(), clock.now())
        ends.callback(outbox.close)
        transport = by_smtp(own) if own.smtp_host else into_folder(folder / MAIL_FOLDER, store)
        writer = Writer(store, address, own.name, str(own.mail_from))
        postman = Postman(store, outbox, writer, transport, clock.now, say)
        postman.start()
        ends.callback(postman.join, END_S)
        ends.callback(postman.stop)
    key = signing_key(folder)
    portal = Portal(store, clock.now, key, own.name, address, notify, suggest, url_of if own.count_readers else None)
    return make_portal(portal)


def begin(settings: Settings, clock: Clock) -> None:
    """Set now as the time from which runs read tickets, unless an earlier run has set one."""
    with opened_state(settings.state_folder, settings.desk.base_url) as state:
        if state.fact(HORIZON) is None:
            state.begin_again(iso(clock.now()))


def signing_key(folder: Path) -> bytes:
    """The key that signs cookies, from a file that is created once. Raises :class:`CannotRun` if it is unusable."""
    path = folder / KEY_FILE
    try:
        make_folder(folder)
        if not path.exists():
            key = secrets.token_hex(_KEY_BYTES).encode()
            replace_file(path, lambda file: file.writelines([key]))
        key = path.read_bytes()
    except OSError as error:
        raise state_unusable(folder, error, path) from error
    if len(key) < _KEY_BYTES:
        raise CannotRun(f"the portal's key, {path}, is damaged: delete it; customers then open their links again")
    return key
