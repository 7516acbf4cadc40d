"""How much of a sentence's wording stands in a source. Pure, and the same for every language.

A word counts by its first letters, which stem it well enough; frequent words count half. Text without spaces is cut
into pairs of letters.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from ..analysis.rules.matcher import KANA_OR_HAN, lists, words_of
from ..core.sanitize import compatible, strip_hidden

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
