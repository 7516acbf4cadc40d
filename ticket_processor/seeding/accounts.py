"""Seeding an account: is it a sandbox, and which invented tickets are missing there? One loop for all helpdesks."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from ..core.errors import CannotRun, ConfigError, HelpdeskDown, OutcomeUnknown
from ..helpdesk.http_messages import Effect
from ..helpdesk.transport import Transport

SANDBOX_HEADER = "X-Ticketbot-Sandbox"
MANY_TICKETS = 2000
_NAME_OF_A_TEST_ACCOUNT = re.compile(
    r"(^|[-_0-9])(sandbox|trial|test|demo|dev|staging|d3v|z3n)([-_0-9]|$)", re.IGNORECASE
)


@dataclass(frozen=True)
class SandboxVerdict:
    """Whether an account looks like a place for invented tickets, and the observations that say so."""

    sandbox: bool
    because: str


@dataclass(frozen=True)
class Seeded:
    """Numbers of tickets created now, there already, and refused by the helpdesk."""

    created: int = 0
    existing: int = 0
    failed: int = 0


class SeedAccount(Protocol):
    """An account to seed. Use from one thread. Each ticket bears a mark, by which it is found again."""

    def judge(self) -> SandboxVerdict:
        """Look at the account before anything is written to it."""

    def mark(self, item: Mapping[str, Any]) -> str:
        """The mark of a payload of :func:`payload`."""

    def existing(self) -> set[str]:
        """The marks of all tickets that the account holds already; there may be others among them."""

    def create(self, item: Mapping[str, Any], mark: str) -> bool:
        """Create one ticket; ``False`` where the helpdesk refuses it. Raises :class:`CannotRun`."""


def create_missing(
    account: SeedAccount, tickets: Iterable[Mapping[str, Any]], progress: Callable[[int], None] = lambda _n: None
) -> Seeded:
    """Create what is not there yet, one after the other; ``progress`` hears of each. Payloads are read lazily.

    Raises :class:`CannotRun`, and :class:`HelpdeskDown` where nobody knows whether one was created.
    """
    known = account.existing()
    created = existing = failed = 0
    for item in tickets:
        mark = account.mark(item)
        if mark in known:
            existing += 1
        elif account.create(item, mark):
            created += 1
        else:
            failed += 1
        known.add(mark)
        progress(1)
    return Seeded(created, existing, failed)


def judged(base_url: str, count: object, limit: int | None, low: int, told: str, of_a_test: str) -> SandboxVerdict:
    """The judgement by name, number of tickets, and a ``limit`` a minute that ``low`` or less shows to be a test's."""
    host = urlsplit(base_url).hostname or ""
    if isinstance(count, int) and count > MANY_TICKETS:
        return SandboxVerdict(False, f"it holds {count} tickets, more than {MANY_TICKETS}")
    if limit is not None and limit <= low:
        return SandboxVerdict(True, of_a_test)
    if _NAME_OF_A_TEST_ACCOUNT.search(host.split(".")[0]):
        return SandboxVerdict(True, f"its name, {host}, says so, and it holds {count} tickets")
    limit_text = "no limit told" if limit is None else f"{told} {limit} a minute"
    return SandboxVerdict(False, f"neither its name ({host}) nor its rate limits ({limit_text}) are those of a sandbox")


def require_sandbox(judgement: SandboxVerdict, *, insisted: bool) -> None:
    """Raise :class:`ConfigError` when the account looks like production, unless ``insisted``."""
    if not judgement.sandbox and not insisted:
        raise ConfigError(
            f"this account looks like production: {judgement.because}. Invented tickets do not belong there; "
            "if it is a sandbox all the same, add --yes-this-is-a-sandbox"
        )


def with_attachments(item: Mapping[str, Any]) -> dict[str, str]:
    """A payload's text, as ``body`` or ``html_body``, which names the attachments that it came with."""
    comment = {"html_body": item["html_body"]} if "html_body" in item else {"body": item.get("body") or " "}
    names = item.get("attachments") or ()
    if names:
        kind, text = next(iter(comment.items()))
        listed = ", ".join(names)
        comment = {
            kind: f"{text}<p>[Attached: {listed}]</p>" if kind == "html_body" else f"{text}\n\n[Attached: {listed}]"
        }
    return comment


def tag_of(item: Mapping[str, Any]) -> str:
    """The mark as a tag, for tickets without a number of their sender's; Freshdesk takes 32 characters."""
    return "seed_" + hashlib.sha256(str(item["external_id"]).encode()).hexdigest()[:16]


def posted(transport: Transport, path: str, body: object, headers: Mapping[str, str] | None = None) -> bool:
    """Whether the helpdesk has taken a new ticket, which is sent once.

    Raises :class:`CannotRun` where it takes none, and :class:`HelpdeskDown` for want of a clear answer.
    """
    try:
        reply = transport.request("POST", path, json=body, headers=headers or {}, effect=Effect.WRITE)
    except OutcomeUnknown:
        raise HelpdeskDown(
            "no clear answer to a new ticket; wait a minute and seed again: what was created is found again, and "
            "nothing doubles"
        ) from None
    if reply.status in (403, 404, 405):
        raise CannotRun(f"the helpdesk refuses to create tickets (HTTP {reply.status})")
    return reply.ok
