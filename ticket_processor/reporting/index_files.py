"""The days of the log as Parquet files in a folder beside it, made when they are first needed.

A file is named after the size and the time of change of its source, so that a source that changes is read anew. Files
are written under another name and renamed: any number of processes may work on one folder at once. What is encrypted in
the log is decrypted in memory alone.
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
from .index_columns import SELECT, SELECT_LINES, VERSION, kept

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

    Raises ``FileNotFoundError`` when one is packed or removed that very moment, and :class:`CannotRun` when the folder
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
    """The folder with the days, and the way from a day's file into it or into a table. Threads may share it.

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

    def day(self, source: Source) -> Path:
        """Where this day belongs."""
        return self._folder / f"{source.day}-{source.size}-{source.changed_ns}-{self._suffix}.parquet"

    def month(self, days: Sequence[Path]) -> Path:
        """Where a copy of all these days of one month belongs."""
        digest = hashlib.sha256(" ".join(path.name for path in days).encode()).hexdigest()[:16]
        return self._folder / f"{days[0].name[:7]}-all-{digest}-{self._suffix}.parquet"

    def keep(self, source: Source, cursor: DuckDBPyConnection) -> bool:
        """Have a day kept; False when there is no room for it, or it is encrypted, which is not kept.

        Raises :class:`CannotRun` when the day cannot be read, and ``FileNotFoundError`` when it is gone.
        """
        import duckdb

        path = self.day(source)
        if path.exists():
            return True
        try:
            with self._replacing(path) as temporary:
                if not self._copied(source, temporary, cursor):
                    return True
                temporary.unlink(missing_ok=True)
                if encrypts(source.file):
                    return False
                cursor.execute(_copy(SELECT_LINES, temporary), self._of_lines(source))
                return True
        except CannotRun:
            _check_there(source)
            raise
        except (duckdb.Error, OSError):
            _check_there(source)
            return False

    def keep_month(self, days: Sequence[Path], cursor: DuckDBPyConnection) -> Path | None:
        """One file with all of these days, made unless it is there; ``None`` when there is no room for it."""
        import duckdb

        path = self.month(days)
        if path.exists():
            return path
        try:
            with self._replacing(path) as temporary:
                cursor.execute(
                    f"COPY (FROM read_parquet({listed(days)})) TO {_quoted(str(temporary))} (FORMAT parquet)"
                )
        except (duckdb.IOException, OSError):
            return None
        return path

    def load(self, source: Source, table: str, cursor: DuckDBPyConnection) -> None:
        """Read a day into a table, without a trace of it on any disk. Raises as :meth:`keep` does."""
        import duckdb

        try:
            with suppress(duckdb.Error):
                self._load(source, table, cursor, SELECT, self._of_file(source))
                if not _any(cursor, table):
                    return
            self._load(source, table, cursor, SELECT_LINES, self._of_lines(source))
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

    def _copied(self, source: Source, to: Path, cursor: DuckDBPyConnection) -> bool:
        """Write a day's lines as Parquet; whether some could not be read this way."""
        import duckdb

        try:
            cursor.execute(_copy(SELECT, to), self._of_file(source))
        except duckdb.Error:
            _check_there(source)
            return True
        return _any(cursor, f"read_parquet({listed([to])})")

    def _load(
        self, source: Source, table: str, cursor: DuckDBPyConnection, select: str, parameters: dict[str, object]
    ) -> None:
        """Have the day's lines in the table, and none twice."""
        cursor.execute(f"DELETE FROM {table} WHERE day = $day::DATE", {"day": source.day})
        cursor.execute(f"INSERT INTO {table} {select}", parameters)

    def _of_file(self, source: Source) -> dict[str, object]:
        """What :data:`SELECT` asks for."""
        return {
            "day": source.day,
            "path": _without_patterns(source.file.path),
            "compression": "gzip" if source.file.packed else "uncompressed",
            "review_tag": self._review_tag,
        }

    def _of_lines(self, source: Source) -> dict[str, object]:
        """What :data:`SELECT_LINES` asks for: each line read here, decrypted, and without what is personal."""
        lines = []
        for raw, line in read_lines(source.file, self._keys):
            if line is None:
                check_opened(raw, source.file.path)
            elif line.get("event") != SEGMENT and isinstance(line.get("event"), str):
                text = json.dumps(kept(line), ensure_ascii=False)
                lines.append(text.encode("utf-8", "replace").decode())
        return {"day": source.day, "lines": lines, "review_tag": self._review_tag}


def _copy(select: str, to: Path) -> str:
    return f"COPY ({select}) TO {_quoted(str(to))} (FORMAT parquet)"


def listed(paths: Iterable[Path]) -> str:
    """Paths to read from, as SQL writes them."""
    return f"[{', '.join(_quoted(_without_patterns(path)) for path in paths)}]"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _any(cursor: DuckDBPyConnection, table: str) -> bool:
    """Whether there are lines that DuckDB could not read."""
    return cursor.execute(f"SELECT 1 FROM {table} WHERE event IS NULL LIMIT 1").fetchone() is not None


def _check_there(source: Source) -> None:
    if not source.file.path.exists():
        raise FileNotFoundError(source.day)


def _without_patterns(path: Path) -> str:
    """A path in which no letter stands for others."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(path))
