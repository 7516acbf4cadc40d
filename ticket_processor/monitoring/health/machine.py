"""Health checks of this machine: room and rights in our folders, and what other users can read or write into."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from ...core.errors import why_unusable
from ...core.guards import LEAST_FREE_MB, MB, size
from ...settings.schema import Settings
from .checks import Check, fail, ok, skipped, warn

DISK_BYTES, DISK_SHARE = 500_000_000, 0.05


def folder(name: str, folder: Path, written: Sequence[str]) -> Check:
    """The check of a folder: room, and leave to write to it, or to make it where it is missing, and to files in it."""
    place = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    usage = shutil.disk_usage(place)
    why = None
    if not place.is_dir():
        why = why_unusable(place, NotADirectoryError())
    elif not os.access(place, os.W_OK | os.X_OK):
        why = f"this user may not write to {place}"
    elif place == folder.absolute():
        shut = [file for file in written if (place / file).exists() and not os.access(place / file, os.W_OK)]
        why = f"this user may not write to its file {shut[0]}" if shut else None
    return room(name, folder, usage.free, usage.total, unwritable=why)


def room(name: str, path: Path, free: int, total: int, *, unwritable: str | None = None) -> Check:
    """Whether there is room (500 MB or 5% are enough), and leave to write; ``unwritable`` says why there is none."""
    facts = {"path": str(path), "free_bytes": free, "total_bytes": total}
    if unwritable is not None:
        return fail(name, f"{path} cannot be written to: {unwritable}; nothing is changed then", **facts)
    text, least = f"{path}: {size(free)} free", LEAST_FREE_MB * MB
    if free < least and total:
        return fail(name, f"{text}, and a run wants {size(least)}: none begins", **facts)
    if free < max(2 * least, min(DISK_BYTES, DISK_SHARE * total)) and total:
        return warn(name, f"{text} of {size(total)}; without room for receipts nothing is changed", **facts)
    return ok(name, text, **facts)


def permissions(settings: Settings, secret_files: Sequence[Path]) -> Check:
    """The check of what other users of this machine can read, or write into."""
    name = "permissions"
    if os.name != "posix":
        return skipped(name, "this system's rights are not looked at; only ticketbot's user may read its folders")
    files = [*secret_files, *_files_of(settings.log_dir, "ticketbot-"), *_files_of(settings.state_folder, "")]
    if settings.helpdesk == "local":
        helpdesk = settings.local_account.file
        files += _files_of(helpdesk.parent, helpdesk.name)
    folders = {settings.log_dir, settings.state_folder, *(file.parent for file in secret_files)}
    exposed = sorted(str(file) for file in files if _open_to_others(file))
    writable = sorted(str(folder) for folder in folders if _mode(folder) & stat.S_IWOTH)
    said = []
    if writable:
        said.append(f"every user can put files into {_some(writable)}; take that right away: chmod o-w")
    if exposed:
        said.append(f"other users can read {_some(exposed)}; take that right away: chmod o-r")
    if said:
        return warn(name, ". ".join(said), files=exposed, folders=writable)
    return ok(name, f"other users can read none of {len(files)} files", files=exposed, folders=writable)


def _files_of(folder: Path, beginning: str) -> Iterator[Path]:
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(beginning) and entry.is_file(follow_symlinks=False):
                yield Path(entry.path)


def _open_to_others(file: Path) -> bool:
    """Whether users that are neither its owner nor of its group can read anything in it, as far as its folder goes."""
    with suppress(OSError):  # gone meanwhile, or out of everybody's reach
        return bool(file.stat().st_size and _mode(file) & stat.S_IROTH and _mode(file.parent) & stat.S_IXOTH)
    return False


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except OSError:
        return 0


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
