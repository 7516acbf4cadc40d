"""Where the alerts' memory lives: a small file in the state folder, or in the system's temporary folder where that
one cannot be written, so that a full disk or a damaged state is told once and not with every run."""

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

from .alert_memory import Memory
from .private_files import make_folder

FILE_NAME = "alerts.json"
LOCK_NAME = "alerts.lock"
LARGEST = 1_000_000
"""A file of more bytes is none of ours."""


class AlertStore:
    """One account's memory. Reading never raises, and what is damaged counts for nothing.

    ``folder`` is the state folder; ``spare`` stands in for it, and has a default that only this user can write to.
    """

    def __init__(self, folder: Path, spare: Path | None = None) -> None:
        self._folder = folder
        self._spare = spare or _spare_for(folder)

    def load(self) -> Memory:
        """What was saved last, in either place; an empty memory where there is none."""
        return self.known() or Memory()

    def known(self) -> Memory | None:
        """The same, but ``None`` where the state folder has one that cannot be read, or cannot be looked into."""
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
        """Keep it, in the state folder if that is possible; whether it could be kept at all."""
        data = memory.model_copy(update={"saved": now}).model_dump_json(exclude_defaults=True).encode("utf-8")
        here, spare = self._paths()
        if _write(here, data):
            if spare.parent.is_dir():
                self._leave_spare()
            return True
        return _private(self._spare) and _write(spare, data)

    def change(self, change: Callable[[Memory], Memory], now: float, *, patience_s: float = 1.0) -> bool:
        """Load, change and save while nobody else does."""
        with self.alone(patience_s):
            return self.save(change(self.load()), now)

    @contextmanager
    def alone(self, patience_s: float) -> Iterator[bool]:
        """Whether nobody else tends to alerts meanwhile: false after waiting for so long. Without any place, true."""
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
        """It has done its duty, and nothing of it is to stay."""
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
    except OSError:  # full disks everywhere: there is no such folder that can be written to
        place = folder
    return place / f"ticketbot-{name}"


def _private(folder: Path) -> bool:
    """Whether the folder is there and is this user's alone; it is made if need be.

    Everybody can write to the system's temporary folder, and might have put something there under that name.
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
    """Replace the file as a whole, so that nobody ever reads half of it. Whether that could be done."""
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
