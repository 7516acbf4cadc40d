"""Text as counted n-grams: what the local classifier sees of a ticket, the same in training and in use.

Words and pairs of neighbouring words carry the matter; pieces of three to five characters carry inflection,
compounds, typing errors and the scripts that put no space between words. All functions are pure.
"""

from __future__ import annotations

import re
from itertools import pairwise

MAX_CHARACTERS = 2_000
"""Characters read of a ticket; later ones add time rather than accuracy."""

_PLACEHOLDER = re.compile(r"\[([A-Z][A-Z_]*)_\d{1,6}\]")
_LONG_NUMBER = re.compile(r"\d{4,}")
_WORD = re.compile(r"\w\w+")
_SIZES = (3, 4, 5)
_LONGEST_TOKEN = 30


def plain_form(text: str) -> str:
    """``text`` in lower case, placeholders without their numbers, numbers of four or more digits made equal.

    What is left of a number identifies nobody: "[PHONE_2]" becomes "_phone_", an order number "0000".
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


def is_single_word(gram: str) -> bool:
    """Whether a word gram is one word that a person would recognise, no placeholder and no number."""
    return gram.isalpha()
