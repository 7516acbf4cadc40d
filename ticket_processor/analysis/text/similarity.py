"""The words that a text is about. Pure."""

from __future__ import annotations

from ..rules.matcher import words_of
from . import FOLDER

SHORTEST_WORD = 4
EVERYDAY = frozenset(FOLDER.joinpath("everyday.txt").read_text("utf-8").split())
"""Words of requests in general, which tell no category from another."""


def content_words(text: str) -> list[str]:
    """The words of ``text`` that may tell what it is about, in order, a plural as its singular."""
    return [_singular(word) for word in words_of(text) if len(word) >= SHORTEST_WORD and word not in EVERYDAY]


def _singular(word: str) -> str:
    if len(word) > SHORTEST_WORD and word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if len(word) > SHORTEST_WORD and word.endswith("s") and not word.endswith("ss") else word
