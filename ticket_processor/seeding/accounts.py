"""Shared parts of seeding an account: is it a sandbox, how many tickets were made, and their text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from ..core.errors import ConfigError

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
    """An account to seed. Use from one thread."""

    def judge(self) -> SandboxVerdict:
        """Look at the account before anything is written to it."""

    def create(
        self, tickets: Iterator[Mapping[str, Any]], *, progress: Callable[[int], None] = lambda _n: None
    ) -> Seeded:
        """Create what is not there yet; ``progress`` hears how many more are settled.

        ``tickets`` are payloads of :func:`payload`, read lazily.
        """


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
