"""What a request to an endpoint is: whether it comes from the helpdesk, who may ask, and of which ticket it tells.

A signature is of timestamp and raw body, nothing else (developer.zendesk.com/documentation/webhooks/verifying). Its
secret is used as the text that it is: decoding it gives a signature that looks right and is wrong. Helpdesks that sign
nothing send a header of our choosing. Of an authentic body only the ticket's number is used.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from pydantic import SecretStr
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from ..core.clock import parse_iso
from ..core.errors import ConfigError
from ..helpdesk.protocol import Webhook
from ..settings.schema import Settings
from ..wiring.vendors import vendor_of

SECRET_HEADER = "x-ticketbot-secret"  # noqa: S105 - a header's name
MOST_BYTES = 256 * 1024
"""The longest body that is read; helpdesks send less than this."""
WINDOW_S = 300.0
"""Seconds that a signed delivery may be off: as long as Zendesk repeats one, and clocks seldom differ by more."""
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", re.ASCII)


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


@dataclass(frozen=True)
class Doors:
    """Secrets of the endpoints, which do not exist without: of the helpdesk's ``webhook``, below ``name``, and ours."""

    name: str = ""
    webhook: Webhook = field(default_factory=Webhook)
    secrets: tuple[str, ...] = ()
    api: tuple[str, ...] = ()


def doors_of(settings: Settings) -> Doors:
    """The endpoints of these settings. Raises :class:`ConfigError` without any secret, and for one that all know."""
    name, vendor = settings.helpdesk, vendor_of(settings)
    api = _plain(settings.serve.api_tokens)
    secrets = api if vendor.webhook_secrets is None else _plain(vendor.webhook_secrets(settings.serve))
    variable = f"{name.upper()}_WEBHOOK_SECRET"
    if not (secrets or api or name == "local"):
        own = "" if vendor.webhook_secrets is None else f"{variable} or "
        raise ConfigError(f"set a secret first: {own}TICKETBOT_API_TOKEN; 'ticketbot serve install-webhook' tells how")
    if vendor.webhook.public_secret in secrets:
        raise ConfigError(f"{variable}: this is the secret of {settings.desk.vendor}'s documentation, which all know")
    return Doors(name, vendor.webhook, secrets, api)


def _plain(secrets: Sequence[SecretStr]) -> tuple[str, ...]:
    return tuple(secret.get_secret_value() for secret in secrets)


def verified(
    secrets: Sequence[str], timestamps: Sequence[str], signatures: Sequence[str], body: bytes, now: float
) -> str:
    """The key by which a repetition of what the helpdesk has signed is known. Raises :class:`RequestRefused` (401).

    ``timestamps`` and ``signatures`` are the values of these headers: one each. The timestamp may be :data:`WINDOW_S`
    off ``now`` (Unix seconds), either way.
    """
    if len(timestamps) != 1 or len(signatures) != 1:
        raise RequestRefused(401, "there must be one signature and one timestamp")
    timestamp, given = _raw(timestamps[0]), _raw(signatures[0])
    # All of them are tried, so that the time tells nothing of which one fits.
    if not sum(hmac.compare_digest(signature(secret, timestamp, body), given) for secret in secrets):
        raise RequestRefused(401, "the signature is wrong")
    if not _TIME.fullmatch(timestamps[0]):  # nothing stands between it and the body, whose bytes it might take
        raise RequestRefused(401, "the timestamp is no time")
    try:
        skew = now - parse_iso(timestamps[0])
    except ValueError:
        raise RequestRefused(401, "the timestamp is no time") from None
    if not abs(skew) <= WINDOW_S:
        side = "old" if skew > 0 else "in the future"
        told = f"{abs(skew):.0f} s {side}, and {WINDOW_S:.0f} s are allowed"
        raise RequestRefused(401, f"the delivery is {told}: compare the clocks")
    return hashlib.sha256(given).hexdigest()


def signature(secret: str, timestamp: bytes, body: bytes) -> bytes:
    """The signature of a body at a timestamp."""
    return b64encode(hmac.digest(secret.encode(), timestamp + body, "sha256"))


def is_one_of(given: str, known: Sequence[str]) -> bool:
    """Whether ``given`` is one of the known secrets; the time it takes tells nothing of them."""
    digest = hashlib.sha256(_raw(given)).digest()
    return bool(sum(hmac.compare_digest(digest, hashlib.sha256(one.encode()).digest()) for one in known))


def bearer(authorization: str) -> str:
    """The token of an ``Authorization`` header; empty where there is none."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _raw(header: str) -> bytes:
    """A header's bytes: servers hand each out as one character."""
    return header.encode("latin-1", "replace")


MOST = 2**63 - 1


def ticket_in(body: bytes, webhook: Webhook) -> int | None:
    """The number of the ticket in an authentic body, if it is of one; it may be written as text."""
    try:
        said: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    value = webhook.ticket(said) if isinstance(said, dict) else None
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MOST else None


_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


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


async def delivered(request: Request, doors: Doors, now: float) -> tuple[bytes, str]:
    """The body of an authentic delivery, and the key by which a repetition is known, if it is signed.

    Raises :class:`RequestRefused`.
    """
    headers, webhook = request.headers, doors.webhook
    if not webhook.signature:
        check(headers.getlist(SECRET_HEADER), doors.secrets, "the secret in X-Ticketbot-Secret is wrong")
        return await raw_body(request), ""
    body = await raw_body(request)
    at, signatures = headers.getlist(webhook.signed_at), headers.getlist(webhook.signature)
    return body, verified(doors.secrets, at, signatures, body, now)


def check(given: Sequence[str], known: Sequence[str], why_not: str) -> None:
    """Raises :class:`RequestRefused` (401) unless one secret was ``given``, and is known."""
    if len(given) != 1 or not is_one_of(given[0], known):
        raise RequestRefused(401, why_not)


def name_of(request: Request, webhook: Webhook) -> str:
    """The name that the helpdesk gives the delivery, for the log; ``-`` where there is none that may stand there."""
    told = next(filter(None, map(request.headers.get, webhook.names)), "")
    return told if _ID.fullmatch(told) else "-"
