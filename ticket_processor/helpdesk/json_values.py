"""Values in a helpdesk's JSON, whatever they turn out to be. Pure functions that both vendors' clients use."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

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
