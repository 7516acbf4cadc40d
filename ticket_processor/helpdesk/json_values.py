"""Values in a helpdesk's JSON, whatever they turn out to be, and pages that one row makes unreadable. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ..core.errors import TicketError
from ..core.models import Ticket

LARGEST = 2**63 - 1
NAMED = 3
"""Rows that a sentence names."""
_ADDRESS = re.compile(r"/tickets/(\d{1,18})\.json$")
_UNREADABLE = "\N{REPLACEMENT CHARACTER}"
_EMPTY: tuple[object, ...] = (None, "", [])
"""Values of an empty field. An unticked box is not among them: a person may have unticked it."""


def mapping(value: object) -> Mapping[str, Any]:
    """The object; an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}


def string(value: object) -> str:
    """The text; empty in place of anything else."""
    return value if isinstance(value, str) else ""


def whole_number(value: object) -> int | None:
    """The whole number; ``None`` in place of anything else, such as a number that no database keeps."""
    return value if isinstance(value, int) and not isinstance(value, bool) and -LARGEST <= value <= LARGEST else None


def ticket_number(row: Mapping[str, Any]) -> int:
    """The number of a ticket's row. Raises ``ValueError`` for one that cannot be a ticket's."""
    number = whole_number(row.get("id"))
    if number is None:
        raise ValueError
    return number


def known_number(row: Mapping[str, Any]) -> int | None:
    """The number of a ticket's row, by its address where its ``id`` is none; ``None`` where neither tells it."""
    address = _ADDRESS.search(string(row.get("url")))
    return int(address[1]) if whole_number(row.get("id")) is None and address else whole_number(row.get("id"))


@contextmanager
def sensible(otherwise: str) -> Iterator[None]:
    """Raises :class:`TicketError` with this sentence where what is read inside makes no sense. A decorator, too."""
    try:
        yield
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise TicketError(otherwise) from error


def tickets_of(
    rows: Sequence[Mapping[str, Any]], vendor: str, read: Callable[[Mapping[str, Any]], Ticket]
) -> tuple[tuple[Ticket, ...], dict[int, TicketError], str]:
    """The tickets of rows, those rows that make no sense, and a sentence on rows without a number, if there are any."""
    tickets: list[Ticket] = []
    unread: dict[int, TicketError] = {}
    for row in rows:
        try:
            tickets.append(read(row))
        except TicketError as error:
            if (number := known_number(row)) is not None:
                unread[number] = error
    return tuple(tickets), unread, without_number(vendor, rows)


def without_number(vendor: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """A sentence that names the rows without a ticket's number by their places; empty where all have one."""
    numbers = [known_number(row) for row in rows]
    places = [
        f"row {place + 1} of {len(rows)}"
        + (f", behind ticket {numbers[place - 1]}" if place and numbers[place - 1] else "")
        for place, number in enumerate(numbers)
        if number is None
    ]
    more = f"; and {len(places) - NAMED} more" if len(places) > NAMED else ""
    named = "; ".join(places[:NAMED]) + more
    return f"{vendor} showed rows without a ticket's number, which were passed over: {named}" if places else ""


def with_ids(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """The rows that are objects with a number as ``id``."""
    return [row for row in rows if isinstance(row, dict) and whole_number(row.get("id")) is not None]


def tags_of(value: object) -> tuple[str, ...]:
    """A ticket's tags. They go back to it with every write: raises ``ValueError`` where one cannot be read."""
    tags = tuple(tag for tag in value if tag is not None) if isinstance(value, list) else ()
    if any(not isinstance(tag, str) or _UNREADABLE in tag for tag in tags):
        raise ValueError
    return tags


def field_text(value: object) -> str | None:
    """The value of a custom field as text; ``None`` for an empty one."""
    if value in _EMPTY:
        return None
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


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
