"""The keyword analyser: always there, free, and good enough to sort by when no model answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from threading import Lock
from typing import Any

from ...core.models import URGENT, Analysis, Risk, Sentiment, Urgency
from ...core.taxonomy import Taxonomy
from ...core.text import PLACEHOLDER
from ..text.language import detect_language
from ..text.redact import RedactedText
from .alarms import Denials, Stakes, alarm_entries, raised_by, stakes_in
from .evidence import Evidence, Given, category_tables, known_languages, moving_words, pressing_words
from .matcher import Hit, PhraseMatcher, Wording, entries_of, known_name, lists, without_contained, words_of
from .sentiment import listed, mood_of, mood_tables
from .telling import WEIGHTS, Mark, cues, summary_of

MAX_SCANNED = 6_000
"""Characters looked at: the matter of a mail stands in its first page."""

_BLIND_GUESS = 0.4
_FALLBACK_HEAD_START = 0.6
_NEGATION_REACH = 2
_ORDER = (Urgency.LOW, Urgency.MEDIUM, Urgency.HIGH, Urgency.CRITICAL)
# What a category by itself says about haste, in the points of the urgency lexicon.
_LEANING = {"feature_request": -2.0, "general": -1.0, "security": 1.0, "technical": 0.5}
_CRITICAL_FROM, _HIGH_FROM, _LOW_FROM = 16.0, 4.0, -2.0
_ALARM, _SHORT = 3.0, 47
# A second category is named when it has this much of the best one's score, and one helping word of its own: with less,
# "the right one is among them" gains little more, and more than every third ticket would have one.
_SECONDARY_SHARE, _SECONDARY_LEAST = 0.4, 1.2
_SUBCATEGORY_LEAST = 1.2
# Lead of the best category, and how often it was right on tickets. A clear lead is right no more than in four cases of
# five, so that no word list is ever surer than that (see scripts/measure_rules.py).
_CALIBRATION = ((0.0, 0.45), (0.15, 0.5), (0.3, 0.62), (0.45, 0.67), (0.65, 0.72), (1.0, 0.78))

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_LONGEST_TITLE = 200
_CRASH = re.compile(
    r"\b(?:(?:top)?crash(?:es|ed|ing)?|hangs?|freezes?|data ?loss|segfaults?|deadlocks?|corrupts?|assertion fail\w*)\b",
    re.I,
)
_PERSONAL = re.compile(r"\b(?:i|i'm|we|my|our|me|us|you|your|please|help|hi|hello|thanks?|no)\b|[?？]", re.I)


class RulesAnalyser:
    """Category, urgency, sentiment, language and what is at stake in a text, by word lists.

    Built-in lists serve the categories whose names they know (see ``words/categories.toml``); any other, and every
    sub-category, is recognised by its own keywords and the words of its name, description and examples. Each language
    is compiled at its first text; one object may be shared by threads and pickled to workers.
    """

    def __init__(self, taxonomy: Taxonomy) -> None:
        self._taxonomy = taxonomy
        self._matchers: dict[tuple[str, str], PhraseMatcher] = {}
        self._compiling = Lock()

    def __reduce__(self) -> tuple[type[RulesAnalyser], tuple[Taxonomy]]:
        return RulesAnalyser, (self._taxonomy,)

    def analyse(self, text: RedactedText) -> Analysis:
        """The analysis of ``text`` by word lists; its first line is the subject. Never raises.

        ``confidence`` is how often the category is right among texts with as clear a lead as this one.
        """
        return self.analyse_with_points(text)[0]

    def analyse_with_points(self, text: RedactedText) -> tuple[Analysis, dict[str, float], float]:
        """:meth:`analyse`, and what it decided by: the points of each category, and those of urgency."""
        shown = text.text[:MAX_SCANNED]
        wording, language = _read(text)
        scanned = wording.text
        title, _, rest = scanned.partition("\n")
        # Without a body the only line is the message, not a heading.
        title_length = wording.first_from(len(title)) if rest.strip() else 0
        matcher = self._matcher(language)
        found = matcher.find(wording.words, scanned)
        ends = [hit.end for hit in found["not_about"]]
        not_about = {place for end in ends for place in range(end, end + _NEGATION_REACH)}
        denials = Denials(wording, language)
        stakes = stakes_in(wording, language, found["alarms"])
        given = _weighed(without_contained(found["categories"]), title_length, not_about)
        scores = self._scores(given, stakes, len(wording.words))
        category, confidence = self._best(scores)
        subcategory = self._subcategory(category, found["subcategories"], title_length, not_about)
        haste = without_contained(found["urgency"])
        pressing = _hastening(haste, title_length, denials)
        points = sum(gain for gain, _ in pressing)
        sentiment = mood_of(wording, language, matcher, found)
        level = partial(self._urgency, category, points, sentiment, terse_crash=_is_terse_crash(scanned, denials))
        by_words = level(stakes)
        urgency = self._taxonomy.at_least_floor(subcategory or category, by_words)
        raising = raised_by(stakes, found["alarms"], wording, denials) if stakes.incident else []
        told = by_words in URGENT and (raising or level(Stakes()) in URGENT)  # else learnt weights alone made it so
        pressing += [(_HIGH_FROM, hit) for hit in raising]
        analysis = Analysis(
            category=category,
            subcategory=subcategory,
            secondary=self._secondary(scores, category),
            urgency=urgency,
            sentiment=sentiment,
            urgent_tone=stakes.haste,
            risk=Risk.HIGH if urgency is Urgency.CRITICAL else stakes.risk,
            alarms=stakes.alarms,
            language=language,
            summary=summary_of(shown, wording, _marks(given, haste, found["cues"], category)),
            evidence=moving_words(
                given, category, scores[category], wording, fallback=category == self._taxonomy.fallback
            ),
            urgent_words=pressing_words(pressing, wording) if told else (),
            confidence=confidence,
            source="rules",
        )
        return analysis, scores, points

    def stakes(self, text: RedactedText) -> Stakes:
        """What the text's words raise: alarms, risk, and whether there is a real security incident, outage or danger.

        Nothing of the kind when they say that there is none, or that it is over.
        """
        wording, language = _read(text)
        return stakes_in(wording, language, self._matcher(language).find(wording.words, wording.text)["alarms"])

    def asks_us(self, text: str, language: str) -> bool:
        """Whether ``text`` asks something of its reader: it has a question, a request, or a word of haste.

        Capitals and exclamation marks ask nothing. Of a ``language`` without lists nothing is known, and ``True`` is
        said.
        """
        if "?" in text or "？" in text or language not in known_languages():
            return True
        found = self._matcher(language).find(words_of(text), text)
        asked = found["asks"] or any(cue.value == "request" for cue in found["cues"])
        return bool(asked) or any("haste" in hit.value for hit in found["alarms"])

    def _matcher(self, language: str) -> PhraseMatcher:
        """The one for texts of ``language``: of categories and urgency, what turns them round or tells, moods, alarms.

        One of all languages takes megabytes: those that no list knows share it.
        """
        known, felt = language if language in known_languages() else "und", listed(language)
        with self._compiling:
            if (known, felt) not in self._matchers:
                self._matchers[known, felt] = PhraseMatcher(
                    not_about=((entry, None) for entry in entries_of(lists("categories")["not_about"])),
                    cues=cues(),
                    alarms=alarm_entries(known),
                    **category_tables(self._taxonomy, known),
                    **mood_tables(felt),
                )
        return self._matchers[known, felt]

    def _scores(self, given: Given, stakes: Stakes, length: int) -> dict[str, float]:
        """Points of each category. An incident gives those of a strong word, and twice as many in a short text."""
        points = dict.fromkeys(self._taxonomy.top, 0.0)
        for gain, hit in given:
            points[hit.value.target] += gain
        points[self._taxonomy.fallback] += _FALLBACK_HEAD_START
        gain = _ALARM if length > _SHORT else 2 * _ALARM
        for name in points:
            known = known_name(name)
            if (known == "security" and (stakes.security or stakes.safety)) or (known == "technical" and stakes.outage):
                points[name] += gain
        return points

    def _best(self, points: dict[str, float]) -> tuple[str, float]:
        fallback = self._taxonomy.fallback
        # Between equals the more particular category, which taxonomies list before the fallback.
        ranked = sorted(points, key=lambda name: (-points[name], name == fallback))
        best = ranked[0]
        if points[best] <= _FALLBACK_HEAD_START:
            # Nothing was found at all.
            return best, _BLIND_GUESS
        second = points[ranked[1]] if len(ranked) > 1 else 0.0
        return best, _calibrated((points[best] - second) / (points[best] + second + 2.0))

    def _secondary(self, points: dict[str, float], best: str) -> tuple[str, ...]:
        # The fallback counts by its own words alone.
        own = {**points, self._taxonomy.fallback: points[self._taxonomy.fallback] - _FALLBACK_HEAD_START}
        least = max(_SECONDARY_LEAST, _SECONDARY_SHARE * points[best])
        others = [name for name in own if name != best and own[name] >= least]
        return tuple(sorted(others, key=lambda name: -own[name])[:2])

    def _subcategory(
        self, category: str, hits: list[Hit[Evidence]], title_length: int, negated: set[int]
    ) -> str | None:
        points: dict[str, float] = {}
        own = [hit for hit in hits if self._taxonomy[hit.value.target].parent == category]
        for gain, hit in _weighed(without_contained(own), title_length, negated):
            points[hit.value.target] = points.get(hit.value.target, 0.0) + gain
        ranked = sorted(points.items(), key=lambda item: -item[1])
        if not ranked or ranked[0][1] < _SUBCATEGORY_LEAST or (len(ranked) > 1 and ranked[0][1] == ranked[1][1]):
            return None
        return ranked[0][0]

    def _urgency(
        self, category: str, points: float, sentiment: Sentiment, stakes: Stakes, *, terse_crash: bool
    ) -> Urgency:
        """The urgency by words alone, whatever the floor of the category is."""
        points += _LEANING.get(known_name(category) or "", 0.0)
        if sentiment is Sentiment.POSITIVE and points < _HIGH_FROM:
            points -= 1.0
        if points >= _CRITICAL_FROM or terse_crash:
            urgency = Urgency.CRITICAL
        elif points >= _HIGH_FROM:
            urgency = Urgency.HIGH
        else:
            urgency = Urgency.LOW if points <= _LOW_FROM else Urgency.MEDIUM
        if stakes.incident:
            urgency = max(urgency, Urgency.HIGH, key=_ORDER.index)
        elif stakes.calm and not stakes.haste:
            # "The outage was fixed", "do you insure against theft": alarming words, and no alarm.
            urgency = min(urgency, Urgency.MEDIUM, key=_ORDER.index)
        return urgency


def _read(text: RedactedText) -> tuple[Wording, str]:
    """The words of a text's first page, and its language."""
    scanned = _as_written(text.text[:MAX_SCANNED])
    return Wording(scanned), detect_language(scanned)


