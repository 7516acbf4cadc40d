"""Reads JSON of a server, whose size was bounded and whose shape was not, and files of JSON lines, plain or gzip."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import orjson

from .errors import ConfigError

GROWTH: Final = 8
"""How many times the bytes that an answer may have its parsed form may take, those bytes included."""
_HARMLESS = 250_000
"""Bytes of text that are parsed unchecked: they take 10 MB at most."""

# What a part takes once parsed, in bytes: measured with CPython 3.11, and rounded up. A text is held beside the bytes
# that it came from, and one character beyond the first 65,536 makes every character of it four bytes long.
_PER_BYTE = 5
_PER_SIGN = ((b"{", 240), (b"[", 100), (b",", 64), (b'"', 32))


class JsonTooLarge(ValueError):
    """Parsed, it would take more memory than there is for one answer: up to forty times its text."""


def loads(raw: bytes, *, most: int) -> Any:
    """The value of a JSON text that takes no more than ``most`` bytes, those of the text included.

    Raises ``JsonTooLarge``, or ``orjson.JSONDecodeError`` where it is none.

    Signs within texts count as well, so what a text holds can make the estimate too high, and never too low.
    """
    if len(raw) > _HARMLESS:
        estimate = _PER_BYTE * len(raw) + sum(weight * raw.count(sign) for sign, weight in _PER_SIGN)
        if estimate > most:
            raise JsonTooLarge
    return orjson.loads(raw)


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
                    row = orjson.loads(line.removeprefix(codecs.BOM_UTF8))  # Windows editors begin files with it
                except orjson.JSONDecodeError:
                    row = None
                if not isinstance(row, dict):
                    raise ConfigError(f"{path}, line {number}: not a JSON object")
                yield number, row
    except (OSError, EOFError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise ConfigError(f"{path} cannot be read: {reason or 'not a whole gzip file'}") from None
