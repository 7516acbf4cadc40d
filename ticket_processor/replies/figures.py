"""Numbers, prices, dates, times, codes, links, addresses and telephone numbers in a text, however they are written.

A reply with one that its source lacks is wrong, whatever else it says. Pure functions.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from ..core.text import compatible, lazy_pattern, strip_hidden
from . import word_lists

Key = tuple[str, str]
"""A kind and a value that is the same for every way to write it."""


class Figure(NamedTuple):
    """One figure of a text: a source has it when it has all keys of one of the ``readings``."""

    kind: str
    readings: tuple[frozenset[Key], ...]


FIRST_MARK = "\U000f0000"
"""A private-use character; up to :data:`MOST_MARKS` characters from it on stand for figures."""
MOST_MARKS = 0xFFFE

_MARKS = lazy_pattern(r"[\U000f0000-\U000ffffd]")
_LETTERS = lazy_pattern(r"[^\W\d_]+")
_NUMBER = r"\d{1,3}(?:[ .,'](?=\d{3}(?!\d))\d{3})+(?:[.,]\d{1,2}(?!\d))?|\d+(?:[.,]\d+)?"
# Found in this order; what one finds, the next ones do not see.
_LINK = lazy_pattern(r"(?:[a-z][a-z0-9+.-]*://|www\.)\S+|(?:mailto|tel|sms):\S+|[^\s@<>()\"“”„«»]+@[^\s@<>()\"“”„«»]+")
_DOTTED = lazy_pattern(r"(?<![\w-])[\w-]+(?:\.[\w-]*[^\W\d_][\w-]*)+(?:[/:?#]\S*)?")
_DATE = lazy_pattern(
    r"(?<![\d./-])(?:(?P<y>\d{4})[-/.年] ?(?P<m>\d{1,2})[-/.月] ?(?P<d>\d{1,2})日?"
    r"|(?P<a>\d{1,2})(?P<sep>[./-])(?P<b>\d{1,2})(?P=sep)(?P<c>\d{4}|\d{2})"
    r"|(?P<jm>\d{1,2})月 ?(?P<jd>\d{1,2})日)(?!\d|[./-]\d)"
)
_TIME = lazy_pattern(
    r"(?<![\d.,:])(?P<h>\d{1,2})(?:[:h.](?P<min>\d{2}))?(?: ?(?P<half>[ap])\.?m\b\.?)(?!\d)"
    r"|(?<![\d.,:])(?P<h2>\d{1,2})[:h](?P<min2>\d{2})(?![\d:])"
)
_VERSION = lazy_pattern(r"(?<![\d.])v?\d+(?:\.\d+){2,}(?![\d])")
_CODE = lazy_pattern(r"(?<![a-z0-9_])(?:[a-z](?:[a-z0-9_]|-(?=[a-z0-9]))*\d|\d+[a-z]+\d)[a-z0-9_-]*")
_PHONE = lazy_pattern(
    r"(?<![a-z0-9+])(?:(?:\+\d|\(?0\d)(?:[ ()/.-]{0,2}\d){5,}|\(?\d{3}\)?[ .-]?\d{3}[ .-]\d{4}|\d{3}-\d{4})(?!\d)"
)
_PLAIN_NUMBER = lazy_pattern(_NUMBER)
_GROUP = lazy_pattern(r"[ .,'](?=\d{3}(?!\d))")
_ABBREVIATION = lazy_pattern(r"(?:[^\W\d_]{1,2}\.)*[^\W\d_]{1,2}\Z")
_AROUND = " .,;:!?()[]{}<>\"'“”„«»…*_`"


def figures(text: str, language: str = "en") -> list[Figure]:
    """What ``text``, which is in ``language``, has of them."""
    return marked(text, language)[1]


def marked(text: str, language: str = "en") -> tuple[str, list[Figure]]:
    """``text`` in small letters with :data:`FIRST_MARK` and its successors for its figures, and the figures."""
    rest = _MARKS.sub(" ", _readable(text))
    found: list[Figure] = []
    for kind, pattern, read in _kinds(language):
        rest = _taken(kind, pattern, read, rest, found)
    return _taken("number", _LETTERS, lambda match: _word(match, language), rest, found), found


def unseen(text: str, source: str, *, language: str = "en", source_language: str = "en") -> tuple[str, ...]:
    """The kinds of figures in ``text`` that ``source`` lacks, in alphabetical order."""
    asked = figures(text, language)
    if not asked:
        return ()
    known = {key for figure in figures(source, source_language) for reading in figure.readings for key in reading}
    known |= {key for kind, value in tuple(known) for key in _implied(kind, value)}
    return tuple(sorted({figure.kind for figure in asked if not any(keys <= known for keys in figure.readings)}))


def _readable(text: str) -> str:
    folded = compatible(strip_hidden(text)).casefold().replace("’", "'").replace("−", "-")
    digits = (str(unicodedata.digit(char)) if char.isdigit() and not char.isascii() else char for char in folded)
    return re.sub(r"[‐-―]", "-", " ".join("".join(digits).split()))


_Read = Callable[["re.Match[str]"], tuple[frozenset[Key], ...]]


@cache
def _kinds(language: str) -> tuple[tuple[str, re.Pattern[str], _Read], ...]:
    month = _months_pattern(language)
    unit = "|".join(sorted((re.escape(word) for word in _units()), key=len, reverse=True))
    price = re.compile(
        rf"(?<![a-z0-9])(?P<before>{unit}) ?(?P<n>{_NUMBER})(?!\d)"
        rf"|(?<![a-z0-9.,])(?P<n2>{_NUMBER}) ?(?P<after>{unit})(?![a-z0-9])"
    )
    return (
        ("link", _LINK, _name),
        ("link", _DOTTED, _name),
        ("date", _DATE, _date),
        ("date", month, lambda match: _written_date(match, language)),
        ("time", _TIME, _time),
        ("number", _VERSION, _name),
        ("price", price, _price),
        ("phone", _PHONE, lambda match: (frozenset({("phone", re.sub(r"\D", "", match[0]))}),)),
        ("code", _CODE, _name),
        ("number", _PLAIN_NUMBER, lambda match: _number(match[0])),
    )


def _taken(kind: str, pattern: re.Pattern[str], read: _Read, text: str, found: list[Figure]) -> str:
    """``text`` with marks for what the pattern finds and can read; that is put to ``found``."""

    def take(match: re.Match[str]) -> str:
        readings = read(match)
        if not readings:
            return match[0]
        mark = chr(ord(FIRST_MARK) + len(found) % MOST_MARKS)
        found.append(Figure(kind, readings))
        return f" {mark} "

    return pattern.sub(take, text)


def _word(match: re.Match[str], language: str) -> tuple[frozenset[Key], ...]:
    value = _number_words().get(language, {}).get(match[0])
    return (frozenset({("number", value)}),) if value else ()


def _name(match: re.Match[str]) -> tuple[frozenset[Key], ...]:
    """Links, addresses, files and codes count as they are written."""
    name = match[0].strip(_AROUND).rstrip("/")
    return () if not name or _ABBREVIATION.match(name) else (frozenset({("name", name)}),)


def _date(match: re.Match[str]) -> tuple[frozenset[Key], ...]:
    part = match.groupdict()
    if part["y"]:
        return _dates((part["y"], part["m"], part["d"]))
    if part["jm"]:
        return _dates(("", part["jm"], part["jd"]))
    year = part["c"] if len(part["c"]) == 4 else f"20{part['c']}"
    return _dates((year, part["b"], part["a"]), (year, part["a"], part["b"]))


def _dates(*dates: tuple[str, str, str]) -> tuple[frozenset[Key], ...]:
    right = [(year, int(month), int(day)) for year, month, day in dates if 1 <= int(month) <= 12 and int(day) <= 31]
    return tuple(frozenset({("date", f"{year}-{month}-{day}")}) for year, month, day in right)


def _written_date(match: re.Match[str], language: str) -> tuple[frozenset[Key], ...]:
    part = match.groupdict()
    month = _months(language)[part["name"] or part["name2"]]
    return _dates((part["year"] or part["year2"] or "", str(month), part["day"] or part["day2"]))


def _time(match: re.Match[str]) -> tuple[frozenset[Key], ...]:
    hour, minute = int(match["h"] or match["h2"]), match["min"] or match["min2"] or "00"
    if match["half"]:
        hour = hour % 12 + (12 if match["half"] == "p" else 0)
    return (frozenset({("time", f"{hour}:{minute}")}),) if hour < 25 and int(minute) < 60 else ()


def _price(match: re.Match[str]) -> tuple[frozenset[Key], ...]:
    unit = _units()[match["before"] or match["after"]]
    numbers = [value for reading in _number(match["n"] or match["n2"])[:1] for _, value in reading]
    return tuple(frozenset({("price", f"{value} {unit}")}) for value in numbers)


def _number(written: str) -> tuple[frozenset[Key], ...]:
    """One number; with a blank between its digits it may be several."""
    whole = written if written.startswith("0") else _GROUP.sub("", written)
    readings = [frozenset({("number", _plain(whole.replace(",", ".")))})]
    if " " in written:
        readings.append(frozenset(("number", _plain(part)) for part in re.findall(r"\d+", written)))
    return tuple(readings)


def _plain(number: str) -> str:
    head, _, tail = number.partition(".")
    tail = tail.rstrip("0")
    return (head.lstrip("0") or "0") + (f".{tail}" if tail else "")


def _implied(kind: str, value: str) -> Iterator[Key]:
    """What a source says with it: a price names a number, a whole date a year and a day of any year."""
    if kind == "price":
        yield "number", value.split(" ")[0]
    elif kind == "date":
        year, month, day = value.split("-")
        yield "date", f"-{month}-{day}"
        yield "number", year
    elif kind == "time":
        hour, _, minute = value.partition(":")
        yield "number", hour
        if minute != "00":
            yield "time", f"{int(hour) % 12}:{minute}"


@cache
def _units() -> dict[str, str]:
    return {word.casefold(): unit for unit, words in word_lists("figures")["units"].items() for word in words.split()}


@cache
def _number_words() -> dict[str, dict[str, str]]:
    table: dict[str, str] = word_lists("figures")["numbers"]
    return {language: dict(pair.split("=") for pair in pairs.split()) for language, pairs in table.items()}


@cache
def _months(language: str) -> dict[str, int]:
    table: dict[str, str] = word_lists("figures")["months"]
    months = table.get(language, table["en"]).split()
    return {name: number for number, names in enumerate(months, 1) for name in names.split("|")}


def _months_pattern(language: str) -> re.Pattern[str]:
    names = "|".join(sorted(map(re.escape, _months(language)), key=len, reverse=True))
    return re.compile(
        rf"(?<!\d)(?P<day>\d{{1,2}})(?:st|nd|rd|th|er|º|°|\.)?(?: de| of)? (?P<name>{names})\b\.?"
        rf"(?:,? (?:de |del )?(?P<year>\d{{4}}))?"
        rf"|\b(?P<name2>{names})\b\.? (?P<day2>\d{{1,2}})(?!\d)(?:st|nd|rd|th)?(?:,? (?P<year2>\d{{4}}))?"
    )
