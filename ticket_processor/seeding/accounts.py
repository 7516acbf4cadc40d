"""Seeding an account: is it a sandbox, and which invented tickets are missing there? One loop for all helpdesks.

Facts and their sources: developer.zendesk.com, "Tickets" (create, idempotency), "Rate limits";
developers.freshdesk.com/api, "Tickets" (create, filter), "Rate Limit".
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from ..analysis.text.cleaning import as_text
from ..core.errors import CannotRun, ConfigError, HelpdeskDown, OutcomeUnknown
from ..helpdesk import request_tracker_format, request_tracker_reads, zendesk_format, zendesk_reads
from ..helpdesk.freshdesk_format import ACCOUNT_LIMIT
from ..helpdesk.freshdesk_reads import Listing, read_limits
from ..helpdesk.http_messages import Reply, mapping
from ..helpdesk.local_model import NewTicket
from ..helpdesk.local_store import LocalStore
from ..helpdesk.transport import Transport
from .corpus import EXTERNAL_ID_PREFIX

SANDBOX_HEADER = "X-Ticketbot-Sandbox"
MANY_TICKETS = 2000
LOW_FIELDS_LIMIT = 40
"""Zendesk allows 300 listings of ticket fields a minute, 40 in a sandbox and 20 in a trial."""
LOW_CALLS_LIMIT = 50
"""A trial of Freshdesk may make fifty calls a minute."""
OPEN = 2
_SOURCES = {"email": 1, "web": 2, "voice": 3, "chat": 7, "api": 1}
"""Freshdesk has no source for programs; what they send comes by mail."""
_NAME_OF_A_TEST_ACCOUNT = re.compile(r"(?i)(^|[-_0-9])(sandbox|trial|test|demo|dev|staging|d3v|z3n)([-_0-9]|$)")


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

    Raises :class:`CannotRun`, and :class:`HelpdeskDown` if it is unknown whether one was created.
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


def require_sandbox(judgement: SandboxVerdict, *, insisted: bool) -> None:
    """Raise :class:`ConfigError` when the account looks like production, unless ``insisted``."""
    if not judgement.sandbox and not insisted:
        raise ConfigError(
            f"this account looks like production: {judgement.because}. Invented tickets do not belong there; "
            "if it is a sandbox all the same, add --yes-this-is-a-sandbox"
        )


class ZendeskSeedTarget:
    """A Zendesk account to seed, whose tickets bear their external ids."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def judge(self) -> SandboxVerdict:
        reply = _shown(self._transport, "/ticket_fields", {})
        limits = zendesk_format.read_limits(reply.headers)
        limit = next((each.total for name, each in limits.items() if name.startswith("ticket-fields")), None)
        count = mapping(mapping(_shown(self._transport, "/tickets/count", {}).body).get("count")).get("value")
        return _judged(self._transport, reply, count, limit, LOW_FIELDS_LIMIT, "field listings")

    def existing(self) -> set[str]:
        rows = zendesk_reads.rows_of(self._transport, "/tickets", {"page[size]": 100})
        return {name for row in rows if (name := str(row.get("external_id"))).startswith(EXTERNAL_ID_PREFIX)}

    def mark(self, item: Mapping[str, Any]) -> str:
        return str(item["external_id"])

    def create(self, item: Mapping[str, Any], mark: str) -> bool:
        key = {"Idempotency-Key": f"ticketbot-{hashlib.sha256(mark.encode()).hexdigest()}"}
        row = {name: item[name] for name in ("subject", "requester", "external_id", "tags")}
        ticket = {**row, "comment": _with_attachments(item), "via": {"channel": item["channel"]}}
        return _posted(self._transport, {"ticket": ticket}, key)


class _Tagged:
    """An account whose tickets have no number of their sender's: a tag of 32 characters at most marks each of them."""

    def mark(self, item: Mapping[str, Any]) -> str:
        return "seed_" + hashlib.sha256(str(item["external_id"]).encode()).hexdigest()[:16]


