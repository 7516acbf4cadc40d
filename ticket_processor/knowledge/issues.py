"""Cuts a long text into queries, so that one issue's words do not drown another's."""

from __future__ import annotations

import re

from .lexical import MOST_CHARACTERS, query_words

SENTENCES = 3
"""Sentences of one query."""
MOST_QUERIES = 16
LEAST_WORDS = 3
"""A sentence with fewer telling words says nothing by itself."""

_ENDS = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+")


def issue_queries(text: str) -> list[str]:
    """The whole text and, where it is long, every few sentences of it."""
    text = text[:MOST_CHARACTERS]
    sentences = [part.strip() for part in _ENDS.split(text) if len(query_words(part)) >= LEAST_WORDS]
    if len(sentences) <= SENTENCES:
        return [text]
    size = max(SENTENCES, -(-len(sentences) // MOST_QUERIES))
    return [text, *(" ".join(sentences[start : start + size]) for start in range(0, len(sentences), size))]
