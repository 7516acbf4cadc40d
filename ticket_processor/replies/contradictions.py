"""Pairs of sentences in articles that answer one question with different figures. Pure.

Two sentences answer one question when they share most of their telling words, each weighed by its rarity, and when
neither is about a thing that the other does not name. What several articles say, each with its own figure, is no
contradiction: it is about as many things.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

from .sources import Citable
from .statements import FigureStatement, Measure, exclude_each_other, statements_of, stems, vague_stems

LEAST_LIKENESS = 0.6
"""How much of their wording, by weight, two sentences share."""
LEAST_WITHIN = 0.75
"""The same for two sentences of one article, which may well speak of two things."""
LEAST_COUNTED = 0.45
"""The same for sentences that say alike of other things."""
FEWEST_SHARED = 3
"""Telling words that two sentences share."""
FEWEST_IF_DOUBTFUL = 6
"""The same where the titles name different things."""
ENOUGH_ALONE = 5
"""Telling words that say what a sentence is about without its title."""
RAREST = 7
"""Of a sentence's telling words, those by which others like it are looked for."""
MOST_TOGETHER = 40
"""Sentences with the same two rare words that are compared; where there are more, other words must tell."""
MOST_VALUES = 2
"""Other figures in sentences nearly as like as this one; with more of them there are as many things."""
AS_LIKE = 0.25
"""How much less like they may be."""
ENOUGH_COPIED = 8
"""Telling words of a copied sentence that says what it is about."""
NEARLY_COPIED = 0.9
"""Sentences as like as this are compared only with others that are."""
MOST_REPLACED = 2
"""Words of a sentence that are another thing's in the next one; more make another wording."""
DAY = 86_400
IN_DAYS = {"business": (1, 1.4, 2), "month": (28, 31, 0)}
"""The fewest and the most days that one has, and how many more the weekend adds that it may begin before."""
LEAST_NAMED = 0.5
"""Of the sentences with a word, the share that writes it like a name, if it is one."""


@dataclass(frozen=True)
class Contradiction:
    """Two sentences with different figures; the likeness of their wording, 0 to 1."""

    first: FigureStatement
    second: FigureStatement
    likeness: float


