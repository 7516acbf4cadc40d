"""Invented tickets for a sandbox account: the packaged corpus, a user's own files, and variations of both.

Pure data in, pure data out. A requester's address is always in a
domain reserved for examples, so that no seeded ticket can make a helpdesk write to a real person.

Variations of tickets: other people, another order number; the same for the same seed.
"""

from __future__ import annotations

import hashlib
import random
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from ..core.errors import ConfigError
from ..core.files import json_rows
from ..core.models import Frozen, Sentiment, Urgency
from ..core.taxonomy import CATEGORY_NAME

_CORPUS = "seed_tickets.jsonl"
_RESERVED = re.compile(r"[^\s@<>\"]+@(?:[a-z0-9-]+\.)*(?:example\.(?:com|net|org)|[a-z0-9-]+\.example)", re.I)
# 255 characters is what helpdesks commonly store of an external id; prefix and suffix need the rest.
_LONGEST_ID = 200


class SeedLabels(Frozen):
    """A careful person's labels; ``None`` for those not given."""

    category: str | None = Field(None, pattern=CATEGORY_NAME)
    urgency: Urgency | None = None
    sentiment: Sentiment | None = None
    language: str | None = Field(None, pattern=r"^[a-z]{2,3}$")


class SeedRequester(Frozen):
    """An invented customer. The address must be in a reserved domain (``example.com``, ``*.example``, …)."""

    name: str = Field(min_length=1)
    email: str

    @field_validator("email")
    @classmethod
    def _reserved(cls, value: str) -> str:
        if not _RESERVED.fullmatch(value):
            raise ValueError("not an address in a domain reserved for examples")
        return value


