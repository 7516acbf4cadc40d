"""Searches the words of passages with FTS5: the query is built here, so that a customer's text is never its syntax."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache
from importlib import resources

from .model import Audience
from .store import SCOPE_BITS, KnowledgeStore, in_scope

MOST_WORDS = 64
"""Distinct words of a query; a pasted log would search for a thousand."""
MOST_CHARACTERS = 20_000
MOST_MATCHES = 15_000
"""Passages that are ranked: frequent words, which tell least, are left out beyond that. Smaller sites never notice."""
FEW = 30
"""Of so few passages BM25 makes nothing: a word that half of them have counts 0."""
TITLE_WEIGHT, HEADING_WEIGHT, TEXT_WEIGHT = 3.0, 1.0, 1.0

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")


@cache
def stop_words() -> frozenset[str]:
    """Words that carry no subject, of several languages."""
    text = resources.files("ticket_processor.knowledge").joinpath("stop_words.txt").read_text("utf-8")
    return frozenset(text.split())


def query_words(text: str) -> list[str]:
    """The distinct words that are searched for, in order."""
    return telling_words(text)[:MOST_WORDS]


def telling_words(text: str) -> list[str]:
    """The distinct words of a text that carry a subject, in order; all of them where nothing but stop words is left."""
    found = dict.fromkeys(word.casefold().replace("’", "'") for word in _WORD.findall(text[:MOST_CHARACTERS]))
    return [word for word in found if word not in stop_words()] or [*found]


def lexical(
    store: KnowledgeStore, query: str, *, langs: Collection[str] | None, audience: Audience, limit: int
) -> list[tuple[int, float]]:
    """Numbers and BM25 scores of the best passages, best first, among those that ``audience`` may read.

    ``langs`` are languages to stay in; ``None``: any. Where there are at most :data:`FEW` passages in all, a score is
    the share of the words that a passage has, on a like scale.
    """
    words = query_words(query)
    scopes = [number for number, name in store.scopes().items() if in_scope(name, langs, audience)]
    if not words or not scopes:
        return []
    marks = ",".join("?" * len(scopes))
    rows = store.rows(
        f"SELECT rowid, -bm25(words, {TITLE_WEIGHT}, {HEADING_WEIGHT}, {TEXT_WEIGHT}) AS score "  # noqa: S608 - our own numbers
        f"FROM words WHERE words MATCH ? AND rowid>>? IN ({marks}) ORDER BY score DESC, rowid LIMIT ?",
        (any_of(rarest(words, lambda word: store.matches(any_of([word])))), SCOPE_BITS, *scopes, limit),
    )
    passages = len(store.rows("SELECT 1 FROM chunk LIMIT ?", (FEW + 1,)))
    return [(number, score) for number, score in rows] if passages > FEW else _by_share(store, words, rows, passages)


def _by_share(
    store: KnowledgeStore, words: Sequence[str], found: Iterable[tuple[int, float]], passages: int
) -> list[tuple[int, float]]:
    """What was found, by the share of the words, weighed by rarity, that each passage has."""
    shares: defaultdict[int, float] = defaultdict(float)
    whole = 0.0
    for word in words:
        having = store.rows("SELECT rowid FROM words WHERE words MATCH ?", (any_of([word]),))
        weight = math.log(1 + (passages - len(having) + 0.5) / (len(having) + 0.5))
        whole += weight
        for (number,) in having:
            shares[number] += weight
    scale = len(words) * math.log(1 + passages) / whole
    return sorted(((number, scale * shares[number]) for number, _ in found), key=lambda pair: -pair[1])


def rarest(words: Iterable[str], matches: Callable[[str], int]) -> list[str]:
    """The words that together are in few enough passages, one at least; ``matches`` says in how many each is."""
    counts = {word: matches(word) for word in words}
    kept: list[str] = []
    total = 0
    for word in sorted(counts, key=counts.__getitem__):
        total += counts[word]
        if kept and total > MOST_MATCHES:
            break
        kept.append(word)
    return kept


def any_of(words: Sequence[str]) -> str:
    """The query in FTS5's own syntax, every word quoted."""
    return " OR ".join('"' + word.replace('"', '""') + '"' for word in words)
