"""Judgements on settings, machine and servers: what is well, what is worth a warning, what has failed. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ...core.clock import iso
from ...core.guards import size
from ...reporting.glossary import span
from ..rules import TOKENS_END, TOKENS_WARN_S
from ..run_metrics import DAY_S
from .checks import SETTINGS, Check, fail, ok, skipped, warn

CLOCK_WARN_S, CLOCK_FAIL_S = 5.0, 60.0
DISK_BYTES, DISK_SHARE = 500_000_000, 0.05
TOKEN_WARN_S = 14 * DAY_S
"""Another token is made in a minute."""
CERTIFICATE_WARN_S = 14 * DAY_S

Credentials = Literal["oauth_client", "oauth_token", "api_token", "api_key"]


def settings(problems: Sequence[str], notices: Sequence[str]) -> Check:
    """The settings, with everything that is wrong with them."""
    if problems:
        return fail(SETTINGS, "; ".join(problems), problems=list(problems))
    told = f"; {'; '.join(notices)}" if notices else ""
    return ok(SETTINGS, f"complete{told}", notices=list(notices))


def clock(sent: float, received: float, date: float | None) -> Check:
    """This machine's clock against the ``Date`` of a reply, which is cut to whole seconds. All are Unix seconds."""
    name = "clock"
    if date is None:
        return skipped(name, "the helpdesk's reply holds no date")
    skew = sent - (date + 1) if sent > date + 1 else min(0.0, received - date)
    facts = {"skew_s": round(skew, 1)}
    if abs(skew) < CLOCK_WARN_S:
        return ok(name, "agrees with the helpdesk's", **facts)
    judge = warn if abs(skew) < CLOCK_FAIL_S else fail
    way = "ahead of" if skew > 0 else "behind"
    return judge(name, f"{span(abs(skew))} {way} the helpdesk's; let this machine set its time by the network", **facts)


@dataclass(frozen=True)
class Folder:
    """A folder as found: bytes free and in all, how many runs ask for, and why it cannot be written to, if so."""

    path: str
    free: int
    total: int
    least: int = 0
    unwritable: str | None = None


def folder(name: str, found: Folder) -> Check:
    """Whether there is room, and leave to write. Either 500 MB or 5% free is room enough, unless runs ask for more."""
    facts = {"path": found.path, "free_bytes": found.free, "total_bytes": found.total}
    if found.unwritable is not None:
        return fail(name, f"{found.path} cannot be written to: {found.unwritable}; nothing is changed then", **facts)
    text = f"{found.path}: {size(found.free)} free"
    if found.free < found.least:
        return fail(name, f"{text}, and run.min_free_mb asks for {size(found.least)}: no run begins", **facts)
    if found.free < max(2 * found.least, min(DISK_BYTES, DISK_SHARE * found.total)):
        return warn(name, f"{text} of {size(found.total)}; without room for receipts nothing is changed", **facts)
    return ok(name, text, **facts)


def permissions(exposed: Sequence[str] | None, looked_at: int, writable: Sequence[str] = ()) -> Check:
    """Whether other users of this machine can read what is none of their business, or write into our folders.

    ``exposed`` are files and ``writable`` folders; ``None`` where that is not known.
    """
    name = "permissions"
    if exposed is None:
        return skipped(
            name, "this system's rights are not looked at; see that only ticketbot's user can read its folders"
        )
    facts = {"files": list(exposed), "folders": list(writable)}
    told = []
    if writable:
        told.append(f"every user can put files into {_some(writable)}; take that right away: chmod o-w")
    if exposed:
        told.append(f"other users can read {_some(exposed)}; take that right away: chmod o-r")
    if told:
        return warn(name, ". ".join(told), **facts)
    return ok(name, f"other users can read none of {looked_at} files", **facts)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def credentials(kind: Credentials, expires_at: float | None, now: float) -> Check:
    """How long ticketbot can sign in to the helpdesk. ``expires_at`` is of an OAuth token, where that is known."""
    name = "credentials"
    if kind == "oauth_client":
        return ok(name, "tokens of half an hour are fetched and renewed", kind=kind)
    if kind == "api_key":
        return ok(name, "Freshdesk's API key lasts until the agent resets it or leaves", kind=kind)
    end = TOKENS_END if kind == "api_token" else expires_at
    if end is None:
        return ok(name, "the helpdesk names no day on which the OAuth token ends", kind=kind, expires=None)
    facts: dict[str, object] = {"kind": kind, "expires": iso(end)}
    what = "Zendesk's API tokens" if kind == "api_token" else "the OAuth token"
    left = end - now
    if left <= 0:
        return fail(name, f"{what} ended on {iso(end)[:10]}; {_SIGN_IN}", **facts)
    text = f"{what} end{'' if kind == 'api_token' else 's'} on {iso(end)[:10]}, in {span(left)}"
    if left <= (TOKENS_WARN_S if kind == "api_token" else TOKEN_WARN_S):
        return warn(name, f"{text}; {_SIGN_IN}", **facts)
    return ok(name, text, **facts)


_SIGN_IN = "create an OAuth client and set ZENDESK_OAUTH_CLIENT_ID and ZENDESK_OAUTH_CLIENT_SECRET"


def certificate(name: str, begins: float, ends: float, now: float) -> Check:
    """How long a server's certificate lasts. One of a short life is meant to be replaced late."""
    left = ends - now
    facts = {"expires": iso(ends)}
    if left <= 0:
        return fail(name, f"the server's certificate ended on {iso(ends)[:10]}", **facts)
    text = f"the server's certificate ends on {iso(ends)[:10]}, in {span(left)}"
    if left < min(CERTIFICATE_WARN_S, (ends - begins) / 4):
        return warn(name, f"{text}; whoever runs the server has to renew it", **facts)
    return ok(name, text, **facts)
