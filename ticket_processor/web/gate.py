"""Reads a request for the endpoints: its raw body once, within a limit, and who may ask."""

from __future__ import annotations

import re
from collections.abc import Sequence

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from .signatures import MOST_BYTES, SECRET_HEADER, SIGNATURE, TIMESTAMP, Forged, ZendeskVerifier, bearer, is_one_of

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class RequestRefused(Exception):
    """The request is answered with an error status. ``why`` holds nothing of the request."""

    def __init__(self, status: int, why: str) -> None:
        self.status = status
        self.why = why
        super().__init__(why)

    @property
    def answer(self) -> JSONResponse:
        """The response that says so."""
        headers = {"WWW-Authenticate": "Bearer"} if self.status == 401 else {}
        return JSONResponse({"error": self.why}, self.status, headers)


def told_length(request: Request) -> int:
    """How many bytes the body has, as its sender says; 0 where that is not said."""
    told = request.headers.get("content-length", "")
    return int(told) if told.isascii() and told.isdecimal() else 0


async def raw_body(request: Request) -> bytes:
    """The body as it came. Raises :class:`RequestRefused` (413) before more than the limit is kept."""
    parts, length = [], told_length(request)
    if length <= MOST_BYTES:
        length = 0
        try:
            async for part in request.stream():
                length += len(part)
                if length > MOST_BYTES:
                    break
                parts.append(part)
        except ClientDisconnect:
            raise RequestRefused(400, "the body did not come") from None
    if length > MOST_BYTES:
        raise RequestRefused(413, f"the body may have {MOST_BYTES} bytes")
    return b"".join(parts)


def signed(request: Request, verifier: ZendeskVerifier, body: bytes, now: float) -> str:
    """The key of a delivery that Zendesk signed; raises :class:`RequestRefused` (401) for any other."""
    headers = request.headers
    try:
        return verifier.check(
            headers.getlist(TIMESTAMP),
            headers.getlist(SIGNATURE),
            body,
            now,
        )
    except Forged as forged:
        raise RequestRefused(401, str(forged)) from None


def with_secret(request: Request, secrets: Sequence[str]) -> None:
    """Raises :class:`RequestRefused` (401) unless the one secret in the header is known."""
    given = request.headers.getlist(SECRET_HEADER)
    if len(given) != 1 or not is_one_of(given[0], secrets):
        raise RequestRefused(401, "the secret in X-Ticketbot-Secret is wrong")


def with_token(request: Request, tokens: Sequence[str]) -> None:
    """Raises :class:`RequestRefused` (401) unless the bearer token is known."""
    given = request.headers.getlist("authorization")
    if len(given) != 1 or not is_one_of(bearer(given[0]), tokens):
        raise RequestRefused(401, "the bearer token is wrong")


def webhook_id(request: Request) -> str:
    """The name that Zendesk gives the delivery, for the log; ``-`` where there is none that may stand there."""
    told = request.headers.get("x-zendesk-webhook-invocation-id") or request.headers.get("x-zendesk-webhook-id") or ""
    return told if _ID.fullmatch(told) else "-"
