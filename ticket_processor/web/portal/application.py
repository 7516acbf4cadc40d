"""The portal as one application: its pages, its static files, and its errors as pages."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from ... import __version__
from ...core.errors import HelpdeskDown
from . import actions, form, tracking
from .admin import accounts, bulk, listing, ticket
from .parts import FOLDER, Portal
from .security import FORM_COOKIE_LIFE_S, HEADERS, RefusedForNow, SafeAnswers, typed_into

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
    """The application."""
    app = FastAPI(
        title=portal.settings.name,
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,  # it would send a link's secret to whatever host the request names
    )
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it warns of each body that it cannot read
    app.add_middleware(
        SafeAnswers, lambda request, token: portal.forms.age(request, token, FORM_COOKIE_LIFE_S) is not None
    )
    # Only what is the same for everybody is compressed: the length of a page could tell its tokens.
    app.mount("/static", GZipMiddleware(StaticFiles(directory=FOLDER / "static")), name="static")
    for part in (form, tracking, actions):
        app.include_router(part.routes(portal))
    sessions, passwords = accounts.Sessions(portal), accounts.Passwords()
    app.include_router(accounts.login_routes(portal, sessions, passwords))
    for page in (listing, ticket, bulk):
        app.include_router(page.routes(portal, sessions))
    app.include_router(accounts.people_routes(portal, sessions, passwords))

    def error(
        request: Request,
        status: int,
        words: str,
        headers: Mapping[str, str] | None = None,
        typed: Sequence[tuple[str, str]] = (),
    ) -> Response:
        return portal.pages.page(
            request,
            "error.html",
            status,
            headers,
            heading=_TITLES.get(status, "That did not work"),
            words=words,
            typed=typed,
            path=request.url.path,
            needs_login=status == 401,
        )

    @app.exception_handler(HTTPException)
    async def refused(request: Request, why: HTTPException) -> Response:
        ours = why.status_code != 400 and why.detail != HTTPException(why.status_code).detail
        words = why.detail if ours else _WORDS.get(why.status_code, "")
        typed = await typed_into(request) if isinstance(why, RefusedForNow) else ()
        return error(request, why.status_code, words, why.headers, typed)

    @app.exception_handler(UnicodeEncodeError)  # a form may claim an encoding that makes half characters
    @app.exception_handler(RequestValidationError)
    def senseless(request: Request, _why: Exception) -> Response:
        return error(request, 400, _WORDS[400])

    @app.exception_handler(HelpdeskDown)
    async def unusable(request: Request, _why: HelpdeskDown) -> Response:
        return error(request, 503, _WORDS[503], typed=await typed_into(request))

    @app.exception_handler(Exception)
    def broken(request: Request, _why: Exception) -> Response:
        # It is answered outside of SafeAnswers.
        return error(
            request, 500, "The mistake is ours. Go back, and try again.", {**HEADERS, "Cache-Control": "no-store"}
        )

    return app
