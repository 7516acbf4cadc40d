"""The writer's mood, by word lists with negation and intensifiers.

Having a problem is not by itself a bad mood: words such as "error" weigh nothing, and plain courtesy
("please", "thanks in advance") hardly anything. The lists are in ``words/``.
"""

from __future__ import annotations

import math
import re
from functools import cache

from ...core.lazy_pattern import lazy_pattern
from ...core.models import Sentiment
from .lexicon import lists, weighted
from .phrases import PhraseMatcher, clauses_of, entries_of, length_of, without_contained, words_of

MAX_SCANNED = 6_000
"""Characters looked at."""

_NEGATION_REACH = 3
_NEGATIVE_FROM = -1.0
_POSITIVE_FROM = 1.25

_SHOUTED = re.compile(r"\b[A-Z]{4,}\b")
_MOST_MARKS = 20
_LONGEST_PRAISE = 500


_ARABIC_SIGNS = re.compile("[\u064b-\u0652\u0640]")
_ARABIC_LETTERS = str.maketrans("أإآٱىة", "اااايه")


def _plain_arabic(text: str) -> str:
    """``text`` without vowel signs, letters that are written in several ways in one of them, as in the lists."""
    return _ARABIC_SIGNS.sub("", text).translate(_ARABIC_LETTERS)


@cache
def _matcher(language: str) -> PhraseMatcher[float]:
    """Words of ``language`` and the strong English ones; of every language when it is unknown."""
    moods = weighted(lists("moods")["sentiment"])
    common = {*lists("languages")["words"].get(language, "").split(), *lists("moods")["false_friends"].split()}
    return PhraseMatcher(
        (entry, float(score))
        for name in sorted(_languages(language))
        for score, entries in moods[name].items()
        for entry in entries_of(entries)
        # "die" and "war" are no moods in German.
        if language == "en" or name != "en" or (abs(score) > 1 and entry not in common)
    )


@cache
def _modifiers(language: str) -> tuple[frozenset[str], frozenset[str]]:
    negations, intensifiers = (
        frozenset(word for name in _languages(language) for word in entries_of(lists("moods")[kind].get(name, "")))
        for kind in ("negations", "intensifiers")
    )
    return negations, intensifiers


def _languages(language: str) -> set[str]:
    """The languages whose words count in a text of ``language``."""
    known = lists("moods")["sentiment"]
    return {language, "en"} if language in known else set(known)


@cache
def _scores(kind: str) -> dict[str, int]:
    """Emoji, or emoticons, with the mood that each carries."""
    rows = lists("moods")[kind].items()
    return {mark: int(score) for score, marks in rows for mark in (marks if kind == "emoji" else marks.split())}


_EMOJI = lazy_pattern(lambda: f"[{''.join(_scores('emoji'))}]")
_EMOTICON = lazy_pattern(
    lambda: "|".join(re.escape(mark) for mark in sorted(_scores("emoticons"), key=len, reverse=True))
)


def _marks(text: str) -> int:
    found = [] if text.isascii() else [_scores("emoji")[mark] for mark in _EMOJI.findall(text)]
    # "://" is no face.
    found += [_scores("emoticons")[mark] for mark in _EMOTICON.findall(text.replace("://", " "))]
    return sum(found[:_MOST_MARKS])


def _score(words: list[str], text: str, language: str) -> float:
    negations, intensifiers = _modifiers(language)
    total = 0.0
    for hit in without_contained(_matcher(language).find(words, text)):
        score = hit.value
        before = words[max(0, hit.start - _NEGATION_REACH) : hit.start]
        if before and before[-1] in intensifiers:
            score *= 1.5
        if not negations.isdisjoint(before):
            # "not good" is bad, but "not bad" is hardly praise.
            score *= -0.75 if score > 0 else -0.25
        total += score
    total += _marks(text)
    if total < 0 and (text.count("!") > 1 or len(_SHOUTED.findall(text)) > 3):
        total *= 1.3
    # Long mails meet more words of every kind; mood is a matter of their share.
    return total / max(1.0, math.sqrt(len(words) / 40))


@cache
def _courtesy(language: str) -> PhraseMatcher[bool]:
    """Words of thanks (true), and of what is asked beside them (false)."""
    known = lists("praise")["thanks"]
    return PhraseMatcher(
        (entry, thanks)
        for thanks, words in ((True, known), (False, lists("praise")["asks"]))
        for name in sorted({language, "en"} if language in known else known)
        for entry in entries_of(words[name])
    )


@cache
def _greetings() -> frozenset[str]:
    return frozenset(lists("praise")["greetings"].split())


def is_praise(text: str, language: str = "und") -> bool:
    """Whether ``text`` only thanks or praises: no clause of it says or asks anything else."""
    if len(text) > _LONGEST_PRAISE or "?" in text or "？" in text:
        return False
    negations, _ = _modifiers(language)
    clauses = clauses_of(text)
    praising = False
    for place, clause in enumerate(clauses, 1):
        words = words_of(clause)
        hits = [hit.value for hit in _courtesy(language).find(words, clause)]
        moods = [hit.value for hit in without_contained(_matcher(language).find(words, clause))]
        if False in hits or any(mood < -1 for mood in moods) or not negations.isdisjoint(words):
            return False
        if hits or any(mood > 0 for mood in moods):
            praising = True
        elif length_of(clause) > (2 if place == len(clauses) or not _greetings().isdisjoint(words[:1]) else 1):
            return False  # more than a salutation, or the name at the end
    return praising


def sentiment_of(text: str, language: str = "und") -> Sentiment:
    """The mood of ``text``; neutral when no words of mood are found. ``language`` is an ISO 639-1 code."""
    text = text[:MAX_SCANNED]
    return mood_of(words_of(text), text, language)


def mood_of(words: list[str], text: str, language: str) -> Sentiment:
    """As :func:`sentiment_of`, for a text whose ``words`` are known already."""
    if language == "ar":
        words = words_of(_plain_arabic(text))
    score = _score(words, text, language)
    if score <= _NEGATIVE_FROM:
        return Sentiment.NEGATIVE
    return Sentiment.POSITIVE if score >= _POSITIVE_FROM else Sentiment.NEUTRAL
