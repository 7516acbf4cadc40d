"""Variations of tickets: other people, order numbers and greetings; the same for the same seed."""

from __future__ import annotations

import random
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
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
    left = count - len(tickets)
    version = 2
    while left > 0:
        # Each round goes through all tickets once, so a version number is never used twice for one original.
        order = list(range(len(tickets)))
        random.Random(f"{seed}:round:{version}").shuffle(order)
        for index in order[:left]:
            yield _variation(tickets[index], f"{tickets[index].id}{marker}{version}", seed)
        left -= len(order)
        version += 1


def _variation(ticket: SeedTicket, identity: str, seed: int) -> SeedTicket:
    rng = random.Random(f"{seed}:{identity}")
    change = _Change(ticket, rng)
    subject, text = change.values(ticket.subject), change.greeted(change.values(ticket.text))
    # Whatever a substitution touched, planted data is what the ticket is measured by.
    if not all(contains(subject, text, value) for value in ticket.planted):
        subject, text = ticket.subject, ticket.text
    body = "body" if ticket.html is None else "html"
    changed = {"id": identity, "subject": subject, body: text, "requester": change.requester}
    return ticket.model_copy(update=changed)


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


@lru_cache(maxsize=512)
def _pattern(planted: tuple[str, ...], name: str, email: str, html: bool) -> re.Pattern[str]:
    """The pattern of what may change in one ticket's text; planted data comes first, so nothing in it can match."""
    known = [f"(?P<planted>{'|'.join(map(re.escape, sorted(planted, key=len, reverse=True)))})"] if planted else []
    known.append(f"(?P<email>{re.escape(email)})")
    if name:
        parts = name.split()
        forms = [name, *(parts if len(parts) == 2 else ())]
        # A name in Latin letters is a word of its own; Japanese ones run on without a space.
        words = [
            re.escape(form) if _KANJI.match(form) else rf"(?<!\w){re.escape(form)}(?!\w)"
            for form in forms
            if len(form) > (1 if _KANJI.match(form) else 2)
        ]
        if words:
            known.append(f"(?P<name>{'|'.join(words)})")
    if html:
        known.append(f"(?P<tag>{_TAGS})")
    return re.compile("|".join((*known, _VARIABLE)), re.S)


class _Change:
    """One variation's choices: the same value is replaced by the same value in subject and text."""

    def __init__(self, ticket: SeedTicket, rng: random.Random) -> None:
        self._ticket = ticket
        self._rng = rng
        self._language = ticket.labels.language or ""
        old = ticket.requester
        machine = _MACHINES.match(old.email)
        if machine:
            host = f"mx{rng.randrange(10, 1000)}.example.{rng.choice(('com', 'net', 'org'))}"
            self.requester = SeedRequester(name=old.name, email=machine[0] + host)
        else:
            self.requester = invented_person(rng, self._language)
        self._names = dict(zip(old.name.split(), self.requester.name.split(), strict=False))
        self._find = _pattern(ticket.planted, "" if machine else old.name, old.email, ticket.html is not None)
        self._references: dict[str, str] = {}

    def values(self, text: str) -> str:
        """``text`` with names and order numbers exchanged."""
        return self._find.sub(self._replace, text)

    def greeted(self, text: str) -> str:
        """``text`` with another greeting, or with one of its own when it has none."""
        if self._language not in _GREETINGS or self._ticket.kind == "machine":
            return text
        greetings, html = _GREETINGS[self._language].split("|"), self._ticket.html is not None
        known = "|".join(map(re.escape, sorted(greetings, key=len, reverse=True)))
        new = self._rng.choice(greetings)
        opening = r"\A\s*|>\s*" if html else r"\A\s*"
        pattern = f"(?P<lead>{opening})(?:{known})(?=[,:!.。])"
        text, found = re.subn(pattern, lambda match: match["lead"] + new, text, count=1, flags=re.I)
        # Twenty characters: a ticket that says almost nothing is there because it says almost nothing.
        if html or found or len(text) < 20:
            return text
        return f"{new}{'。' if self._language == 'ja' else ','}\n\n{text}"

    def _replace(self, found: re.Match[str]) -> str:
        kind, whole = found.lastgroup, found[0]
        if kind == "email":
            return self.requester.email
        if kind == "name":
            return self._names.get(whole, self.requester.name) if " " not in whole else self.requester.name
        return self._reference(whole) if kind == "reference" else whole

    def _reference(self, text: str) -> str:
        if text not in self._references:
            # Leading digits stay: they are a year, or what makes a number look like this shop's.
            self._references[text] = re.sub(
                r"\d{4,}",
                lambda run: run[0] if re.fullmatch(r"20\d\d", run[0]) else run[0][:2] + self._digits(len(run[0]) - 2),
                text,
            )
        return self._references[text]

    def _digits(self, length: int) -> str:
        return "".join(self._rng.choice("0123456789") for _ in range(length))
