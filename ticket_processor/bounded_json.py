"""Parsing JSON of a server whose size was bounded and whose shape was not: parsed, it can be forty times as long."""

from __future__ import annotations

from typing import Any, Final

import orjson

MAX_PARSED_BYTES: Final = 100_000_000
"""What the bytes and all that is made of them may take together: with the program itself less than 200 MB."""
_HARMLESS = 1_000_000
"""So little text is parsed without a look: it becomes 40 MB at most."""

# What a part takes once parsed, in bytes: measured with CPython 3.11, and rounded up. A text is held beside the bytes
# that it came from, and one character beyond the first 65,536 makes every character of it four bytes long.
_PER_BYTE = 5
_PER_SIGN = ((b"{", 240), (b"[", 100), (b",", 64), (b'"', 32))


class JsonTooLarge(ValueError):
    """Parsed, it would take more memory than there is for one answer."""


def loads(raw: bytes) -> Any:
    """The value of a JSON text. Raises ``JsonTooLarge``, or ``orjson.JSONDecodeError`` where it is none.

    Signs within texts count as well, so what a text holds can make the estimate too high, and never too low.
    """
    if len(raw) > _HARMLESS:
        estimate = _PER_BYTE * len(raw) + sum(weight * raw.count(sign) for sign, weight in _PER_SIGN)
        if estimate > MAX_PARSED_BYTES:
            raise JsonTooLarge
    return orjson.loads(raw)
