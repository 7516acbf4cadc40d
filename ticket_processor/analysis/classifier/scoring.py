"""Text as counted n-grams, trained weights as plain arrays, and the sums that turn both into scores. Needs only numpy.

Words and pairs of neighbouring words carry the matter; pieces of three to five characters carry inflection, compounds,
typing errors and the scripts that put no space between words. Training and use count the same.

A linear model, whichever method fitted it, is two arrays. So the file that holds it needs no type but the array, and
one ticket costs one small product.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
Arrays = Mapping[str, npt.NDArray[np.generic]]

_MOST_TOKENS = 20_000


@dataclass(frozen=True)
class Features:
    """TF-IDF over a fixed vocabulary. ``idf`` holds one weight a column, words first, then pieces of characters.

    Thread-safe: threads that compute a token's columns twice get the same.
    """

    words: Mapping[str, int]
    pieces: Mapping[str, int]
    idf: Floats
    _of_token: dict[str, Ints] = field(default_factory=dict, repr=False, compare=False)

    def vector(self, text: str) -> tuple[Ints, Floats]:
        """The columns that ``text`` touches, and their values. Both parts have length one, unless empty."""
        form = plain_form(text)
        words = [column for gram in word_grams(form) if (column := self.words.get(gram)) is not None]
        pieces = [self._pieces(token) for token in form.split()]
        columns, values = self._weighed(np.array(words, np.int32))
        more_columns, more_values = self._weighed(np.concatenate(pieces) if pieces else np.empty(0, np.int32))
        return np.concatenate((columns, more_columns)), np.concatenate((values, more_values))

    def _pieces(self, token: str) -> Ints:
        """The columns of a token's pieces; tokens come again and again, so they are kept."""
        known = self._of_token.get(token)
        if known is None:
            found = [column for gram in character_grams(token) if (column := self.pieces.get(gram)) is not None]
            known = np.array(found, np.int32)
            if len(self._of_token) >= _MOST_TOKENS:
                self._of_token.clear()
            self._of_token[token] = known
        return known

    def _weighed(self, found: Ints) -> tuple[Ints, Floats]:
        if not len(found):
            return found, np.empty(0, np.float32)
        columns, counts = np.unique(found, return_counts=True)
        values: Floats = (1 + np.log(counts, dtype=np.float32)) * self.idf[columns]
        return columns, values / np.sqrt(values @ values)

    def to_arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """For storing; the vocabulary as one array of UTF-8 bytes, a gram a line."""
        grams = "\n".join([*self.words, *self.pieces]).encode()
        return {
            "vocabulary": np.frombuffer(grams, np.uint8),
            "words": np.array([len(self.words)], np.int64),
            "idf": self.idf,
        }

    @staticmethod
    def from_arrays(arrays: Arrays) -> Features:
        """Raises ``KeyError`` or ``ValueError`` when the arrays do not fit together."""
        text = arrays["vocabulary"].astype(np.uint8).tobytes().decode()
        grams = text.split("\n") if text else []
        idf = arrays["idf"].astype(np.float32)
        border = int(arrays["words"][0])
        if not 0 <= border <= len(grams) or idf.shape != (len(grams),):
            raise ValueError("the vocabulary and its weights differ in length")
        return Features(
            {gram: at for at, gram in enumerate(grams[:border])},
            {gram: at for at, gram in enumerate(grams[border:], border)},
            idf,
        )


