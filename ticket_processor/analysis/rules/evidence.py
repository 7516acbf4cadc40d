"""The words of each category and of urgency, and those that moved a decision as they stand in the ticket. Pure.

A category whose name the lists know (or have a synonym for) gets the built-in ones. Any other is recognised by its
own name, description, keywords and examples, and so is every sub-category.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

from ...core.taxonomy import Category, Taxonomy
from ...core.text import plain_line
from ..text import FOLDER
from ..text.outgoing import with_names
from .matcher import (
    ByLanguage,
    Hit,
    Wording,
    category_words,
    counting,
    entries_of,
    known_name,
    lists,
    weighted,
    words_of,
)
from .telling import nothing_said

_WEIGHTS = {3: 3.0, 2: 1.2, 1: 0.4, 0: 0.0}
_OWN_KEYWORD = 4.0
_SHORTEST = 4
_SHARED_BY_MANY = 3
_MOST, _LONGEST = 3, 60
_HELPS, _DECIDES = 1.0, 3.0
"""The least weight of a phrase, and of a word that stands alone."""
_MOVED = 0.12
"""The least share of the category's points that words gave which moved the decision."""
_SAME_STEM = 5
_EVERYDAY = frozenset(FOLDER.joinpath("everyday.txt").read_text("utf-8").split())
"""Words of requests in general, which tell no category from another."""


class Evidence(NamedTuple):
    """The category or sub-category that an entry speaks for, and its weight."""

    target: str
    weight: float


Given = list[tuple[float, Hit[Evidence]]]
"""What each hit gave, and the hit."""


@cache
def known_languages() -> tuple[str, ...]:
    """The languages with built-in lists, in alphabetical order."""
    return tuple(sorted({language for words in category_words().values() for language in words}))


def category_tables(taxonomy: Taxonomy, language: str) -> dict[str, Iterable[tuple[str, Any]]]:
    """The tables of categories, sub-categories and urgency (its points) for texts of ``language``.

    Entries from the taxonomy's own words hold in every language.
    """
    languages = counting(language, known_languages())
    tops, subs = list[tuple[str, Evidence]](), list[tuple[str, Evidence]]()
    for own, names in [(tops, taxonomy.top), *((subs, taxonomy.children(name)) for name in taxonomy.top)]:
        described = {name: _described(taxonomy[name]) for name in names}
        shared = Counter(entry for words in described.values() for entry in words)
        for name in names:
            category = taxonomy[name]
            for entry in (entry for words in category.keywords.values() for entry in words):
                own.append((entry, Evidence(name, _OWN_KEYWORD)))
                if category.parent:
                    tops.append((entry, Evidence(category.parent, _OWN_KEYWORD)))
            if category.parent or known_name(name) is None:
                own += _from_name(name)
                own += [
                    (entry, Evidence(name, weight / shared[entry]))
                    for entry, weight in described[name].items()
                    if shared[entry] < _SHARED_BY_MANY
                ]
    for name in taxonomy.top:
        words = _built_in(category_words().get(known_name(name) or "", {}), languages)
        tops += [(entry, Evidence(name, _WEIGHTS[weight])) for entry, weight in words]
    urgency = _built_in(weighted(lists("urgency")["urgency"]), languages)
    return {"categories": dict.fromkeys(tops), "subcategories": dict.fromkeys(subs), "urgency": dict.fromkeys(urgency)}


def _from_name(name: str) -> list[tuple[str, Evidence]]:
    parts = [part for part in name.split("_") if part]
    entries = [(" ".join(parts), Evidence(name, _WEIGHTS[3]))]
    if len(parts) > 1:
        entries += [(_inflected(part), Evidence(name, _WEIGHTS[2])) for part in parts if _tells_something(part)]
    return entries


def _described(category: Category) -> dict[str, float]:
    """Entries from the words of a category's description, and weaker ones from its examples."""
    weighed = [(text, 0.6) for text in category.examples] + [(category.description, _WEIGHTS[2])]
    return {_inflected(word): weight for text, weight in weighed for word in words_of(text) if _tells_something(word)}


def _tells_something(word: str) -> bool:
    return len(word) >= _SHORTEST and word not in lists("categories")["everyday"].split()


def _inflected(word: str) -> str:
    return word if len(word) < 6 else word.removesuffix("s") + "*"


def _built_in(words: ByLanguage, languages: list[str]) -> list[tuple[str, int]]:
    return [
        (entry, weight)
        for language in languages
        for weight, entries in words.get(language, {}).items()
        for entry in entries_of(entries)
    ]


def moving_words(given: Given, category: str, points: float, wording: Wording, *, fallback: bool) -> tuple[str, ...]:
    """Up to three phrases of a text that gave ``category`` much of its ``points``, those that gave most first.

    A word that stands alone must decide by itself, and mean something by itself; for the ``fallback`` category none
    does.
    """
    found: list[str] = []
    for gain, hit in sorted(given, key=lambda item: -item[0]):
        alone = hit.in_text or hit.end - hit.start == 1
        least = _HELPS if not alone else float("inf") if fallback else _DECIDES
        if gain < _MOVED * points or hit.value.target != category or hit.value.weight < least:
            continue
        quote = wording.quote(hit)
        shown = plain_line(with_names(quote), _LONGEST)
        if shown and not _everyday().issuperset(words_of(quote)) and not any(_same(shown, other) for other in found):
            found.append(shown)
    return tuple(found[:_MOST])


def pressing_words(pressing: list[tuple[float, Hit[Any]]], wording: Wording) -> tuple[str, ...]:
    """Up to three phrases of a text that made it urgent, those that gave most points first; weak ones are left out."""
    found: list[str] = []
    most = max((gain for gain, _ in pressing), default=0.0)
    for gain, hit in sorted(pressing, key=lambda item: -item[0]):
        shown = plain_line(with_names(wording.quote(hit)), _LONGEST)
        if gain > most / 4 and shown and not any(_same(shown, other) for other in found):
            found.append(shown)
    return tuple(found[:_MOST])


@cache
def _everyday() -> frozenset[str]:
    """Words that say nothing about a matter, and their plurals."""
    words = _EVERYDAY | nothing_said()
    return frozenset(words | {f"{word}s" for word in words})


def _same(one: str, other: str) -> bool:
    """Whether two quotations are one word with different endings, or one is in the other."""
    first, second = one.casefold(), other.casefold()
    if first in second or second in first:
        return True
    alone = " " not in first and " " not in second
    return alone and first[:_SAME_STEM] == second[:_SAME_STEM] and len(first) >= _SAME_STEM


def content_words(text: str, shortest: int = _SHORTEST) -> list[str]:
    """The words of ``text`` that may tell what it is about, in order, a plural as its singular."""
    return [singular(word) for word in words_of(text) if len(word) >= shortest and word not in _EVERYDAY]


def singular(word: str) -> str:
    """The word without an English plural's ending."""
    if len(word) > _SHORTEST and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > _SHORTEST and word.endswith(("shes", "ches", "xes", "sses")):
        return word[:-2]
    return word[:-1] if len(word) > _SHORTEST and word.endswith("s") and not word.endswith("ss") else word
