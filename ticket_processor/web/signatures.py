"""Whether a delivery comes from the helpdesk, and a caller may ask: pure, and in constant time where it matters.

Zendesk signs timestamp and raw body, nothing else (developer.zendesk.com/documentation/webhooks/verifying). Its secret
is used as the text that it is: decoding it gives a signature that looks right and is wrong. Freshdesk signs nothing;
its automation rules send a header of our choosing.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from ..core.clock import parse_iso

SIGNATURE, TIMESTAMP = "x-zendesk-webhook-signature", "x-zendesk-webhook-signature-timestamp"
SECRET_HEADER = "x-ticketbot-secret"  # noqa: S105 - a header's name
MOST_BYTES = 256 * 1024
WINDOW_S = 300.0
"""Seconds that a signed delivery may be off: as long as Zendesk repeats one, and clocks seldom differ by more."""
"""The longest body that is read; Zendesk sends less than this."""
PUBLIC_SECRET = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="  # noqa: S105
"""The secret with which Zendesk signs tests of a webhook that is not saved yet: everybody knows it."""
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", re.ASCII)


class Forged(Exception):
    """The delivery is not let in; the message says why, and quotes nothing of it."""


@dataclass(frozen=True)
class ZendeskVerifier:
    """Checks Zendesk's signature with any of ``secrets``; the timestamp may be :data:`WINDOW_S` off, either way."""

    secrets: tuple[str, ...]

    def check(self, timestamps: Sequence[str], signatures: Sequence[str], body: bytes, now: float) -> str:
        """The key by which a repetition is known. Raises :class:`Forged`.

        ``timestamps`` and ``signatures`` are the values of these headers: one each. ``now`` is Unix seconds.
        """
        if len(timestamps) != 1 or len(signatures) != 1:
            raise Forged("there must be one signature and one timestamp")
        timestamp, given = _raw(timestamps[0]), _raw(signatures[0])
        # All of them are tried, so that the time tells nothing of which one fits.
        if not sum(hmac.compare_digest(signature(secret, timestamp, body), given) for secret in self.secrets):
            raise Forged("the signature is wrong")
        if not _TIME.fullmatch(timestamps[0]):  # nothing stands between it and the body, whose bytes it might take
            raise Forged("the timestamp is no time")
        try:
            skew = now - parse_iso(timestamps[0])
        except ValueError:
            raise Forged("the timestamp is no time") from None
        if not abs(skew) <= WINDOW_S:
            side = "old" if skew > 0 else "in the future"
            told = f"{abs(skew):.0f} s {side}, and {WINDOW_S:.0f} s are allowed"
            raise Forged(f"the delivery is {told}: compare the clocks")
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
