"""How likely a text tells of an incident that is happening now, by weights learnt from invented mails.

Word lists say that alarming words are there; they cannot tell "our backups were encrypted last night" from "do you
encrypt backups". Weights of words, and of the marks that the lists leave, were learnt by
``scripts/learn_incidents.py`` from mails that were written for this project in the :data:`LANGUAGES`: incidents, their
look-alikes, and everyday tickets. Pure functions, safe in any thread.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import NamedTuple

from .matcher import KANA_OR_HAN

LANGUAGES = frozenset({"de", "en", "es", "fr", "it", "ja", "nl", "pt"})
MOST_WORDS = 200
"""Words looked at."""
SCALE = 1_000
"""Weights are stored as whole numbers, so many to one."""
FILE = "words/incident_weights.txt"

_SIZES = (3, 4, 5)
FEWEST_TOKENS = 28
"""Some 15 words, or 30 characters without spaces: of less nothing is said, for whole mails were learnt from."""

_CACHED_WORDS = 20_000
_SPACELESS_TOKEN = 3
_BITS = 40
_HALF = 1 << (_BITS - 1)


class Chances(NamedTuple):
    """The probabilities, 0 to 1, that a text tells of each kind of incident."""

    security: float
    outage: float
    safety: float

    @property
    def of_any(self) -> float:
        """The probability that it tells of an incident at all."""
        return sum(self)

    @property
    def likeliest(self) -> str:
        """The kind of incident that it most likely tells of."""
        return max(zip(self, self._fields, strict=True))[1]


def chances(words: Sequence[str], marks: Iterable[str] = ()) -> Chances | None:
    """The chances of a text with these ``words`` (see ``words_of``), the subject's included, and ``marks``.

    ``None`` where they are too few to go by.
    """
    found = distinct_tokens(words)
    if len(found) < FEWEST_TOKENS:
        return None
    known, length = _weights(), math.sqrt(len(found))
    total = sum(known[pair] for pair in known.keys() & found if " " in pair)
    total += sum(map(_of_word, [word for word in found if " " not in word]))
    of_marks = known[""] + sum(known.get(mark, 0) for mark in marks)
    odds = [
        math.exp(min(30.0, (of_all + of_text / length) / SCALE))
        for of_all, of_text in zip(_parted(of_marks), _parted(total), strict=True)
    ]
    whole = 1.0 + sum(odds)
    return Chances(*(each / whole for each in odds))


def distinct_tokens(words: Sequence[str]) -> set[str]:
    """The different words and pairs of neighbours; of scripts without spaces, pieces of three characters."""
    words = words[:MOST_WORDS]
    if (whole := " ".join(words)).isascii() or not KANA_OR_HAN.search(whole):
        return {*words, *map(" ".join, pairwise(words))}
    return set(_tokens(words))


def _tokens(words: Sequence[str]) -> Iterator[str]:
    before = ""
    for word in words:
        if not word.isascii() and KANA_OR_HAN.search(word):
            before = ""
            for run in KANA_OR_HAN.findall(word):
                for at in range(max(1, len(run) - 1)):
                    yield run[at : at + _SPACELESS_TOKEN]
        else:
            yield word
            if before:
                yield f"{before} {word}"
            before = word


def features(token: str) -> set[str]:
    """What is counted of a token: a word as a whole and in pieces of three to five characters, a pair as it is."""
    if " " in token:
        return {token}
    if not token.isascii() and KANA_OR_HAN.search(token):
        return {token, token[:2]}
    padded = f" {token} "
    pieces = {padded[at : at + size] for size in _SIZES for at in range(len(padded) - size + 1)}
    return pieces | {f"={token}"}


@lru_cache(maxsize=_CACHED_WORDS)
def _of_word(word: str) -> int:
    known = _weights()
    return sum(map(known.__getitem__, known.keys() & features(word)))


def joined(weights: Sequence[int]) -> int:
    """The three weights of a feature in one number: sums of such numbers hold the sums of each."""
    security, outage, safety = weights
    return security + (outage << _BITS) + (safety << 2 * _BITS)


def _parted(total: int) -> tuple[int, ...]:
    parts = []
    for _ in Chances._fields:
        part = (total + _HALF) % (2 * _HALF) - _HALF
        parts.append(part)
        total = (total - part) >> _BITS
    return tuple(parts)


@cache
def _weights() -> dict[str, int]:
    """Each feature's weights, :func:`joined`."""
    lines = files(__package__).joinpath(FILE).read_text(encoding="utf-8").split("\n")
    rows = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return {feature: joined([int(weight) for weight in weights]) for feature, *weights in rows}
