"""Invented tickets for a sandbox account: the packaged corpus, a user's own files, and variations of both.

Pure data in, pure data out. A requester's address is always in a
domain reserved for examples, so that no seeded ticket can make a helpdesk write to a real person.

Variations of tickets: other people, order numbers and greetings; the same for the same seed.
"""

from __future__ import annotations

import gzip
import hashlib
import random
import re
import tomllib
import unicodedata
import zlib
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, BinaryIO, Literal, Self, get_args

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


_WORDS: dict[str, Any] = tomllib.loads(
    resources.files("ticket_processor.seeding").joinpath("words.toml").read_text("utf-8")
)
"""The names and greetings of which invented tickets are made."""
_GREETINGS: dict[str, str] = _WORDS["greetings"]
_KANJI = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
_MACHINES = re.compile(r"(?:mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?|alerts?|notifications?)@", re.I)
# Every repetition that could fail late has an upper end: a mail may hold megabytes of anything.
# Edges of Latin words, not of any word: Japanese goes on without a space.
_START, _END = r"(?<![A-Za-z0-9_-])", r"(?![A-Za-z0-9_-])"
_VARIABLE = (
    r"(?P<keep>https?://[^\s<>\"']+|[^\s@<>:;,()\"']{1,64}@[\w.-]+\w|\{\{.{,200}?\}\}|\{%.{,200}?%\}"
    rf"|{_START}(?:ISO|CVE|RFC)-[\d-]+)"
    rf"|(?P<reference>{_START}[A-Za-z]{{2,5}}-\d{{4,}}(?:-\d{{3,}})?{_END}"
    r"|(?<![A-Za-z0-9_.+@/-])(?!20\d{6}(?!\d))\d{6,10}(?![A-Za-z0-9_@-]))"
)
_TAGS = r"<style.{,5000}?</style>|<!--.{,5000}?-->|<[^<>]*>"


def vary(tickets: Sequence[SeedTicket], count: int, seed: int = 0) -> Iterator[SeedTicket]:
    """Exactly ``count`` tickets: the given ones in order, then variations of them, made as they are asked for.

    A variation differs in requester, order numbers and greeting; labels, kind and planted data stay. Its id is the
    original's with ``-v2``, ``-v3``, … (and the seed, unless that is 0), the same for the same tickets, seed and
    position, whatever ``count`` is.

    Raises ``ValueError`` for a negative count; :class:`ConfigError` when there is nothing to vary, or when two
    tickets share an id, which would make one of them pass for the other on the helpdesk.
    """
    if count < 0:
        raise ValueError("count must not be negative")
    if count and not tickets:
        raise ConfigError("there are no tickets to seed")
    ids = {ticket.id for ticket in tickets}
    if len(ids) != len(tickets):
        raise ConfigError("two tickets to seed have the same id")
    marker = "-v" if seed == 0 else f"-s{seed}-v"
    # An id that already ends like a variation's could be taken for one.
    while any(re.search(re.escape(marker) + r"\d+\Z", known) for known in ids):
        marker += "v"
    return _varied(tickets, count, seed, marker)


def _varied(tickets: Sequence[SeedTicket], count: int, seed: int, marker: str) -> Iterator[SeedTicket]:
    yield from tickets[:count]
    # Each round goes through all tickets once, so a version number is never used twice for one original.
    for version, start in enumerate(range(len(tickets), count, len(tickets) or 1), start=2):
        order = random.Random(f"{seed}:round:{version}").sample(tickets, len(tickets))
        for ticket in order[: count - start]:
            yield _variation(ticket, f"{ticket.id}{marker}{version}", seed)


def _variation(ticket: SeedTicket, identity: str, seed: int) -> SeedTicket:
    key = f"{seed}:{identity}"
    rng = random.Random(key)
    old, language = ticket.requester, ticket.labels.language or ""
    if machine := _MACHINES.match(old.email):
        host = f"mx{rng.randrange(10, 1000)}.example.{rng.choice(('com', 'net', 'org'))}"
        new = SeedRequester(name=old.name, email=machine[0] + host)
    else:
        new = invented_person(rng, language)
    names = {**dict(zip(old.name.split(), new.name.split(), strict=False)), old.name: new.name}
    find = re.compile(_pattern(ticket), re.S)

    def change(found: re.Match[str]) -> str:
        match found.lastgroup:
            case "email":
                return new.email
            case "name":
                return found[0] if machine else names[found[0]]
            case "reference":
                return _reference(found[0], key)
        return found[0]

    subject, text = find.sub(change, ticket.subject), find.sub(change, ticket.text)
    if language in _GREETINGS and ticket.kind != "machine":
        text = _greeted(text, language, rng, html=ticket.html is not None)
    # Whatever a substitution touched, planted data is what the ticket is measured by.
    if not all(contains(subject, text, value) for value in ticket.planted):
        subject, text = ticket.subject, ticket.text
    body = "body" if ticket.html is None else "html"
    return ticket.model_copy(update={"id": identity, "subject": subject, body: text, "requester": new})


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


def _pattern(ticket: SeedTicket) -> str:
    """The pattern of what may change in one ticket's text; planted data comes first, so nothing in it can match."""
    name = ticket.requester.name
    parts = name.split()
    names = []
    for form in (name, *(parts if len(parts) == 2 else ())):
        # A name in Latin letters is a word of its own; Japanese ones run on without a space.
        if _KANJI.match(form) and len(form) > 1:
            names.append(re.escape(form))
        elif len(form) > 2:
            names.append(rf"(?<!\w){re.escape(form)}(?!\w)")
    planted = map(re.escape, sorted(ticket.planted, key=len, reverse=True))
    groups = {"planted": "|".join(planted), "email": re.escape(ticket.requester.email), "name": "|".join(names)}
    if ticket.html is not None:
        groups["tag"] = _TAGS
    return "|".join([*(f"(?P<{group}>{form})" for group, form in groups.items() if form), _VARIABLE])


def _greeted(text: str, language: str, rng: random.Random, *, html: bool) -> str:
    """``text`` with another greeting, or with one of its own when it has none."""
    greetings = _GREETINGS[language].split("|")
    known = "|".join(map(re.escape, sorted(greetings, key=len, reverse=True)))
    new = rng.choice(greetings)
    opening = r"\A\s*|>\s*" if html else r"\A\s*"
    pattern = f"(?P<lead>{opening})(?:{known})(?=[,:!.。])"
    text, found = re.subn(pattern, lambda match: match["lead"] + new, text, count=1, flags=re.I)
    # Twenty characters: a ticket that says almost nothing is there because it says almost nothing.
    if html or found or len(text) < 20:
        return text
    return f"{new}{'。' if language == 'ja' else ','}\n\n{text}"


def _reference(text: str, key: str) -> str:
    """Another number for an order number; the same for the same one. Years stay."""
    rng = random.Random(f"{key} {text}")

    def digits(run: re.Match[str]) -> str:
        if re.fullmatch(r"20\d\d", run[0]):
            return run[0]
        # Leading digits stay: they are what makes a number look like this shop's.
        return run[0][:2] + "".join(rng.choices("0123456789", k=len(run[0]) - 2))

    return re.sub(r"\d{4,}", digits, text)
