"""The days of the log as Parquet files in a folder beside it, one for each month, made when they are first needed.

A file is named after the sizes and times of change of its sources, so that a month is read anew where one of them
changes. Files are written under another name and renamed: any number of processes may work on one folder at once. What
is encrypted in the log is decrypted in memory alone.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..audit.encryption import Keyring
from ..audit.files import INDEX_FOLDER, SEGMENT, LogFile, check_opened, encrypts, log_files, may_be_in_use, read_lines
from ..core.errors import CannotRun
from ..core.private_files import what_else
from .index_columns import NAMES, SELECT_LINES, TABLE, VERSION, kept, listed, quoted, select_files

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class Source:
    """A day's file as it was when it was looked at."""

    file: LogFile
    size: int
    changed_ns: int

    @property
    def day(self) -> str:
        """``YYYY-MM-DD``."""
        return self.file.day


def sources(folder: Path) -> list[Source]:
    """The log's files as they are now, oldest first.

    Raises ``FileNotFoundError`` when one is removed that very moment, and :class:`CannotRun` when the folder
    cannot be read or something else than a file is in it.
    """
    found = []
    for file in log_files(folder):
        if kind := what_else(file.path):
            raise CannotRun(f"the log {file.path} is {kind}, and no file: move it elsewhere")
        about = file.path.stat()
        found.append(Source(file, about.st_size, about.st_mtime_ns))
    return found


class LogStore:
    """The folder with the months, and the way from a day's file into it or into a table. Threads may share it.

    Beside the log, for its owner only; where nothing can be written there, nothing is kept.
    """

    def __init__(self, log: Path, keys: Keyring | None, review_tag: str) -> None:
        self._keys = keys
        self._review_tag = review_tag
        self._suffix = f"{VERSION}-{hashlib.sha256(review_tag.encode()).hexdigest()[:8]}"
        self._folder = log / INDEX_FOLDER
        with suppress(OSError):
            if log.is_dir():
                self._folder.mkdir(mode=0o700, exist_ok=True)

    def month(self, days: Sequence[Source]) -> Path:
        """Where these days of one month belong."""
        names = " ".join(f"{source.day}-{source.size}-{source.changed_ns}" for source in days)
        digest = hashlib.sha256(names.encode()).hexdigest()[:16]
        return self._folder / f"{days[0].day[:7]}-all-{digest}-{self._suffix}.parquet"

    def keep(self, days: Sequence[Source], cursor: DuckDBPyConnection) -> Path | None:
        """The file with all days of a month that are not encrypted, made unless it is there.

        ``None`` when there is no room for it, no such day, or one that cannot be read. Raises ``FileNotFoundError``
        when a day is gone meanwhile.
        """
        import duckdb

        path = self.month(days)
        if path.exists():
            return path
        try:
            with self._replacing(path) as temporary:
                odd = self._copied(days, temporary, cursor)
                if odd:
                    self._copy_with_lines(days, odd, temporary, cursor)
                if not _any(cursor, f"read_parquet({listed([temporary])})"):
                    temporary.unlink()
        except (CannotRun, duckdb.Error, OSError):
            for source in days:
                _check_there(source)
            return None
        return path if path.exists() else None

    def load(self, source: Source, table: str, cursor: DuckDBPyConnection) -> None:
        """Read a day into a table, without a trace of it on any disk.

        Raises :class:`CannotRun` when the day cannot be read, and ``FileNotFoundError`` when it is gone.
        """
        import duckdb

        try:
            with suppress(duckdb.Error):
                cursor.execute(f"INSERT INTO {table} {select_files([source.file.path])}", self._tag())
                if not _any(cursor, f"{table} WHERE event IS NULL"):
                    return
            cursor.execute(f"DELETE FROM {table} WHERE day = $day::DATE", {"day": source.day})
            cursor.execute(f"INSERT INTO {table} {SELECT_LINES}", self._lines(source))
        except CannotRun:
            _check_there(source)
            raise
        except (duckdb.Error, OSError) as error:
            _check_there(source)
            why = getattr(error, "strerror", None) or type(error).__name__
            raise CannotRun(f"the log {source.file.path} cannot be read into the index: {why}") from error

    def sweep(self, wanted: Iterable[Path]) -> None:
        """Remove all but these files, and what a crash left. What somebody has open may stay until later."""
        names = {path.name for path in wanted}
        with suppress(OSError):
            for path in self._folder.iterdir():
                with suppress(OSError):
                    if path.name not in names and not may_be_in_use(path):
                        path.unlink()

    @contextmanager
    def _replacing(self, path: Path) -> Iterator[Path]:
        """Another path to write to, which gets the right name at the end: whoever reads sees all of it, or nothing."""
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            yield temporary
            if temporary.exists():
                temporary.chmod(0o600)
                temporary.replace(path)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)

    def _copied(self, days: Sequence[Source], to: Path, cursor: DuckDBPyConnection) -> set[str]:
        """Write the days as Parquet; those of them with lines that could not be read this way."""
        import duckdb

        try:
            _copy(cursor, select_files(source.file.path for source in days), to, self._tag())
        except duckdb.Error:
            to.unlink(missing_ok=True)
            return {source.day for source in days}
        rows = cursor.execute(f"SELECT DISTINCT day FROM read_parquet({listed([to])}) WHERE event IS NULL").fetchall()
        return {f"{day}" for (day,) in rows}

    def _copy_with_lines(self, days: Sequence[Source], odd: set[str], to: Path, cursor: DuckDBPyConnection) -> None:
        """Write the file anew, with the ``odd`` days read line by line, and without those that are encrypted."""
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE odd ({TABLE})")
        for source in days:
            if source.day in odd and not encrypts(source.file):
                cursor.execute(f"INSERT INTO odd {SELECT_LINES}", self._lines(source))
        parts = [f"SELECT {NAMES} FROM odd"]
        if to.exists():
            parts.append(f"SELECT {NAMES} FROM read_parquet({listed([to])}) WHERE NOT list_contains($odd::DATE[], day)")
        with self._replacing(to) as fresh:
            _copy(cursor, " UNION ALL ".join(parts), fresh, {"odd": sorted(odd)} if to.exists() else {})
        cursor.execute("DROP TABLE odd")

    def _tag(self) -> dict[str, object]:
        return {"review_tag": self._review_tag}

    def _lines(self, source: Source) -> dict[str, object]:
        """What :data:`SELECT_LINES` asks for: each line read here, decrypted, and without what is personal."""
        lines = []
        for raw, line in read_lines(source.file, self._keys):
            if line is None:
                check_opened(raw, source.file.path)
            elif line.get("event") != SEGMENT and isinstance(line.get("event"), str):
                text = json.dumps(kept(line), ensure_ascii=False)
                lines.append(text.encode("utf-8", "replace").decode())
        return {"day": source.day, "lines": lines, **self._tag()}


def _copy(cursor: DuckDBPyConnection, select: str, to: Path, parameters: dict[str, object]) -> None:
    cursor.execute(f"COPY ({select}) TO {quoted(str(to))} (FORMAT parquet)", parameters or None)


def _any(cursor: DuckDBPyConnection, rows: str) -> bool:
    return cursor.execute(f"SELECT 1 FROM {rows} LIMIT 1").fetchone() is not None


def _check_there(source: Source) -> None:
    if not source.file.path.exists():
        raise FileNotFoundError(source.day)