@dataclass(frozen=True)
class Linear:
    """A weight for each column and label, and a bias for each label. The last columns are those of the rules."""

    weights: Floats
    bias: Floats

    def scores(self, columns: Ints, values: Floats, last: Floats) -> Floats:
        """One ticket's scores, one for each label; a softmax of them is a probability of sorts, before calibration.

        ``last`` are the values of all the last columns.
        """
        result: Floats = (
            values @ self.weights[columns] + last @ self.weights[len(self.weights) - len(last) :] + self.bias
        )
        return result

    def to_arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        return {"weights": self.weights, "bias": self.bias}

    @staticmethod
    def from_arrays(arrays: Arrays, *, columns: int, labels: int) -> Linear:
        """Raises ``KeyError`` or ``ValueError`` when the arrays do not fit each other or the rest."""
        weights, bias = (arrays[name].astype(np.float32) for name in ("weights", "bias"))
        if bias.shape != (labels,) or weights.shape != (columns, labels):
            raise ValueError("the weights do not fit the vocabulary and the labels")
        if not (np.isfinite(weights).all() and np.isfinite(bias).all()):
            raise ValueError("a weight is no number")
        return Linear(weights, bias)

    def pull(self, columns: Ints, values: Floats, label: int) -> Floats:
        """How far each of a ticket's columns pulls towards ``label``, compared to the labels on average."""
        weights = self.weights[columns]
        result: Floats = values * (weights[:, label] - weights.mean(axis=1))
        return result


class LabelChoice(NamedTuple):
    """For each row the chosen label, and the shares of all groups and of the chosen label's own."""

    labels: Ints
    shares: Floats
    groups: Floats


def decide(scores: Floats, temperature: float, group_of: Ints) -> LabelChoice:
    """The best label of each row of ``scores``: first the best group of labels, then the best label in it.

    ``group_of`` says which group each label belongs to: sub-categories to their category, anything else to itself.
    """
    shares = softmax(scores / np.float32(temperature))
    groups = shares @ np.eye(int(group_of.max()) + 1, dtype=np.float32)[group_of]
    best = groups.argmax(axis=1)
    labels = np.where(group_of == best[:, None], shares, np.float32(-1)).argmax(axis=1)
    return LabelChoice(labels.astype(np.int32), groups.max(axis=1), groups)


def log_odds(share: Floats) -> Floats:
    """The logarithm of share to its complement, finite for 0 and 1 as well."""
    bounded = np.clip(share.astype(np.float64), 1e-7, 1 - 1e-7)
    result: Floats = np.log(bounded / (1 - bounded)).astype(np.float32)
    return result


def softmax(scores: Floats) -> Floats:
    """Scores as shares that sum to one, along the last axis."""
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    result: Floats = raised / raised.sum(axis=-1, keepdims=True)
    return result


MAX_CHARACTERS = 2_000
"""Characters read of a ticket; later ones add time rather than accuracy."""

_PLACEHOLDER = re.compile(r"\[([A-Z][A-Z_]*)_\d{1,6}\]")
_LONG_NUMBER = re.compile(r"\d{4,}")
_WORD = re.compile(r"\w\w+")
_SIZES = (3, 4, 5)
_LONGEST_TOKEN = 30


def plain_form(text: str) -> str:
    """``text`` in lower case, placeholders without their numbers, numbers of four or more digits made equal.

    The rest of a number identifies no person: "[PHONE_2]" becomes "_phone_", an order number "0000".
    """
    text = _PLACEHOLDER.sub(lambda found: f" _{found[1].lower()}_ ", text[:MAX_CHARACTERS])
    return _LONG_NUMBER.sub("0000", text).lower()


def word_grams(form: str) -> list[str]:
    """The words of a :func:`plain_form`, then its pairs of neighbours, each as often as it occurs."""
    words = _WORD.findall(form)
    return words + [f"{first} {second}" for first, second in pairwise(words)]


def character_grams(form: str) -> list[str]:
    """Pieces of three to five characters inside each word and its borders, each as often as it occurs."""
    found: list[str] = []
    for token in form.split():
        if len(token) > _LONGEST_TOKEN and token.isascii():
            token = token[:_LONGEST_TOKEN]  # an address or a key; scripts without spaces are not ASCII
        padded = f" {token} "
        length = len(padded)
        for size in _SIZES:
            if length <= size:
                found.append(padded)
                break
            found += [padded[at : at + size] for at in range(length - size + 1)]
    return found
