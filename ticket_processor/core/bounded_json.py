"""Parsing JSON of a server whose size was bounded and whose shape was not: parsed, it can be forty times as long."""

from __future__ import annotations

from typing import Any, Final

import orjson

GROWTH: Final = 8
"""How many times the bytes that an answer may have its parsed form may take, those bytes included."""
_HARMLESS = 250_000
"""Bytes of text that are parsed unchecked: they take 10 MB at most."""

# What a part takes once parsed, in bytes: measured with CPython 3.11, and rounded up. A text is held beside the bytes
# that it came from, and one character beyond the first 65,536 makes every character of it four bytes long.
_PER_BYTE = 5
_PER_SIGN = ((b"{", 240), (b"[", 100), (b",", 64), (b'"', 32))


class JsonTooLarge(ValueError):
    """Parsed, it would take more memory than there is for one answer."""


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
