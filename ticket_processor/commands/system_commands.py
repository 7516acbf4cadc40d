"""Starts the system's programs, reads and writes their files; each failure is a sentence."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import CannotRun, ConfigError
from ..schedule.job import marked_for

TOOL_TIMEOUT_S = 60.0


class NoProgram(CannotRun):
    """There is no such program on this system."""


@dataclass(frozen=True)
class Said:
    """A program's exit code and output."""

    code: int
    out: bytes = b""
    err: bytes = b""

    @property
    def words(self) -> str:
        """The program's own words, for a person."""
        return " ".join((self.err or self.out).decode(errors="replace").split()) or f"no word, exit code {self.code}"


Runner = Callable[[Sequence[str], bytes], Said]
"""Runs a program with these arguments and this standard input. Raises :class:`CannotRun` where there is none."""


def run_program(arguments: Sequence[str], standard_input: bytes = b"") -> Said:
    """The real :data:`Runner`. Programs answer in English: the crontab's answer is read."""
    try:
        ended = subprocess.run(  # noqa: S603 - fixed programs; no shell
            list(arguments),
            input=standard_input,
            capture_output=True,
            timeout=TOOL_TIMEOUT_S,
            env={**os.environ, "LC_ALL": "C"},
            check=False,
        )
    except FileNotFoundError:
        raise NoProgram(
            f"there is no program {arguments[0]} here; 'ticketbot schedule show' prints what to set up"
        ) from None
    except subprocess.TimeoutExpired:
        raise CannotRun(f"'{' '.join(arguments)}' gave no answer for {TOOL_TIMEOUT_S:.0f} s") from None
    except OSError as error:
        raise CannotRun(f"{arguments[0]} cannot be started ({error.strerror})") from None
    return Said(ended.returncode, ended.stdout, ended.stderr)


def refuse_another(known: str, settings: str, name: str, where: str) -> None:
    """Raise :class:`ConfigError` if the ``known`` entry belongs to another installation, or is not ticketbot's."""
    owner = marked_for(known)
    if owner == settings:
        return
    what = "is not ticketbot's" if owner is None else f"runs {owner}"
    raise ConfigError(
        f"{where}: what is called {name} there {what}; give this one another --name, or remove that one first"
    )


def text_of(path: Path) -> str | None:
    """The file's text; ``None`` if there is no file. Raises :class:`CannotRun` for one that cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CannotRun(f"{path} cannot be read ({error.strerror})") from None


def write_file(path: Path, data: bytes) -> None:
    """Write the whole file or nothing. All users may read it: it holds no secret."""
    draft = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(data)
        draft.chmod(0o644)
        draft.replace(path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise CannotRun(f"{path} cannot be written ({error.strerror})") from None
