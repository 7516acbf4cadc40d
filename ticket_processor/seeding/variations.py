"""Variations of tickets: other people, order numbers and greetings; the same for the same seed."""

from __future__ import annotations

import random
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Sequence
from importlib import resources
from typing import Any

from ..core.errors import ConfigError
from .corpus import SeedRequester, SeedTicket, contains

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
