"""The two guards that stop a run: too little disk space, and the kill switch.

Without room for its receipts a run does not begin. The kill switch, a file or a setting, stops every run before
its next ticket and its next write.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from .errors import AuditUnwritable, Halted, StateUnusable

MB = 1_000_000
LEAST_FREE_MB = 50
"""A run of some thousand tickets writes a few megabytes; the rest is for what others write meanwhile."""


@dataclass(frozen=True)
class DiskSpace:
    """How much has to be free where the log and the state are, in megabytes (of a million bytes); 0: nothing."""

    log: Path
    state: Path
    least_mb: int = LEAST_FREE_MB

    def check(self) -> None:
        """Raise :class:`AuditUnwritable` or :class:`StateUnusable` when there is less. What cannot be told passes."""
        free = _free(self.log)
        if free < self.least_mb * MB:
            raise AuditUnwritable(
                f"{self._told(free, 'log', self.log)} name another as log_dir (TICKETBOT_LOG_DIR), or keep the log for "
                "fewer days (audit.retention_days); without receipts nothing is changed"
            )
        free = _free(self.state)
        if free < self.least_mb * MB:
            raise StateUnusable(
                f"{self._told(free, 'state', self.state)} or name another as state_dir (TICKETBOT_STATE_DIR)"
            )

    def _told(self, free: float, what: str, folder: Path) -> str:
        return (
            f"the disk of the {what} folder {folder} has {size(free)} free, and a run wants "
            f"{size(self.least_mb * MB)}: make room,"
        )


def size(count: float) -> str:
    """Bytes in the unit that fits; from a megabyte on never more than there are."""
    for unit, name in ((10**12, "TB"), (10**9, "GB"), (10**6, "MB")):
        if count >= unit:
            return f"{count * 10 // unit / 10:.1f} {name}"
    return f"{count / 1000:.0f} kB"


def _free(folder: Path) -> float:
    """Bytes that are free on the disk of a folder, which may not be there yet; infinite if unknown."""
    for path in (folder, *folder.absolute().parents):
        try:
            return shutil.disk_usage(path).free
        except FileNotFoundError:
            continue
        except OSError:
            break
    return float("inf")


FILE_NAME = "STOP"


class KillSwitch:
    """Asked before anything is begun. Without a file and unset it stops nothing. Any thread may ask.

    The file is looked for each time, so that it stops a run under way; ``set_by`` is the setting or variable, if any,
    that said so when the process began.
    """

    def __init__(self, file: Path | None = None, *, set_by: str | None = None) -> None:
        self._file = file
        self._set_by = set_by

    def check(self) -> None:
        """Go on, or raise :class:`Halted` with which switch is set and how to release it."""
        if self._set_by is not None:
            raise Halted(
                f"the kill switch is set: {self._set_by} says that nothing may be done; remove it there, or set it to "
                + ("false" if self._set_by.startswith("run.") else "0")
            )
        if self._file is not None and _is_there(self._file):
            raise Halted(f"the kill switch is set: the file {self._file.absolute()} is there; remove it to go on")


def _is_there(file: Path) -> bool:
    try:
        file.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise Halted(
            f"cannot check the kill switch: the file {file} cannot be read "
            f"({error.strerror or type(error).__name__}); let this user read its folder"
        ) from error
    return True
