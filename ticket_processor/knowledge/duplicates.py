"""Finds articles with the same or nearly the same words, by the smallest hashes of their runs of words. Pure."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from zlib import crc32

RUN = 4
"""Words that are hashed together."""
KEPT = 64
"""The smallest hashes of an article: their overlap estimates that of all."""
LOOKED_UP = 12
"""Those of them by which articles like it are found."""
MOST_TOGETHER = 30
"""Articles with one hash in common that are compared; where there are more, it is a phrase that all have."""
LEAST_SHARE = 0.8
FEWEST_WORDS = 20
"""Words of an article that can be nearly like another."""

_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Copies:
    """Articles that are alike, by id; ``same`` when they have the same words."""

    ids: tuple[str, ...]
    same: bool


def copies(articles: Iterable[tuple[str, str]]) -> list[Copies]:
    """The groups of alike ones among these articles, given as id and text; those with the same words first."""
    groups: defaultdict[bytes, list[str]] = defaultdict(list)
    sketches: dict[str, frozenset[int]] = {}
    for name, text in articles:
        words = _WORD.findall(text.casefold())
        if not words:
            continue
        group = groups[hashlib.sha256(" ".join(words).encode("utf-8", "replace")).digest()]
        group.append(name)
        if len(group) == 1 and len(words) >= FEWEST_WORDS:
            sketches[name] = _sketch(words)
    same = [Copies(tuple(sorted(group)), same=True) for group in groups.values() if len(group) > 1]
    return [*sorted(same, key=lambda each: each.ids), *_nearly(sketches)]


def _sketch(words: list[str]) -> frozenset[int]:
    runs = {crc32(" ".join(words[at : at + RUN]).encode("utf-8", "replace")) for at in range(len(words) - RUN + 1)}
    return frozenset(sorted(runs)[:KEPT])


def _nearly(sketches: dict[str, frozenset[int]]) -> list[Copies]:
    having: defaultdict[int, list[str]] = defaultdict(list)
    for name, sketch in sketches.items():
        for number in sorted(sketch)[:LOOKED_UP]:
            having[number].append(name)
    group = {name: {name} for name in sketches}
    pairs = {pair for names in having.values() if len(names) <= MOST_TOGETHER for pair in combinations(names, 2)}
    for one, other in sorted(pairs):
        if group[one] is not group[other] and _share(sketches[one], sketches[other]) >= LEAST_SHARE:
            group[one] |= group[other]
            for name in group[other]:
                group[name] = group[one]
    found = {tuple(sorted(names)) for names in group.values() if len(names) > 1}
    return [Copies(ids, same=False) for ids in sorted(found)]


def _share(one: frozenset[int], other: frozenset[int]) -> float:
    """The estimated share of their runs of words that two articles have in common."""
    smallest = sorted(one | other)[:KEPT]
    return sum(number in one and number in other for number in smallest) / len(smallest)
