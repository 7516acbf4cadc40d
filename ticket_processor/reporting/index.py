"""Loads the log into tables for SQL, for reports and the dashboard. Needs the extra ``report`` (duckdb).

The daily files are read when the index is opened, and changed ones when it is refreshed. It holds labels, numbers and
times, and no words of customers. It is stored in a private temporary folder while it is open, or in memory if the log
is encrypted.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..audit.files import NAME, LogFile, log_files, read_events
from ..audit.lines import Keyring
from ..core.errors import CannotRun, ConfigError, how_to_install
from ..core.files import what_else
from ..core.reasons import ALREADY_DONE, NOT_FOUND

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_WORDS = (
    "ts", "event", "run_id", "outcome", "reason", "intent", "job", "kind", "undoes", "stopped", "stopped_by", "what",
)  # fmt: skip
_READ = {
    **dict.fromkeys(_WORDS, "VARCHAR"),
    **dict.fromkeys(("ticket_id", "seen", "exit_code"), "BIGINT"),
    **dict.fromkeys(("cost_usd", "duration_s"), "DOUBLE"),
    "dry_run": "BOOLEAN",
    "analysis": (
        "STRUCT(category VARCHAR, subcategory VARCHAR, secondary VARCHAR[], urgency VARCHAR, "
        "sentiment VARCHAR, risk VARCHAR, language VARCHAR, confidence DOUBLE, "
        "suspicious VARCHAR[], source VARCHAR, model VARCHAR, cached BOOLEAN, why_fallback VARCHAR, "
        "settings_file VARCHAR)"
    ),
    "change": (
        "STRUCT(tags_added VARCHAR[], "
        'priority STRUCT("from" VARCHAR, "to" VARCHAR), escalated VARCHAR[], '
        "offered STRUCT(kind VARCHAR), reply STRUCT(category VARCHAR))"
    ),
    "customer_reply": "STRUCT(kind VARCHAR, number BIGINT)",
    "tokens": "STRUCT(input BIGINT, output BIGINT, cached BIGINT)",
    "timings_ms": 'STRUCT("analyse" BIGINT, total BIGINT)',
}
"""The fields read of a line, and their types. A value that does not fit is NULL; so is a whole line that is no JSON."""

_COLUMNS = """
row_number() OVER () AS n, event, try_cast(ts AS TIMESTAMP) AS ts, run_id, coalesce(dry_run, false) AS dry_run,
CASE WHEN undoes IS NOT NULL OR run_id LIKE '%-undo' THEN 'undo' ELSE kind END AS kind,
ticket_id, outcome, reason, intent, coalesce(NOT starts_with(intent, run_id || '-'), false) AS carried,
analysis.category, analysis.subcategory, array_to_string(analysis.secondary, ' ') AS secondary, analysis.urgency,
analysis.sentiment, analysis.language, analysis.risk, analysis.confidence,
array_to_string(analysis.suspicious, ' ') AS suspicious, analysis.source AS analyser, analysis.model, analysis.cached,
analysis.why_fallback, analysis.settings_file, array_to_string(change.tags_added, ' ') AS tags,
coalesce(list_contains(change.tags_added, $review_tag), false) AS review,
array_to_string(change.escalated, ' ') AS escalated, change.offered.kind AS offered,
change.reply.category AS reply_category, change.priority['from'] AS priority_from,
change.priority['to'] AS priority_to, tokens.input AS tokens_in, tokens.output AS tokens_out,
tokens.cached AS tokens_cached, cost_usd, timings_ms.total AS total_ms,
CASE WHEN job IS NULL THEN timings_ms.total ELSE timings_ms['analyse'] END AS latency_ms,
customer_reply.kind AS reply_kind, customer_reply.number AS reply_number,
seen, duration_s, exit_code, stopped, stopped_by, what
"""
"""What is kept of them. Lists are words with a space between them."""

_IS_LINE = (
    "event = 'ticket' AND ticket_id IS NOT NULL AND ts IS NOT NULL "
    f"AND coalesce(reason, '') NOT IN ('{ALREADY_DONE}', '{NOT_FOUND}')"
)
"""Leaves out lines about tickets that were done before and about numbers without a ticket."""

_TABLES = f"""
CREATE TABLE incoming AS FROM events;
CREATE TABLE twice (day DATE, n INTEGER);
CREATE TABLE again (day DATE, n INTEGER, next_at TIMESTAMP, next_labelled_at TIMESTAMP);

