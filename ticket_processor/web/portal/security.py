"""What keeps strangers out of the portal: headers of every answer, tokens of forms, and signed cookies."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from itsdangerous import BadSignature, TimestampSigner
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..gate import told_length

MOST_BODY_BYTES, MOST_OF_STRANGERS_BYTES = 26 * 2**20, 2**20
"""Of a request: five files and the text; and of one whose browser was never given a form."""
FORM_COOKIE = "portal_form"
FORM_LIFE_S = 7 * 24 * 3600.0
"""How long a form may stay open before it is sent."""
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
    """Gives every answer the headers that browsers obey, and takes no more of a body than is allowed.

    ``has_form`` says whether a request's browser was given a form.
    """

    def __init__(self, app: ASGIApp, has_form: Callable[[Request], bool]) -> None:
        self._app = app
        self._has_form = has_form

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        told, taken = told_length(request), 0
        is_known = self._has_form(request)
        most = MOST_BODY_BYTES if is_known else MOST_OF_STRANGERS_BYTES

        async def limited() -> Message:
            nonlocal taken
            message: Message = {} if told > most else await receive()
            taken += len(message.get("body", b""))
            if max(told, taken) > most:
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


class Cookies:
    """Signs cookies, sets and reads them. A signature is good for one ``purpose`` only, and for ``life_s``."""

    def __init__(self, key: bytes, now: Callable[[], float], *, https: bool) -> None:
        self._key = key
        self._now = now
        self._https = https

    def sign(self, purpose: str, value: str) -> str:
        """The value with the time and a signature."""
        return self._signer(purpose).sign(value).decode()

    def signed_at(self, purpose: str, signed: str, value: str, life_s: float) -> float | None:
        """When this value was signed (Unix seconds); ``None`` where it was not, or too long ago."""
        found, at = self.unsigned(purpose, signed, life_s) or ("", 0.0)
        return at if found and found == value else None

    def unsigned(self, purpose: str, signed: str, life_s: float) -> tuple[str, float] | None:
        """The value and when it was signed (Unix seconds); ``None`` where it was not, or too long ago."""
        try:
            value, at = self._signer(purpose).unsign(signed, return_timestamp=True)
        except BadSignature:
            return None
        return (value.decode(), at.timestamp()) if 0 <= self._now() - at.timestamp() <= life_s else None

    def set(self, response: Response, name: str, value: str, *, path: str, life_s: float, strict: bool = False) -> None:
        """Set a cookie that no script can read."""
        response.set_cookie(
            name,
            value,
            max_age=int(life_s),
            path=path,
            secure=self._https,
            httponly=True,
            samesite="strict" if strict else "lax",
        )

    def _signer(self, purpose: str) -> TimestampSigner:
        signer = TimestampSigner(self._key, salt=f"ticketbot portal {purpose}")
        signer.get_timestamp = lambda: int(self._now())  # type: ignore[method-assign]
        return signer


class FormTokens:
    """Tokens that prove that a form came from our own page: signed, with the time, for one browser's cookie.

    No two are the same, so each names its form: what is sent twice is known by that, and by nothing that it says.
    """

    def __init__(self, cookies: Cookies, now: Callable[[], float]) -> None:
        self._cookies = cookies
        self._now = now

    def browser(self, request: Request) -> str:
        """The random name of the browser in its cookie, or a new one."""
        return self.known_browser(request) or secrets.token_urlsafe(24)

    def known_browser(self, request: Request) -> str:
        """The name that we gave this browser with a form; empty where there is none."""
        found = self._cookies.unsigned("browser", request.cookies.get(FORM_COOKIE, ""), FORM_LIFE_S)
        return found[0] if found else ""

    def token(self, browser: str) -> str:
        """The token for a form that this browser gets now."""
        form = secrets.token_urlsafe(12)
        return f"{form}:{self._cookies.sign(f'form {form}', browser)}"

    def remember(self, response: Response, browser: str) -> None:
        """Set the cookie that goes with :meth:`token`."""
        self._cookies.set(response, FORM_COOKIE, self._cookies.sign("browser", browser), path="/", life_s=FORM_LIFE_S)

    def age(self, request: Request, token: str) -> float | None:
        """For how many seconds the form was open; ``None`` where it is not ours, or too old."""
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return None  # a neighbouring site could have set the cookie
        browser, (form, _, signed) = self.known_browser(request), token.partition(":")
        at = self._cookies.signed_at(f"form {form}", signed, browser, FORM_LIFE_S) if browser else None
        return None if at is None else max(0.0, self._now() - at)

    def name(self, request: Request, token: str) -> str:
        """What a form that is ours is called: no other has this name, and no other browser can send it."""
        return f"{token.partition(':')[0]} {self.known_browser(request)}"

    def check(self, request: Request, token: str) -> None:
        """Raises ``HTTPException`` (403) for a form that is not ours."""
        if self.age(request, token) is None:
            raise HTTPException(403, TOO_OLD)
