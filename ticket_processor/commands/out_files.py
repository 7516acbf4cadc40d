"""Files that ``--out`` names; a file's ending says what is written into it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..core.errors import CannotRun, ConfigError
from ..core.private_files import opener


def check_out(files: Sequence[Path], known: Sequence[str] = (), *, option: str = "--out") -> None:
    """Raise :class:`ConfigError` unless each file has a ``known`` ending, and goes into an existing folder.

    Making a folder unasked would hide a typing error.
    """
    problems = []
    for file in files:
        if file.is_dir():
            problems.append(f"{option} {file}: this is a folder; name a file in it")
        elif known and file.suffix.lower() not in known:
            problems.append(f"{option} {file}: its ending says the format, and must be one of {', '.join(known)}")
        elif not file.parent.is_dir():
            problems.append(f"{option} {file}: there is no folder {file.parent}; make it, or put the name right")
    if problems:
        raise ConfigError(*problems)


def write_out(files: Sequence[Path], formats: Mapping[str, Callable[[], str]]) -> list[str]:
    """Write each file in the format of its ending. Returns a line on each. Raises :class:`CannotRun`."""
    for file in files:
        write_text(file, formats[file.suffix.lower()]())
    return [f"Written: {file}" for file in files]


def write_text(file: Path, text: str) -> None:
    """Write a file for its owner alone. Raises :class:`CannotRun`."""
    try:
        with open(file, "w", encoding="utf-8", newline="\n", opener=opener) as stream:
            stream.write(text)
    except OSError as error:
        raise CannotRun(f"{file} cannot be written: {error.strerror or error}") from None


def json_text(data: Any) -> str:
    """The text of a JSON file."""
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def json_lines(rows: Sequence[Any]) -> str:
    """The text of a file with a JSON value in each line."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
