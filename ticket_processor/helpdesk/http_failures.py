"""Why a request to a helpdesk has no usable answer, and whether it may be repeated."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import MaxRetryError, NameResolutionError, NewConnectionError

from ..core import bounded_json
from ..core.backoff import retry_after_seconds
from ..core.bounded_json import JsonTooLarge
from ..core.clock import iso
from ..core.errors import HelpdeskDown, OutcomeUnknown, RateLimited, TicketUnreadable
from .http_messages import Effect, HttpRequest, Reply

_WHOLE = re.compile(rb"\s*(?:\{.*\}|\[.*\])\s*\Z", re.DOTALL)
_OLD_TLS = re.compile(r"PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL")


class TryAgain(Exception):
    """A failed attempt that may be repeated; ``final`` is what to raise when it is not."""

    def __init__(self, final: Exception, wait: float | None = None, *, may_be_local: bool = False) -> None:
        self.final = final
        self.wait = wait
        self.may_be_local = may_be_local
        """The server was reached, so that the fault may be of what was asked for."""
        self.is_local = isinstance(final, HelpdeskDown) and bool(_WHOLE.match(final.unparsed))
        """It is: the server gives an answer with its end, and some part of it is no JSON."""
        super().__init__(str(final))


def of_connection(
    error: requests.exceptions.RequestException, request: HttpRequest, name: str, address: str, *, heard: bool
) -> Exception:
    """The failure of a request that got no answer.

    ``heard``: the server has answered before. Else an address where nothing listens is not worth another try: it is
    wrong, or down for longer than a run waits.
    """
    if isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE" in str(error).upper():
        return HelpdeskDown(f"{name}: no trusted TLS connection; check the address and the CA bundle")
    if isinstance(error, requests.exceptions.SSLError) and _OLD_TLS.search(str(error)):
        return HelpdeskDown(f"{name} speaks no TLS of the version that lowest_tls asks for")
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.MissingSchema):
        return HelpdeskDown(f"{name}: its address is not a usable URL")
    if cause := _why_not_connected(error):
        down = HelpdeskDown(
            f"{name} at {address}: {cause}; check the address in the settings, the network, and any proxy or firewall"
        )
        return TryAgain(down) if heard else down
    down = HelpdeskDown(f"{name} does not answer ({type(error).__name__})")
    not_sent = isinstance(error, requests.exceptions.ConnectTimeout)
    if not_sent or request.effect is Effect.NONE:
        return TryAgain(down, may_be_local=not not_sent)
    return OutcomeUnknown(f"the connection failed after sending ({type(error).__name__})", if_shared=HelpdeskDown)


def of_length(error: Exception, request: HttpRequest, name: str) -> Exception:
    """The failure of a request whose answer is too long."""
    limit = f"{request.most / 1e6:g} MB"
    if isinstance(error, JsonTooLarge):
        limit = f"{bounded_json.GROWTH * request.most / 1e6:g} MB once it is parsed"
    message = (
        f"{name}: the answer to {request.method} {request.path} is larger than its limit of {limit}, and was not used"
    )
    if request.effect is Effect.WRITE:
        return OutcomeUnknown(message, if_shared=HelpdeskDown)
    return TicketUnreadable(message, too_long=True) if request.about_one else HelpdeskDown(message, too_long=True)


def of_reply(reply: Reply, request: HttpRequest, name: str, now: float, *, senseless: bool) -> Exception:
    """The failure of a request whose answer is none; ``now`` is our own clock, Unix seconds."""
    if reply.status == 429:
        wait = retry_after_seconds(reply.headers.get("Retry-After"), reply.date or now)
        not_before = now + (wait if wait is not None else 60.0)
        message = f"{name} asks for no more requests until {iso(not_before)} (HTTP 429)"
        return TryAgain(RateLimited(message, not_before=not_before), wait)
    if 300 <= reply.status < 400:
        host = urlsplit(reply.headers.get("Location", "")).hostname or "elsewhere"
        message = f"{name} redirects to {host}; redirects are not followed, check the address"
        if request.effect is Effect.WRITE:
            return OutcomeUnknown(message, if_shared=HelpdeskDown)
        return TryAgain(HelpdeskDown(message), may_be_local=True) if request.about_one else HelpdeskDown(message)
    what = "HTML or half an answer instead of JSON" if senseless else f"HTTP {reply.status}"
    if request.effect is Effect.WRITE:
        return OutcomeUnknown(f"{name} answered a write with {what}", if_shared=HelpdeskDown)
    wait = retry_after_seconds(reply.headers.get("Retry-After"), reply.date or now)
    unparsed = reply.unparsed if senseless else b""
    return TryAgain(HelpdeskDown(f"{name} answers with {what}", unparsed=unparsed), wait, may_be_local=True)


def _why_not_connected(error: requests.exceptions.RequestException) -> str:
    """Why there was no connection, so that surely nothing was sent; empty where it may have been."""
    cause = error.args[0] if error.args else None
    if isinstance(cause, MaxRetryError):
        cause = cause.reason
    if isinstance(cause, NameResolutionError):
        return "the name is unknown, or no DNS server answers"
    if not isinstance(cause, NewConnectionError):
        return ""
    system = cause.__cause__
    if isinstance(system, OSError) and not isinstance(system, ConnectionRefusedError):
        return f"there is no connection ({system.strerror or system})"
    return "the connection is refused"
