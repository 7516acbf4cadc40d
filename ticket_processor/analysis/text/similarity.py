"""The words that texts are about, and themes of many short texts. Pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..rules.matcher import words_of
from . import FOLDER

SHORTEST_WORD = 4
LIFT = 2.0
"""A theme's words are at least this much more frequent among the texts in question than elsewhere."""

COMMON_SHARE = 0.6
PHRASE_SHARE = 0.6

EVERYDAY = frozenset(FOLDER.joinpath("everyday.txt").read_text("utf-8").split())
"""Words of requests in general, which tell no category from another."""


def content_words(text: str) -> list[str]:
    """The words of ``text`` that may tell what it is about, in order, a plural as its singular."""
    return [_singular(word) for word in words_of(text) if len(word) >= SHORTEST_WORD and word not in EVERYDAY]


def _singular(word: str) -> str:
    if len(word) > SHORTEST_WORD and word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if len(word) > SHORTEST_WORD and word.endswith("s") and not word.endswith("ss") else word


@dataclass(frozen=True)
class Theme:
    """A word or a phrase of two that several texts share; ``members`` are their places in the list."""

    phrase: str
    members: tuple[int, ...]


def themes(texts: Sequence[str], elsewhere: Sequence[str] = (), *, at_least: int = 5, at_most: int = 8) -> list[Theme]:
    """Themes of at least ``at_least`` of ``texts`` that are far rarer in those ``elsewhere``, biggest first.

    A text belongs to one theme. A phrase is preferred to a word of it that says little more often.
    """
    terms = [_terms(text) for text in texts]
    there = Counter(term for text in elsewhere for term in _terms(text))
    left = set(range(len(texts)))
    found: list[Theme] = []
    while len(found) < at_most:
        counts = Counter(term for index in sorted(left) for term in terms[index])
        worthy = {
            term: count
            for term, count in counts.items()
            if count >= at_least and _stands_out(count, len(texts), there[term], len(elsewhere))
        }
        if not worthy:
            break

        def rank(term: str, worthy: dict[str, int] = worthy) -> tuple[int, int, str]:
            """Between equally frequent ones that whose words are the rarest elsewhere."""
            return -worthy[term], sum(there[word] for word in term.split()), term

        best = min(worthy, key=rank)
        longer = [term for term in worthy if " " in term and best in term.split()]
        longer = [term for term in longer if worthy[term] >= PHRASE_SHARE * worthy[best]]
        phrase = min(longer, key=rank) if longer else best
        members = tuple(sorted(index for index in left if best in terms[index] or phrase in terms[index]))
        found.append(Theme(phrase, members))
        left.difference_update(members)
    return found


def _terms(text: str) -> set[str]:
    words = content_words(text)
    return {*words, *(f"{one} {other}" for one, other in pairwise(words) if one != other)}


def _stands_out(count: int, texts: int, there: int, elsewhere: int) -> bool:
    if not elsewhere:
        return count <= COMMON_SHARE * texts
    return count / texts >= LIFT * (there + 0.5) / (elsewhere + 1)
