"""Solved tickets with the reply that helped, redacted: tables of their own beside the articles, never ranked with them.

They are made when the first ticket is kept or erased.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import astuple, dataclass
from sqlite3 import Connection

from .lexical import query_words
from .store import TOKENIZER, KnowledgeStore

_TABLES = (
    "CREATE TABLE IF NOT EXISTS solved (id INTEGER PRIMARY KEY, subject TEXT NOT NULL, question TEXT NOT NULL, "
    "reply TEXT NOT NULL, category TEXT NOT NULL, solved_at REAL NOT NULL, stamp TEXT NOT NULL)",
    "CREATE VIRTUAL TABLE IF NOT EXISTS solved_words USING fts5(subject, question, content='solved', "
    f"content_rowid='id', tokenize='{TOKENIZER}')",
    "CREATE TRIGGER IF NOT EXISTS solved_kept AFTER INSERT ON solved BEGIN "
    "INSERT INTO solved_words (rowid, subject, question) VALUES (new.id, new.subject, new.question); END",
    "CREATE TRIGGER IF NOT EXISTS solved_dropped AFTER DELETE ON solved BEGIN "
    "INSERT INTO solved_words (solved_words, rowid, subject, question) "
    "VALUES ('delete', old.id, old.subject, old.question); END",
    "CREATE TABLE IF NOT EXISTS solved_erased (id INTEGER PRIMARY KEY)",
)
_COLUMNS = "id, subject, question, reply, category, solved_at, stamp"
_SCORE = "-bm25(solved_words, 3.0, 1.0)"
MOST_KEPT = 10_000
"""Tickets, the newest; a search stays fast, and forgetting some of them does too."""
FACTS = ("solved cursor", "solved until", "solved floor", "solved floor is old", "solved redaction")
CURSOR, UNTIL, FLOOR, FLOOR_IS_OLD, LEVEL = FACTS
"""Facts of the store: where the helpdesk's list was read to, when, from which score on a ticket counts as similar,
whether tickets have changed since that was learnt, and the level of their redaction."""


@dataclass(frozen=True)
class SolvedTicket:
    """A solved ticket, without personal data. Without a ``reply`` it only tells that it was looked at."""

    id: int
    subject: str
    question: str
    reply: str
    category: str
    solved_at: float
    """Unix seconds; when it was first seen solved, as far as that is known."""
    stamp: str


class SolvedTickets:
    """The solved tickets of a store. Thread-safe, as that is."""

    def __init__(self, store: KnowledgeStore) -> None:
        self._store = store

    @property
    def there(self) -> bool:
        """Whether any were ever kept or erased."""
        return bool(self._store.rows("SELECT 1 FROM sqlite_master WHERE name='solved'"))

    def count(self) -> int:
        """How many can be found."""
        return int(self._store.rows("SELECT count(*) FROM solved WHERE reply<>''")[0][0]) if self.there else 0

    def stamps(self) -> Mapping[int, str]:
        """By ticket, what it was when it was read; of an erased one, nothing that a ticket could be."""
        if not self.there:
            return {}
        kept = self._store.rows("SELECT id, stamp FROM solved UNION ALL SELECT id, '' FROM solved_erased")
        return dict(kept)

    def known(self, ticket_ids: Collection[int]) -> frozenset[int]:
        """Those of these tickets whose words are kept."""
        if not self.there:
            return frozenset()
        return frozenset(ticket_ids).intersection(
            number for (number,) in self._store.rows("SELECT id FROM solved WHERE reply<>''")
        )

    def put(self, tickets: Iterable[SolvedTicket]) -> None:
        """Keep tickets in place of what was there of them; the day when they were solved stays."""
        with self._store.transaction() as db:
            _make_tables(db)
            for ticket in tickets:
                row = db.execute("SELECT solved_at FROM solved WHERE id=?", (ticket.id,)).fetchone()
                db.execute("DELETE FROM solved WHERE id=?", (ticket.id,))
                values = astuple(ticket)
                at = ticket.solved_at if row is None else min(row[0], ticket.solved_at)
                db.execute(f"INSERT INTO solved ({_COLUMNS}) VALUES (?,?,?,?,?,?,?)", (*values[:5], at, values[6]))  # noqa: S608 - our own names

    def remove(self, ticket_ids: Collection[int]) -> int:
        """Forget tickets, their words in the index too; how many could be found before."""
        gone = self.known(ticket_ids)
        if self.there:
            self._store.rows("PRAGMA secure_delete=ON")
            with self._store.transaction() as db:
                db.executemany("DELETE FROM solved WHERE id=?", [(number,) for number in ticket_ids])
                if gone:  # the index marks words as deleted, and keeps them otherwise
                    db.execute("INSERT INTO solved_words (solved_words) VALUES ('rebuild')")
        return len(gone)

    def forget_before(self, moment: float) -> int:
        """Forget what was solved before (Unix seconds), and the oldest of too many."""
        if not self.there:
            return 0
        rows = self._store.rows("SELECT id, solved_at FROM solved ORDER BY solved_at DESC")
        return self.remove([number for at, (number, solved) in enumerate(rows) if solved < moment or at >= MOST_KEPT])

    def erase(self, ticket_ids: Collection[int]) -> int:
        """Forget tickets for good: they are not kept again, and nothing of them is left in the file."""
        gone = self.remove(ticket_ids)
        with self._store.transaction() as db:
            _make_tables(db)
            db.executemany("INSERT OR IGNORE INTO solved_erased VALUES (?)", [(number,) for number in ticket_ids])
        if self.there:  # also where an erasure that was cut off has removed them before
            self._store.wipe()
        return gone

    def forget_all(self) -> int:
        """Forget all tickets, and how far the helpdesk's list was read."""
        gone = self.remove(self.stamps().keys())
        for name in FACTS:
            self._store.set_fact(name, None)
        return gone

    def newest(self, limit: int) -> list[SolvedTicket]:
        """The newest that have a category."""
        if not self.there:
            return []
        rows = self._store.rows(
            f"SELECT {_COLUMNS} FROM solved WHERE reply<>'' AND category<>'' ORDER BY solved_at DESC, id LIMIT ?",  # noqa: S608 - our own names
            (limit,),
        )
        return [SolvedTicket(*row) for row in rows]

    def search(self, text: str, *, limit: int, without: int = 0) -> list[tuple[SolvedTicket, float]]:
        """The tickets nearest to a text, the nearest first: BM25 per word of the text. Ticket ``without`` is passed."""
        words = query_words(text)
        if not words or not self.there:
            return []
        columns = ", ".join(f"solved.{name}" for name in _COLUMNS.split(", "))
        rows = self._store.rows(
            f"SELECT {columns}, {_SCORE} AS score FROM solved_words JOIN solved ON solved.id=solved_words.rowid "  # noqa: S608 - our own names
            "WHERE solved_words MATCH ? AND solved.id<>? ORDER BY score DESC, solved.id LIMIT ?",
            (" OR ".join('"' + word.replace('"', '""') + '"' for word in words), without, limit),
        )
        return [(SolvedTicket(*row[:-1]), row[-1] / len(words)) for row in rows]


def _make_tables(db: Connection) -> None:
    for statement in _TABLES:
        db.execute(statement)
