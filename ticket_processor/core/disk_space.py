"""Room on the disk: a run that could not write its receipts to the end does not begin."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from .errors import AuditUnwritable, StateUnusable

MB = 1_000_000


@dataclass(frozen=True)
class DiskSpace:
    """How much has to be free where the log and the state are, in megabytes (of a million bytes); 0: nothing."""

    log: Path
    state: Path
    least_mb: int

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
            f"the disk of the {what} folder {folder} has {size(free)} free, and run.min_free_mb asks for "
            f"{size(self.least_mb * MB)}: make room,"
        )


def size(count: float) -> str:
    """Bytes in the unit that fits; from a megabyte on never more than there are."""
    for unit, name in ((10**12, "TB"), (10**9, "GB"), (10**6, "MB")):
        if count >= unit:
            return f"{count * 10 // unit / 10:.1f} {name}"
    return f"{count / 1000:.0f} kB"


def _free(folder: Path) -> float:
    """Bytes that are free on the disk of a folder, which may not be there yet; infinite where nobody can tell."""
    for path in (folder, *folder.absolute().parents):
        try:
            return shutil.disk_usage(path).free
        except FileNotFoundError:
            continue
        except OSError:
            break
    return float("inf")
