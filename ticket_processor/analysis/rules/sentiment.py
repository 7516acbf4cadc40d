"""The writer's mood, by word lists with negation, contrast and intensity.

Having a problem is not by itself a bad mood: words such as "error" weigh nothing, and plain courtesy
("please", "thanks in advance") hardly anything. The lists are in ``words/``.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

from ...core.models import Sentiment
from ...core.text import lazy_pattern
from .matcher import (
    Found,
    Hit,
    PhraseMatcher,
    Wording,
    counting,
    entries_of,
    lists,
    weighted,
    without_contained,
)

_NEGATION_REACH = 4
# A word of trouble, and how much all of a text may weigh: to have many is no mood in a long report.
_TROUBLE, _MOST_TROUBLE = -0.5, -1.5
_STRONGER, _WEAKER = 1.5, 0.5
# Complaints are put more mildly than praise, so that they weigh more where both are (Taboada et al., 2011).
_COMPLAINT = 1.75
# Praise from who asks for something is mostly courtesy.
_ASKING = 0.6
# From so many words on a mood must be said more than once.
_LONG_PRAISE, _LONG = 15, 40
_NEGATIVE_FROM = -0.5
_POSITIVE_FROM = 1.25

_SHOUTED = re.compile(r"\b[A-Z]{4,}\b")
_ASKED_HARD = re.compile(r"[?？][!！]|[!！][?？]|[?？]{2,}")
_MOST_MARKS = 20

# Written as in the lists: many leave the dot below a letter out, and write some letters in several ways.
_HINDI_DOT = "\u093c"
_ARABIC_SIGNS = re.compile("[\u064b-\u0652\u0640]")
_ARABIC_LETTERS = str.maketrans("أإآٱىة", "اااايه")


def mood_tables(language: str) -> dict[str, Iterable[tuple[str, Any]]]:
    """The tables for texts of ``language``: words that carry a mood, and those that ask for something."""
    known = lists("moods")["asks"]
    asks = ((entry, None) for name in counting(language, known) for entry in entries_of(known[name]))
    return {"moods": _moods(language).items(), "asks": asks}


def _moods(language: str) -> dict[str, float]:
    """Words of ``language`` and the strong English ones; of every language when it is unknown."""
    moods = weighted(lists("moods")["sentiment"])
    common = {*lists("languages")["words"].get(language, "").split(), *lists("moods")["false_friends"].split()}
    entries = {
        entry: float(score)
        for name in counting(language, moods)
        for score, words in moods[name].items()
        for entry in entries_of(words)
        # "die" and "war" are no moods in German.
        if language == "en" or name != "en" or (abs(score) > 1 and entry not in common)
    }
    if language == "en":
        mixed = set(entries_of(lists("moods")["hindi_in_english"]))
        hindi = {
            entry: float(score) for score, words in moods["hi"].items() for entry in entries_of(words) if entry in mixed
        }
        entries = hindi | entries
    for entry in entries_of(lists("moods")["trouble"].get(language, "")):
        entries.setdefault(entry, _TROUBLE)
    return entries


class _Modifiers(NamedTuple):
    """Words that change the mood of others, and how many words after one a negation still does."""

    negations: frozenset[str]
    intensifiers: frozenset[str]
    downtoners: frozenset[str]
    contrast: frozenset[str]
    after: int


@cache
def _modifiers(language: str) -> _Modifiers:
    moods = lists("moods")

    def of(kind: str) -> frozenset[str]:
        names = counting(language, moods["sentiment"])
        return frozenset(word for name in names for word in entries_of(moods[kind].get(name, "")))

    after: int = moods["negated_after"].get(language, 0)
    return _Modifiers(of("negations"), of("intensifiers"), of("downtoners"), of("contrast"), after)


def listed(language: str) -> str:
    """``language``, or ``und`` where no list names it: a matcher of all languages takes megabytes, and one will do."""
    return language if language in lists("moods")["sentiment"] or language in lists("languages")["words"] else "und"


@cache
def _scores(kind: str) -> dict[str, int]:
    """Emoji, or emoticons, with the mood that each carries."""
    rows = lists("moods")[kind].items()
    return {mark: int(score) for score, marks in rows for mark in (marks if kind == "emoji" else marks.split())}


_EMOTICON = lazy_pattern(
    lambda: "|".join(re.escape(mark) for mark in sorted(_scores("emoticons"), key=len, reverse=True))
)


def _marks(text: str) -> int:
    emoji = _scores("emoji")
    found = [] if text.isascii() or emoji.keys().isdisjoint(text) else [emoji[char] for char in text if char in emoji]
    # "://" is no face.
    found += [_scores("emoticons")[mark] for mark in _EMOTICON.findall(text.replace("://", " "))]
    return sum(found[:_MOST_MARKS])


def _score(wording: Wording, language: str, found: Found) -> float:
    words, text = wording.words, wording.text
    asks = "?" in text or "？" in text or bool(found["asks"])
    hits = without_contained(found["moods"])
    trouble = sum(hit.value for hit in hits if hit.value == _TROUBLE)
    # Who asks for help with a trouble may well be calm.
    good, bad = 0.0, max(trouble, _MOST_TROUBLE) if trouble and not asks else 0.0
    moods = [hit for hit in hits if hit.value not in (0.0, _TROUBLE)]
    if moods:
        kept = {place for hit in hits if not hit.value for place in range(hit.start, hit.end)}
        for score in _in_context(moods, wording, _modifiers(language), kept):
            good, bad = (good + score, bad) if score > 0 else (good, bad + score)
    marks = _marks(text)
    good, bad = good + max(marks, 0), bad + min(marks, 0)
    if bad and _ASKED_HARD.search(text):
        bad -= 1.0
    if good:
        bad *= _COMPLAINT
    # "Thanks!" after what is not well is a courtesy.
    if good and "!" in text and (good > 1 or _modifiers(language).negations.isdisjoint(words)):
        good *= _STRONGER
    total = good + bad
    if total < 0 and (text.count("!") > 1 or len(_SHOUTED.findall(text)) > 3):
        total *= 1.3
    if total > 0 and asks:
        total *= _ASKING
    # Long mails meet more words of every kind, of praise above all; mood is a matter of their share.
    return total / max(1.0, math.sqrt(len(words) / (_LONG_PRAISE if total > 0 else _LONG)))


def _in_context(hits: list[Hit[float]], wording: Wording, changing: _Modifiers, kept: set[int]) -> Iterator[float]:
    """The score of each hit by the words around it. ``kept``: where no negation is meant, as in "not only"."""
    words = wording.words
    turns = (
        [] if changing.contrast.isdisjoint(words) else [at for at, it in enumerate(words) if it in changing.contrast]
    )
    negating = not changing.negations.isdisjoint(words)
    for hit in hits:
        score = hit.value
        if hit.in_text:
            yield score
            continue
        before = words[max(0, hit.start - 2) : hit.start]
        if not changing.intensifiers.isdisjoint(before):
            score *= _STRONGER
        if not changing.downtoners.isdisjoint(before):
            score *= _WEAKER
        if negating:
            first, after = max(0, hit.start - _NEGATION_REACH), hit.end + changing.after if score > 0 else hit.end
            near = [at for at in range(first, min(after, len(words))) if words[at] in changing.negations]
            near = [at for at in near if not hit.start <= at < hit.end and at not in kept]
            if near:
                start, end = _around(wording.clauses, hit.start, len(words))
                if any(start <= at < end for at in near):
                    # "not good" is bad, but "not bad" is hardly praise.
                    score *= -0.75 if score > 0 else -0.25
        if turns:
            start, end = _around(wording.sentences, hit.start, len(words))
            here = [turn for turn in turns if start <= turn < end]
            if here:
                score *= _STRONGER if hit.start > here[-1] else _WEAKER
        yield score


def _around(starts: list[int], place: int, count: int) -> tuple[int, int]:
    """The first word of the part that holds ``place``, and the first of the next."""
    index = bisect_right(starts, place)
    return starts[index - 1] if index else 0, starts[index] if index < len(starts) else count


def mood_of(wording: Wording, language: str, matcher: PhraseMatcher, found: Found) -> Sentiment:
    """The mood of a text; neutral when no words of mood are found. ``language`` is an ISO 639-1 code.

    ``matcher`` is of :func:`mood_tables` of the language, ``found`` what it finds in the text.
    """
    plain = wording.text
    if language == "ar":
        plain = _ARABIC_SIGNS.sub("", plain).translate(_ARABIC_LETTERS)
    elif language == "hi":
        plain = plain.replace(_HINDI_DOT, "")
    if plain != wording.text:
        wording = Wording(plain)
        found = matcher.find(wording.words, plain)
    score = _score(wording, listed(language), found)
    if score <= _NEGATIVE_FROM:
        return Sentiment.NEGATIVE
    return Sentiment.POSITIVE if score >= _POSITIVE_FROM else Sentiment.NEUTRAL