def _is_terse_crash(text: str, denials: Denials) -> bool:
    """Whether ``text`` is a bug tracker's title about a crash, a hang or a loss of data: severe by every such guide.

    A customer's own words ("my app crashed, please help") are weighed like any others.
    """
    if "\n" in text.strip() or len(text.strip()) > _LONGEST_TITLE or _PERSONAL.search(text):
        return False
    places = (len(words_of(text[: crash.start()])) for crash in _CRASH.finditer(text))
    return not all(denials.of(Hit(place, place + 1, 0, None)) for place in places)


def _as_written(text: str) -> str:
    """``text`` with blanks for what its writer did not write; positions stay.

    Placeholders (``[CARD_1]`` says nothing about cards), the comments of a form that was filled in, code and logs.
    """
    if "[" in text:
        text = PLACEHOLDER.sub(_blank, text)
    if "<!--" in text:
        text = _COMMENT.sub(_blank, text)
    return _CODE.sub(_blank, text) if "```" in text else text


def _blank(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", found.group())


def _weighed(hits: list[Hit[Evidence]], title_length: int, negated: set[int]) -> Given:
    """Each hit that is not negated with its points, by its place and its number of earlier occurrences."""
    weighed = []
    seen: dict[int, int] = {}
    for hit in hits:
        if hit.start in negated:
            continue
        times = seen[hit.entry] = seen.get(hit.entry, 0) + 1
        # A word said again says less each time.
        weighed.append((hit.value.weight * _place(hit.start, title_length) / (times * times), hit))
    return weighed


def _place(position: int, title_length: int) -> float:
    """The weight of a word's place: highest in the subject, less and less down the page."""
    if position < title_length:
        return 2.0
    behind = position - title_length
    return 1.0 if behind < 50 else 0.6 if behind < 120 else 0.3


def _hastening(hits: list[Hit[float]], title_length: int, denials: Denials) -> list[tuple[float, Hit[Any]]]:
    """The words of haste and calm that count, each with its points of urgency."""
    counted: list[tuple[float, Hit[Any]]] = []
    seen: set[int] = set()
    for hit in hits:
        if hit.entry in seen or (hit.value > 0 and denials.of(hit)):
            continue
        seen.add(hit.entry)
        counted.append((hit.value * min(_place(hit.start, title_length), 1.0), hit))
    return counted


def _calibrated(lead: float) -> float:
    for (low, chance), (high, better) in pairwise(_CALIBRATION):
        if lead <= high:
            return round(chance + (better - chance) * max(0.0, lead - low) / (high - low), 3)
    return _CALIBRATION[-1][1]


def _marks(given: Given, haste: list[Hit[float]], cues: list[Hit[str]], category: str) -> Iterator[Mark]:
    """The words of a text that speak for ``category`` or for haste, and its cues."""
    for _, hit in given:
        if hit.value.target == category:
            yield hit, "moved", hit.value.weight / 3
    for pressing in haste:
        if pressing.value > 0:
            yield pressing, "moved", pressing.value / 8
    for cue in cues:
        yield cue, cue.value, WEIGHTS[cue.value]
