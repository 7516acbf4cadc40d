"""The key that seals the log: from the environment, or a file in the state folder that is made once."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import filelock

from ..core.errors import CannotRun, state_unusable
from ..core.files import make_folder
from .files import replace_file

FILE_NAME = "audit.key"
LOCK_NAME = "audit.key.lock"
VARIABLE = "TICKETBOT_AUDIT_KEY"
PATIENCE_S = 10.0
_KEY = re.compile(r"[!-~]{16,}")


def log_keys(given: Sequence[str], folder: Path) -> tuple[bytes, ...]:
    """The keys, the one to write with first. ``given`` ones win over the file in ``folder``, which may still be there.

    Raises :class:`CannotRun` when the file is damaged or cannot be read, and :class:`StateUnusable` when there is no
    key and none can be made.
    """
    return known_keys(given, folder) or _made(folder / FILE_NAME)


def known_keys(given: Sequence[str], folder: Path) -> tuple[bytes, ...]:
    """The same for readers: no key is made. Raises :class:`CannotRun` as :func:`log_keys` does."""
    return tuple(dict.fromkeys((*(text.encode() for text in given), *_stored(folder / FILE_NAME))))


def _stored(path: Path) -> tuple[bytes, ...]:
    """The key of the file; none where there is no file, or an empty one, with which no line was ever sealed."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except PermissionError as error:
        raise state_unusable(path.parent, error, path) from error
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error.strerror if isinstance(error, OSError) else None) from error
    if text and not _KEY.fullmatch(text):
        raise _unreadable(path)
    return (text.encode(),) if text else ()


def _unreadable(path: Path, why: str | None = None) -> CannotRun:
    return CannotRun(f"the key of the log, {path}, cannot be read: {why or 'it is damaged'}; or set {VARIABLE}")


def _made(path: Path) -> tuple[bytes, ...]:
    try:
        make_folder(path.parent)
        lock = path.with_name(LOCK_NAME)
        with filelock.FileLock(lock, mode=0o600, timeout=PATIENCE_S):
            stored = _stored(path)  # another may have been quicker
            if not stored:
                key = secrets.token_hex(32).encode()
                replace_file(path, lambda target: target.writelines((key, b"\n")))
                stored = (key,)
    except OSError as error:  # the lock's patience is one too
        raise state_unusable(path.parent, error, path) from error
    with suppress(OSError):
        lock.unlink()  # a process that holds it now finds the key
    return stored
