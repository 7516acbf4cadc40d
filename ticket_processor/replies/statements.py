"""The figures that sentences of a reply state, and whether two articles give different ones of one kind. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations

from ..core.text import lazy_pattern
from ..knowledge.search import stop_words
from . import word_lists
from .figures import FIRST_MARK, Figure, marked
from .grounding import STEM, sentences_of, telling_stems

BEFORE = 4
"""Words in front of a figure that may make it a bound."""
_FIRST_YEAR, _LAST_YEAR = 1900, 2100

_MARK = r"[\U000f0000-\U000ffffd]"
_HIRAGANA = lazy_pattern(r"[\u3040-\u309f]")
"""Japanese endings and particles, which say nothing of a subject."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure: its unit, from where to where it reaches, and whether it is the ``least`` or the ``most``."""

    unit: str
    low: float
    high: float
    bound: str = ""


@dataclass(frozen=True, slots=True)
class FigureStatement:
    """A sentence of a reply with figures, and the ``quote`` of the article that says so."""

    article_id: str
    quote: str
    measures: tuple[Measure, ...]


def said_by(article_id: str, text: str, lang: str, quote: str) -> Iterator[FigureStatement]:
    """The statements of a reply's ``text``, in ``lang``, that rests on this ``quote`` of an article."""
    for sentence in sentences_of(text):
        measures = tuple(_measures(sentence, lang))
        if measures:
            yield FigureStatement(article_id, quote, measures)


def differing(said: Sequence[FigureStatement]) -> tuple[FigureStatement, FigureStatement] | None:
    """The first two sentences of a reply, from two articles, that give different figures of one kind.

    Working days, days and months are of one kind. All that an article says in the reply counts with its sentence: it
    may well give both figures.
    """
    of: dict[str, list[Measure]] = {}
    for each in said:
        of.setdefault(each.article_id, []).extend(each.measures)
    for one, other in combinations(said, 2):
        if one.article_id != other.article_id and any(
            _clash(ours, theirs)
            and not any(_agree(mine, theirs) for mine in of[one.article_id])
            and not any(_agree(ours, its) for its in of[other.article_id])
            for ours in one.measures
            for theirs in other.measures
        ):
            return one, other
    return None


def _clash(one: Measure, other: Measure) -> bool:
    """Whether both are of one kind, and cannot both be true."""
    if {one.bound, other.bound} == {"least", "most"}:
        return False
    return _in_days(one).unit == _in_days(other).unit and not _agree(one, other)


def _agree(one: Measure, other: Measure) -> bool:
    """Whether both can be true: they overlap, but are no ranges of which one end differs."""
    if one.unit != other.unit:
        one, other = _in_days(one), _in_days(other)
    one_end = (one.low == other.low) != (one.high == other.high) and one.low < one.high and other.low < other.high
    return one.unit == other.unit and one.low <= other.high and other.low <= one.high and not one_end


DAY = 86_400
IN_DAYS = {"business": (1, 1.4, 2), "month": (28, 31, 0)}
"""The fewest and the most days that one has, and how many more the weekend adds that it may begin before."""


def _in_days(measure: Measure) -> Measure:
    if measure.unit not in IN_DAYS:
        return measure
    fewest, most, more = IN_DAYS[measure.unit]
    return replace(measure, unit="second", low=measure.low * fewest * DAY, high=(measure.high * most + more) * DAY)


# From a sentence to measures


def _measures(sentence: str, lang: str) -> list[Measure]:
    text, figures = marked(sentence, lang)
    if not _words("examples").isdisjoint(re.findall(r"\w+", text)):
        return []
    text = _unit_before_kana().sub(r"\1 ", text)
    found: list[Measure] = []
    end = 0
    for match in _figure_pattern().finditer(text):
        before = re.findall(r"\w+", text[end : match.start()])
        end = match.end()
        first, last = (figures[ord(mark) - ord(FIRST_MARK)] for mark in (match[2], match[3] or match[2]))
        low, high = _value(first)[0], _value(last)[0]
        unit, factor = _unit(match[4].split(), last, before)
        if unit and not (math.isnan(low) or math.isnan(high)):
            low, high = (low, high) if low <= high else (low + high,) * 2  # twenty-four
            bound = _bound(re.findall(r"\w+", text[: match.start()])[-BEFORE:])
            found.append(Measure(unit, low * factor, high * factor, bound))
    return found


