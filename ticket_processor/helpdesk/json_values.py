"""Values in a helpdesk's JSON, whatever they turn out to be. Pure functions that both vendors' clients use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LARGEST = 2**63 - 1
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


def with_ids(rows: list[Any]) -> list[dict[str, Any]]:
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
