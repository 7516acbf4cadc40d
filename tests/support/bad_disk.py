"""A disk that fails, or a process that dies, at a chosen operation on files in some folders.

Everything that writes is an operation: opening to write, writing, syncing, cutting, closing, making, renaming and
removing, and each statement by which SQLite changes something. Reading never fails. What the package does with files
through :mod:`os`, ``os.fdopen``, :mod:`pathlib` and :mod:`sqlite3` is seen.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from unittest import mock

Kind = Literal["full", "read-only", "broken"]
KINDS: tuple[Kind, ...] = ("full", "read-only", "broken")
_ERRNO = {"full": errno.ENOSPC, "read-only": errno.EROFS, "broken": errno.EIO}
_SQLITE = {
    "full": "database or disk is full",
    "read-only": "attempt to write a readonly database",
    "broken": "disk I/O error",
}
_READS = ("SELECT", "PRAGMA USER_VERSION", "PRAGMA QUICK_CHECK", "ROLLBACK")


class Died(BaseException):
    """The process ended here: nothing after this line happened."""


class Disk:
    """Counts operations on files below ``folders``, and asks ``before`` and ``after`` of each, which may raise.

    ``tears`` tells which write is cut in its middle; the rest of it is then not written.
    """

    def __init__(self, *folders: Path) -> None:
        self._folders = tuple(str(folder.resolve()) for folder in folders)
        self._descriptors: dict[int, str] = {}
        self._lock = threading.Lock()
        self.operations: list[str] = []
        """What was done, as ``verb name``."""
        self.synced: dict[str, int] = {}
        """How many bytes of each file a power cut would have left."""

    def before(self, number: int, operation: str) -> None:
        """Called with each operation's number, counted from 1, before it is done."""

    def after(self, number: int, operation: str) -> None:
        """Called once it is done."""

    def tears(self, number: int) -> bool:
        """Whether this write stops in its middle."""
        return False

    def of_sqlite(self, error: OSError) -> Exception:
        """What SQLite makes of an error."""
        return sqlite3.OperationalError(str(error))

    def ours(self, path: object) -> str | None:
        """The path, when it lies in one of the folders."""
        if not isinstance(path, str | os.PathLike):
            return None
        whole = str(Path(os.fsdecode(path)).absolute())
        return whole if whole.startswith(self._folders) else None

    def does(self, verb: str, path: str, work: Callable[[], Any]) -> Any:
        """Do ``work`` as an operation."""
        operation = f"{verb} {Path(path).name}"
        with self._lock:
            self.operations.append(operation)
            number = len(self.operations)
        self.before(number, operation)
        done = work()
        self.after(number, operation)
        return done

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Within this block the disk is as described."""
        patches = [mock.patch.object(os, name, self._by_path(name)) for name in ("mkdir", "unlink", "remove")]
        patches += [mock.patch.object(os, name, self._renaming(name)) for name in ("replace", "rename", "link")]
        patches += [mock.patch.object(os, name, self._by_descriptor(name)) for name in ("fsync", "ftruncate", "close")]
        patches += [
            mock.patch.object(os, "open", self._open()),
            mock.patch.object(os, "write", self._write()),
            mock.patch.object(os, "fdopen", self._fdopen()),
            mock.patch.object(sqlite3, "connect", self._connect()),
        ]
        for patch in patches:
            patch.start()
        try:
            yield
        finally:
            for patch in patches:
                patch.stop()

    def _by_path(self, name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def call(path: Any, *args: Any, **given: Any) -> Any:
            there = self.ours(path)
            if there is None or (name == "mkdir" and Path(there).is_dir()):
                return real(path, *args, **given)
            return self.does(name, there, lambda: real(path, *args, **given))

        return call

    def _renaming(self, name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def call(source: Any, target: Any, **given: Any) -> Any:
            there = self.ours(target)
            return (
                real(source, target, **given)
                if there is None
                else self.does(name, there, lambda: real(source, target, **given))
            )

        return call

    def _by_descriptor(self, name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def call(descriptor: int, *args: Any) -> Any:
            known = self._descriptors
            there = known.pop(descriptor, None) if name == "close" else known.get(descriptor)
            if there is None:
                return real(descriptor, *args)
            if name == "fsync":
                self.does(name, there, lambda: real(descriptor))
                self.synced[there] = os.fstat(descriptor).st_size
                return None
            if name != "close":
                return self.does(name, there, lambda: real(descriptor, *args))
            real(descriptor)  # whatever it says, the descriptor is gone
            return self.does(name, there, lambda: None)

        return call

    def _open(self) -> Callable[..., int]:
        real = os.open

        def call(path: Any, flags: int, *args: Any, **given: Any) -> int:
            there = self.ours(path)
            if there is None or not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                return real(path, flags, *args, **given)
            descriptor: int = self.does("open", there, lambda: real(path, flags, *args, **given))
            self._descriptors[descriptor] = there
            return descriptor

        return call

    def _write(self) -> Callable[[int, bytes], int]:
        real = os.write

        def call(descriptor: int, data: bytes) -> int:
            there = self._descriptors.get(descriptor)
            if there is None:
                return real(descriptor, data)
            if self.tears(len(self.operations) + 1):
                data = data[: len(data) // 2]
                return int(self._torn(there, lambda: real(descriptor, data)))
            return int(self.does("write", there, lambda: real(descriptor, data)))

        return call

    def _torn(self, path: str, work: Callable[[], int]) -> int:
        self.operations.append(f"write half of {Path(path).name}")
        written = work()
        self.after(len(self.operations), self.operations[-1])
        return written

    def _fdopen(self) -> Callable[..., Any]:
        real = os.fdopen

        def call(descriptor: int, *args: Any, **given: Any) -> Any:
            there = self._descriptors.get(descriptor)
            file = real(descriptor, *args, **given)
            return file if there is None else _File(self, file, there)

        return call

    def _connect(self) -> Callable[..., sqlite3.Connection]:
        real = sqlite3.connect
        disk = self

        def call(path: Any, *args: Any, **given: Any) -> sqlite3.Connection:
            there = disk.ours(path)
            if there is None:
                return real(path, *args, **given)
            name = there

            class Watched(sqlite3.Connection):
                def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
                    return disk._sql(name, sql, lambda: sqlite3.Connection.execute(self, sql, *args))

                def executemany(self, sql: str, *args: Any) -> sqlite3.Cursor:
                    return disk._sql(name, sql, lambda: sqlite3.Connection.executemany(self, sql, *args))

                def executescript(self, sql: str) -> sqlite3.Cursor:
                    return disk._sql(name, sql, lambda: sqlite3.Connection.executescript(self, sql))

            return real(path, *args, factory=Watched, **given)

        return call

    def _sql(self, path: str, sql: str, work: Callable[[], sqlite3.Cursor]) -> sqlite3.Cursor:
        words = " ".join(sql.split())
        if words.upper().startswith(_READS):
            return work()
        try:
            done: sqlite3.Cursor = self.does(f"sql {words.partition(' ')[0]}", path, work)
        except OSError as error:
            raise self.of_sqlite(error) from None
        return done


class _File:
    """A file of ``os.fdopen`` whose writes are operations."""

    def __init__(self, disk: Disk, file: Any, path: str) -> None:
        self._disk, self._file, self._path = disk, file, path

    def write(self, data: Any) -> int:
        return int(self._disk.does("write", self._path, lambda: self._file.write(data)))

    def writelines(self, parts: Any) -> None:
        for part in parts:
            self.write(part)

    def flush(self) -> None:
        self._disk.does("flush", self._path, self._file.flush)

    def __enter__(self) -> _File:
        return self

    def __exit__(self, *_: object) -> None:
        self._disk._descriptors.pop(self._file.fileno(), None)
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class Dying(Disk):
    """The process dies right before one operation, right after it, or, when that writes, in its middle."""

    def __init__(self, at: int, when: Literal["before", "after", "half"], *folders: Path) -> None:
        super().__init__(*folders)
        self._at, self._when = at, when

    def before(self, number: int, operation: str) -> None:
        if number == self._at and self._when == "before":
            raise Died

    def after(self, number: int, operation: str) -> None:
        if number == self._at and self._when != "before":
            raise Died

    def tears(self, number: int) -> bool:
        return number == self._at and self._when == "half"


class Failing(Disk):
    """From one operation on nothing can be written, or, with ``once``, this one alone fails.

    A full disk writes half of what is written at that moment. With ``done`` the operation is done and fails all the
    same, as when the answer of a server is lost.
    """

    def __init__(self, at: int, kind: Kind, *folders: Path, once: bool = False, done: bool = False) -> None:
        super().__init__(*folders)
        self.at = at
        self._kind, self._once, self._done = kind, once, done

    @property
    def struck(self) -> bool:
        """Whether anything has failed."""
        return len(self.operations) >= self.at

    def before(self, number: int, operation: str) -> None:
        if not (self._done and number == self.at):
            self._fail(number, operation)

    def after(self, number: int, operation: str) -> None:
        if self._done and number == self.at:
            self._fail(number, operation)

    def tears(self, number: int) -> bool:
        return self._kind == "full" and number == self.at and not self._done

    def of_sqlite(self, error: OSError) -> Exception:
        return sqlite3.OperationalError(_SQLITE[self._kind])

    def _fail(self, number: int, operation: str) -> None:
        if number < self.at or (self._once and number > self.at):
            return
        if self._kind == "full" and operation.startswith(("unlink", "remove", "ftruncate", "write half")):
            return  # what frees room works on a full disk, and a write that was cut short says so itself
        raise OSError(_ERRNO[self._kind], os.strerror(_ERRNO[self._kind]))
