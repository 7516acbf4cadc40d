"""What the sentences of articles state in figures: each figure with its unit, and the words around it. Pure.

Two sentences of one reply, from two articles, that give different figures of one kind are found here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations, pairwise

from ..analysis.rules.matcher import words_of
from ..core.lazy_pattern import lazy_pattern
from ..knowledge.model import Passage
from ..knowledge.search import stop_words
from .figures import FIRST_MARK, Figure, marked
from .grounding import STEM, sentences_of, telling_stems
from .sources import word_lists

BEFORE = 4
"""Words in front of a figure that may make it a bound."""
_BASES = frozenset(["second", "month", "business", "byte", "time", "%"])
"""Units that a number has wherever it stands."""
_FIRST_YEAR, _LAST_YEAR = 1900, 2100

_MARK = r"[\U000f0000-\U000ffffd]"
_TOKEN = lazy_pattern(rf"{_MARK}|#|[^\W_]+(?:['’][^\W_]+)?")
_NAMED_BY = lazy_pattern(r"([A-ZÀ-Þ][^\W_]*|#) ?v?(\d[\d.]*)")
_NUMBERS = lazy_pattern(r"\d[\d.]*(?<!\.)")
_JOINED = lazy_pattern(r" +-? ?")
_HIRAGANA = lazy_pattern(r"[\u3040-\u309f]")
"""Japanese endings and particles, which say nothing of a subject."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure: its unit, from where to where it reaches, and whether it is the ``least`` or the ``most``."""

    unit: str
    low: float
    high: float
    bound: str


@dataclass(frozen=True, slots=True)
class FigureStatement:
    """A sentence of an article that has a figure, and what it is about."""

    article_id: str
    quote: str
    measures: tuple[Measure, ...]
    words: frozenset[str]
    """Stems of its telling words, without units."""
    scope: frozenset[str]
    """Stems of its title and headings."""


def said_by(passage: Passage, text: str, lang: str, quote: str) -> Iterator[FigureStatement]:
    """The statements of a reply's ``text``, in ``lang``, that rests on this ``quote`` of a passage.

    From when a time counts ("30 days after delivery") is no subject of theirs.
    """
    headings = f"{passage.title} . {passage.heading}"
    scope = frozenset([*stems(headings), *_NUMBERS.findall(headings)])
    for sentence in sentences_of(text):
        measures, words = measures_of(sentence, lang)
        if measures:
            yield FigureStatement(passage.article_id, quote, measures, frozenset(words) - _begins_with(sentence), scope)


def _begins_with(sentence: str) -> set[str]:
    """The first telling word behind each "after"."""
    words = words_of(sentence)
    behind = (words[at + 1 : at + 4] for at, word in enumerate(words) if word in _words("after"))
    return {stem for each in behind for stem in stems(" ".join(each))[:1]}


def stems(text: str) -> list[str]:
    """The stems of the telling words in ``text``, a plural as its singular."""
    found = (
        stem.rstrip("s") or stem for stem in telling_stems(text) if not (stem.isdecimal() or _HIRAGANA.search(stem))
    )
    return [_same().get(stem, stem) for stem in found if stem not in _stop_stems() and len(stem) > 1]


