"""The file with the alerts' memory: in the state folder or, if that cannot be written, in the temporary folder.

So a full disk or a damaged state is reported once and not by every run.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock
from pydantic import ValidationError

from ..core.private_files import make_folder
from .open_alerts import Memory

FILE_NAME = "alerts.json"
LOCK_NAME = "alerts.lock"
LARGEST = 1_000_000
"""Bytes that are read of the file at most."""


class AlertStore:
    """The memory of one account. Reading never raises; a damaged file counts as none.

    ``folder`` is the state folder. ``spare`` replaces it; its default is a folder that only this user can write to.
    """

    def __init__(self, folder: Path, spare: Path | None = None) -> None:
        self._folder = folder
        self._spare = spare or _spare_for(folder)

    def load(self) -> Memory:
        """Load the last saved memory from either place; an empty one if there is none."""
        return self.known() or Memory()

    def known(self) -> Memory | None:
        """Load the memory like :meth:`load`; ``None`` if the state folder or its file cannot be read."""
        found = [memory for path in self._paths() if (memory := _read(path)) is not None]
        if found:
            return max(found, key=lambda memory: memory.saved)
        try:
            (self._folder / FILE_NAME).lstat()
        except FileNotFoundError:
            return Memory()
        except OSError:
            pass
        return None

    def save(self, memory: Memory, now: float) -> bool:
        """Save the memory, in the state folder if possible; return whether it could be saved."""
        data = memory.model_copy(update={"saved": now}).model_dump_json(exclude_defaults=True).encode("utf-8")
        here, spare = self._paths()
        if _write(here, data):
            if spare.parent.is_dir():
                self._leave_spare()
            return True
        return _private(self._spare) and _write(spare, data)

    def change(self, change: Callable[[Memory], Memory], now: float, *, patience_s: float = 1.0) -> bool:
        """Load, change and save under the lock; return whether it could be saved."""
        with self.alone(patience_s):
            return self.save(change(self.load()), now)

    @contextmanager
    def alone(self, patience_s: float) -> Iterator[bool]:
        """Hold the lock on the alerts: false if another process keeps it for so long, true if no folder can be used."""
        for folder in (self._folder, self._spare):
            lock = filelock.FileLock(folder / LOCK_NAME, mode=0o600, thread_local=False)
            try:
                if folder == self._spare:
                    if not _private(folder):
                        continue
                else:
                    make_folder(folder)
                lock.acquire(timeout=patience_s)
            except filelock.Timeout:
                yield False
                return
            except OSError:
                continue
            try:
                yield True
            finally:
                lock.release()
            return
        yield True

    def _leave_spare(self) -> None:
        """Delete the spare folder."""
        with suppress(OSError):
            if _is_ours(self._spare, stat.S_ISDIR):
                for name in (FILE_NAME, LOCK_NAME):
                    (self._spare / name).unlink(missing_ok=True)
                self._spare.rmdir()

    def _paths(self) -> tuple[Path, Path]:
        return self._folder / FILE_NAME, self._spare / FILE_NAME


def _spare_for(folder: Path) -> Path:
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "")
    name = hashlib.sha256(f"{folder.absolute()}\0{user}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
    try:
        place = Path(tempfile.gettempdir())
    except OSError:  # no temporary folder can be written to
        place = folder
    return place / f"ticketbot-{name}"


def _private(folder: Path) -> bool:
    """Make the folder if needed; return whether it belongs to this user alone.

    Every user can write to the temporary folder, and may have put something there under that name.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        return _is_ours(folder, stat.S_ISDIR)
    except OSError:
        return False


def _is_ours(path: Path, kind: Callable[[int], bool]) -> bool:
    found = path.lstat()
    if not kind(found.st_mode):
        return False
    return not hasattr(os, "getuid") or (found.st_uid == os.getuid() and not found.st_mode & 0o022)


def _read(path: Path) -> Memory | None:
    try:
        if not _is_ours(path, stat.S_ISREG):
            return None
        with path.open("rb") as file:
            return Memory.model_validate_json(file.read(LARGEST))
    except (OSError, ValidationError):
        return None


def _write(path: Path, data: bytes) -> bool:
    """Replace the file as a whole, so that no reader sees half of it; return whether that succeeded."""
    fresh: str | None = None
    try:
        descriptor, fresh = tempfile.mkstemp(prefix=".alerts-", dir=path.parent)  # 0600
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(fresh).replace(path)
    except OSError:
        if fresh is not None:
            with suppress(OSError):
                Path(fresh).unlink()
        return False
    return True
