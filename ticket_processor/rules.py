"""The keyword analyser: always there, free, and good enough to sort by when no model answers."""

from __future__ import annotations

import math
from typing import NamedTuple

from .language import detect_language
from .lexicon import CATEGORIES, NONE_OF, NOT_ABOUT, SYNONYMS, URGENCY, ByLanguage
from .models import Analysis, Sentiment, Urgency
from .phrases import Hit, PhraseMatcher, entries_of, without_contained, words_of
from .plain import plain_line
from .redact import RedactedText
from .sentiment import mood_of
from .taxonomy import Category, Taxonomy

MAX_SCANNED = 6_000
"""Characters looked at: the matter of a mail stands in its first page."""

_SUMMARY = 120
_MAX_CONFIDENCE = 0.9
_BLIND_GUESS = 0.3
_URGENCY = "urgency"
_WEIGHTS = {3: 3.0, 2: 1.2, 1: 0.4}
_OWN_KEYWORD = 4.0
_FALLBACK_HEAD_START = 0.6
_NEGATION_REACH = 2
_ORDER = (Urgency.LOW, Urgency.MEDIUM, Urgency.HIGH, Urgency.CRITICAL)
# What a category by itself says about haste, in the points of the urgency lexicon.
_LEANING = {"feature_request": -2.0, "general": -1.0, "security": 1.0, "technical": 0.5}
_CRITICAL_FROM, _HIGH_FROM, _LOW_FROM = 12.0, 4.0, -1.0


class _Evidence(NamedTuple):
    """What an entry speaks for: a category, or ``"urgency"``, and how strongly."""

    target: str
    weight: float
    kind: str


class RulesAnalyser:
    """Category, urgency, sentiment and language of a text, by word lists.

    Built-in lists serve the categories whose names they know (see ``SYNONYMS`` in the lexicon); any other is
    recognised by its own keywords and the words of its name and description. Compiled once; one object may be
    shared by threads and pickled to workers.
    """

    def __init__(self, taxonomy: Taxonomy) -> None:
        self._taxonomy = taxonomy
        self._categories = {category.name: category for category in taxonomy.categories}
        own = [entry for category in taxonomy.categories for entry in _own_entries(category)]
        languages = sorted({language for lists in CATEGORIES.values() for language in lists})
        self._matchers = {language: _compile(taxonomy, {language, "en"}, own) for language in languages}
        self._matchers["und"] = _compile(taxonomy, set(languages), own)
        negations = [(entry, _NOT_ABOUT) for entry in entries_of(NOT_ABOUT)]
        negations += [(entry, _NONE_OF) for entry in entries_of(NONE_OF)]
        self._negations: PhraseMatcher[str] = PhraseMatcher(negations)

    def __reduce__(self) -> tuple[type[RulesAnalyser], tuple[Taxonomy]]:
        return RulesAnalyser, (self._taxonomy,)

    def analyse(self, text: RedactedText) -> Analysis:
        """What the word lists make of ``text``, whose first line is the subject. Never raises.

        ``confidence`` (0 to 0.9) grows with the lead of the best category over the next.
        """
        scanned = text.text[:MAX_SCANNED]
        language = detect_language(scanned)
        title, _, rest = scanned.partition("\n")
        words = words_of(title)
        # Without a body the only line is the message, not a heading.
        title_length = len(words) if rest.strip() else 0
        words += words_of(rest)
        found = self._matchers.get(language, self._matchers["und"]).find(words, scanned)
        not_about, none_of = self._negated(words)
        by_kind: dict[str, list[Hit[_Evidence]]] = {"category": [], _URGENCY: []}
        for hit in found:
            by_kind[hit.value.kind].append(hit)
        scores = self._scores(without_contained(by_kind["category"]), title_length, not_about)
        category, confidence = self._best(scores)
        points = _points(without_contained(by_kind[_URGENCY]), title_length, none_of)
        sentiment = mood_of(words, scanned, language)
        return Analysis(
            category=category,
            urgency=self._urgency(category, points, sentiment),
            sentiment=sentiment,
            language=language,
            summary=plain_line(title, _SUMMARY) or plain_line(rest, _SUMMARY),
            confidence=confidence,
            source="rules",
        )

    def _negated(self, words: list[str]) -> tuple[set[int], set[int]]:
        """Positions right behind a "not a …", and right behind a "no …"."""
        not_about: set[int] = set()
        none_of: set[int] = set()
        for hit in self._negations.find(words):
            target = not_about if hit.value == _NOT_ABOUT else none_of
            target.update(range(hit.end, hit.end + _NEGATION_REACH))
        return not_about, none_of

    def _scores(self, hits: list[Hit[_Evidence]], title_length: int, negated: set[int]) -> dict[str, float]:
        scores = dict.fromkeys(self._categories, 0.0)
        seen: dict[int, int] = {}
        for hit in hits:
            if hit.start in negated:
                continue
            times = seen[hit.entry] = seen.get(hit.entry, 0) + 1
            # A word said again says less each time.
            scores[hit.value.target] += hit.value.weight * _place(hit.start, title_length) / (times * times)
        scores[self._taxonomy.fallback] += _FALLBACK_HEAD_START
        return scores

    def _best(self, scores: dict[str, float]) -> tuple[str, float]:
        fallback = self._taxonomy.fallback
        # Between equals the more particular category, which taxonomies list before the fallback.
        ranked = sorted(scores, key=lambda name: (-scores[name], name == fallback))
        best = ranked[0]
        second = scores[ranked[1]] if len(ranked) > 1 else 0.0
        lead = (scores[best] - second) / (scores[best] + second + 2.0)
        certainty = 1 / (1 + math.exp(-(4.0 * lead - 0.6)))
        if scores[best] <= _FALLBACK_HEAD_START:
            # Nothing was found at all.
            certainty = _BLIND_GUESS
        return best, round(min(_MAX_CONFIDENCE, max(0.05, certainty)), 3)

    def _urgency(self, category: str, points: float, sentiment: Sentiment) -> Urgency:
        points += _LEANING.get(_known_name(category) or "", 0.0)
        if sentiment is Sentiment.POSITIVE and points < _HIGH_FROM:
            points -= 1.0
        if points >= _CRITICAL_FROM:
            urgency = Urgency.CRITICAL
        elif points >= _HIGH_FROM:
            urgency = Urgency.HIGH
        else:
            urgency = Urgency.LOW if points <= _LOW_FROM else Urgency.MEDIUM
        floor = self._categories[category].priority_floor
        return urgency if floor is None else max(urgency, floor, key=_ORDER.index)


