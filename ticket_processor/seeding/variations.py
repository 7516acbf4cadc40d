"""Variations of tickets: other people, numbers, dates, products and greetings; the same for the same seed."""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from ..core.errors import ConfigError
from .corpus import SeedRequester, SeedTicket, contains, word_lists

_WORDS = word_lists()
_MONTHS: dict[str, list[str]] = _WORDS["months"]
"""For each language the full names in one string, and the abbreviated ones in another."""
_GREETINGS: dict[str, str] = _WORDS["greetings"]
_CLOSINGS: dict[str, str] = _WORDS["closings"]
_KANJI = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
_YEAR = 2026  # of a date written without one
# Names within a line share gender and article, so that a sentence stays a sentence.
_PRODUCTS = (
    ("Kestrel R2", "Kestrel R3", "Kestrel R5"),
    ("Orla 300", "Orla 500", "Orla 700"),
    ("Nemi Air", "Nemi Go", "Nemi Pro"),
    ("Brisa Solo", "Brisa Duo", "Brisa Grande"),
    ("Tavo One", "Tavo Plus", "Tavo Max"),
    ("Flow Starter", "Flow Team", "Flow Business"),
)
_MACHINES = re.compile(r"(?:mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?|alerts?|notifications?)@", re.I)

# Every repetition that could fail late has an upper end: a mail may hold megabytes of anything.
_NUMBER = r"\d{1,3}(?:[.,' ]\d{3}){1,3}(?:[.,]\d{2})?|\d{1,9}(?:[.,]\d{2})?"
_MONTH = "|".join(
    sorted({re.escape(name) for pair in _MONTHS.values() for names in pair for name in names.split()}, reverse=True)
)
_ENGLISH_MONTH = " ".join(_MONTHS["en"]).replace(" ", "|")
# Edges of Latin words, not of any word: Japanese goes on without a space.
_START, _END = r"(?<![A-Za-z0-9_-])", r"(?![A-Za-z0-9_-])"
_VARIABLE = "|".join(
    (
        r"(?P<keep>https?://[^\s<>\"']+|[^\s@<>:;,()\"']{1,64}@[\w.-]+\w|\{\{.{,200}?\}\}|\{%.{,200}?%\}"
        rf"|{_START}(?:ISO|CVE|RFC)-[\d-]+)",
        rf"(?P<iso>{_START}(\d{{4}})-(\d\d)-(\d\d){_END})",
        r"(?P<dots>(?<![\d.])(\d\d?)\.(\d\d?)\.(\d{4})(?!\d)|(?<![\d.])(\d\d)\.(\d\d)\.(?![\d.]))",
        r"(?P<slashes>(?<![\w/])(\d\d?)/(\d\d?)/(\d{4})(?![\w/]))",
        r"(?P<kanji>(?:(\d{4})年)?(\d{1,2})月(\d{1,2})日)",
        rf"(?P<named>(?<!\w)(\d\d?)(\.? (?:de )?)({_MONTH})(?!\w)(?:( (?:de )?)(\d{{4}})(?!\d))?)",
        rf"(?P<american>(?<!\w)({_ENGLISH_MONTH}) (\d\d?)(?![\w.:]|,\d)(?:(, )(\d{{4}})(?!\d))?)",
        rf"(?P<before>(?:US\$|R\$|[$€£¥]|{_START}(?:EUR|USD|GBP|CHF))\s?)(?P<sum1>{_NUMBER})(?![\d.,]?\d)",
        rf"(?<![\w.,])(?P<sum2>{_NUMBER})(?P<after>\s?(?:€|£|円|(?:EUR|USD|GBP|CHF|[Ee]uros?|dollars?)\b))",
        f"(?P<product>{_START}(?:{'|'.join(name for group in _PRODUCTS for name in group)}){_END})",
        rf"(?P<reference>{_START}[A-Za-z]{{2,5}}-\d{{4,}}(?:-\d{{3,}})?{_END}"
        r"|(?<![A-Za-z0-9_.+@/-])(?!20\d{6}(?!\d))\d{6,10}(?![A-Za-z0-9_@-]))",
    )
)
_TAGS = r"<style.{,5000}?</style>|<!--.{,5000}?-->|<[^<>]*>"


