"""The SQLite file that keeps articles, their passages, the index of their words, and vectors.

Losing it costs one full sync. Rows of the index are changed together with their passages, in one transaction.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from ..helpdesk.protocol import Audience
from ..state.sqlite import Database, emptied, run_script, schema_version, transaction, translated
from .model import READABLE, Article, Passage
from .text import chunks_of

FILE_NAME = "knowledge.sqlite3"
VERSION = 3
"""Version of the tables and of the way articles are cut; a file of another version is emptied and synced again."""

GENERATION = "generation"
"""A fact that differs once passages or vectors have changed."""
SCOPE_BITS = 40
"""A passage's number is its scope's, shifted by these, plus a count: it alone tells who may read the passage."""
BUFFER = 16 << 20
"""Bytes of words that FTS5 gathers before it writes: a portion of a sync at once, and not by the megabyte."""
TOKENIZER = "porter unicode61 remove_diacritics 2"
_TABLES = f"""
CREATE TABLE article (
    id TEXT PRIMARY KEY, source TEXT NOT NULL, lang TEXT NOT NULL, audience TEXT NOT NULL, url TEXT NOT NULL,
    title TEXT NOT NULL, body TEXT NOT NULL, hash TEXT NOT NULL, updated_at REAL NOT NULL,
    stamp TEXT NOT NULL DEFAULT '', found INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX article_by_source ON article (source);
CREATE TABLE chunk (
    id INTEGER PRIMARY KEY, article TEXT NOT NULL, n INTEGER NOT NULL, heading TEXT NOT NULL, text TEXT NOT NULL,
    title TEXT NOT NULL, hash TEXT NOT NULL
);
CREATE INDEX chunk_by_article ON chunk (article, n);
CREATE TABLE scope (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE VIRTUAL TABLE words USING fts5(
    title, heading, text, content='chunk', content_rowid='id', tokenize='{TOKENIZER}'
);
INSERT INTO words (words, rank) VALUES ('hashsize', {BUFFER});
CREATE TABLE vector (
    hash TEXT NOT NULL, model TEXT NOT NULL, dim INTEGER NOT NULL, blob BLOB NOT NULL,
    PRIMARY KEY (hash, model, dim)
) WITHOUT ROWID;
CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""  # noqa: S608 - our own names
_PASSAGE = (
    "article.id, article.source, article.title, article.url, article.lang, article.audience, article.updated_at, "
    "chunk.n, chunk.heading, chunk.text"
)


@dataclass(frozen=True)
class KeptArticle:
    """What the store remembers of an article, to tell whether it has changed."""

    hash: str
    stamp: str


def hash_of(article: Article) -> str:
    """A digest of all that is searched or shown of an article."""
    parts = (article.title, article.body_text, article.lang, article.audience, article.url)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:32]


def embedded_text(title: str, heading: str, text: str) -> str:
    """A passage as an embedding model reads it."""
    return "\n".join(part for part in (title, heading, text) if part)


class KnowledgeStore(Database):
    """The file; ``None`` keeps all in memory. Thread-safe. Raises :class:`StateUnusable` when it cannot be used."""

    migrations = ()

    def __init__(self, path: Path | None) -> None:
        """Open, or create, the file, whose agents-only articles are private."""
        super().__init__(path)
        with translated(path):
            self._make_tables()

    # Writing

    def put(self, articles: Iterable[tuple[Article, str]]) -> None:
        """Keep articles, each with a stamp by which its source knows it again, in place of what was there."""
        with self.transaction():
            latest = {article.id: (article, stamp) for article, stamp in articles}
            self._remove(latest)
            self._db.executemany(
                "INSERT INTO article (id, source, lang, audience, url, title, body, hash, updated_at, stamp) "
                "VALUES (?,?,?,?,?,?,?,?,?,?)",
                (
                    (a.id, a.source, a.lang, a.audience, a.url, a.title, a.body_text, hash_of(a), a.updated_at, stamp)
                    for a, stamp in latest.values()
                ),
            )
            numbers: dict[str, Iterator[int]] = {}
            rows = []
            for article, _ in latest.values():
                scope = f"{article.audience} {article.lang}"
                if scope not in numbers:
                    numbers[scope] = self._free_numbers(scope)
                for n, chunk in enumerate(chunks_of(article.body_text, article.title)):
                    embedded = embedded_text(article.title, chunk.heading, chunk.text)
                    digest = hashlib.sha256(embedded.encode()).hexdigest()[:32]
                    number = next(numbers[scope])
                    rows.append((number, article.id, n, chunk.heading, chunk.text, article.title, digest))
            rows.sort()  # FTS5 writes its buffer out whenever a number is lower than the one before
            self._db.executemany(
                "INSERT INTO chunk (id, article, n, heading, text, title, hash) VALUES (?,?,?,?,?,?,?)", rows
            )
            self._db.executemany(
                "INSERT INTO words (rowid, title, heading, text) VALUES (?,?,?,?)",
                ((number, title, heading, text) for number, _, _, heading, text, title, _ in rows),
            )
            self._count_up()

    def restamp(self, stamps: Mapping[str, str]) -> None:
        """Remember new stamps of articles that have not changed."""
        with self.transaction():
            self._db.executemany("UPDATE article SET stamp=? WHERE id=?", [(new, old) for old, new in stamps.items()])

    def remove(self, article_ids: Iterable[str]) -> None:
        """Forget articles."""
        with self.transaction():
            self._remove(article_ids)
            self._count_up()

    def put_vectors(self, model: str, vectors: Mapping[str, bytes], dim: int) -> None:
        """Keep vectors of passages, by the passages' hashes. ``model`` names the model and its prefix."""
        with self.transaction():
            self._db.executemany(
                "INSERT OR REPLACE INTO vector VALUES (?,?,?,?)",
                [(digest, model, dim, blob) for digest, blob in vectors.items()],
            )
            self._count_up()

    def drop_vectors(self, model: str, dim: int | None) -> None:
        """Forget vectors of passages that are gone, of every other model and, if it is known, of another dimension."""
        with self.transaction():
            self._db.execute(
                "DELETE FROM vector WHERE model<>? OR dim<>coalesce(?, dim) OR hash NOT IN (SELECT hash FROM chunk)",
                (model, dim),
            )

    def set_fact(self, name: str, value: str) -> None:
        """Remember a value."""
        with self.transaction():
            self._db.execute("INSERT OR REPLACE INTO fact VALUES (?,?)", (name, value))

    def count_found(self, article_ids: Collection[str]) -> None:
        """Count that a search showed these articles."""
        with self.transaction():
            self._db.executemany("UPDATE article SET found=found+1 WHERE id=?", [(name,) for name in article_ids])

    # Reading

    def fact(self, name: str) -> str | None:
        """A remembered value."""
        rows = self.all("SELECT value FROM fact WHERE name=?", name)
        return rows[0][0] if rows else None

    def kept(self, source: str) -> dict[str, KeptArticle]:
        """What is remembered of a source's articles, by id."""
        rows = self.all("SELECT id, hash, stamp FROM article WHERE source=?", source)
        return {name: KeptArticle(digest, stamp) for name, digest, stamp in rows}

    def counts(self) -> tuple[int, int]:
        """How many articles and passages there are."""
        [(articles, passages)] = self.all("SELECT (SELECT count(*) FROM article), (SELECT count(*) FROM chunk)")
        return articles, passages

    def scopes(self, langs: Collection[str] | None, audience: Audience) -> list[int]:
        """The scopes of passages that ``audience`` may read, in one of the languages; ``None``: any."""
        found = ((number, *name.split(" ", 1)) for number, name in self.all("SELECT number, name FROM scope"))
        return [number for number, who, lang in found if who in READABLE[audience] and (langs is None or lang in langs)]

    def article(self, article_id: str) -> Article | None:
        """A whole article."""
        rows = self.all(
            "SELECT id, source, title, url, lang, audience, updated_at, body FROM article WHERE id=?", article_id
        )
        return Article(*rows[0]) if rows else None

    def passages(self, numbers: Sequence[int]) -> dict[int, Passage]:
        """Passages by their numbers in the index."""
        rows = self.all(
            f"SELECT chunk.id, {_PASSAGE} FROM chunk JOIN article ON article.id=chunk.article "  # noqa: S608 - our own names
            "WHERE chunk.id IN (SELECT value FROM json_each(?))",
            json.dumps([*numbers]),
        )
        return {row[0]: Passage(*row[1:]) for row in rows}

    def articles_of(self, numbers: Collection[int]) -> dict[int, str]:
        """The article of each passage."""
        query = "SELECT id, article FROM chunk WHERE id IN (SELECT value FROM json_each(?))"
        return dict(self.all(query, json.dumps([*numbers])))

    def without_vector(self, model: str, dim: int | None = None) -> list[tuple[str, str]]:
        """Hash and text of every passage that has no vector of this model and dimension, each text once."""
        rows = self.all(
            "SELECT hash, title, heading, text FROM chunk "
            "WHERE hash NOT IN (SELECT hash FROM vector WHERE model=? AND (? IS NULL OR dim=?)) "
            "GROUP BY hash ORDER BY min(id)",
            *(model, dim, dim),
        )
        return [(digest, embedded_text(*parts)) for digest, *parts in rows]

    def vectors(self, model: str, dim: int) -> list[tuple[int, bytes]]:
        """Number and vector of every passage that has one of this model and dimension."""
        return self.all(
            "SELECT chunk.id, vector.blob FROM chunk JOIN vector ON vector.hash=chunk.hash "
            "WHERE vector.model=? AND vector.dim=? ORDER BY chunk.id",
            *(model, dim),
        )

    # Inside

    def _make_tables(self) -> None:
        if schema_version(self._db) == VERSION:
            return
        with transaction(self._db):
            if schema_version(self._db) == VERSION:
                return  # another process was faster
            # Tables of the index first: to drop one drops those that FTS5 keeps for it.
            names = self._db.execute(
                "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite%' "
                "ORDER BY sql NOT LIKE 'CREATE VIRTUAL%'"
            ).fetchall()
            drops = "".join(f"DROP TABLE IF EXISTS {name};" for (name,) in names)
            run_script(self._db, f"{drops} {_TABLES} PRAGMA user_version={VERSION};")
        if names:
            emptied(self._db)  # earlier versions kept customers' words here

    def _count_up(self) -> None:
        query = "INSERT INTO fact VALUES (?, '1') ON CONFLICT (name) DO UPDATE SET value=value+1"
        self._db.execute(query, (GENERATION,))

    def _free_numbers(self, scope: str) -> Iterator[int]:
        """Numbers for new passages of a scope."""
        self._db.execute("INSERT OR IGNORE INTO scope (name) VALUES (?)", (scope,))
        [(place,)] = self._db.execute("SELECT number FROM scope WHERE name=?", (scope,))
        first, end = place << SCOPE_BITS, (place + 1) << SCOPE_BITS
        [(last,)] = self._db.execute("SELECT max(id) FROM chunk WHERE id>=? AND id<?", (first, end))
        return count(first if last is None else last + 1)

    def _remove(self, article_ids: Iterable[str]) -> None:
        names = [(name,) for name in article_ids]
        numbers = [row for name in names for row in self._db.execute("SELECT id FROM chunk WHERE article=?", name)]
        query = "SELECT id, title, heading, text FROM chunk WHERE id=?"
        self._db.executemany(
            "INSERT INTO words (words, rowid, title, heading, text) VALUES ('delete',?,?,?,?)",
            (self._db.execute(query, number).fetchone() for number in sorted(numbers)),
        )
        self._db.executemany("DELETE FROM chunk WHERE article=?", names)
        self._db.executemany("DELETE FROM article WHERE id=?", names)
