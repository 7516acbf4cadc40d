"""Health checks of this machine: room and rights in our folders, and what other users can read or write into."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from ...core.errors import why_unusable
from ...core.guards import size
from ...settings.schema import Settings
from .checks import Check, fail, ok, skipped, warn

DISK_BYTES, DISK_SHARE = 500_000_000, 0.05


def folder(name: str, folder: Path, written: Sequence[str], least: int) -> Check:
    """The check of a folder: room, and leave to write to it, or to make it where it is missing, and to files in it."""
    place = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    usage = shutil.disk_usage(place)
    why = None
    if not place.is_dir():
        why = why_unusable(place, NotADirectoryError())
    elif not os.access(place, os.W_OK | os.X_OK):
        why = f"this user may not write to {place}" if place != folder.absolute() else "this user may not"
    else:
        shut = [file for file in written if (place / file).exists() and not os.access(place / file, os.W_OK)]
        if shut and place == folder.absolute():
            why = f"this user may not write to its file {shut[0]}"
    return room(name, folder, usage.free, usage.total, least=least, unwritable=why)


def room(name: str, path: Path, free: int, total: int, *, least: int = 0, unwritable: str | None = None) -> Check:
    """Whether there is room, and leave to write. Either 500 MB or 5% free is room enough, unless runs ask for more.

    ``free`` and ``total`` are bytes, ``least`` what runs ask for, ``unwritable`` why the folder cannot be written to.
    """
    facts = {"path": str(path), "free_bytes": free, "total_bytes": total}
    if unwritable is not None:
        return fail(name, f"{path} cannot be written to: {unwritable}; nothing is changed then", **facts)
    text = f"{path}: {size(free)} free"
    if free < least:
        return fail(name, f"{text}, and a run wants {size(least)}: none begins", **facts)
    if free < max(2 * least, min(DISK_BYTES, DISK_SHARE * total)):
        return warn(name, f"{text} of {size(total)}; without room for receipts nothing is changed", **facts)
    return ok(name, text, **facts)


def permissions(settings: Settings, secret_files: Sequence[Path]) -> Check:
    """The check of what other users of this machine can read, or write into."""
    if os.name != "posix":
        return rights(None, 0)
    files = [*secret_files, *_files_of(settings.log_dir, "ticketbot-"), *_files_of(settings.state_folder, "")]
    if settings.helpdesk == "local":
        helpdesk = settings.local_account.file
        files += _files_of(helpdesk.parent, helpdesk.name)
    folders = {settings.log_dir, settings.state_folder, *(file.parent for file in secret_files)}
    return rights(
        sorted(str(file) for file in files if _open_to_others(file)),
        len(files),
        sorted(str(folder) for folder in folders if _takes_from_others(folder)),
    )


def _files_of(folder: Path, beginning: str) -> Iterator[Path]:
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(beginning) and entry.is_file(follow_symlinks=False):
                yield Path(entry.path)


def _open_to_others(file: Path) -> bool:
    """Whether users that are neither its owner nor of its group can read anything in it, as far as its folder goes."""
    try:
        found = file.stat()
        return bool(found.st_size and found.st_mode & stat.S_IROTH and file.parent.stat().st_mode & stat.S_IXOTH)
    except OSError:
        return False  # gone meanwhile, or out of everybody's reach


def _takes_from_others(folder: Path) -> bool:
    """Whether every user can put files into a folder, such as settings, a kill switch, or a state of their own."""
    try:
        return bool(folder.stat().st_mode & stat.S_IWOTH)
    except OSError:
        return False  # not there yet, or out of everybody's reach


def rights(exposed: Sequence[str] | None, looked_at: int, writable: Sequence[str] = ()) -> Check:
    """Whether other users of this machine can read what is none of their business, or write into our folders.

    ``exposed`` are files and ``writable`` folders; ``None`` where that is not known.
    """
    name = "permissions"
    if exposed is None:
        return skipped(
            name, "this system's rights are not looked at; see that only ticketbot's user can read its folders"
        )
    facts = {"files": list(exposed), "folders": list(writable)}
    told = []
    if writable:
        told.append(f"every user can put files into {_some(writable)}; take that right away: chmod o-w")
    if exposed:
        told.append(f"other users can read {_some(exposed)}; take that right away: chmod o-r")
    if told:
        return warn(name, ". ".join(told), **facts)
    return ok(name, f"other users can read none of {looked_at} files", **facts)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
