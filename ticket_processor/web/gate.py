"""Checks requests to the endpoints: whether the helpdesk sent one, whether its sender may ask, and for which ticket.

A signature covers timestamp and raw body only (developer.zendesk.com/documentation/webhooks/verifying). The secret is
used as plain text: decoding it first gives a wrong signature. Helpdesks that sign nothing send a header that we choose.
Only the ticket's number is taken from an authentic body.
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
MOST_TICKET = 10**15
"""Largest ticket number that may be asked for; every JSON reader reads it exactly."""
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
        """The response to send."""
        headers = {"WWW-Authenticate": "Bearer"} if self.status == 401 else {}
        return JSONResponse({"error": self.why}, self.status, headers)


@dataclass(frozen=True)
class Doors:
    """Secrets: ``secrets`` for the ``webhook`` at ``/webhooks/NAME``, ``api`` for ours; without, an endpoint is off."""

    name: str = ""
    webhook: Webhook = field(default_factory=Webhook)
    secrets: tuple[str, ...] = ()
    api: tuple[str, ...] = ()


def doors_of(settings: Settings) -> Doors:
    """The endpoints of these settings. Raises :class:`ConfigError` if no secret is set, or if one is public."""
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
    """Check a signature; returns a key that is the same for each repetition. Raises :class:`RequestRefused` (401).

    ``timestamps`` and ``signatures`` are the values of these headers: one each. The timestamp may differ from ``now``
    (Unix seconds) by :data:`WINDOW_S`, either way.
    """
    if len(timestamps) != 1 or len(signatures) != 1:
        raise RequestRefused(401, "there must be one signature and one timestamp")
    timestamp, given = _raw(timestamps[0]), _raw(signatures[0])
    # Every secret is tried, so that the time taken does not reveal which one fits.
    if not sum(hmac.compare_digest(signature(secret, timestamp, body), given) for secret in secrets):
        raise RequestRefused(401, "the signature is wrong")
    if not _TIME.fullmatch(timestamps[0]):  # no separator follows it, so another form could take in bytes of the body
        raise RequestRefused(401, "the timestamp is no time")
    try:
        skew = now - parse_iso(timestamps[0])
    except ValueError:
        raise RequestRefused(401, "the timestamp is no time") from None
    if not abs(skew) <= WINDOW_S:
        side = "old" if skew > 0 else "in the future"
        difference = f"{abs(skew):.0f} s {side}, and {WINDOW_S:.0f} s are allowed"
        raise RequestRefused(401, f"the delivery is {difference}: compare the clocks")
    return hashlib.sha256(given).hexdigest()


def signature(secret: str, timestamp: bytes, body: bytes) -> bytes:
    """The signature of a body at a timestamp."""
    return b64encode(hmac.digest(secret.encode(), timestamp + body, "sha256"))


def is_one_of(given: str, known: Sequence[str]) -> bool:
    """True if ``given`` is one of the known secrets; the time that this takes reveals nothing of them."""
    digest = hashlib.sha256(_raw(given)).digest()
    return bool(sum(hmac.compare_digest(digest, hashlib.sha256(one.encode()).digest()) for one in known))


def bearer(authorization: str) -> str:
    """The token of an ``Authorization`` header; empty where there is none."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _raw(header: str) -> bytes:
    """A header's bytes: servers decode each as one character."""
    return header.encode("latin-1", "replace")


MOST = 2**63 - 1


def ticket_in(body: bytes, webhook: Webhook) -> int | None:
    """The ticket's number in an authentic body, where it may be a text; ``None`` if the body is about no ticket."""
    try:
        said: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    value = webhook.ticket(said) if isinstance(said, dict) else None
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MOST else None


_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def declared_length(request: Request) -> int:
    """The body's length in bytes as its sender declares it; 0 without a declaration."""
    length = request.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdecimal() else 0


async def raw_body(request: Request) -> bytes:
    """The raw body. Raises :class:`RequestRefused` (413) before more than the limit is in memory."""
    parts, length = [], declared_length(request)
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
    """The body of an authentic delivery, and the key of :func:`verified`, empty if deliveries are not signed.

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
    """Raise :class:`RequestRefused` (401) unless exactly one secret was ``given`` and it is known."""
    if len(given) != 1 or not is_one_of(given[0], known):
        raise RequestRefused(401, why_not)


def name_of(request: Request, webhook: Webhook) -> str:
    """The helpdesk's id of the delivery, for our output; ``-`` if it has none or an unsafe one."""
    name = next(filter(None, map(request.headers.get, webhook.names)), "")
    return name if _ID.fullmatch(name) else "-"