@cache
def _figure_pattern() -> re.Pattern[str]:
    """A figure or a range, behind a word that opens one or not, and up to three words behind it."""
    opening, to, joint = ("|".join(map(re.escape, _words(name))) for name in ("opening", "to", "and"))
    return re.compile(
        rf"(\b(?:{opening})\s+)?({_MARK})(?:\s*(?:-|\b(?:{to})\b|(?(1)\b(?:{joint})\b|(?!)))\s*({_MARK}))?"
        rf"((?: *-? ?[^\W_\U000f0000-\U000ffffd]+(?:['’][^\W_]+)?){{0,3}})"
    )


def _value(figure: Figure) -> tuple[float, str]:
    """A figure's value, and its own unit; not a number where it has none."""
    ((_, value), *_more) = sorted(figure.readings[0])
    if figure.kind == "time":
        hour, _, minute = value.partition(":")
        return int(hour) * 60.0 + int(minute), "time"
    if figure.kind == "date" and len(figure.readings) == 1:
        year, month, day = (int(part or 0) for part in value.split("-"))
        return (year * 12.0 + month) * 31 + day, "date" if year else "day of a year"
    number, _, unit = value.partition(" ")
    try:
        return (float(number), unit) if figure.kind in ("number", "price") else (math.nan, "")
    except ValueError:  # a version
        return math.nan, ""


def _unit(behind: Sequence[str], figure: Figure, before: Sequence[str]) -> tuple[str, float]:
    """The unit of a figure, and by how much its value is to be multiplied."""
    value, own = _value(figure)
    if own:
        return own, 1.0
    words = [word.lstrip("-") for word in behind]
    at = next((at for at, word in enumerate(words) if word not in _words("between")), len(words))
    business = not _words("business").isdisjoint(words[at : at + 2])
    year = _FIRST_YEAR <= value <= _LAST_YEAR
    for word in words[at : at + (2 if business else 1)]:
        factor, base = _spans().get(word, (1.0, ""))
        if base == "month" and year:
            return "calendar year", 1.0  # 2026年
        if base:
            return ("business", factor / DAY) if business and base == "second" else (base, factor)
    stems = _stems(words[at]) if at < len(words) else []
    if stems or year:
        return (stems[0] if stems else "calendar year"), 1.0
    if before and before[-1] not in _words("labels") and (named := _stems(before[-1])):
        return f"of {named[0]}", 1.0  # Python 3.9
    return "", 1.0


def _bound(before: Sequence[str]) -> str:
    """Whether the words in front of a figure make it the least or the most of something."""
    least, most = (not _words(name).isdisjoint(before) for name in ("least", "most"))
    if not _words("not").isdisjoint(before) and not _words("turned").isdisjoint(before):
        least, most = most, least  # no more than, does not exceed
    return "" if least == most else "least" if least else "most"


@cache
def _unit_before_kana() -> re.Pattern[str]:
    """A unit behind a figure, with Japanese letters behind it from which no space divides it."""
    units = "|".join(sorted(map(re.escape, _spans()), key=len, reverse=True))
    return re.compile(rf"((?:{_MARK}) *(?:{units}))(?=[\u3040-\u30ff\u3400-\u9fff])")


def _stems(text: str) -> list[str]:
    """The stems of the telling words in ``text``, a plural as its singular."""
    found = (
        stem.rstrip("s") or stem for stem in telling_stems(text) if not (stem.isdecimal() or _HIRAGANA.search(stem))
    )
    return [_same().get(stem, stem) for stem in found if stem not in _stop_stems() and len(stem) > 1]


def _stem(word: str) -> str:
    return word[:STEM].rstrip("s")


@cache
def _words(name: str) -> frozenset[str]:
    return frozenset(word_lists("measures")["words"][name].split())


@cache
def _spans() -> dict[str, tuple[float, str]]:
    found = {}
    for amount, words in word_lists("measures")["spans"].items():
        factor, _, base = amount.partition(" ")
        found.update(dict.fromkeys(words.split(), (float(factor), base)))
    return found


@cache
def _stop_stems() -> frozenset[str]:
    return frozenset(map(_stem, stop_words()))


@cache
def _same() -> dict[str, str]:
    lines = (line.split() for text in word_lists("measures")["same"].values() for line in text.splitlines())
    return {_stem(word): _stem(line[0]) for line in lines for word in line}
