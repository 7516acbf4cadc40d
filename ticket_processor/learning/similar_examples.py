"""Finds approved examples that are like a ticket, by their words (BM25)."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from ..core.taxonomy import Taxonomy
from ..knowledge.search import any_of, query_words, rarest, telling_words
from ..knowledge.store import TOKENIZER
from .model import Correction
from .store import LearningStore

MOST_EXAMPLES = 10_000
"""The newest are kept in memory."""
SAME_WORDS, FEW_WORDS = 0.8, 8
"""Texts say the same that share so much of the shorter one's words; of one with few words, of all their words."""
PASSED_OVER = 50
"""Examples that may say the same as a ticket before similar ones run short."""


@dataclass(frozen=True, slots=True)
class LearntExample:
    """A ticket's redacted text and the category, of either level, that a person chose; ``id`` is the correction's."""

    id: int
    label: str
    text: str


class ExampleIndex:
    """Approved examples of a site, searched by their words in memory; their order does not matter. Thread-safe."""

    def __init__(self, examples: Iterable[LearntExample]) -> None:
        self._examples = sorted(examples, key=lambda item: (item.text, item.label, item.id))
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()
        self._db = sqlite3.connect(":memory:", check_same_thread=False)
        self._db.execute(f"CREATE VIRTUAL TABLE words USING fts5(text, tokenize='{TOKENIZER}')")
        rows = ((place, item.text) for place, item in enumerate(self._examples))
        self._db.executemany("INSERT INTO words (rowid, text) VALUES (?,?)", rows)

    def __len__(self) -> int:
        """How many examples there are."""
        return len(self._examples)

    def close(self) -> None:
        """Let go of the memory."""
        with self._lock:
            self._db.close()

    def nearest(self, text: str, limit: int) -> list[tuple[LearntExample, float]]:
        """The examples most like a redacted text, with their BM25 scores, the nearest first.

        One that says the same is none of them: it may be the ticket itself, or another mail about it.
        """
        with self._lock:
            words = rarest(query_words(text), self._matches)
            if not words:
                return []
            rows = self._db.execute(
                "SELECT rowid, -bm25(words) FROM words WHERE words MATCH ? ORDER BY bm25(words), rowid LIMIT ?",
                (any_of(words), limit + PASSED_OVER),
            ).fetchall()
        own = set(telling_words(text))
        found = ((self._examples[place], score) for place, score in rows)
        others = (item for item in found if not _same(own, set(telling_words(item[0].text))))
        return [*islice(others, limit)]

    def _matches(self, word: str) -> int:
        if word not in self._counts:
            query = "SELECT count(*) FROM words WHERE words MATCH ?"
            (self._counts[word],) = self._db.execute(query, (any_of([word]),)).fetchone()
        return self._counts[word]


def examples_of(store: LearningStore, taxonomy: Taxonomy) -> list[LearntExample]:
    """The newest approved examples, one a ticket, under today's names; a sub-category says more than a category."""
    by_ticket: dict[int, LearntExample] = {}
    for item in (*store.examples("category"), *store.examples("subcategory")):
        name, known = taxonomy.today(item.theirs), by_ticket.get(item.ticket_id)
        if name is not None and (known is None or _agree(known.label, name, item, taxonomy)):
            by_ticket[item.ticket_id] = LearntExample(item.id, name, item.text)
    return sorted(by_ticket.values(), key=lambda item: item.id)[-MOST_EXAMPLES:]


def _same(one: set[str], other: set[str]) -> bool:
    fewer = min(len(one), len(other))
    shared = len(one & other)
    return shared >= SAME_WORDS * (fewer if fewer >= FEW_WORDS else len(one) + len(other) - shared)


def _agree(label: str, name: str, item: Correction, taxonomy: Taxonomy) -> bool:
    """A later correction of the category replaces it, a sub-category only where it lies within."""
    return item.field == "category" or taxonomy.split(name)[0] == taxonomy.split(label)[0]