_NOT_ABOUT, _NONE_OF = "not_about", "none_of"


def _known_name(name: str) -> str | None:
    """The built-in category that ``name`` stands for, if any."""
    return name if name in CATEGORIES else SYNONYMS.get(name)


def _place(position: int, title_length: int) -> float:
    """How much a word counts by where it stands: most in the subject, less and less down the page."""
    if position < title_length:
        return 2.0
    behind = position - title_length
    return 1.0 if behind < 50 else 0.6 if behind < 120 else 0.3


def _points(hits: list[Hit[_Evidence]], title_length: int, negated: set[int]) -> float:
    points = 0.0
    seen: set[int] = set()
    for hit in hits:
        if hit.entry in seen or (hit.start in negated and hit.value.weight > 0):
            continue
        seen.add(hit.entry)
        place = _place(hit.start, title_length)
        points += hit.value.weight * (1.0 if place > 1 else place)
    return points


def _own_entries(category: Category) -> list[tuple[str, _Evidence]]:
    """Entries from the taxonomy itself; they hold in every language."""
    own = [
        (entry, _Evidence(category.name, _OWN_KEYWORD, "category"))
        for entries in category.keywords.values()
        for entry in entries
    ]
    if _known_name(category.name) is None:
        parts = category.name.split("_")
        own.append((" ".join(parts), _Evidence(category.name, _WEIGHTS[3], "category")))
        own += [(part, _Evidence(category.name, _WEIGHTS[2], "category")) for part in parts if len(part) > 3]
        own += [
            (word if len(word) < 6 else word.removesuffix("s") + "*", _Evidence(category.name, _WEIGHTS[2], "category"))
            for word in dict.fromkeys(words_of(category.description))
            if len(word) > 3 and word not in _EVERYDAY
        ]
    return own


_EVERYDAY = frozenset(
    "about after again against also another anything around because been before being between both cannot case cases "
    "customer customers does done down each else every everything from have having help here into issue issues "
    "itself just "
    "like make makes many more most much must need needs never nothing only other over people please problem "
    "problems "
    "questions request requests same should some someone something such support than that their them then "
    "there these they "
    "thing things this those ticket tickets under user users very want wants what when where which while will "
    "wish with "
    "within without work works would writes your".split()
)


def _built_in(lists: ByLanguage, languages: set[str]) -> list[tuple[str, int]]:
    return [
        (entry, weight)
        for language in sorted(languages & set(lists))
        for weight, entries in lists[language].items()
        for entry in entries_of(entries)
    ]


def _compile(taxonomy: Taxonomy, languages: set[str], own: list[tuple[str, _Evidence]]) -> PhraseMatcher[_Evidence]:
    entries = list(own)
    for name in taxonomy.names:
        known = _known_name(name)
        if known:
            entries += [
                (entry, _Evidence(name, _WEIGHTS[weight], "category"))
                for entry, weight in _built_in(CATEGORIES[known], languages)
            ]
    entries += [
        (entry, _Evidence(_URGENCY, float(weight), _URGENCY)) for entry, weight in _built_in(URGENCY, languages)
    ]
    return PhraseMatcher(dict.fromkeys(entries))
