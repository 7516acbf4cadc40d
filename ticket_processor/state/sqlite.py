"""The state's SQLite file: its schema, opening, copying and emptying it, its errors, and how threads share it."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any, ClassVar, Self

from ..core.errors import StateUnusable, state_unusable
from ..core.files import make_file, make_folder, what_else

_MIGRATIONS = (
    """
    CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
    CREATE TABLE verdicts (
        ticket_id INTEGER PRIMARY KEY,
        verdict TEXT NOT NULL
    );
    CREATE TABLE intents (
        intent TEXT PRIMARY KEY,
        ticket_id INTEGER NOT NULL,
        change TEXT NOT NULL
    );
    CREATE INDEX intents_by_ticket ON intents (ticket_id);
    CREATE TABLE retries (
        ticket_id INTEGER PRIMARY KEY,
        attempts INTEGER NOT NULL,
        reason TEXT NOT NULL,
        dead INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE done (ticket_id INTEGER PRIMARY KEY, run_id TEXT NOT NULL, key TEXT NOT NULL);
    CREATE TABLE breakers (name TEXT PRIMARY KEY, failures INTEGER NOT NULL, open_until REAL NOT NULL);
    CREATE TABLE waits (name TEXT PRIMARY KEY, not_before REAL NOT NULL);
    """,
    "CREATE TABLE fallbacks (ticket_id INTEGER PRIMARY KEY, tags TEXT NOT NULL);",
    "ALTER TABLE fallbacks ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;",
    "ALTER TABLE intents ADD COLUMN job TEXT;",
    "CREATE TABLE dropped (ticket_id INTEGER PRIMARY KEY);",
    "ALTER TABLE waits ADD COLUMN told_at REAL NOT NULL DEFAULT 0;",
    """
    ALTER TABLE retries ADD COLUMN since REAL NOT NULL DEFAULT 0;
    CREATE TABLE runs (run_id TEXT PRIMARY KEY, started REAL NOT NULL, record TEXT NOT NULL);
    CREATE INDEX runs_by_start ON runs (started);
    """,
    """
    ALTER TABLE retries ADD COLUMN failed_at TEXT;
    ALTER TABLE retries ADD COLUMN proven INTEGER NOT NULL DEFAULT 0;
    """,
    "CREATE TABLE listed (ticket_id INTEGER PRIMARY KEY, created REAL NOT NULL, stamp TEXT NOT NULL);",
    "ALTER TABLE breakers ADD COLUMN cause TEXT NOT NULL DEFAULT '';",
    """
    CREATE TABLE writes (intent TEXT PRIMARY KEY, ticket_id INTEGER NOT NULL, write TEXT NOT NULL);
    CREATE INDEX writes_by_ticket ON writes (ticket_id);
    """,
    "CREATE TABLE scheduled_replies (ticket_id INTEGER PRIMARY KEY, reply TEXT NOT NULL);",
    "ALTER TABLE intents ADD COLUMN job_begun REAL NOT NULL DEFAULT 0;",
)
"""One script per schema version; append, never edit. They run in one transaction with the version's number."""
_ASK_AGAIN_S = 0.02


def opened(path: Path | None, migrations: Sequence[str], *, holds: str = "") -> sqlite3.Connection:
    """Open the file, for any thread; it is created or migrated if need be. ``None`` opens one in memory.

    Without ``migrations`` the caller makes the tables. Raises :class:`StateUnusable`, ``sqlite3.Error`` or ``OSError``.
    """
    if path is not None:
        _check_files(path)
        make_folder(path.parent)
        make_file(path)  # summaries are private
    db = sqlite3.connect(
        ":memory:" if path is None else path,
        isolation_level=None,
        check_same_thread=False,
        timeout=10,
    )
    try:
        if path is not None:
            write_ahead(db)
        if migrations:
            migrate(db, path, migrations, holds=holds)
    except BaseException:
        db.close()
        raise
    return db


def migrate(db: sqlite3.Connection, path: Path | None, migrations: Sequence[str], *, holds: str = "") -> None:
    """Bring the schema up to date. Raises :class:`StateUnusable` for one newer than this program, or too old.

    ``holds`` says in words what is lost with a file that is too old.
    """
    version = schema_version(db)
    if version > len(migrations):
        raise StateUnusable(
            f"the state in {path} was written by a newer ticketbot (schema {version}, this one knows "
            f"{len(migrations)}); update ticketbot, or point TICKETBOT_STATE_DIR at an empty folder"
        )
    if 0 < version <= migrations.count(""):
        raise StateUnusable(
            f"{path} is of an earlier ticketbot (schema {version}), and not read any more; it holds {holds}: keep a "
            "copy elsewhere, and delete it here to begin again"
        )
    apply_missing(db, migrations)


def schema_version(db: sqlite3.Connection) -> int:
    """The schema version of a file: how many scripts it has run; 0 if it is new."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def apply_missing(db: sqlite3.Connection, migrations: Sequence[str]) -> None:
    """Run the migration scripts that a file lacks; if many processes try at once, one of them does it."""
    if schema_version(db) >= len(migrations):
        return  # the lock would have to be waited for while another process writes for long
    with transaction(db):
        for number, script in enumerate(migrations[schema_version(db) :], start=schema_version(db) + 1):
            run_script(db, script)
            db.execute(f"PRAGMA user_version={number}")


def run_script(db: sqlite3.Connection, script: str) -> None:
    """Run a script inside the transaction that is open; ``executescript`` would end it."""
    for statement in _statements(script):
        db.execute(statement)


def write_ahead(db: sqlite3.Connection) -> None:
    """Let readers read while a writer writes: SQLite's WAL mode.

    Of several connections that ask for it first, SQLite refuses all but one at once, whatever their timeout; the
    others ask again for as long as they wait for locks. Raises ``sqlite3.Error``.
    """
    (wait_ms,) = db.execute("PRAGMA busy_timeout").fetchone()
    deadline = time.monotonic() + wait_ms / 1000
    while True:
        try:
            db.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            code = getattr(error, "sqlite_errorcode", 0)  # an error that SQLite did not raise itself has none
            if code & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(_ASK_AGAIN_S)


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for part in script.split(";"):
        statement += part + ";"
        if statement.strip(" \n;") and sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def emptied(db: sqlite3.Connection) -> bool:
    """Rewrite a database so that no deleted data is left in its files; false if another reader prevents that."""
    db.execute("PRAGMA temp_store=MEMORY")
    db.execute("VACUUM")
    busy, _, _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


def copy_into(path: Path, into: sqlite3.Connection) -> None:
    """Copy the file's content without creating files beside it.

    A reader of a WAL file creates a writer's two files, and cannot start where it may not create them. So a file that
    no process has open is read as immutable; if it changed meanwhile, it is read again.
    Raises :class:`StateUnusable`, ``sqlite3.Error`` or ``OSError``.
    """
    _check_files(path)
    log, before = path.with_name(f"{path.name}-wal"), _stamp(path)
    # SQLite does not say that the permission is missing. Opening the file here would end this process's locks.
    if not os.access(path, os.R_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    if not log.exists():
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as stored:
            stored.backup(into)
        if _stamp(path) == before and not log.exists():
            return
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as stored:
        stored.backup(into)


def _check_files(path: Path) -> None:
    for file in _files(path):
        if kind := what_else(file):
            raise StateUnusable(
                f"the state {file} is {kind}, which is neither followed nor opened: put the file itself there, or name "
                "another folder as state_dir (TICKETBOT_STATE_DIR)"
            )


def _files(path: Path) -> tuple[Path, ...]:
    return (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm")))


def _stamp(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_size


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Commit everything written inside, or nothing. The connection is in autocommit mode."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


@contextmanager
def translated(path: Path | None) -> Iterator[None]:
    """Turn errors of SQLite and of the disk into :class:`StateUnusable`."""
    try:
        yield
    except OSError as error:
        if path is None:
            raise
        raise state_unusable(path.parent, error, path) from error
    except sqlite3.Error as error:
        is_damage = isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)
        # SQLite says "unable to open" or "readonly", not that a permission is missing.
        if path and isinstance(error, sqlite3.OperationalError) and (shut := _shut(path)):
            denied = PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            raise state_unusable(path.parent, denied, shut) from error
        advice = _ADVICE if is_damage else ""
        raise StateUnusable(f"the state in {path} cannot be used: {error}{advice}") from error


def is_there(path: Path) -> bool:
    """Whether the file or folder exists. Raises :class:`StateUnusable` if that cannot be found out."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise state_unusable(path.parent, error, path) from error
    return True


def _shut(path: Path) -> Path | None:
    """The folder, or the database file in it, that this user may not write to; ``None`` if there is none."""
    if not os.access(path.parent, os.W_OK | os.X_OK):
        return path.parent
    return next((file for file in _files(path) if file.exists() and not os.access(file, os.W_OK)), None)


_ADVICE = "; if it is damaged, put a copy of it back, or delete it: that leads to no wrong write"


class Database:
    """One SQLite file. Thread-safe.

    ``migrations`` create its tables, and ``holds`` says in words what is lost with the file. Raises
    :class:`StateUnusable` when the file is damaged, cannot be written, or is newer than this program.
    """

    migrations: ClassVar[Sequence[str]] = _MIGRATIONS
    holds: ClassVar[str] = ""
    outlives_power_cuts: ClassVar[bool] = False
    """False for the state: a power cut may lose its newest transactions, since the log's intent lines are synced."""

    def __init__(self, path: Path | None) -> None:
        """Open, or create, the file; ``None`` keeps everything in memory."""
        self._lock = threading.RLock()
        self.path = path
        with translated(path):
            self._db = opened(path, self.migrations, holds=self.holds)
            self._db.execute(f"PRAGMA synchronous={'FULL' if self.outlives_power_cuts else 'NORMAL'}")

    @classmethod
    def scratch_copy(cls, path: Path) -> Self:
        """A copy in memory, for a run that must not change the file; empty if there is no file."""
        copy = cls(None)
        if is_there(path):
            try:
                with translated(path):
                    copy_into(path, copy._db)
                    copy.path = path
                    migrate(copy._db, path, cls.migrations, holds=cls.holds)
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
        """Remove deleted data from the file; false while another process reads it."""
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

    def write(self, sql: str, *values: object) -> int:
        """Execute and commit one statement; returns how many rows it changed."""
        with self.transaction() as db:
            return db.execute(sql, values).rowcount

    def write_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Execute one statement for each row, all of them or none."""
        with self.transaction() as db:
            db.executemany(sql, rows)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit what this thread writes inside together; within another transaction, as part of that one."""
        with self._lock, translated(self.path):
            part_of_more = self._db.in_transaction
            with nullcontext(self._db) if part_of_more else transaction(self._db) as db:
                yield db
