"""Whether a sentence is supported by the passage that it cites, and whether two articles differ. Pure; asks no model.

Its quote stands in the passage word for word, it has no figure that the quoted sentences lack, its own wording is
nearly all theirs, and it leaves out neither a "not" nor how they begin. A word counts by its first letters, which stem
it well enough in every language; frequent words count half. Text without spaces is cut into pairs of letters.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate, combinations
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..analysis.rules.matcher import KANA_OR_HAN, lists, words_of
from ..analysis.rules.telling import sentences_in
from ..analysis.text.language import detect_language
from ..analysis.text.outgoing import leaving_line, with_names
from ..core.text import compatible, lazy_pattern, plain_line, strip_hidden
from ..knowledge.model import Passage
from ..knowledge.search import stop_words
from . import usable_text, word_lists
from .figures import FIRST_MARK, Figure, marked, unseen

MAX_TEXT = 400
MAX_QUOTE = 400
MAX_CLAIMS = 8
MAX_STEPS = 12


class Claim(BaseModel):
    """One thing that a source says, in words for the customer, with the words of the source."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True, frozen=True, strict=True)

    text: Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
    source: Annotated[str, Field(max_length=20)]
    quote: Annotated[str, Field(max_length=MAX_QUOTE)]


class Proposal(BaseModel):
    """A model's answer. ``steps`` are claims that only make sense together and in this order."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True, frozen=True)

    claims: Annotated[tuple[Claim, ...], Field(max_length=MAX_CLAIMS)]
    steps: Annotated[tuple[Claim, ...], Field(max_length=MAX_STEPS)]
    verdict: Literal["answer", "partial", "no_answer"]


STEM = 6
"""Letters of a word that count."""
FREQUENT = 0.5
"""The weight of a word that every text of its language has."""


def share_found(sentence: str, source: str) -> float:
    """The share of the sentence's words that ``source`` has, 0 to 1; 0 for a sentence without words."""
    known = all_stems(source)
    weights = [(weight, stem in known) for stem, weight in _stems(sentence)]
    whole = sum(weight for weight, _ in weights)
    return sum(weight for weight, found in weights if found) / whole if whole else 0.0


def all_stems(text: str) -> set[str]:
    """The stems of all words in ``text``."""
    return {stem for stem, _ in _stems(text)}


def telling_stems(text: str) -> list[str]:
    """The stems of the words in ``text`` that are not frequent ones, each once, in order."""
    return list(dict.fromkeys(stem for stem, weight in _stems(text) if weight == 1.0))


def is_negated(text: str, language: str) -> bool | None:
    """Whether ``text`` says that something is not so; ``None`` for a language whose words for it are not known."""
    words = _negations().get(language)
    return None if words is None else not words.isdisjoint(words_of(text.replace("’", "'")))


def _stems(text: str) -> Iterator[tuple[str, float]]:
    for word in words_of(compatible(strip_hidden(text))):
        if not word.isascii() and KANA_OR_HAN.search(word):
            for run in KANA_OR_HAN.findall(word):
                yield from ((run[at : at + 2], 1.0) for at in range(max(1, len(run) - 1)))
        else:
            yield word.removesuffix("'s").strip("'")[:STEM], FREQUENT if word in _frequent() else 1.0


@cache
def _frequent() -> frozenset[str]:
    return frozenset(word for words in lists("languages")["words"].values() for word in words.split())


@cache
def _negations() -> dict[str, frozenset[str]]:
    table: dict[str, str] = lists("moods")["negations"]
    return {language: frozenset(word.strip() for word in words.split(",")) for language, words in table.items()}


_MENU = re.compile(r"(?<=\S) +> +(?=\S)")
_DOLLARS = re.compile(r"\$(?=\d)")
_ANY_CURRENCY = "¤"
"""Stands for a dollar sign while mark-up is taken out."""


def plain_words(text: str, limit: int) -> str:
    """``text`` as one line without links, mark-up and mentions; ``File > Save`` has an arrow, and a price its ``$``."""
    return _prepared(plain_line, text, limit)


def plain_words_leaving(text: str, limit: int) -> str:
    """The same, without personal data; names of files and machines have raised dots."""
    return _prepared(leaving_line, with_names(text), limit)


def _prepared(plain: Callable[[str, int], str], text: str, limit: int) -> str:
    marked = _DOLLARS.sub(_ANY_CURRENCY, _MENU.sub(" → ", text.replace(_ANY_CURRENCY, "")))
    return plain(marked, limit).replace(_ANY_CURRENCY, "$")


