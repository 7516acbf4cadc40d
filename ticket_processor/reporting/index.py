"""The log as columns, to be asked in SQL: what reports and the dashboard stand on. Needs the extra ``report`` (duckdb).

Finished days are read once and kept in ``.index`` beside the log, a file for each month (see :mod:`.index_files`).
Today is read when the index is opened or refreshed. So is what is encrypted: it stays in memory. The index holds
labels, numbers and times, nothing in a customer's words. It may be deleted at any time.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from ..audit.encryption import Keyring
from ..core.clock import iso
from ..core.errors import CannotRun, ConfigError, how_to_install
from ..core.reasons import ALREADY_DONE, NOT_FOUND
from .index_columns import NAMES, TABLE, listed, quoted
from .index_files import LogStore, Source, sources

_TRIES = 5
EVERY_DAY = ("", "9999")
Row = tuple[Any, ...]


class LogIndex:
    """The log of one folder as tables; times (``ts``) are UTC without a zone.

    - ``work``: a row for each ``ticket`` event, with the columns of :mod:`.index_columns`. Of a line
      that a crash left twice only the first is there. Lines of an undo (``kind = 'undo'``) and of dry runs are there
      as well.
    - ``lines``: the same with ``next_at``, when the same ticket's next line follows, and ``next_labelled_at``, the next
      that has an analysis (``NULL``: none does). So each ticket's last line before ``X`` is the one with ``ts < X AND
      coalesce(next_at >= X, true)``. Dry runs have an order of their own here, and lines of an undo have none.
    - ``runs``: ``run_id, kind, dry_run, started, finished, exit_code, duration_s, seen, cost_usd, stopped,
      stopped_by``; what was killed has no ``finished``.
    - ``alerts``: ``ts, run_id, dry_run, what, ticket_id``.

    Thread-safe, and any number of processes may use one log's index at once. A context manager.
    """

    def __init__(
        self,
        folder: Path,
        now: Callable[[], float],
        *,
        keys: Keyring | None = None,
        review_tag: str = "ai_review",
        first_day: str = EVERY_DAY[0],
        last_day: str = EVERY_DAY[1],
    ) -> None:
        """Open the log of ``folder``, these days of it (``YYYY-MM-DD``, both included).

        ``review_tag`` is the tag that asks a person to look: ``settings.policy.tag("review")``.
        Raises :class:`ConfigError` when duckdb is missing, and :class:`CannotRun` when a file of the log cannot be
        read, for want of its key as well.
        """
        require_duckdb()
        import duckdb

        self.changes = 0
        """How often the log was found changed; what was worked out holds until this number is another."""
        self._folder = folder
        self._now = now
        self._days = (first_day, last_day)
        self._lock = threading.Lock()
        self._fresh: dict[str, Source] = {}
        self._known: tuple[object, ...] | None = None
        self._span: tuple[str, str] | None = None
        self._store = LogStore(folder, keys, review_tag)
        # Without a folder to spill into it would make one where the command was started.
        options: dict[str, Any] = {"temp_directory": "", "autoinstall_known_extensions": False}
        self._base = duckdb.connect(":memory:", config=options)
        self._base.execute(f"CREATE TABLE fresh ({TABLE}); CREATE TABLE incoming ({TABLE})")
        try:
            self.refresh()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> LogIndex:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of everything. Idempotent."""
        self._base.close()

    def now(self) -> float:
        """The time of the clock that it goes by, Unix seconds."""
        return self._now()

    @property
    def days(self) -> tuple[str, str] | None:
        """The first and the last day of the whole log, whatever part of it is open; ``None`` when there is none."""
        return self._span

    def query(self, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> list[Row]:
        """The rows that a SELECT over the tables gives."""
        return self._asked(sql, parameters)[1]

    def rows(self, sql: str, parameters: Mapping[str, object]) -> list[dict[str, Any]]:
        """The same by the names of columns; times have the zone UTC."""
        names, rows = self._asked(sql, parameters)
        timed = [[cell.replace(tzinfo=UTC) if isinstance(cell, datetime) else cell for cell in row] for row in rows]
        return [dict(zip(names, row, strict=True)) for row in timed]

    def _asked(self, sql: str, parameters: Sequence[object] | Mapping[str, object]) -> tuple[list[str], list[Row]]:
        import duckdb

        try:
            return self._ask(sql, parameters)
        except duckdb.IOException:
            # Another process has removed what a source that changed had left, and this one has not looked since.
            with self._lock:
                self._known = None
            self.refresh()
            return self._ask(sql, parameters)

    def refresh(self) -> bool:
        """Take in what the log has become since; whether anything has changed. Quick when nothing has.

        Raises :class:`CannotRun` as the constructor does.
        """
        with self._lock:
            for _ in range(_TRIES):
                try:
                    return self._refresh()
                except FileNotFoundError:
                    self._known = None  # removed or found damaged meanwhile: look again
        raise CannotRun(f"the log in {self._folder} changes all the time; try again")

    def _ask(self, sql: str, parameters: Sequence[object] | Mapping[str, object]) -> tuple[list[str], list[Row]]:
        with self._base.cursor() as cursor:
            rows = cursor.execute(sql, parameters or None).fetchall()
            return [name for name, *_ in cursor.description or ()], rows

    def _refresh(self) -> bool:
        everything = sources(self._folder)
        today = iso(self._now())[:10]
        if self._known == (today, *everything):
            return False
        asked = {source.day: source for source in everything if self._days[0] <= source.day <= self._days[1]}
        months = _by_month(source for source in everything if source.day < today)
        files = self._keep([days for month, days in months.items() if any(day[:7] == month for day in asked)])
        with self._made_anew_if_damaged():
            kept = self._days_in(files)
            fresh = {day: source for day, source in asked.items() if day not in kept}
            unchanged = {day for day, source in fresh.items() if self._fresh.get(day) == source}
            with self._base.cursor() as cursor:
                cursor.execute("DELETE FROM incoming")
                for day, source in fresh.items():
                    if day not in unchanged:
                        self._store.load(source, "incoming", cursor)
            self._take_over(files, sorted(unchanged))
        self._fresh = fresh
        self._known = (today, *everything)
        self._span = (everything[0].day, everything[-1].day) if everything else None
        self._store.sweep(map(self._store.month, months.values()))
        self.changes += 1
        return True

    def _keep(self, months: Sequence[Sequence[Source]]) -> list[Path]:
        """The files of these months, see :meth:`LogStore.keep`."""

        def keep(days: Sequence[Source]) -> Path | None:
            with self._base.cursor() as cursor:
                return self._store.keep(days, cursor)

        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            return [path for path in pool.map(keep, months) if path is not None]

    def _days_in(self, files: Sequence[Path]) -> set[str]:
        if not files:
            return set()
        with self._base.cursor() as cursor:
            rows = cursor.execute(f"SELECT DISTINCT day FROM read_parquet({listed(files)})").fetchall()
        return {f"{day}" for (day,) in rows}

    def _take_over(self, files: Sequence[Path], unchanged: Sequence[str]) -> None:
        """Say what the tables are from now on, all at once. Of the days in memory only the ``unchanged`` ones stay."""
        first, last = (quoted(day) for day in self._days)
        parts = [f"SELECT {NAMES} FROM fresh"]
        if files:
            chosen = f"WHERE day::VARCHAR BETWEEN {first} AND {last}" if self._days != EVERY_DAY else ""
            parts.append(f"SELECT {NAMES} FROM read_parquet({listed(files)}) {chosen}")
        with self._base.cursor() as cursor:
            cursor.begin()
            cursor.execute("DELETE FROM fresh WHERE NOT list_contains($days::DATE[], day)", {"days": list(unchanged)})
            cursor.execute("INSERT INTO fresh FROM incoming")
            cursor.execute(f"CREATE OR REPLACE VIEW events AS {' UNION ALL '.join(parts)}")
            cursor.execute(_TWICE)
            cursor.execute(_AGAIN)
            (twice,) = cursor.execute("SELECT count(*) FROM twice").fetchall()[0]
            (again,) = cursor.execute("SELECT count(*) FROM again").fetchall()[0]
            cursor.execute(_work(twice=bool(twice)))
            cursor.execute(_lines(again=bool(again)))
            cursor.execute(_RUNS)
            cursor.execute(_ALERTS)
            cursor.commit()

    @contextmanager
    def _made_anew_if_damaged(self) -> Iterator[None]:
        """Where kept files are lost or damaged, all of them are removed; then ``FileNotFoundError``."""
        import duckdb

        try:
            yield
        except (duckdb.IOException, duckdb.InvalidInputException, duckdb.SerializationException):
            self._store.sweep(())
            raise FileNotFoundError from None


def require_duckdb() -> None:
    """Raises :class:`ConfigError` when the extra ``report`` is not installed."""
    try:
        import duckdb  # noqa: F401
    except ImportError:
        raise ConfigError(f"reports need duckdb: {how_to_install('report')}") from None


def _by_month(days: Iterable[Source]) -> dict[str, list[Source]]:
    """The sources by month (``YYYY-MM``)."""
    found: dict[str, list[Source]] = {}
    for source in days:
        found.setdefault(source.day[:7], []).append(source)
    return found


_DONE_SOMETHING = f"coalesce(reason, '') NOT IN ('{ALREADY_DONE}', '{NOT_FOUND}')"
"""False for a look at a ticket that was done before, and at a number that no ticket has: nothing came of it."""
_IS_LINE = f"event = 'ticket' AND ticket_id IS NOT NULL AND ts IS NOT NULL AND {_DONE_SOMETHING}"
_TWICE = """
CREATE OR REPLACE TABLE twice AS
SELECT day, n FROM events
WHERE event = 'ticket' AND intent IN (SELECT intent FROM events WHERE event = 'ticket' AND carried)
QUALIFY row_number() OVER (PARTITION BY intent, outcome ORDER BY day, n) > 1
"""
"""A line that names a write of an earlier run may be that write's second one; unless it tells of another end."""

_AGAIN = f"""
CREATE OR REPLACE TABLE again AS
WITH each AS (
    SELECT day, n, ts, ticket_id, dry_run, category FROM events ANTI JOIN twice USING (day, n)
    WHERE {_IS_LINE} AND kind IS DISTINCT FROM 'undo'
)
SELECT day, n, lead(ts) OVER later AS next_at,
       min(CASE WHEN category IS NOT NULL THEN ts END) OVER (later ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
           AS next_labelled_at
FROM each
WHERE ticket_id IN (SELECT ticket_id FROM each GROUP BY ticket_id HAVING count(*) > 1)
WINDOW later AS (PARTITION BY ticket_id, dry_run ORDER BY ts, day, n)
"""
"""The next lines of tickets with several lines."""


def _work(*, twice: bool) -> str:
    once = "ANTI JOIN twice USING (day, n)" if twice else ""
    return f"CREATE OR REPLACE VIEW work AS SELECT * FROM events {once} WHERE {_IS_LINE}"


def _lines(*, again: bool) -> str:
    following = "again.next_at, again.next_labelled_at"
    join = "LEFT JOIN again USING (day, n)"
    if not again:
        following, join = "NULL::TIMESTAMP AS next_at, NULL::TIMESTAMP AS next_labelled_at", ""
    return f"CREATE OR REPLACE VIEW lines AS SELECT work.*, {following} FROM work {join}"


_RUNS = """
CREATE OR REPLACE VIEW runs AS
SELECT run_id, coalesce(max(kind), 'run') AS kind, bool_or(dry_run) AS dry_run,
       min(ts) FILTER (event = 'run_started') AS started, max(ts) FILTER (event = 'run_finished') AS finished,
       max(exit_code) AS exit_code, max(duration_s) AS duration_s, max(seen) AS seen, max(cost_usd) AS cost_usd,
       max(stopped) AS stopped, max(stopped_by) AS stopped_by
FROM events WHERE event IN ('run_started', 'run_finished') AND run_id IS NOT NULL AND ts IS NOT NULL
GROUP BY run_id
"""
_ALERTS = """
CREATE OR REPLACE VIEW alerts AS
SELECT ts, run_id, dry_run, what, ticket_id FROM events WHERE event = 'alert' AND ts IS NOT NULL
"""
