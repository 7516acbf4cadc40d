"""The kill switch: a file or a setting that stops every run before its next ticket and its next write."""

from __future__ import annotations

from pathlib import Path

from .errors import Halted

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
            f"whether the kill switch is set cannot be told: the file {file} cannot be looked for "
            f"({error.strerror or type(error).__name__}); let this user read its folder, or name another run.stop_file"
        ) from error
    return True
