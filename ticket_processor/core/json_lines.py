"""Reads files of JSON lines, plain or gzip."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from .errors import ConfigError


def json_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a ``.jsonl`` or ``.jsonl.gz`` file, each with its line's number; empty lines are passed over.

    Raises :class:`ConfigError`, which names a line that is no object.
    """
    name = path.name.lower()
    if not name.endswith((".jsonl", ".jsonl.gz")):
        raise ConfigError(f"{path}: rows are read from .jsonl or .jsonl.gz files")
    try:
        with gzip.open(path, "rb") if name.endswith(".gz") else path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                try:
                    row = orjson.loads(line)
                except orjson.JSONDecodeError:
                    row = None
                if not isinstance(row, dict):
                    raise ConfigError(f"{path}, line {number}: not a JSON object")
                yield number, row
    except (OSError, EOFError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise ConfigError(f"{path} cannot be read: {reason or 'not a whole gzip file'}") from None