def measures_of(sentence: str, lang: str) -> tuple[tuple[Measure, ...], tuple[str, ...]]:
    """The measures of a sentence, and the stems of its other telling words with the numbers that are names."""
    text, figures = marked(sentence, lang)
    text = _unit_before_kana().sub(r"\1 ", text)
    tokens = list(_TOKEN.finditer(text))
    words = [token[0] for token in tokens]
    gaps = [text[one.end() : other.start()] for one, other in pairwise(tokens)]
    named = {f"{match[1].casefold()} {match[2].rstrip('.')}" for match in _NAMED_BY.finditer(sentence)}
    found: list[Measure] = []
    labels: set[str] = set()
    rest: list[str] = []
    after = 0
    for at, word in enumerate(words):
        if at < after:
            continue
        if word < FIRST_MARK:
            rest += [word] if word not in _words("later") else []
            continue
        figure = figures[ord(word) - ord(FIRST_MARK)]
        before = words[max(0, at - BEFORE) : at]
        end = _range_end(words, gaps, at)
        last = figures[ord(words[end]) - ord(FIRST_MARK)]
        low, high = _value(figure)[0], _value(last)[0]
        if math.isnan(low) or math.isnan(high):
            labels |= {_stem(value) for kind, value in figure.readings[0] if kind == "name"}
            continue
        unit, factor, after = _unit(words, gaps, end, last)
        own_unit, own_factor, _ = _unit(words, gaps, at, figure)
        first = low * (own_factor if own_unit == unit else factor)
        if before and unit not in _BASES and figure.kind == "number":
            label = f"{before[-1]} {low:g}"
            if before[-1] in _words("labels") or label in named:
                if _words("later").isdisjoint(words[at + 1 : at + 4]) and _words("least").isdisjoint(before[-3:]):
                    labels.add(label)
                    after = at + 1
                    continue
                unit, factor, after = f"version of {before[-1]}", 1.0, at + 1
        if unit:
            top = high * factor
            found.append(Measure(unit, *((first, top) if first <= top else (first + top,) * 2), _bound(before)))
    if not _words("examples").isdisjoint(words):
        return (), ()
    return tuple(found), (*stems(" ".join(rest)), *sorted(labels))


def _range_end(words: Sequence[str], gaps: Sequence[str], at: int) -> int:
    """Where the range that begins at ``at`` ends; ``at`` where it is none."""
    if at + 1 < len(words) and words[at + 1] >= FIRST_MARK and gaps[at].strip() == "-":
        return at + 1
    ahead = at + 2
    if at + 2 < len(words) and words[at + 1] not in _words("to") | _words("and"):
        ahead = at + 3  # 24 hours to 48 hours
    if ahead >= len(words) or not words[ahead] >= FIRST_MARK:
        return at
    joint = words[ahead - 1]
    opened = at and words[at - 1] in _words("opening")
    return ahead if joint in _words("to") or (opened and joint in _words("and")) else at


def _value(figure: Figure) -> tuple[float, str]:
    """A figure's value, and its own unit; not a number where it has none."""
    ((_, value), *_more) = sorted(figure.readings[0])
    if figure.kind == "time":
        hour, _, minute = value.partition(":")
        return int(hour) * 60.0 + int(minute), "time"
    if figure.kind == "date" and len(figure.readings) == 1:
        year, month, day = (int(part or 0) for part in value.split("-"))
        return (year * 12.0 + month) * 31 + day, "date" if year else "day of a year"
    if figure.kind not in ("number", "price"):
        return math.nan, ""
    number, _, unit = value.partition(" ")
    parts = number.split(".")
    if len(parts) > 2:
        return math.nan, ""
    try:
        return float(number), unit
    except ValueError:
        return math.nan, ""


def _unit(words: Sequence[str], gaps: Sequence[str], at: int, figure: Figure) -> tuple[str, float, int]:
    """The unit of the figure at ``at``, by how much its value is to be multiplied, and where the words go on."""
    value, own = _value(figure)
    if own:
        return own, 1.0, at + 1
    behind: list[str] = []
    place = at + 1
    while place < len(words) and place <= at + 3 and _JOINED.fullmatch(gaps[place - 1]) and words[place] < FIRST_MARK:
        behind.append(words[place])
        place += 1
    while behind and behind[0] in _words("between"):
        behind.pop(0)
        at += 1
    business = not _words("business").isdisjoint(behind[:2])
    for word in [each for each in behind[: 2 if business else 1] if each not in _words("business")]:
        if word in _spans():
            factor, base = _spans()[word]
            if base == "month" and _FIRST_YEAR <= value <= _LAST_YEAR:
                return "calendar year", 1.0, at + 2  # 2026年
            if business and base == "second":
                return "business", factor / 86400, at + 3
            return base, factor, at + 2
    if _FIRST_YEAR <= value <= _LAST_YEAR and not (behind and stems(behind[0])):
        return "calendar year", 1.0, at + 1
    own_word = stems(behind[0]) if behind else []
    if own_word:
        return own_word[0], 1.0, at + 2
    return "", 1.0, at + 1


