"""Files and folders that only this user may read, since they hold customers' data and keys; and JSON lines.

Existing files keep their permissions, which may be deliberate. On Windows permissions come from the parent folder; a
user's own folders are private there, and newer Pythons make such a folder private anywhere.

JSON lines are read from plain or gzip files.
"""

from __future__ import annotations

import codecs
import errno
import gzip
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from .errors import ConfigError


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing (``mkdir`` would open these to others). Raises ``OSError``."""
    try:
        folder.mkdir(mode=0o700)
    except FileNotFoundError:
        if folder.parent == folder:
            raise
        make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError:  # for an existing folder, some systems report another error
        if not folder.is_dir():
            raise


def what_else(path: Path) -> str | None:
    """The kind of thing at ``path`` that is not a file, in words; ``None`` for a file or nothing. Raises ``OSError``.

    A link is not followed, since it may lead anywhere, and a pipe not opened, since that would wait for its other end.
    """
    with suppress(FileNotFoundError, NotADirectoryError):
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode):
            return _KINDS.get(stat.S_IFMT(mode), "something else")
    return None


_KINDS = {stat.S_IFLNK: "a symbolic link", stat.S_IFIFO: "a named pipe", stat.S_IFDIR: "a folder"}


def check_is_file(path: Path) -> None:
    """Raise ``OSError`` if something other than a file exists at ``path``."""
    if kind := what_else(path):
        raise OSError(errno.EINVAL, f"{path.name} is {kind}, and no file")


def make_file(path: Path) -> None:
    """Make an empty file if there is none. Raises ``OSError``, also for a file that may not be written to."""
    check_is_file(path)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        # Not opened: closing it would end the locks by which SQLite in this process keeps other processes out.
        if not os.access(path, os.R_OK | os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path)) from None


def opener(path: str, flags: int) -> int:
    """The ``opener`` for :func:`open`: a new file gets mode 600."""
    return os.open(path, flags, 0o600)


def json_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a ``.jsonl`` or ``.jsonl.gz`` file, each with its line's number; empty lines are skipped.

    Raises :class:`ConfigError`, which names the line, for a line that is not a JSON object.
    """
    import orjson

    name = path.name.lower()
    if not name.endswith((".jsonl", ".jsonl.gz")):
        raise ConfigError(f"{path}: rows are read from .jsonl or .jsonl.gz files")
    try:
        with gzip.open(path, "rb") if name.endswith(".gz") else path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                try:
                    row = orjson.loads(line.removeprefix(codecs.BOM_UTF8))  # Windows editors begin files with it
                except orjson.JSONDecodeError:
                    row = None
                if not isinstance(row, dict):
                    raise ConfigError(f"{path}, line {number}: not a JSON object")
                yield number, row
    except (OSError, EOFError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise ConfigError(f"{path} cannot be read: {reason or 'not a whole gzip file'}") from None
