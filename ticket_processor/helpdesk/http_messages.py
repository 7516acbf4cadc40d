"""One request to a helpdesk, its reply as it is read (JSON, within bounds), and why there may be no usable one.

Values in a helpdesk's JSON, whatever they turn out to be. Pure.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson
import requests
from urllib3.exceptions import MaxRetryError, NameResolutionError, NewConnectionError

from ..core.clock import iso
from ..core.errors import (
    CannotRun,
    HelpdeskDown,
    NotAuthorised,
    OutcomeUnknown,
    RateLimited,
    TicketError,
    TicketGone,
    TicketUnreadable,
    UpdateConflict,
    UpdateRefused,
)
from ..core.guards import retry_after_seconds
from ..core.http import GROWTH, JsonTooLarge, bounded_json
from ..core.models import Ticket

_ESCAPE = re.compile(
    rb"""\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}
    |(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|u[0-9a-fA-F]{4}|["\\/bfnrt]|(?P<none>))""",
    re.VERBOSE,
)
"""A backslash of a JSON text with what it stands for: ``half`` of a surrogate pair without the other, or ``none``."""


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


@dataclass(frozen=True)
class HttpRequest:
    """A request as every attempt sends it; see :meth:`Transport.request`. ``once``: repeating it may act twice."""

    method: str
    path: str
    most: int
    params: Mapping[str, str | int] | None = None
    body: bytes | None = None
    headers: Mapping[str, str] | None = None
    once: bool = False
    limits: Collection[str] | Mapping[str, int] = ("account",)
    ours: Callable[[Reply], bool] = lambda _reply: False
    about_one: bool = False


def is_unauthorised(reply: Reply) -> bool:
    """For the ``ours`` of a write to one ticket: a 401 that renewed credentials do not change may be that ticket's."""
    return reply.status == 401


def not_shown(sentence: str, reply: Reply) -> TicketError:
    """The error for a refused read of one ticket; several in a row are a matter of our user's rights, or of all."""
    return TicketError(sentence, if_shared=NotAuthorised if reply.status == 403 else CannotRun)


def write_refused(vendor: str, reply: Reply, code: str = "", gone: Collection[int] = (404, 410)) -> TicketError:
    """What the status of a refused write says; ``code`` is a word of the answer that is fit for a log."""
    if reply.status in (409, 412):
        return UpdateConflict("the ticket changed since it was read")
    if reply.status in gone:
        return TicketGone("deleted")
    if reply.status in (401, 403):
        # One private group is a matter of that ticket; several in a row are a matter of this user's rights.
        message = f"{vendor} forbids this user to update the ticket (HTTP {reply.status}{code})"
        return UpdateRefused(message, if_shared=NotAuthorised)
    return UpdateRefused(f"{vendor} refused the update (HTTP {reply.status}{code})")


def parsed_json(content: bytes, most: int) -> Any:
    """The JSON of a reply; ``None`` where there is none.

    One ticket's odd subject or number must not make a page of a thousand unreadable: bytes that are no UTF-8, half of
    a surrogate pair and a backslash before anything else become U+FFFD, a control character stays, and a number that
    is too large for any use becomes its digits as a text. Raises ``JsonTooLarge``.
    """
    try:
        return bounded_json(content, most=most)
    except orjson.JSONDecodeError:
        mended = _ESCAPE.sub(lambda match: match[0] if match.lastgroup is None else rb"\ufffd", content)
    text = mended.decode("utf-8-sig", "replace")
    try:
        return json.loads(text, strict=False, parse_int=_number, parse_float=_number, parse_constant=str)
    except (ValueError, RecursionError):
        return None


def _number(digits: str) -> int | float | str:
    if len(digits) <= 20 and digits.lstrip("-").isdecimal() and abs(int(digits)) <= LARGEST:
        return int(digits)
    number = float(digits)
    return number if math.isfinite(number) else digits


_OLD_TLS = re.compile(r"PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL")


class TryAgain(Exception):
    """A failed attempt that may be repeated; ``final`` is what to raise when it is not."""

    def __init__(self, final: Exception, wait: float | None = None, *, may_be_local: bool = False) -> None:
        self.final = final
        self.wait = wait
        self.may_be_local = may_be_local
        """The server was reached, so that the fault may be of what was asked for."""
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
    if not_sent or not request.once:
        return TryAgain(down, may_be_local=not not_sent)
    return OutcomeUnknown(f"the connection failed after sending ({type(error).__name__})", if_shared=HelpdeskDown)


def of_length(error: Exception, request: HttpRequest, name: str) -> Exception:
    limit = f"{request.most / 1e6:g} MB"
    if isinstance(error, JsonTooLarge):
        limit = f"{GROWTH * request.most / 1e6:g} MB once it is parsed"
    message = (
        f"{name}: the answer to {request.method} {request.path} is larger than its limit of {limit}, and was not used"
    )
    if request.once:
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
        if request.once:
            return OutcomeUnknown(message, if_shared=HelpdeskDown)
        return TryAgain(HelpdeskDown(message), may_be_local=True) if request.about_one else HelpdeskDown(message)
    what = "HTML or half an answer instead of JSON" if senseless else f"HTTP {reply.status}"
    if request.once:
        return OutcomeUnknown(f"{name} answered a write with {what}", if_shared=HelpdeskDown)
    wait = retry_after_seconds(reply.headers.get("Retry-After"), reply.date or now)
    return TryAgain(HelpdeskDown(f"{name} answers with {what}"), wait, may_be_local=True)


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


LARGEST = 2**63 - 1
_UNREADABLE = "\N{REPLACEMENT CHARACTER}"
_EMPTY: tuple[object, ...] = (None, "", [])
"""Values of an empty field. An unticked box is not among them: a person may have unticked it."""


def mapping(value: object) -> Mapping[str, Any]:
    """The object; an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}


def mappings(value: object) -> list[Mapping[str, Any]]:
    """The objects of a list; none in place of anything else."""
    return [mapping(item) for item in value] if isinstance(value, list) else []


def string(value: object) -> str:
    """The text; empty in place of anything else."""
    return value if isinstance(value, str) else ""


def whole_number(value: object) -> int | None:
    """The whole number; ``None`` in place of anything else, such as a number that no database keeps."""
    return value if isinstance(value, int) and not isinstance(value, bool) and -LARGEST <= value <= LARGEST else None


def ticket_number(row: Mapping[str, Any]) -> int:
    """The number of a ticket's row. Raises ``ValueError`` for one that cannot be a ticket's."""
    number = whole_number(row.get("id"))
    if number is None:
        raise ValueError
    return number


@contextmanager
def sensible(otherwise: str) -> Iterator[None]:
    """Raises :class:`TicketError` with this sentence where what is read inside makes no sense. A decorator, too."""
    try:
        yield
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise TicketError(otherwise) from error


def tickets_of(
    rows: Sequence[Mapping[str, Any]], vendor: str, read: Callable[[Mapping[str, Any]], Ticket]
) -> tuple[tuple[Ticket, ...], dict[int, TicketError], str]:
    """The tickets of rows, those rows that make no sense, and a sentence on rows without a number, if there are any."""
    tickets: list[Ticket] = []
    unread: dict[int, TicketError] = {}
    nameless = 0
    for row in rows:
        try:
            tickets.append(read(row))
        except TicketError as error:
            if (number := whole_number(row.get("id"))) is not None:
                unread[number] = error
            else:
                nameless += 1
    trouble = f"{vendor} showed rows without a ticket's number, which were passed over: {nameless} of {len(rows)}"
    return tuple(tickets), unread, trouble if nameless else ""


def with_ids(rows: Iterable[Any]) -> list[dict[str, Any]]:
    """The rows that are objects with a number as ``id``."""
    return [row for row in rows if isinstance(row, dict) and whole_number(row.get("id")) is not None]


def tags_of(value: object) -> tuple[str, ...]:
    """A ticket's tags. They go back to it with every write: raises ``ValueError`` where one cannot be read."""
    tags = tuple(tag for tag in value if tag is not None) if isinstance(value, list) else ()
    if any(not isinstance(tag, str) or _UNREADABLE in tag for tag in tags):
        raise ValueError
    return tags


def field_text(value: object) -> str | None:
    """The value of a custom field as text; ``None`` for an empty one."""
    if value in _EMPTY:
        return None
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