def _bound(before: Sequence[str]) -> str:
    """Whether the words in front of a figure make it the least or the most of something."""
    least, most = (not _words(name).isdisjoint(before) for name in ("least", "most"))
    if not _words("not").isdisjoint(before) and not _words("turned").isdisjoint(before):
        least, most = most, least  # no more than, does not exceed
    return "" if least == most else "least" if least else "most"


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
def _unit_before_kana() -> re.Pattern[str]:
    """A unit behind a figure, with Japanese letters behind it from which no space divides it."""
    units = "|".join(sorted(map(re.escape, _spans()), key=len, reverse=True))
    return re.compile(rf"((?:{_MARK}) *(?:{units}))(?=[\u3040-\u30ff\u3400-\u9fff])")


@cache
def _stop_stems() -> frozenset[str]:
    return frozenset(map(_stem, stop_words()))


@cache
def _vague_stems() -> frozenset[str]:
    """The stems of words that do not say what a figure is about."""
    return frozenset(map(_stem, _words("vague")))


@cache
def _same() -> dict[str, str]:
    lines = (line.split() for text in word_lists("measures")["same"].values() for line in text.splitlines())
    return {_stem(word): _stem(line[0]) for line in lines for word in line}


def _stem(word: str) -> str:
    return word[:STEM].rstrip("s")


DAY = 86_400
IN_DAYS = {"business": (1, 1.4, 2), "month": (28, 31, 0)}
"""The fewest and the most days that one has, and how many more the weekend adds that it may begin before."""


def differing(said: Sequence[FigureStatement]) -> Iterator[tuple[FigureStatement, FigureStatement]]:
    """Pairs of sentences of one reply, from two articles, that give different figures of one kind.

    Working days, days and months are of one kind. What an article says of the other one's subject elsewhere in the
    reply counts with its sentence: it may well give both figures.
    """
    for one, other in combinations(said, 2):
        if one.article_id == other.article_id:
            continue
        ours, theirs = (
            [measure for each in said if each is side or _beside(each, side, opposite) for measure in each.measures]
            for side, opposite in ((one, other), (other, one))
        )
        if (
            _differ_in_kind(one.measures, other.measures)
            and _differ_in_kind(ours, other.measures)
            and _differ_in_kind(one.measures, theirs)
        ):
            yield one, other


def about_one_thing(one: FigureStatement, other: FigureStatement) -> bool:
    """Whether two sentences of one reply seem to be about one thing, of which only one figure can be right.

    They share a telling word, and do not each name something of their own title that the other one lacks. That is
    enough, since both answer one ticket.
    """
    own = [mine.scope & mine.words - theirs.scope - theirs.words for mine, theirs in ((one, other), (other, one))]
    return bool((one.words & other.words) - _vague_stems()) and not all(own)


def _differ(ours: Sequence[Measure], theirs: Sequence[Measure]) -> bool:
    """Whether each sentence has a figure of one unit for one thing that the other has not."""
    alone = [one for one in ours if not any(_agree(one, other) for other in theirs)]
    for other in theirs:
        near = [one for one in alone if one.unit == other.unit and {one.bound, other.bound} != {"least", "most"}]
        if near and not any(_agree(one, other) for one in ours):
            return True
    return False


def _differ_in_kind(ours: Sequence[Measure], theirs: Sequence[Measure]) -> bool:
    """As :func:`_differ`; besides, working days and months are compared with the other one's days."""
    apart = [
        [_in_days(each) for each in mine if each.unit not in {one.unit for one in others}]
        for mine, others in ((ours, theirs), (theirs, ours))
    ]
    return _differ(ours, theirs) or _differ(*apart)


def _in_days(measure: Measure) -> Measure:
    if measure.unit not in IN_DAYS:
        return measure
    fewest, most, more = IN_DAYS[measure.unit]
    return replace(measure, unit="second", low=measure.low * fewest * DAY, high=(measure.high * most + more) * DAY)


def _beside(each: FigureStatement, side: FigureStatement, opposite: FigureStatement) -> bool:
    return each.article_id == side.article_id and bool(each.words & opposite.words - _vague_stems())


def _agree(one: Measure, other: Measure) -> bool:
    """Whether both can be true: they overlap, but are no ranges of which one end differs."""
    one_end = (one.low == other.low) != (one.high == other.high) and one.low < one.high and other.low < other.high
    return one.unit == other.unit and one.low <= other.high and other.low <= one.high and not one_end