CREATE VIEW work AS SELECT * FROM events ANTI JOIN twice USING (day, n) WHERE {_IS_LINE};
CREATE VIEW lines AS SELECT work.*, again.next_at, again.next_labelled_at FROM work LEFT JOIN again USING (day, n);
CREATE VIEW runs AS
SELECT run_id, coalesce(max(kind), 'run') AS kind, bool_or(dry_run) AS dry_run,
       min(ts) FILTER (event = 'run_started') AS started, max(ts) FILTER (event = 'run_finished') AS finished,
       max(exit_code) AS exit_code, max(duration_s) AS duration_s, max(seen) AS seen, max(cost_usd) AS cost_usd,
       max(stopped) AS stopped, max(stopped_by) AS stopped_by
FROM events WHERE event IN ('run_started', 'run_finished') AND run_id IS NOT NULL AND ts IS NOT NULL
GROUP BY run_id;
CREATE VIEW alerts AS SELECT ts, run_id, dry_run, what, ticket_id FROM events WHERE event = 'alert' AND ts IS NOT NULL;
"""

_FIND_TWICE = """
INSERT INTO twice SELECT day, n FROM events
WHERE event = 'ticket' AND intent IN (SELECT intent FROM events WHERE event = 'ticket' AND carried)
QUALIFY row_number() OVER (PARTITION BY intent, outcome ORDER BY day, n) > 1
"""
"""A line that names a write of an earlier run may be that write's second one; unless it tells of another end."""

_FIND_AGAIN = """
INSERT INTO again
WITH each AS (SELECT day, n, ts, ticket_id, dry_run, category FROM work WHERE kind IS DISTINCT FROM 'undo')
SELECT day, n, lead(ts) OVER later,
       min(CASE WHEN category IS NOT NULL THEN ts END) OVER (later ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
FROM each
WHERE ticket_id IN (SELECT ticket_id FROM each GROUP BY ticket_id HAVING count(*) > 1)
WINDOW later AS (PARTITION BY ticket_id, dry_run ORDER BY ts, day, n)
"""
"""The next lines of tickets with several lines."""

Row = tuple[Any, ...]


