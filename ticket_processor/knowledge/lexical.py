"""Searches the words of passages with FTS5: the query is built here, so that a customer's text is never its syntax."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import cache
from importlib import resources

from .model import READABLE, Audience
from .store import KnowledgeStore

MOST_WORDS = 64
"""Distinct words of a query; a pasted log would search for a thousand."""
MOST_CHARACTERS = 20_000
MOST_MATCHES = 15_000
"""Passages that are ranked: frequent words, which tell least, are left out beyond that. Smaller sites never notice."""
COLUMNS = "title heading text"
SCOPE_WEIGHT, TITLE_WEIGHT, HEADING_WEIGHT, TEXT_WEIGHT = 0.0, 3.0, 1.0, 1.0

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")


@cache
def stop_words() -> frozenset[str]:
    """Words that carry no subject, of several languages."""
    text = resources.files("ticket_processor.knowledge").joinpath("stop_words.txt").read_text("utf-8")
    return frozenset(text.split())


def query_words(text: str) -> list[str]:
    """The distinct words that are searched for, in order; all of them where nothing but stop words is left."""
    found = dict.fromkeys(word.casefold().replace("’", "'") for word in _WORD.findall(text[:MOST_CHARACTERS]))
    telling = [word for word in found if word not in stop_words()]
    return (telling or [*found])[:MOST_WORDS]


def lexical(
    store: KnowledgeStore, query: str, *, langs: Collection[str] | None, audience: Audience, limit: int
) -> list[tuple[int, float]]:
    """Numbers and BM25 scores of the best passages, best first, among those that ``audience`` may read.

    ``langs`` are languages to stay in; ``None``: any.
    """
    words = query_words(query)
    if not words:
        return []
    rows = store.rows(
        f"SELECT rowid, -bm25(words, {SCOPE_WEIGHT}, {TITLE_WEIGHT}, {HEADING_WEIGHT}, {TEXT_WEIGHT}) AS score "  # noqa: S608 - our own numbers
        "FROM words WHERE words MATCH ? ORDER BY score DESC, rowid LIMIT ?",
        (match_expression(_rarest(store, words), langs, audience), limit),
    )
    return [(number, score) for number, score in rows]


def _rarest(store: KnowledgeStore, words: Sequence[str]) -> list[str]:
    """The words that together are in few enough passages, one at least."""
    counts = {word: store.matches(_any_of([word], COLUMNS)) for word in words}
    kept: list[str] = []
    total = 0
    for word in sorted(words, key=counts.__getitem__):
        total += counts[word]
        if kept and total > MOST_MATCHES:
            break
        kept.append(word)
    return kept


def match_expression(words: Sequence[str], langs: Collection[str] | None, audience: Audience) -> str:
    """The query in FTS5's own syntax, every word quoted."""
    limits = [_any_of([f"audience{name}" for name in READABLE[audience]], "scope")]
    if langs is not None:
        limits.append(_any_of([f"lang{name or 'unknown'}" for name in langs], "scope"))
    return " AND ".join([*limits, _any_of(words, COLUMNS)])


def _any_of(words: Sequence[str], columns: str) -> str:
    return f"{{{columns}}} : ({' OR '.join(_quoted(word) for word in words)})"


def _quoted(word: str) -> str:
    return '"' + word.replace('"', '""') + '"'
