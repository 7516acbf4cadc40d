"""The state's SQLite file as threads share it: one connection, and transactions of one thread at a time."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Self

from .sqlite import copy_into, emptied, is_there, migrate, opened, transaction, translated


class Database:
    """One SQLite file. Thread-safe.

    Raises :class:`StateUnusable` when the file is damaged, cannot be written, or is newer than this program.
    """

    def __init__(self, path: Path | None) -> None:
        """Open, or create, the file; ``None`` keeps everything in memory."""
        self._lock = threading.RLock()
        self.path = path
        with translated(path):
            self._db = opened(path)

    @classmethod
    def scratch_copy(cls, path: Path) -> Self:
        """A copy in memory, for a run that must leave no trace; empty if there is no file."""
        copy = cls(None)
        if is_there(path):
            try:
                with translated(path):
                    copy_into(path, copy._db)
                    copy.path = path
                    migrate(copy._db, path)
            except BaseException:
                copy.close()
                raise
        return copy

    def close(self) -> None:
        """Close the file. Idempotent."""
        with self._lock:
            self._db.close()

    def damage(self) -> str | None:
        """The first damage that SQLite finds in the file; ``None`` if it is sound. Reads all of it."""
        with self._lock, translated(self.path):
            (found,) = self._db.execute("PRAGMA quick_check(1)").fetchone()
        return None if found == "ok" else " ".join(str(found).split())

    def vacuum(self) -> bool:
        """Take what was deleted out of the file; false while another process reads it."""
        with self._lock, translated(self.path):
            return emptied(self._db)

    def one(self, sql: str, *values: object) -> tuple[Any, ...] | None:
        """The first row of a query; ``None`` if there is none."""
        with self._lock, translated(self.path):
            row: tuple[Any, ...] | None = self._db.execute(sql, values).fetchone()
        return row

    def all(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self._lock, translated(self.path):
            return self._db.execute(sql, values).fetchall()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Make everything that this thread does with the state meanwhile one transaction."""
        with self.transaction():
            yield

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction, or a part of the one that this thread is in."""
        with self._lock, translated(self.path):
            part_of_more = self._db.in_transaction
            with nullcontext(self._db) if part_of_more else transaction(self._db) as db:
                yield db
