"""The file of labelled rows: read and repaired at the start, then only ever added to, one flushed line a row."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import filelock
import orjson

from ...core.errors import CannotRun, ConfigError, RunLocked
from ...core.private_files import make_folder, opener

Row = Mapping[str, object]
ID_PREFIX = "llm-"
_OUR_BEGINNING = b'{"id":"' + ID_PREFIX.encode()


def row_id(subject: str, body: str) -> str:
    """An id made from the text, so that seeding the same row twice finds the first."""
    return ID_PREFIX + hashlib.sha256(f"{subject}\n{body}".encode()).hexdigest()[:20]


class RowFile:
    """A ``.jsonl`` file open for adding; a context manager that holds the file for itself. For one thread.

    ``rows`` is what was there. ``repaired`` tells that a last line torn by a crash was cut off. Raises
    :class:`ConfigError` for a file that holds anything else, which is left as it is; :class:`RunLocked` when
    another process is writing to it; :class:`CannotRun` when it cannot be written.
    """

    _file: BinaryIO

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[Row] = []
        self.repaired = False
        if path.suffix.lower() != ".jsonl":
            raise ConfigError("--save: the file's name must end in .jsonl")
        name = hashlib.sha256(str(path.resolve()).encode("utf-8", "replace")).hexdigest()[:16]
        # Not beside the file: locks on some systems outlive their use, and would lie about in people's folders.
        self._lock = filelock.FileLock(Path(tempfile.gettempdir()) / f"ticketbot-{name}.lock", mode=0o600)

    def __enter__(self) -> RowFile:
        try:
            self._lock.acquire(blocking=False)
        except filelock.Timeout:
            raise RunLocked(f"another process is writing to {self.path}") from None
        except OSError as error:
            raise CannotRun(f"{self.path} cannot be locked: {error.strerror or error}") from None
        try:
            self._file = self._opened()
        except OSError as error:
            self._lock.release()
            raise CannotRun(f"{self.path} cannot be written: {error.strerror or error}") from None
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._lock.release()

    def append(self, row: Row) -> None:
        """Write a row; it is with the operating system when this returns. Raises :class:`CannotRun`."""
        try:
            self._file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
            self._file.flush()
        except OSError as error:
            raise CannotRun(f"{self.path} cannot be written: {error.strerror or error}") from None
        self.rows.append(row)

    def settle(self) -> None:
        """See to it that what was appended survives a power cut: it has been paid for."""
        os.fsync(self._file.fileno())

    def _opened(self) -> BinaryIO:
        make_folder(self.path.parent)
        whole = self.path.read_bytes() if self.path.exists() else b""
        good, newline, last = whole.rpartition(b"\n")
        for number, line in enumerate(good.split(b"\n"), start=1):
            if line.strip():
                self.rows.append(self._row(line, number))
        file = open(self.path, "ab", opener=opener)  # noqa: SIM115 - it is closed when this is left
        if last:
            try:
                self.rows.append(self._row(last, good.count(b"\n") + 2))
                file.write(b"\n")
            except ConfigError:
                # Only what this program can have left behind is cut off, never another's text.
                if not (last.startswith(_OUR_BEGINNING) or _OUR_BEGINNING.startswith(last)):
                    file.close()
                    raise
                file.truncate(len(good) + len(newline))
                self.repaired = True
            file.flush()
        return file

    def _row(self, line: bytes, number: int) -> Row:
        try:
            row: object = orjson.loads(line.strip())
        except orjson.JSONDecodeError:
            row = None
        if not isinstance(row, dict) or not isinstance(row.get("id"), str):
            raise ConfigError(f"{self.path}, line {number}: not a labelled ticket; choose another file for --save")
        return row
