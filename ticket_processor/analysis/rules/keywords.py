"""From a taxonomy to the words by which its categories are recognised.

A category whose name the lexicon knows (or has a synonym for) gets the built-in lists. Any other is recognised by its
own name, description, keywords and examples, and so is every sub-category.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import NamedTuple

from ...core.taxonomy import Category, Taxonomy
from .lexicon import ByLanguage, category_words, lists, weighted
from .phrases import PhraseMatcher, entries_of, words_of

CATEGORY, SUBCATEGORY, URGENCY_KIND = "category", "subcategory", "urgency"

_WEIGHTS = {3: 3.0, 2: 1.2, 1: 0.4, 0: 0.0}
_OWN_KEYWORD = 4.0
_SHORTEST = 4
_SHARED_BY_MANY = 3

_EVERYDAY = frozenset(
    (
        "about after again against also another anything around because been before being between both cannot case "
        "cases customer customers does done down each else every everything from have having help here hello into "
        "issue issues itself just like make makes many more most much must need needs never nothing only other over "
        "people please problem problems questions request requests same should some someone something such support "
        "than thanks that their them then there these they thing things this those ticket tickets under user users "
        "very want wants what when where which while will wish with within without work works would writes your"
    ).split()
)


class Evidence(NamedTuple):
    """The target of an entry (a category, a sub-category or ``"urgency"``), and its weight."""

    target: str
    weight: float
    kind: str


def known_name(name: str) -> str | None:
    """The built-in category that ``name`` stands for, if any."""
    return name if name in category_words() else lists("categories")["synonyms"].get(name)


@cache
def known_languages() -> tuple[str, ...]:
    """The languages with built-in lists, in alphabetical order."""
    return tuple(sorted({language for words in category_words().values() for language in words}))


def own_entries(taxonomy: Taxonomy) -> list[tuple[str, Evidence]]:
    """Entries from the taxonomy's own words; they hold in every language."""
    entries: list[tuple[str, Evidence]] = []
    for names, kind in (
        (taxonomy.top, CATEGORY),
        *((taxonomy.children(name), SUBCATEGORY) for name in taxonomy.top),
    ):
        described = {name: _described(taxonomy[name]) for name in names}
        shared = Counter(word for words in described.values() for word in set(words))
        for name in names:
            category = taxonomy[name]
            entries += [(entry, Evidence(name, _OWN_KEYWORD, kind)) for entry in _keywords(category)]
            if kind == SUBCATEGORY:
                entries += [
                    (entry, Evidence(category.parent or "", _OWN_KEYWORD, CATEGORY)) for entry in _keywords(category)
                ]
            if kind == SUBCATEGORY or known_name(name) is None:
                entries += _from_name(name, kind)
                entries += [
                    (entry, Evidence(name, weight / shared[entry], kind))
                    for entry, weight in described[name].items()
                    if shared[entry] < _SHARED_BY_MANY
                ]
    return entries


def _keywords(category: Category) -> list[str]:
    return [entry for entries in category.keywords.values() for entry in entries]


def _from_name(name: str, kind: str) -> list[tuple[str, Evidence]]:
    parts = [part for part in name.split("_") if part]
    entries = [(" ".join(parts), Evidence(name, _WEIGHTS[3], kind))]
    if len(parts) > 1:
        entries += [(_inflected(part), Evidence(name, _WEIGHTS[2], kind)) for part in parts if _tells_something(part)]
    return entries


def _described(category: Category) -> dict[str, float]:
    """Entries from the words of a category's description, and weaker ones from its examples."""
    words = dict.fromkeys((_inflected(w) for e in category.examples for w in words_of(e) if _tells_something(w)), 0.6)
    words |= dict.fromkeys(
        (_inflected(word) for word in words_of(category.description) if _tells_something(word)), _WEIGHTS[2]
    )
    return words


def _tells_something(word: str) -> bool:
    return len(word) >= _SHORTEST and word not in _EVERYDAY


def _inflected(word: str) -> str:
    return word if len(word) < 6 else word.removesuffix("s") + "*"


def _built_in(words: ByLanguage, languages: set[str]) -> list[tuple[str, int]]:
    return [
        (entry, weight)
        for language in sorted(languages & set(words))
        for weight, entries in words[language].items()
        for entry in entries_of(entries)
    ]


def compile_for(taxonomy: Taxonomy, languages: set[str], own: list[tuple[str, Evidence]]) -> PhraseMatcher[Evidence]:
    """The matcher for the words of ``taxonomy``'s categories in texts of ``languages``."""
    entries = list(own)
    for name in taxonomy.top:
        known = known_name(name)
        if known:
            entries += [
                (entry, Evidence(name, _WEIGHTS[weight], CATEGORY))
                for entry, weight in _built_in(category_words()[known], languages)
            ]
    urgency = weighted(lists("urgency")["urgency"])
    entries += [
        (entry, Evidence(URGENCY_KIND, float(weight), URGENCY_KIND)) for entry, weight in _built_in(urgency, languages)
    ]
    return PhraseMatcher(dict.fromkeys(entries))