def vary(tickets: Sequence[SeedTicket], count: int, seed: int = 0) -> Iterator[SeedTicket]:
    """Exactly ``count`` tickets: the given ones in order, then variations of them, made as they are asked for.

    A variation differs in requester, order numbers, amounts, dates, product names, greeting and closing line;
    labels, kind and planted data stay. Its id is the original's with ``-v2``, ``-v3``, … (and the seed, unless
    that is 0), the same for the same tickets, seed and position, whatever ``count`` is.

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
    subject, text = change.values(ticket.subject), change.words(change.values(ticket.text))
    # Whatever a substitution touched, planted data is what the ticket is measured by.
    if not all(contains(subject, text, value) for value in ticket.planted):
        subject, text = ticket.subject, ticket.text
    return SeedTicket(
        id=identity,
        subject=subject,
        body=text if ticket.html is None else None,
        html=text if ticket.html is not None else None,
        channel=ticket.channel,
        requester=change.requester,
        attachments=ticket.attachments,
        labels=ticket.labels,
        kind=ticket.kind,
        planted=ticket.planted,
    )


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
        # Whole weeks keep the days of the week right; one factor for all keeps sums adding up, but for rounding.
        self._shift = timedelta(days=rng.choice((-14, -7, 7, 14)))
        self._factor = Decimal(rng.choice([*range(60, 100), *range(101, 190)])) / 100
        self._turn = rng.randrange(1, 3)
        self._references: dict[str, str] = {}

    def values(self, text: str) -> str:
        """``text`` with names, numbers, amounts, dates and products exchanged."""
        return self._find.sub(self._replace, text)

    def words(self, text: str) -> str:
        """``text`` with another greeting and closing line, or with new ones when it is a single paragraph."""
        if self._language not in _GREETINGS or self._ticket.kind == "machine":
            return text
        greetings, closings = _GREETINGS[self._language].split("|"), _CLOSINGS[self._language].split("|")
        html = self._ticket.html is not None
        opening = r"(?P<lead>\A\s*|>\s*)" if html else r"(?P<lead>\A\s*)"
        text, greeted = re.subn(
            f"{opening}(?:{_any(greetings)})(?=[,:!.。])",
            lambda found: found["lead"] + self._rng.choice(greetings),
            text,
            count=1,
            flags=re.I,
        )
        lead, end = (r"(?P<lead>>\s*)", r"(?=[,.!。]?\s*<)") if html else (r"(?P<lead>^)", r"(?=[,.!。]?[ \t]*$)")
        text, closed = re.subn(
            f"{lead}(?:{_any(closings)}){end}",
            lambda found: found["lead"] + self._rng.choice(closings),
            text,
            count=1,
            flags=re.I | re.M,
        )
        # Twenty characters: a ticket that says almost nothing is there because it says almost nothing.
        if html or "\n" in text.strip() or len(text) < 20:
            return text
        add = self._rng.choice(("greeting", "closing", "both"))
        if not greeted and add != "closing":
            stop = "。" if self._language == "ja" else ","
            text = f"{self._rng.choice(greetings)}{stop}\n\n{text}"
        if not closed and add != "greeting":
            text = f"{text}\n\n{self._rng.choice(closings)}"
        return text

    def _replace(self, found: re.Match[str]) -> str:
        group = found.re.groupindex
        whole = found[0]

        def has(name: str) -> bool:
            return name in group and found[name] is not None

        if has("planted") or has("tag") or has("keep"):
            return whole
        if has("email"):
            return self.requester.email
        if has("name"):
            return self._names.get(whole, self.requester.name) if " " not in whole else self.requester.name
        if has("sum1"):
            return found["before"] + self._amount(found["sum1"])
        if has("sum2"):
            return self._amount(found["sum2"]) + found["after"]
        if has("product"):
            names = next(names for names in _PRODUCTS if whole in names)
            return names[(names.index(whole) + self._turn) % len(names)]
        if has("reference"):
            return self._reference(whole)
        kind = next(name for name in ("iso", "dots", "slashes", "kanji", "named", "american") if has(name))
        # The groups inside a named group follow it: they are the date's own parts.
        parts = [part or "" for part in found.groups()[group[kind] :]]
        return self._date(kind, parts) or whole

    def _amount(self, text: str) -> str:
        cents = re.search(r"[.,]\d{2}\Z", text)
        separators = re.findall(r"\D", text[: cents.start()] if cents else text)
        value = Decimal(re.sub(r"\D", "", text)) * self._factor
        digits = str(value.quantize(Decimal(1), ROUND_HALF_UP))
        if not cents:
            return f"{int(digits):,}".replace(",", separators[0]) if separators else digits
        whole, fraction = digits[:-2] or "0", digits[-2:].zfill(2)
        grouped = f"{int(whole):,}".replace(",", separators[0]) if separators else whole
        return f"{grouped}{cents[0][0]}{fraction}"

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

    def _date(self, kind: str, parts: list[str]) -> str | None:
        """The shifted date in the same form, or ``None`` when it is none."""
        name = gap = comma = ""
        if kind in ("iso", "kanji"):
            year, month, day = parts[:3]
        elif kind == "dots":
            day, month, year = parts[0] or parts[3], parts[1] or parts[4], parts[2]
        elif kind == "slashes":
            day, month, year = parts[:3]
        elif kind == "named":
            day, gap, name, comma, year = parts[:5]
        else:
            name, day, comma, year = parts[:4]
        months = self._months(name) if name else []
        try:
            old = date(int(year or _YEAR), months.index(name) + 1 if name else int(month), int(day))
            new = old + self._shift
        except (ValueError, OverflowError):
            return None
        tail = f"{comma}{new.year}" if year else ""
        if kind == "iso":
            return new.isoformat()
        if kind == "kanji":
            return f"{f'{new.year}年' if year else ''}{new.month}月{new.day}日"
        if kind == "named":
            return f"{new.day}{gap}{months[new.month - 1]}{tail}"
        if kind == "american":
            return f"{months[new.month - 1]} {new.day}{tail}"
        mark = "." if kind == "dots" else "/"
        return f"{new.day:0{len(day)}}{mark}{new.month:0{len(month)}}{mark}{tail}"

    def _months(self, name: str) -> list[str]:
        first = [_MONTHS[self._language]] if self._language in _MONTHS else []
        lists = (names.split() for pair in (*first, *_MONTHS.values()) for names in pair)
        return next(names for names in lists if name in names)


def _any(phrases: Sequence[str]) -> str:
    return "|".join(map(re.escape, sorted(phrases, key=len, reverse=True)))
