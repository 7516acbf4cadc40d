"""Texts that say nearly the same, found by the shingles they share."""

from __future__ import annotations

import re
import zlib
from collections import Counter, defaultdict

SHINGLE = 8
"""Characters: letters serve every script, words only those with spaces."""

TOO_ALIKE = 0.4
"""Jaccard similarity from which two texts count as one. Different tickets of the built-in corpus stay below 0.1, their
variations (other names, numbers, greeting and closing) above 0.45."""

_DIGITS = re.compile(r"\d+")
_SPACES = re.compile(r"[\W_]+")


def shingles(text: str) -> frozenset[int]:
    """Hashes of all runs of eight characters; letter case, numbers, punctuation and white space do not count."""
    plain = _SPACES.sub(" ", _DIGITS.sub("0", text.casefold())).strip()
    last = max(1, len(plain) - SHINGLE + 1)
    return frozenset(zlib.crc32(plain[start : start + SHINGLE].encode("utf-8", "replace")) for start in range(last))


def similarity(one: frozenset[int], other: frozenset[int]) -> float:
    """Jaccard: what both have by what either has."""
    return len(one & other) / len(one | other)


class KnownTexts:
    """Texts seen so far, with an index from shingle to text, so that a new one meets only those it shares with."""

    def __init__(self, *, too_alike: float = TOO_ALIKE) -> None:
        self._too_alike = too_alike
        self._sizes: list[int] = []
        self._holders: defaultdict[int, list[int]] = defaultdict(list)

    def closest(self, text: str) -> float:
        """Similarity (0 to 1) to the most similar text known."""
        marks = shingles(text)
        shared = Counter(number for mark in marks for number in self._holders.get(mark, ()))
        return max((both / (len(marks) + self._sizes[number] - both) for number, both in shared.items()), default=0.0)

    def is_new(self, text: str) -> bool:
        """Whether nothing like it is known."""
        return self.closest(text) < self._too_alike

    def add(self, text: str) -> None:
        """Know this text from now on."""
        marks = shingles(text)
        for mark in marks:
            self._holders[mark].append(len(self._sizes))
        self._sizes.append(len(marks))
