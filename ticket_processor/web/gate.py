"""What a request to an endpoint is: whether it comes from the helpdesk, who may ask, and of which ticket it tells.

Zendesk signs timestamp and raw body, nothing else (developer.zendesk.com/documentation/webhooks/verifying). Its secret
is used as the text that it is: decoding it gives a signature that looks right and is wrong. Freshdesk signs nothing;
its automation rules send a header of our choosing. Of an authentic body only the ticket's number is used: Zendesk's are
the trigger's own (``{"ticket_id": "35436"}``) or events of its ``ticket`` family
(developer.zendesk.com/api-reference/webhooks/event-types/ticket-events); Freshdesk's are those of an automation rule.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import SecretStr
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from ..core.clock import parse_iso
from ..core.errors import ConfigError
from ..settings.schema import Settings

SIGNATURE, TIMESTAMP = "x-zendesk-webhook-signature", "x-zendesk-webhook-signature-timestamp"
SECRET_HEADER = "x-ticketbot-secret"  # noqa: S105 - a header's name
MOST_BYTES = 256 * 1024
"""The longest body that is read; Zendesk sends less than this."""
WINDOW_S = 300.0
"""Seconds that a signed delivery may be off: as long as Zendesk repeats one, and clocks seldom differ by more."""
PUBLIC_SECRET = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="  # noqa: S105
"""The secret with which Zendesk signs tests of a webhook that is not saved yet: everybody knows it."""
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
    """Secrets of the endpoints; one without its secret does not exist."""

    zendesk: tuple[str, ...] = ()
    freshdesk: tuple[str, ...] = ()
    api: tuple[str, ...] = ()


def doors_of(settings: Settings) -> Doors:
    """The endpoints of these settings. Raises :class:`ConfigError` without any secret, and for one that all know."""
    serve, name = settings.serve, settings.helpdesk
    known = {"zendesk": _plain(serve.zendesk_secrets), "freshdesk": _plain(serve.freshdesk_secrets)}
    zendesk, freshdesk = (secrets if vendor == name else () for vendor, secrets in known.items())
    api = _plain(serve.api_tokens)
    freshdesk = api if name == "request-tracker" else freshdesk  # its scrips show the token
    if not (zendesk or freshdesk or api or name == "local"):
        raise ConfigError(
            f"set a secret first: {'' if name == 'request-tracker' else f'{name.upper()}_WEBHOOK_SECRET or '}"
            "TICKETBOT_API_TOKEN; 'ticketbot serve install-webhook' tells how"
        )
    if PUBLIC_SECRET in zendesk:
        raise ConfigError("ZENDESK_WEBHOOK_SECRET: this is the secret of Zendesk's documentation, which all know")
    return Doors(zendesk, freshdesk, api)


def _plain(secrets: Sequence[SecretStr]) -> tuple[str, ...]:
    return tuple(secret.get_secret_value() for secret in secrets)


def verified(
    secrets: Sequence[str], timestamps: Sequence[str], signatures: Sequence[str], body: bytes, now: float
) -> str:
    """The key by which a repetition of what Zendesk has signed is known. Raises :class:`RequestRefused` (401).

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
    """Zendesk's signature of a body at a timestamp."""
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


_EVENT = "zen:event-type:ticket."
MOST = 2**63 - 1


def of_zendesk(body: bytes) -> int | None:
    """The number of the ticket in an authentic body of Zendesk, if it is of one."""
    said = _object(body)
    kind, detail = said.get("type"), said.get("detail")
    if not isinstance(kind, str):
        return _number(said.get("ticket_id"))
    return _number(detail.get("id")) if kind.startswith(_EVENT) and isinstance(detail, dict) else None


def of_freshdesk(body: bytes) -> int | None:
    """The same of a body of Freshdesk; its own layout puts everything into ``freshdesk_webhook``."""
    said = _object(body)
    inner = said.get("freshdesk_webhook")
    said = inner if isinstance(inner, dict) else said
    return _number(said.get("ticket_id", said.get("id")))


def _object(body: bytes) -> dict[str, Any]:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}


def _number(value: object) -> int | None:
    """A ticket's or user's number, which may be written as text."""
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


def signed(request: Request, secrets: Sequence[str], body: bytes, now: float) -> str:
    """The key of a delivery that Zendesk signed; raises :class:`RequestRefused` (401) for any other."""
    headers = request.headers
    return verified(secrets, headers.getlist(TIMESTAMP), headers.getlist(SIGNATURE), body, now)


def check(given: Sequence[str], known: Sequence[str], why_not: str) -> None:
    """Raises :class:`RequestRefused` (401) unless one secret was ``given``, and is known."""
    if len(given) != 1 or not is_one_of(given[0], known):
        raise RequestRefused(401, why_not)


def webhook_id(request: Request) -> str:
    """The name that Zendesk gives the delivery, for the log; ``-`` where there is none that may stand there."""
    told = request.headers.get("x-zendesk-webhook-invocation-id") or request.headers.get("x-zendesk-webhook-id") or ""
    return told if _ID.fullmatch(told) else "-"