class FreshdeskSeedTarget(_Tagged):
    """A Freshdesk account to seed."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def judge(self) -> SandboxVerdict:
        reply = _shown(self._transport, "/search/tickets", {"query": "\"created_at:>'2000-01-01'\""})
        limit = read_limits(reply.headers).get(ACCOUNT_LIMIT)
        total = None if limit is None else limit.total
        return _judged(self._transport, reply, mapping(reply.body).get("total"), total, LOW_CALLS_LIMIT, "calls")

    def existing(self) -> set[str]:
        pages = Listing(self._transport).changed_since(0.0)
        return {str(tag) for rows, _, _ in pages for row in rows for tag in row.get("tags") or ()}

    def create(self, item: Mapping[str, Any], mark: str) -> bool:
        comment = _with_attachments(item)
        ticket = {
            "subject": item["subject"] or " ",
            "description": comment.get("html_body") or html.escape(comment["body"]).replace("\n", "<br>"),
            **item["requester"],
            "source": _SOURCES.get(item["channel"], _SOURCES["web"]),
            "status": OPEN,
            "tags": [*item["tags"], mark],
        }
        return _posted(self._transport, ticket)


class RequestTrackerSeedTarget(_Tagged):
    """A Request Tracker to seed: its first queue. The requester's name is left out, since RT keeps its users' own."""

    def __init__(self, transport: Transport, tags_field: str) -> None:
        self._transport = transport
        self._field = tags_field

    def judge(self) -> SandboxVerdict:
        reply = request_tracker_reads.get(self._transport, "/tickets", {"query": "id > 0", "per_page": 1})
        return _judged(self._transport, reply, mapping(reply.body).get("total"), None, 0, "calls")

    def existing(self) -> set[str]:
        rows = (row for page, _ in request_tracker_reads.pages_of(self._transport, "id > 0") for row in page)
        fields = (request_tracker_format.custom_fields(row).get(self._field) for row in rows)
        return {tag for field in fields if field is not None for tag in field.values}

    def create(self, item: Mapping[str, Any], mark: str) -> bool:
        comment = _with_attachments(item)
        ticket = {
            "Queue": min(request_tracker_reads.queues_of(self._transport)),
            "Subject": item["subject"],
            "Requestor": item["requester"]["email"],
            "Content": comment.get("html_body") or comment["body"],
            "ContentType": "text/html" if "html_body" in comment else "text/plain",
            "CustomFields": {self._field: [*item["tags"], mark]},
        }
        return _posted(self._transport, ticket, {"Connection": "close"}, f"{request_tracker_reads.BASE}/ticket")


class LocalSeedTarget(_Tagged):
    """A local helpdesk to seed; ``now`` is its clock."""

    def __init__(self, store: LocalStore, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now

    def judge(self) -> SandboxVerdict:
        counts = self._store.tag_counts()
        invented = sum(count for tag, count in counts.items() if tag.startswith("seed_"))
        others = sum(self._store.counts().values()) - invented
        if others:
            return SandboxVerdict(False, f"it holds {others} tickets that were not invented")
        return SandboxVerdict(True, "it holds no tickets but invented ones")

    def existing(self) -> set[str]:
        return set(self._store.tag_counts())

    def create(self, item: Mapping[str, Any], mark: str) -> bool:
        comment, tags = _with_attachments(item), (*item["tags"], mark)
        text = comment.get("body") or as_text(comment.get("html_body", ""))
        new = NewTicket(item["subject"], text, **item["requester"], channel=item["channel"], tags=tags)
        self._store.create(new, self._now())
        return True


def _shown(transport: Transport, path: str, params: Mapping[str, str | int]) -> Reply:
    reply = transport.request("GET", "/api/v2" + path, params=params)
    if not reply.ok:
        raise CannotRun(f"{transport.name} refuses {path} (HTTP {reply.status})")
    return reply


def _judged(transport: Transport, reply: Reply, count: object, limit: int | None, low: int, of: str) -> SandboxVerdict:
    """The judgement by name, number of tickets, and a ``limit`` a minute that ``low`` or less shows to be a test's."""
    host = urlsplit(transport.base_url).hostname or ""
    if reply.headers.get(SANDBOX_HEADER):
        return SandboxVerdict(True, "it is ticketbot's own sandbox")
    if isinstance(count, int) and count > MANY_TICKETS:
        return SandboxVerdict(False, f"it holds {count} tickets, more than {MANY_TICKETS}")
    if limit is not None and limit <= low:
        return SandboxVerdict(True, f"its limit of {limit} {of} a minute is that of a sandbox or trial")
    if _NAME_OF_A_TEST_ACCOUNT.search(host.split(".")[0]):
        return SandboxVerdict(True, f"its name, {host}, says so, and it holds {count} tickets")
    told = "no limit told" if limit is None else f"limit for {of} {limit} a minute"
    return SandboxVerdict(False, f"neither its name ({host}) nor its rate limits ({told}) are those of a sandbox")


def _with_attachments(item: Mapping[str, Any]) -> dict[str, str]:
    """A payload's text, as ``body`` or ``html_body``, which names the attachments that it came with."""
    kind, form = ("html_body", "{}<p>{}</p>") if "html_body" in item else ("body", "{}\n\n{}")
    text, names = item.get(kind) or " ", item.get("attachments")
    return {kind: form.format(text, f"[Attached: {', '.join(names)}]") if names else text}


def _posted(
    transport: Transport, body: object, headers: Mapping[str, str] | None = None, path: str = "/api/v2/tickets"
) -> bool:
    """Whether the helpdesk has taken a new ticket, which is sent once.

    Raises :class:`CannotRun` where it takes none, and :class:`HelpdeskDown` for want of a clear answer.
    """
    try:
        reply = transport.request("POST", path, json=body, headers=headers or {})
    except OutcomeUnknown:
        raise HelpdeskDown(
            "no clear answer to a new ticket; wait a minute and seed again: what was created is found again, and "
            "nothing doubles"
        ) from None
    if reply.status in (403, 404, 405):
        raise CannotRun(f"the helpdesk refuses to create tickets (HTTP {reply.status})")
    return reply.ok