class SeedTicket(Frozen):
    """One ticket to create, with the labels it should get and the personal data that was planted in it.

    Exactly one of ``body`` (plain text) and ``html`` is set; ``attachments`` are file names only.
    """

    id: str = Field(min_length=1)
    subject: str = ""
    body: str | None = None
    html: str | None = None
    channel: Literal["email", "web", "api"] = "email"
    requester: SeedRequester
    attachments: tuple[str, ...] = ()
    labels: SeedLabels = SeedLabels()
    kind: Literal["normal", "machine", "duplicate", "pii", "injection"] = "normal"
    planted: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The body as written: plain text or HTML source."""
        return self.body if self.body is not None else self.html or ""


EXTERNAL_ID_PREFIX = "ticketbot-seed:"
"""By the rest of the id, under which the helpdesk knows the ticket, a second seeding finds it."""


def payload(ticket: SeedTicket) -> dict[str, object]:
    """The ticket as a plain dict that names no vendor; text is under ``body`` or ``html_body``.

    ``attachments`` lists file names. ``tags`` is empty: tagging is what the seeded account is there to test.
    """
    return {
        "subject": ticket.subject,
        "body" if ticket.html is None else "html_body": ticket.text,
        "requester": {"name": ticket.requester.name, "email": ticket.requester.email},
        "channel": ticket.channel,
        "external_id": EXTERNAL_ID_PREFIX + ticket.id,
        "attachments": list(ticket.attachments),
        "tags": [],
    }


def load_corpus() -> tuple[SeedTicket, ...]:
    """The packaged tickets, in their fixed order, every label set."""
    raw = resources.files("ticket_processor.seeding").joinpath(_CORPUS).read_bytes()
    return tuple(SeedTicket.model_validate_json(line) for line in raw.split(b"\n") if line.strip())


def load_file(path: Path) -> Iterator[SeedTicket]:
    """The tickets of a ``.jsonl`` or ``.jsonl.gz`` file, one line at a time.

    A row needs a ``subject`` or a ``body``; it may have an ``id`` and a ``requester`` with ``name`` and ``email``, and
    other fields are ignored. A requester outside the reserved domains gets an invented address, the same one each time.
    A row without ``id`` gets one from its text and line number.

    Raises :class:`ConfigError` with file and line number, never with the line's text, when a line cannot be used, and
    with the file's name when it cannot be read.
    """
    for number, row in json_rows(path):
        place = f"{path}, line {number}"
        subject, body, identity = (_string(row, name, place) for name in ("subject", "body", "id"))
        if not (subject.strip() or body.strip()):
            raise ConfigError(f"{place}: neither a subject nor a body")
        if len(identity) > _LONGEST_ID:
            raise ConfigError(f"{place}: the id is longer than {_LONGEST_ID} characters")
        digest = hashlib.sha256(f"{subject}\n{body}".encode()).hexdigest()[:12]
        requester = _requester(row.get("requester"), digest)
        yield SeedTicket(id=identity or f"{digest}-{number}", subject=subject, body=body, requester=requester)


def _string(row: Mapping[str, object], name: str, place: str) -> str:
    value = row.get(name)
    if value is None:
        return ""
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value)
    raise ConfigError(f"{place}: {name} is not text")


def _requester(given: object, digest: str) -> SeedRequester:
    fields = given if isinstance(given, dict) else {}
    name, email = (value.strip() if isinstance(value := fields.get(key), str) else "" for key in ("name", "email"))
    if not _RESERVED.fullmatch(email):
        person = hashlib.sha256(email.lower().encode()).hexdigest()[:12] if email else digest
        email = f"customer-{person}@example.com"
    return SeedRequester(name=name or email.partition("@")[0], email=email)


_WORDS: dict[str, Any] = tomllib.loads(
    resources.files("ticket_processor.seeding").joinpath("words.toml").read_text("utf-8")
)
"""The names of which invented people are made."""


def vary(tickets: Sequence[SeedTicket], count: int, seed: int = 0) -> Iterator[SeedTicket]:
    """Exactly ``count`` tickets: the given ones in order, then variations of them, made as they are asked for.

    A variation has another requester and an order number below its text; all else stays. Machines stay who they are.
    Its id is the original's with ``#2``, ``#3``, … (and the seed, unless that is 0), the same for the same tickets,
    seed and position, whatever ``count`` is.

    Raises :class:`ConfigError` when there is nothing to vary, or when two tickets share an id, which would make one of
    them pass for the other on the helpdesk.
    """
    if count and not tickets:
        raise ConfigError("there are no tickets to seed")
    if len({ticket.id for ticket in tickets}) != len(tickets):
        raise ConfigError("two tickets to seed have the same id")
    yield from tickets[:count]
    marker = f"#{seed}." if seed else "#"
    for place in range(len(tickets), count):
        version, at = divmod(place, len(tickets))
        yield _variation(tickets[at], f"{tickets[at].id}{marker}{version + 1}", seed)


def _variation(ticket: SeedTicket, identity: str, seed: int) -> SeedTicket:
    rng = random.Random(f"{seed}:{identity}")
    is_machine = ticket.kind == "machine"
    requester = ticket.requester if is_machine else invented_person(rng, ticket.labels.language or "")
    order = f"TF-{rng.randrange(1_000_000, 10_000_000)}"
    body = {"body": f"{ticket.body}\n\n{order}"} if ticket.html is None else {"html": f"{ticket.html}<p>{order}</p>"}
    return ticket.model_copy(update={"id": identity, "requester": requester, **body})


def invented_person(rng: random.Random, language: str) -> SeedRequester:
    """An invented customer at a reserved address, with a name of ``language`` where the word lists have some."""
    if language == "ja":
        lasts, firsts = _WORDS["japanese_last_names"], _WORDS["japanese_first_names"]
        last, first = rng.choice(tuple(lasts)), rng.choice(tuple(firsts))
        name, local = f"{last} {first}", f"{firsts[first]}.{lasts[last]}"
    else:
        pool = language if language in _WORDS["first_names"] else "en"
        parts = [rng.choice(_WORDS[kind][pool].split()) for kind in ("first_names", "last_names")]
        name = " ".join(parts)
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
        local = re.sub(r"[^a-z]+", ".", plain.lower())
    domain = rng.choice(("example.com", "example.net", "example.org"))
    return SeedRequester(name=name, email=f"{local}{rng.randrange(10, 1000)}@{domain}")
