"""Groups short texts that are about the same matter: by their words and, if there are some, by vectors. Pure.

The likeness of two texts is the cosine of their words, rare ones counting most, or the mean of that and of the vectors'
cosine. Groups are joined by average linkage, the most alike first. The same texts give the same groups.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import Any, NamedTuple

from ..analysis.rules.evidence import content_words, singular
from ..analysis.rules.matcher import KANA_OR_HAN, words_of
from ..core.text import PLACEHOLDER, lazy_pattern
from ..knowledge.search import stop_words

ALIKE = 0.15
"""The mean likeness over all pairs of two groups down to which they are one; see ``measure_knowledge.py themes``."""
_PAIR = 0.7
"""The weight of two words in a row, beside that of a word."""
_LEAST = 0.4 * ALIKE
"""Texts less alike than this count as not alike at all, which saves most of the time."""
MOST_JOINED = 3_000
"""Of more texts, so many are grouped; each other one goes to the group that it is most like."""
MOST_NAMED = 3
_HALF = 10
"""A word with so many before it counts half: summaries begin with the subject."""
_PART = lazy_pattern(r" – | / |(?<=[.?!。]) ")
_ON_FORMS = 3
"""A sentence of so many texts that begins none of them was written by a form."""

Weights = dict[str, float]


class Group(NamedTuple):
    """Texts about one matter by their places, the most typical first, and its most telling words."""

    places: tuple[int, ...]
    name: str


def terms_of(text: str) -> Weights:
    """The words of a text that carry a subject, and pairs of them in a row, with weights; no placeholders."""
    words: list[str] = []
    for word in content_words(PLACEHOLDER.sub(" ", text), 3):
        if KANA_OR_HAN.fullmatch(word):  # no spaces part the words
            words += [word[at : at + 2] for at in range(len(word) - 1)]
        elif word not in stop_words() and not word.isdigit():
            words.append(word)
    weights: Weights = {}
    for place, (one, other) in enumerate(pairwise([*words, ""])):
        weights.setdefault(one, _HALF / (_HALF + place))
        if other not in ("", one):
            weights.setdefault(f"{one} {other}", _PAIR * _HALF / (_HALF + place))
    return weights


def without_forms(texts: Iterable[str]) -> list[str]:
    """The texts without sentences that forms asked, such as "What is the current behaviour?"."""
    parts = [_PART.split(text) for text in texts]
    often = Counter(part for each in parts for part in set(each[1:]))
    return [" ".join(part for at, part in enumerate(each) if not at or often[part] < _ON_FORMS) for each in parts]


def groups(texts: Sequence[str], vectors: Any = None) -> list[Group]:
    """All texts in groups, the biggest first; a text like no other is one of its own.

    ``vectors`` is a matrix of numpy with a row for each text. A group of several has a name that no other has; it is
    empty if they share no word with any text.
    """
    terms = [terms_of(text) for text in without_forms(texts)]
    known = Counter(term for each in terms for term in each)
    rare = {term: math.log((1 + len(texts)) / count) for term, count in known.items()}
    whole = [_unit({term: weight * rare[term] for term, weight in each.items()}) for each in terms]
    words = [{term: weight for term, weight in each.items() if known[term] > 1} for each in whole]
    rows = None if vectors is None else _centred(vectors)
    step = -(-len(texts) // MOST_JOINED) or 1
    chosen = range(0, len(texts), step)
    found = [[chosen[number] for number in members] for members in _joined(_alike(words, rows, chosen))]
    _place_others([place for place in range(len(texts)) if place % step], found, words, rows)
    found.sort(key=lambda members: (-len(members), min(members)))
    written = Counter((singular(word), word) for text in texts for word in words_of(text))
    spelt = {word: most for (word, most), _ in reversed(written.most_common())}
    taken: set[str] = set()
    return [_described(members, words, rare, spelt, taken) for members in found]


def _unit(weights: Weights) -> Weights:
    length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
    return {term: weight / length for term, weight in weights.items()}


def _centred(vectors: Any) -> Any:
    """Vectors of length 1 without what all of them share, so that unlike texts have a cosine of 0 with every model."""
    return _of_length_1((rows := _of_length_1(vectors)) - rows.mean(axis=0))


def _of_length_1(rows: Any) -> Any:
    lengths = (rows * rows).sum(axis=1, keepdims=True) ** 0.5
    return rows / (lengths + (lengths == 0))


def _alike(words: Sequence[Weights], rows: Any, chosen: Sequence[int]) -> Iterator[dict[int, float]]:
    """For each chosen text the earlier ones that it is like; all by their number among those chosen."""
    having = defaultdict[str, list[tuple[int, float]]](list)
    near = None if rows is None else (rows[[*chosen]] @ rows[[*chosen]].T).clip(0.0, 1.0)
    for number, place in enumerate(chosen):
        like = defaultdict[int, float](float)
        for term, weight in words[place].items():
            for other, there in having[term]:
                like[other] += weight * there
            having[term].append((number, weight))
        if near is not None:
            for other in (near[number, :number] >= 2 * _LEAST).nonzero()[0].tolist():
                like[other] += 0.0
            like = defaultdict(float, {other: (by + float(near[number, other])) / 2 for other, by in like.items()})
        yield {other: by for other, by in like.items() if by >= _LEAST}


def _joined(alike: Iterable[dict[int, float]]) -> list[list[int]]:
    """Groups by average linkage: of each two, the likeness of all their pairs is summed up."""
    sums: list[dict[int, float]] = []
    for number, each in enumerate(alike):
        sums.append(dict(each))
        for other, by in each.items():
            sums[other][number] = by
    members = {number: [number] for number in range(len(sums))}
    queue = [(-by, other, number) for number, each in enumerate(sums) for other, by in each.items() if other < number]
    heapify(queue)
    while queue and -queue[0][0] >= ALIKE:
        _, one, other = heappop(queue)
        if one not in members or other not in members:
            continue
        new = len(sums)
        members[new] = members.pop(one) + members.pop(other)
        sums.append({})
        for near in (sums[one], sums[other]):
            for third, by in near.items():
                if third in members:
                    sums[new][third] = sums[new].get(third, 0.0) + by
        for third, by in sums[new].items():
            sums[third][new] = by
            heappush(queue, (-by / (len(members[new]) * len(members[third])), third, new))
        sums[one], sums[other] = {}, {}
    return [*members.values()]


def _place_others(others: Sequence[int], found: list[list[int]], words: Sequence[Weights], rows: Any) -> None:
    """Put each other text into the group that it is most like, or into one of its own."""
    if not others:
        return
    having = defaultdict[str, list[tuple[int, float]]](list)
    for number, members in enumerate(found):
        for term, weight in _mean(words, members).items():
            having[term].append((number, weight))
    middles: Any = None if rows is None else rows[[members[0] for members in found]]
    for number, members in enumerate(found if rows is not None else ()):
        middles[number] = rows[members].mean(axis=0)
    for place in others:
        like = defaultdict[int, float](float)
        for term, weight in words[place].items():
            for number, there in having[term]:
                like[number] += weight * there
        if middles is not None:
            near = enumerate((middles @ rows[place]).clip(0.0).tolist())
            like = defaultdict(float, {number: (like.get(number, 0.0) + by) / 2 for number, by in near})
        best = max(like, key=lambda number: (like[number], -number), default=None)
        if best is None or like[best] < ALIKE:
            found.append([place])
        else:
            found[best].append(place)


def _mean(words: Sequence[Weights], members: Sequence[int]) -> Weights:
    total = defaultdict[str, float](float)
    for place in members:
        for term, weight in words[place].items():
            total[term] += weight / len(members)
    return total


def _described(
    members: Sequence[int], words: Sequence[Weights], rare: Weights, spelt: Mapping[str, str], taken: set[str]
) -> Group:
    middle = _mean(words, members)
    near = {place: round(sum(by * middle[term] for term, by in words[place].items()), 9) for place in members}
    counts = Counter(term for place in members for term in words[place])
    telling = sorted(counts, key=lambda term: (-counts[term] * rare[term] * (1 + (" " in term)), term))
    name: list[str] = []
    for term in telling if len(members) > 1 else ():
        if not name or (len(name) < MOST_NAMED and 3 * counts[term] >= len(members)):
            name = [*dict.fromkeys([*name, *(spelt.get(word, word) for word in term.split())])]
    if " ".join(name) in taken and name:
        name.append(str(len(taken)))
    taken.add(" ".join(name))
    return Group(tuple(sorted(members, key=lambda place: (-near[place], place))), " ".join(name))
