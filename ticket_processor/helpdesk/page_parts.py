"""Pages that one row makes unreadable: asked for in smaller parts, down to that row, of which little can be known."""

from __future__ import annotations

import json
import re
from typing import Any

_NUMBER = re.compile(r'/tickets/(\d{1,18})\.json"|(?:\[\s*\{|,)\s*"id"\s*:\s*(\d{1,18})\b')
_CHANGED = re.compile(r'"updated_at"\s*:\s*"(\d{4}-\d\d-\d\dT[0-9:.]{8,12}(?:Z|[+-]\d\d:\d\d))"')
_PLACE = re.compile(r'"(after_cursor|end_of_stream|has_more)"\s*:\s*("(?:[^"\\]|\\.)*"|true|false|null)')
# Quotation marks within a text are escaped, so nothing that a customer wrote looks like one of these.


class PageSize:
    """How many rows to ask for at a time: ``most``, and fewer while one of them spoils every answer that it is in.

    From 1 on it doubles, since most pages hold few rows; once it is known how near the row is, it halves.
    """

    def __init__(self, most: int) -> None:
        self.now = self._most = most
        self._within = 0

    @property
    def searches(self) -> bool:
        """Whether a row that spoils its answers is being looked for."""
        return self.now != self._most

    def too_long(self) -> None:
        """So many are too long to be read, here and in later pages."""
        self.now = self._most = max(1, self.now // 10)

    def unreadable(self) -> None:
        """So many cannot be read: one of them is the row."""
        self._within = self.now if self.searches else 0
        self.now = max(1, self.now // 2) if self.searches else 1

    def read(self) -> None:
        """So many have been read."""
        self._within = max(0, self._within - self.now)
        self.now = max(1, self._within // 2) if self._within else min(self._most, 2 * self.now)

    def passed(self) -> None:
        """The row has been passed."""
        self._within = 0


def stub_of(unparsed: bytes) -> dict[str, Any]:
    """What can be known of a row whose answer is no JSON: its number and its last change, each where it is told.

    That makes no ticket: whoever reads it finds a row that makes no sense.
    """
    text = unparsed.decode("utf-8", "replace")
    number, changed = _NUMBER.search(text), _CHANGED.search(text)
    stub: dict[str, Any] = {"updated_at": changed[1]} if changed else {}
    return {"id": int(number[1] or number[2]), **stub} if number else stub


def page_of(unparsed: bytes, rows: str) -> dict[str, Any] | None:
    """A page of a single row that is no JSON, with the place behind it; ``None`` where that cannot be made out."""
    text = unparsed.decode("utf-8", "replace")
    place = {name: json.loads(value, strict=False) for name, value in _PLACE.findall(text)}
    begin = re.search(rf'"{rows}"\s*:\s*\[', text)
    if begin is None or not (place.get("after_cursor") or place.get("end_of_stream") or place.get("has_more") is False):
        return None
    end = text.find('"users":', begin.end())
    stub = stub_of(text[begin.start() : None if end < 0 else end].encode("utf-8", "replace"))
    return {rows: [stub], "meta": place, **place}
