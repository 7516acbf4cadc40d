"""Invented tickets for a sandbox account: the packaged corpus, a user's own files, and variations of both.

Pure data in, pure data out. A requester's address is always in a
domain reserved for examples, so that no seeded ticket can make a helpdesk write to a real person.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import BinaryIO, Literal, Self, get_args

import orjson
from pydantic import Field, ValidationError, field_validator, model_validator

from ..core.errors import ConfigError
from ..core.models import Frozen, Sentiment, Urgency
from ..core.taxonomy import CATEGORY_NAME

Channel = Literal["email", "web", "api"]
Kind = Literal["normal", "machine", "duplicate", "pii", "injection"]

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

    Exactly one of ``body`` (plain text) and ``html`` is set. Every string of ``planted`` occurs literally in the
    subject or in :attr:`text`. ``attachments`` are file names only.
    """

    id: str = Field(min_length=1)
    subject: str = ""
    body: str | None = None
    html: str | None = None
    channel: Channel = "email"
    requester: SeedRequester
    attachments: tuple[str, ...] = ()
    labels: SeedLabels = SeedLabels()
    kind: Kind = "normal"
    planted: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The body as written: plain text or HTML source."""
        return self.body if self.body is not None else self.html or ""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.body is None) == (self.html is None):
            raise ValueError("a ticket has either body or html")
        if not all(contains(self.subject, self.text, planted) for planted in self.planted):
            raise ValueError("planted data is missing from the text")
        return self


EXTERNAL_ID_PREFIX = "ticketbot-seed:"


def external_id(ticket: SeedTicket) -> str:
    """The id under which the helpdesk knows the ticket, so that a second seeding finds it."""
    return EXTERNAL_ID_PREFIX + ticket.id


def payload(ticket: SeedTicket) -> dict[str, object]:
    """The ticket as a plain dict that names no vendor; text is under ``body`` or ``html_body``.

    ``attachments`` lists file names. ``tags`` is empty: tagging is what the seeded account is there to test.
    """
    return {
        "subject": ticket.subject,
        "body" if ticket.html is None else "html_body": ticket.text,
        "requester": {"name": ticket.requester.name, "email": ticket.requester.email},
        "channel": ticket.channel,
        "external_id": external_id(ticket),
        "attachments": list(ticket.attachments),
        "tags": [],
    }


def load_corpus() -> tuple[SeedTicket, ...]:
    """The packaged tickets, in their fixed order, every label set."""
    raw = resources.files("ticket_processor.seeding").joinpath(_CORPUS).read_bytes()
    return tuple(SeedTicket.model_validate_json(line) for line in raw.split(b"\n") if line.strip())


def load_file(path: Path) -> Iterator[SeedTicket]:
    """The tickets of a ``.jsonl`` or ``.jsonl.gz`` file, one line at a time.

    A row needs a subject or a text (the first of ``body``, ``description``, ``text`` and ``html`` that is not empty);
    unknown fields are ignored. Of labels only the ``language`` counts, in ``labels`` or at top level: variations are
    made in it. A requester outside the reserved domains gets an invented address, the same one each time. A row
    without ``id`` gets one from its text and line number.

    Raises :class:`ConfigError` with file and line number, never with the line's text, when a line cannot be used, and
    with the file's name when it cannot be read.
    """
    number = 0
    try:
        with _open(path) as lines:
            for number, line in enumerate(lines, start=1):
                if number == 1:
                    line = line.removeprefix(b"\xef\xbb\xbf")
                if line.strip():
                    yield _ticket(line, number)
    except _BadLine as problem:
        raise ConfigError(f"{path}, line {number}: {problem}") from None
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise ConfigError(f"{path}: not a complete gzip file") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror or type(error).__name__})") from None


# --- reading a user's file --------------------------------------------------------------------------------------


class _BadLine(ValueError):
    """Why a line cannot be used, in words of this module only."""


def _open(path: Path) -> gzip.GzipFile | BinaryIO:
    return gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb")


def _ticket(line: bytes, number: int) -> SeedTicket:
    try:
        row: object = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise _BadLine("not valid JSON in UTF-8") from None
    if not isinstance(row, dict):
        raise _BadLine("not a JSON object")
    subject = _string(row, "subject")
    body = _string(row, "body") or _string(row, "description") or _string(row, "text")
    html = None if body else _string(row, "html") or None
    text = html or body
    if not (subject.strip() or text.strip()):
        raise _BadLine("neither a subject nor a text")
    identity = _string(row, "id")
    if len(identity) > _LONGEST_ID:
        raise _BadLine(f"the id is longer than {_LONGEST_ID} characters")
    digest = hashlib.sha256(f"{subject}\n{text}".encode()).hexdigest()[:12]
    channel = _word(row.get("channel"))
    kind = _word(row.get("kind"))
    try:
        return SeedTicket.model_validate(
            {
                "id": identity or f"{digest}-{number}",
                "subject": subject,
                "body": None if html else body,
                "html": html,
                "channel": channel if channel in get_args(Channel) else "email",
                "requester": _requester(row, digest),
                "attachments": _strings(row.get("attachments")),
                "labels": {"language": _language(row)},
                "kind": kind if kind in get_args(Kind) else "normal",
                "planted": [value for value in _strings(row.get("planted")) if contains(subject, text, value)],
            }
        )
    except ValidationError:
        raise _BadLine("cannot be made into a ticket") from None


def _string(row: Mapping[str, object], name: str) -> str:
    value = row.get(name)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise _BadLine(f"{name} is not text")


def _word(value: object) -> str:
    return re.sub(r"[\s-]+", "_", value.strip().lower()) if isinstance(value, str) else ""


def _strings(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str) and item] if isinstance(value, list) else []


def _requester(row: Mapping[str, object], digest: str) -> dict[str, str]:
    given = row.get("requester")
    fields: Mapping[str, object] = given if isinstance(given, dict) else {"email": given}
    email = fields.get("email")
    email = email.strip() if isinstance(email, str) else ""
    name = fields.get("name")
    name = name.strip() if isinstance(name, str) else ""
    if not _RESERVED.fullmatch(email):
        person = hashlib.sha256(email.lower().encode()).hexdigest()[:12] if email else digest
        email = f"customer-{person}@example.com"
    return {"name": name or email.partition("@")[0], "email": email}


def _language(row: Mapping[str, object]) -> str | None:
    nested = row.get("labels")
    for place in (nested, row) if isinstance(nested, dict) else (row,):
        if found := re.fullmatch(r"([a-z]{2,3})(?:_.*)?", _word(place.get("language"))):
            return found[1]
    return None


def contains(subject: str, text: str, value: str) -> bool:
    """Whether a planted value stands literally in a ticket."""
    return value in subject or value in text