class LogIndex:
    """The log of one folder as tables; times (``ts``) are UTC without a zone.

    - ``work``: a row for each ``ticket`` event. Of a line that a crash left twice only the first is there. Lines of an
      undo (``kind = 'undo'``) and of dry runs are there as well.
    - ``lines``: the same with ``next_at``, when the same ticket's next line follows, and ``next_labelled_at``, the next
      that has an analysis (``NULL``: none does). So each ticket's last line before ``X`` is the one with ``ts < X AND
      coalesce(next_at >= X, true)``. Dry runs have an order of their own here, and lines of an undo have none.
    - ``runs``, one row for each; what was killed has no ``finished``. ``alerts``. ``events``: all of it.

    Thread-safe. A context manager.
    """

    def __init__(
        self,
        folder: Path,
        now: Callable[[], float],
        *,
        keys: Keyring | None = None,
        review_tag: str = "ai_review",
        first_day: str = "",
        last_day: str = "9999",
    ) -> None:
        """Open the log of ``folder``, these days of it (``YYYY-MM-DD``, both included).

        ``review_tag`` is the tag that asks a person to look: ``settings.policy.tag("review")``.
        Raises :class:`ConfigError` if duckdb is missing, and :class:`CannotRun` if a file of the log cannot be read,
        also because its key is missing.
        """
        require_duckdb()
        import duckdb

        self.now = now
        """The clock of the index, in Unix seconds."""
        self.changes = 0
        """Number of changes of the log that were found; cached results are valid until it changes."""
        self.days: tuple[str, str] | None = None
        """The first and the last day of the whole log, whatever part of it is open; ``None`` if it has no files."""
        self._folder = folder
        self._keys = keys
        self._tag = {"review_tag": review_tag}
        self._between = first_day, last_day
        self._lock = threading.Lock()
        self._known: dict[LogFile, tuple[int, int]] = {}
        # In a file the columns are compressed, and take a tenth of the memory. Encrypted data is never written
        # unencrypted.
        self._place = None if keys is not None else TemporaryDirectory(prefix="ticketbot-", ignore_cleanup_errors=True)
        place = self._place.name if self._place else ""
        options: dict[str, Any] = {"temp_directory": place, "autoinstall_known_extensions": False}
        self._base = duckdb.connect(str(Path(place, "index.duckdb")) if place else ":memory:", config=options)
        try:
            self._base.execute(f"CREATE TABLE events AS {_FROM_LINES}", {"day": None, "lines": [], **self._tag})
            self._base.execute(_TABLES)
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
        """Close the tables and delete the temporary folder. Idempotent."""
        self._base.close()
        if self._place:
            self._place.cleanup()

    def query(self, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> list[Row]:
        """The rows of a SELECT over the tables."""
        with self._base.cursor() as cursor:
            return cursor.execute(sql, parameters or None).fetchall()

    def rows(self, sql: str, parameters: Mapping[str, object]) -> list[dict[str, Any]]:
        """The rows of a SELECT as dictionaries; times have the zone UTC."""
        with self._base.cursor() as cursor:
            rows = cursor.execute(sql, parameters or None).fetchall()
            names = [name for name, *_ in cursor.description or ()]
        timed = [[cell.replace(tzinfo=UTC) if isinstance(cell, datetime) else cell for cell in row] for row in rows]
        return [dict(zip(names, row, strict=True)) for row in timed]

    def refresh(self) -> bool:
        """Read what has changed in the log; returns whether anything has. Fast if nothing has.

        Raises :class:`CannotRun` as the constructor does.
        """
        with self._lock:
            found = self._files()
            if found == self._known and self.changes:
                return False
            changed = [file for file, about in found.items() if self._known.get(file) != about]
            stale = {file.day for file in self._known.keys() - found.keys()} | {file.day for file in changed}
            with self._base.cursor() as cursor:
                self._read(changed, cursor)
                cursor.begin()
                _forget(cursor, "events", stale)
                cursor.execute("INSERT INTO events FROM incoming")
                cursor.execute(f"DELETE FROM twice; {_FIND_TWICE}")
                cursor.execute(f"DELETE FROM again; {_FIND_AGAIN}")
                cursor.commit()
                cursor.execute("DELETE FROM incoming")
            self._known = found
            self.changes += 1
            return True

    def _files(self) -> dict[LogFile, tuple[int, int]]:
        """The files of the days that are open, with size and time of change."""
        everything = log_files(self._folder)
        self.days = (everything[0].day, everything[-1].day) if everything else None
        found = {}
        for file in everything:
            if kind := what_else(file.path):
                raise CannotRun(f"the log {file.path} is {kind}, and no file: move it elsewhere")
            if self._between[0] <= file.day <= self._between[1]:
                with suppress(FileNotFoundError):  # it has just been removed
                    about = file.path.stat()
                    found[file] = about.st_size, about.st_mtime_ns
        return found

    def _read(self, files: Collection[LogFile], cursor: DuckDBPyConnection) -> None:
        """Read files into ``incoming``: by DuckDB, and the days with lines that it cannot read line by line."""
        import duckdb

        cursor.execute("DELETE FROM incoming")  # of a refresh that failed
        if not files:
            return
        try:
            cursor.execute(f"INSERT INTO incoming {_from_files(files)}", self._tag)
            rows = cursor.execute("SELECT DISTINCT day FROM incoming WHERE event IS NULL").fetchall()
            odd = {f"{day}" for (day,) in rows}
        except duckdb.Error:
            odd = {file.day for file in files}
        _forget(cursor, "incoming", odd)
        for file in files:
            if file.day in odd:
                lines = [_as_text(line) for line in read_events(file.path, self._keys)]
                cursor.execute(f"INSERT INTO incoming {_FROM_LINES}", {"day": file.day, "lines": lines, **self._tag})


def require_duckdb() -> None:
    """Raise :class:`ConfigError` if the extra ``report`` is not installed."""
    try:
        import duckdb  # noqa: F401
    except ImportError:
        raise ConfigError(f"reports need duckdb: {how_to_install('report')}") from None


def _select(day: str, source: str) -> str:
    events = ("ticket", "run_started", "run_finished", "alert")
    return f"SELECT {day} AS day, {_COLUMNS} FROM ({source}) WHERE event IS NULL OR event IN {events}"


def _from_files(files: Iterable[LogFile]) -> str:
    """Reads the log's files. Lines that DuckDB cannot read, encrypted ones among them, have an ``event`` of NULL."""
    begin = len(NAME.format(day="")) + 1
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in _READ.items())
    paths = ", ".join(_quoted(file.path) for file in files)
    return _select(
        f"parse_filename(filename)[{begin}:{begin + 9}]::DATE",
        f"FROM read_json([{paths}], format = 'newline_delimited', records = 'true', ignore_errors = true, "
        f"maximum_object_size = 67108864, filename = true, columns = {{{columns}}})",
    )


_FROM_LINES = _select(
    "$day::DATE",
    f"SELECT unnest(json_transform(text, '{json.dumps(_READ)}')) FROM "
    "(SELECT CASE WHEN json_valid(line) THEN line END AS text FROM (SELECT unnest($lines::VARCHAR[]) AS line))",
)


def _as_text(line: Mapping[str, Any]) -> str:
    return json.dumps(line, ensure_ascii=False).encode("utf-8", "replace").decode()


def _quoted(path: Path) -> str:
    """A path as a SQL string, without wildcards."""
    plain = "".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(path))
    return "'" + plain.replace("'", "''") + "'"


def _forget(cursor: DuckDBPyConnection, table: str, days: Iterable[str]) -> None:
    cursor.execute(f"DELETE FROM {table} WHERE list_contains($days::DATE[], day)", {"days": sorted(days)})