def contradictions(passages: Iterable[Citable]) -> list[Contradiction]:
    """What contradicts what in these passages, the likest first; what several articles say alike, once."""
    return _Comparison([statement for passage in passages for statement in statements_of(passage)]).found()


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

    They share a telling word, no word of one excludes a word of the other, and they do not each name something of their
    own title that the other one lacks. It takes less than in :func:`contradictions`: both answer one ticket.
    """
    shared = (one.words & other.words) - vague_stems()
    if not shared or exclude_each_other(one.words - other.words, other.words - one.words, one.lang):
        return False
    own = [mine.scope & mine.words - theirs.scope - theirs.words for mine, theirs in ((one, other), (other, one))]
    return not all(own)


_Values = tuple[tuple[str, float, float], ...]


class _Comparison:
    """All statements of some articles, and what is known from all of them together."""

    def __init__(self, statements: Sequence[FigureStatement]) -> None:
        self._statements = statements
        having = Counter(word for each in statements for word in each.words)
        named = Counter(word for each in statements for word in each.names)
        self._weights = {word: math.log(1 + len(statements) / count) for word, count in having.items()}
        self._names = {word for word, count in named.items() if count >= LEAST_NAMED * having[word]}
        self._titled = {word for each in statements for word in each.scope}
        self._said = {(each.article_id, each.words, _values(each)) for each in statements}

    def found(self) -> list[Contradiction]:
        chosen: dict[frozenset[tuple[frozenset[str], _Values]], Contradiction] = {}
        for (one, other), likeness in sorted(self._alike.items(), key=lambda item: (-item[1], item[0])):
            first, second = self._statements[one], self._statements[other]
            within = first.article_id == second.article_id
            if likeness < (LEAST_WITHIN if within else LEAST_LIKENESS) or self._other_subject(first, second):
                continue
            doubtful = self._other_titles(first, second)
            shared = len(first.words & second.words)
            if doubtful and shared < FEWEST_IF_DOUBTFUL:
                continue
            copied = likeness >= NEARLY_COPIED and (shared >= ENOUGH_COPIED or not doubtful)
            least = NEARLY_COPIED if copied else likeness - AS_LIKE
            if max(self._others(one, least), self._others(other, least)) > (1 if doubtful else MOST_VALUES):
                continue
            if not within and (self._says_both(first, second) or self._says_both(second, first)):
                continue
            same = frozenset((each.words, _values(each)) for each in (first, second))
            chosen.setdefault(same, Contradiction(first, second, likeness))
        return [*chosen.values()]

    @cached_property
    def _alike(self) -> Mapping[tuple[int, int], float]:
        """Pairs of sentences that say alike with different figures, by their numbers, and their likeness."""
        found: dict[tuple[int, int], float] = {}
        for one, other in _candidates(self._statements):
            pair = (one, other) if one < other else (other, one)
            if pair not in found:
                found[pair] = self._likeness(self._statements[pair[0]], self._statements[pair[1]])
        return {pair: likeness for pair, likeness in found.items() if likeness >= LEAST_COUNTED}

    @cached_property
    def _values_beside(self) -> Mapping[int, Sequence[tuple[float, _Values]]]:
        """For each sentence the figures of those like it."""
        found: defaultdict[int, list[tuple[float, _Values]]] = defaultdict(list)
        for (one, other), likeness in self._alike.items():
            found[one].append((likeness, _values(self._statements[other])))
            found[other].append((likeness, _values(self._statements[one])))
        return found

    def _others(self, one: int, least: float) -> int:
        """How many other figures the sentences have that are at least so like."""
        return len({values for likeness, values in self._values_beside[one] if likeness >= least})

    def _likeness(self, one: FigureStatement, other: FigureStatement) -> float:
        """How much of their wording they share, 0 to 1; 0 where their figures agree or cannot be compared.

        What the title of one says need not be in its sentence.
        """
        shared = one.words & other.words
        if len(shared) < FEWEST_SHARED or one.place == other.place or not _differ(one.measures, other.measures):
            return 0.0  # in one passage it is a list of several things, or a story
        ours, theirs = shared | one.words - other.scope, shared | other.words - one.scope
        weights = [math.fsum(map(self._weights.__getitem__, sorted(each))) for each in (shared, ours, theirs)]
        return 2 * weights[0] / (weights[1] + weights[2])

    def _other_subject(self, one: FigureStatement, other: FigureStatement) -> bool:
        """Whether one speaks of something that the other does not name, and so may be true beside it."""
        mine, theirs = one.words - other.words, other.words - one.words
        if one.names & mine - other.scope or other.names & theirs - one.scope:
            return True
        if exclude_each_other(mine, theirs, one.lang) or self._replaced(one.order, other.order):
            return True
        if one.article_id == other.article_id and one.heading == other.heading and mine and theirs:
            return True
        if self._names_it(one, other) or self._names_it(other, one):
            return False
        if not one.scope - other.scope - other.words or not other.scope - one.scope - one.words:
            return False
        shared = one.words & other.words
        named = (one.scope ^ other.scope) & shared
        both = one.scope & other.scope
        if one.article_id == other.article_id:
            both -= frozenset(stems(one.title))
        return not named and (len(shared) < ENOUGH_ALONE or bool(both))

    def _other_titles(self, one: FigureStatement, other: FigureStatement) -> bool:
        """Whether titles or headings name different things; of titles that have words in common one may name more."""
        if self._names_it(one, other) or self._names_it(other, one):
            return False
        sides = (one.scope - other.scope - other.words, other.scope - one.scope - one.words)
        named = [not self._names.isdisjoint(side) for side in sides]
        return any(named) if one.scope & other.scope else all(named)

    def _names_it(self, one: FigureStatement, other: FigureStatement) -> bool:
        """Whether a sentence names what the title of the other one names, and its own title does not."""
        names = (other.scope - one.scope) & self._names
        return bool(names) and names <= one.words

    def _replaced(self, ours: Sequence[str], theirs: Sequence[str]) -> bool:
        """Whether one sentence is the other with a word or two replaced that name things, as titles do."""
        if len(ours) != len(theirs):
            return False
        replaced = [pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1]]
        return 0 < len(replaced) <= MOST_REPLACED and any(
            all(word in self._titled or not word.isalpha() for word in pair) for pair in replaced
        )

    def _says_both(self, one: FigureStatement, other: FigureStatement) -> bool:
        """Whether the article of ``other`` says elsewhere what ``one`` says."""
        return (other.article_id, one.words, _values(one)) in self._said


def _values(statement: FigureStatement) -> _Values:
    return tuple(sorted({(measure.unit, measure.low, measure.high) for measure in statement.measures}))


def _candidates(statements: Sequence[FigureStatement]) -> Iterator[tuple[int, int]]:
    """Pairs of sentences, by their numbers, with the same unit and two rare words in common."""
    by_unit: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for number, statement in enumerate(statements):
        for unit in {measure.unit for measure in statement.measures}:
            by_unit[statement.lang, unit].append(number)
    for numbers in by_unit.values():
        having = Counter(word for number in numbers for word in statements[number].words)
        together: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for number in numbers:
            shared = sorted((having[word], word) for word in statements[number].words if having[word] > 1)[:RAREST]
            for words in combinations(sorted(word for _, word in shared), 2):
                together[words].append(number)
        for members in together.values():
            if 1 < len(members) <= MOST_TOGETHER:
                yield from combinations(members, 2)


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
    return each.article_id == side.article_id and bool(each.words & opposite.words - vague_stems())


def _agree(one: Measure, other: Measure) -> bool:
    """Whether both can be true: they overlap, but are no ranges of which one end differs."""
    one_end = (one.low == other.low) != (one.high == other.high) and one.low < one.high and other.low < other.high
    return one.unit == other.unit and one.low <= other.high and other.low <= one.high and not one_end
