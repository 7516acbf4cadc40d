"""Models' answers for texts that come again, and what models have cost: one SQLite file beside the state.

Of a ticket the file holds what its receipt holds, the redacted summary and quotes, and no more: the key is an HMAC of
the redacted text under a secret that never leaves the file, so it cannot even be used to test whether a known text was
analysed. Losing it costs money, nothing else.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import sqlite3
import threading
import unicodedata
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from ..core.clock import Clock, iso
from ..core.errors import StateUnusable
from ..core.files import make_file, make_folder
from ..core.models import Analysis, Usage
from ..state.sqlite import emptied, write_ahead

FILE_NAME = "answers.sqlite3"
DAY_S = 86_400
MOST_ANSWERS = 100_000
"""The oldest beyond this number are deleted, so that the file stays below some 100 MB."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS secret (value BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS answers (key BLOB PRIMARY KEY, at REAL NOT NULL, analysis TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS answers_by_age ON answers (at);
CREATE TABLE IF NOT EXISTS spending (
    day TEXT NOT NULL, model TEXT NOT NULL, calls INTEGER NOT NULL,
    input INTEGER NOT NULL, output INTEGER NOT NULL, cached INTEGER NOT NULL, usd REAL NOT NULL,
    PRIMARY KEY (day, model)
) WITHOUT ROWID;
"""
_SPACE = re.compile(r"\s+")


class AnswerStore:
    """Answers and spending of one account. Thread-safe.

    A file that cannot be used is put aside or done without, and :attr:`trouble` says so: answers are a saving, and
    no run fails for want of one. ``days`` 0 keeps no answers; the spending is kept all the same.
    """

    def __init__(self, path: Path | None, clock: Clock, *, days: int = 30) -> None:
        """Open, or create, the file; ``None`` keeps everything in memory."""
        self._lock = threading.Lock()
        self.clock = clock
        self._days = days
        self.keeps_answers = days > 0
        self.trouble: str | None = None
        self.before_close: list[Callable[[], None]] = []
        self._db, self._secret = self._opened(path)
        weakref.finalize(self, self._db.close)
        if self._days:
            with self._lock:
                self._sweep()

    def _opened(self, path: Path | None) -> tuple[sqlite3.Connection, bytes]:
        for attempt in (path, path):
            try:
                return _connect(attempt)
            except (sqlite3.OperationalError, OSError) as error:  # read-only, full, locked: leave the file alone
                self.trouble = f"models' answers and costs cannot be kept, nor the day's limit ({error})"
                break
            except (sqlite3.Error, ValueError, TypeError) as error:
                self.trouble = f"the file of models' answers and costs was damaged, and put aside ({error})"
                with suppress(OSError):
                    if attempt is not None:
                        attempt.replace(attempt.with_suffix(".damaged"))
        return _connect(None)

    def get(self, fingerprint: str, text: str) -> Analysis | None:
        """The answer for this text from whatever ``fingerprint`` names: model, prompt, taxonomy, redaction."""
        try:
            kept = self.kept(fingerprint, text)
            return None if kept is None else Analysis.model_validate_json(kept)
        except ValidationError:
            return None

    def kept(self, fingerprint: str, text: str) -> str | None:
        """What was kept for this text under ``fingerprint``, as it was given to :meth:`keep`."""
        if not self._days:
            return None
        oldest = self.clock.now() - self._days * DAY_S
        try:
            with self._lock:
                row = self._db.execute(
                    "SELECT analysis FROM answers WHERE key = ? AND at >= ?", (self._key(fingerprint, text), oldest)
                ).fetchone()
            return None if row is None else str(row[0])
        except (sqlite3.Error, UnicodeDecodeError):
            return None

    def put(self, fingerprint: str, text: str, analysis: Analysis) -> None:
        """Keep an answer."""
        kept = analysis.model_copy(update={"usage": Usage(), "attempts": 0, "suspicious": ()})
        self.keep(fingerprint, text, kept.model_dump_json())

    def keep(self, fingerprint: str, text: str, words: str) -> None:
        """Keep ``words``, which hold no more than a receipt may."""
        if self._days:
            row = (self._key(fingerprint, text), self.clock.now(), words)
            self._write("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", *row)

    def forget(self) -> int:
        """Drop every answer, and what deleted ones left in the file; the spending stays. Gives how many there were.

        Whose ticket an answer came from is not stored, so none can be dropped alone. Raises :class:`StateUnusable`
        when it cannot be done.
        """
        if self.trouble:
            raise StateUnusable(self.trouble)
        try:
            with self._lock:
                dropped = self._db.execute("DELETE FROM answers").rowcount
                if emptied(self._db):
                    return dropped
        except sqlite3.Error as error:
            raise StateUnusable(f"the kept answers of models cannot be dropped: {error}") from error
        raise StateUnusable("another process is reading the cache of model answers: try again in a moment")

    def spend(self, model: str, usage: Usage, usd: float) -> None:
        """Add one call to today's books."""
        self._write(
            "INSERT INTO spending VALUES (?, ?, 1, ?, ?, ?, ?) ON CONFLICT (day, model) DO UPDATE SET "
            "calls = calls + 1, input = input + excluded.input, output = output + excluded.output, "
            "cached = cached + excluded.cached, usd = usd + excluded.usd",
            *(self._today(), model, usage.input, usage.output, usage.cached, usd),
        )

    def spent_today(self) -> float:
        """US dollars of all runs of this UTC day so far, dry runs included."""
        try:
            with self._lock:
                (usd,) = self._db.execute("SELECT total(usd) FROM spending WHERE day = ?", (self._today(),)).fetchone()
        except sqlite3.Error as error:
            self.trouble = f"what models cost today cannot be read ({error})"
            return 0.0
        return float(usd)

    def close(self) -> None:
        """Close the file, after what stands in ``before_close``. Idempotent."""
        while self.before_close:
            self.before_close.pop()()
        with self._lock:
            self._db.close()

    def _key(self, fingerprint: str, text: str) -> bytes:
        message = f"{fingerprint}\0{normalised(text)}".encode("utf-8", "surrogatepass")
        return hmac.new(self._secret, message, hashlib.sha256).digest()

    def _today(self) -> str:
        return iso(self.clock.now())[:10]

    def _sweep(self) -> None:
        with suppress(sqlite3.Error):
            self._db.execute("DELETE FROM answers WHERE at < ?", (self.clock.now() - self._days * DAY_S,))
            self._db.execute(
                "DELETE FROM answers WHERE key IN (SELECT key FROM answers ORDER BY at DESC LIMIT -1 OFFSET ?)",
                (MOST_ANSWERS,),
            )

    def _write(self, sql: str, *values: object) -> None:
        try:
            with self._lock:
                self._db.execute(sql, values)
        except sqlite3.Error as error:
            self.trouble = f"answers and costs of models could not be kept ({error})"


def _connect(path: Path | None) -> tuple[sqlite3.Connection, bytes]:
    if path is not None:
        make_folder(path.parent)
        make_file(path)  # summaries are private
    db = sqlite3.connect(":memory:" if path is None else path, isolation_level=None, check_same_thread=False, timeout=5)
    try:
        if path is not None:
            write_ahead(db)
            db.execute("PRAGMA synchronous=NORMAL")
        db.executescript(_SCHEMA)
        row = db.execute("SELECT value FROM secret").fetchone()
        if row is None:
            row = (secrets.token_bytes(32),)
            db.execute("INSERT INTO secret VALUES (?)", row)
        secret = bytes(row[0])
        if len(secret) != 32:
            raise ValueError("its secret has another length")
    except BaseException:
        db.close()
        raise
    return db, secret


def normalised(text: str) -> str:
    """``text`` as it is compared: white space and letter case do not count, unless the whole text shouts."""
    letters = [letter for letter in text if letter.isalpha()]
    shouts = sum(map(str.isupper, letters)) > 0.6 * len(letters)
    return ("!" if shouts else "") + _SPACE.sub(" ", unicodedata.normalize("NFKC", text)).strip().casefold()