LEAST_SHARE = 0.91
"""The share of a sentence's wording that its source has: of the answers above it, 95% were judged supported."""
HEAD = 2
"""Telling words at the beginning of a quoted sentence that must be said: a condition stands there, or who said it."""
FEWEST_IN_QUOTE = 2
"""Telling words of a quote; with fewer it says nothing."""
_SAME_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»″＂", '"') | dict.fromkeys("‘’‚‛´′", "'") | dict.fromkeys("*`"))
_AROUND_QUOTE = " \"'."


def language_of(source: Passage) -> str:
    """The language of a passage: the one it says, else the one it seems to be in."""
    return re.split("[-_]", source.lang.lower())[0] or detect_language(source.text)


def sentences_of(text: str) -> list[str]:
    """The sentences of one line."""
    return [text[place.start : place.end].strip() for place in sentences_in(text)]


def unsupported(text: str, quote: str, source: Passage | None, language: str) -> str:
    """Why ``text``, written in ``language``, is not what the passage says; empty when each of its sentences is.

    The reason is a fixed word, for people and for the log. A source in another language is compared by its figures
    only.
    """
    if source is None:
        return "source"
    quoted = _quoted_sentences(quote, usable_text(source.text))
    if not quoted:
        return "quote"
    theirs = language_of(source)
    scope = f"{usable_text(source.title)} {usable_text(source.heading)} {' '.join(quoted)}"
    for sentence in sentences_of(text) or [""]:
        lacks = unseen(sentence, scope, language=language, source_language=theirs)
        if lacks:
            return lacks[0]
        if theirs == language and share_found(sentence, scope) < LEAST_SHARE:
            return "wording"
    if theirs != language:
        return ""
    if is_negated(text, language) != is_negated(quote, language):
        return "negation"
    heads = {stem for sentence in quoted for stem in telling_stems(sentence)[:HEAD]}
    return "" if heads <= all_stems(text) else "beginning"


def _quoted_sentences(quote: str, text: str) -> list[str]:
    """The sentences of ``text`` of which ``quote`` has a part; none where it does not stand there word for word."""
    wanted = normalised_quote(quote).strip(_AROUND_QUOTE)
    if len(telling_stems(wanted)) < FEWEST_IN_QUOTE:
        return []
    sentences = [normalised_quote(each) for line in text.splitlines() for each in sentences_of(line)]
    border = r"(?!\w)" if wanted.isascii() else ""
    place = re.search(rf"(?<!\w){re.escape(wanted)}{border}" if border else re.escape(wanted), " ".join(sentences))
    if place is None:
        return []
    ends = list(accumulate(len(sentence) + 1 for sentence in sentences))
    return sentences[bisect_right(ends, place.start()) : bisect_left(ends, place.end()) + 1]


def normalised_quote(text: str) -> str:
    """A text as quotes are compared: without regard to case, white space, emphasis and kinds of quotation marks."""
    return " ".join(compatible(strip_hidden(text.translate(_SAME_QUOTES))).casefold().split())


_FIRST_YEAR, _LAST_YEAR = 1900, 2100

_MARK = r"[\U000f0000-\U000ffffd]"
_HIRAGANA = lazy_pattern(r"[\u3040-\u309f]")
"""Japanese endings and particles, which say nothing of a subject."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure: its unit, and from where to where it reaches."""

    unit: str
    low: float
    high: float


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
            found.append(Measure(unit, low * factor, high * factor))
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
    stems = _unit_stems(words[at]) if at < len(words) else []
    if stems or year:
        return (stems[0] if stems else "calendar year"), 1.0
    if before and before[-1] not in _words("labels") and (named := _unit_stems(before[-1])):
        return f"of {named[0]}", 1.0  # Python 3.9
    return "", 1.0


@cache
def _unit_before_kana() -> re.Pattern[str]:
    """A unit behind a figure, with Japanese letters behind it from which no space divides it."""
    units = "|".join(sorted(map(re.escape, _spans()), key=len, reverse=True))
    return re.compile(rf"((?:{_MARK}) *(?:{units}))(?=[\u3040-\u30ff\u3400-\u9fff])")


def _unit_stems(text: str) -> list[str]:
    """The stems of the telling words in ``text``, a plural as its singular."""
    found = (
        stem.rstrip("s") or stem for stem in telling_stems(text) if not (stem.isdecimal() or _HIRAGANA.search(stem))
    )
    return [stem for stem in found if stem not in _stop_stems() and len(stem) > 1]


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
    return frozenset(word[:STEM].rstrip("s") for word in stop_words())
