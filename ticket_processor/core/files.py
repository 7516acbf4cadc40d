"""Files and folders for this user alone: they hold what tickets are about, and keys.

Existing files keep their rights, which may be deliberate. On Windows the rights come from the parent folder; there a
user's own folders are private, and newer Pythons make such a folder private anywhere.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing (``mkdir`` would open these to others). Raises ``OSError``."""
    try:
        folder.mkdir(mode=0o700)
    except FileNotFoundError:
        if folder.parent == folder:
            raise
        make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError:  # a system may name another reason first than that it is there
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
    """Raises ``OSError`` where something else than a file is there."""
    if kind := what_else(path):
        raise OSError(errno.EINVAL, f"{path.name} is {kind}, and no file")


def make_file(path: Path) -> None:
    """Make an empty file; one that is there stays as it is. Raises ``OSError``, also where it may not be written to."""
    check_is_file(path)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        # Not opened: closing it would end the locks by which SQLite in this process keeps other processes out.
        if not os.access(path, os.R_OK | os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path)) from None


def opener(path: str, flags: int) -> int:
    """For :func:`open`: a file that it has to make."""
    return os.open(path, flags, 0o600)
