"""Numbers of a JSON value under their paths, and the comparison with a file of them beside this one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent


def numbers(value: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """Every number in it, rounded, under its path such as ``totals.cost_usd`` or ``by.category.billing.tickets``."""
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else _named(value):
            yield from numbers(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, round(value, 4)


def _named(rows: list[Any]) -> Iterable[tuple[str, Any]]:
    """The rows of a list under the first word in each, or under their place where that tells them not apart."""
    words = [[word for word in row.values() if isinstance(word, str)] for row in rows if isinstance(row, dict)]
    names = [found[0] for found in words if found]
    if len(set(names)) != len(rows):
        names = [str(place) for place in range(len(rows))]
    return zip(names, rows, strict=True)


def assert_as_recorded(name: str, found: Mapping[str, float], *, within: float = 0.0) -> None:
    """Every recorded figure is there, and no further off than ``within``; figures that are new may stand beside them.

    To record anew, delete the file, and run the test.
    """
    file = FOLDER / f"{name}.json"
    if not file.exists():
        file.write_text(json.dumps(dict(found), indent=0, sort_keys=True) + "\n", encoding="utf-8")
        pytest.fail(f"{file.name} was not there and has been recorded: look at it, and run the test again")
    recorded = json.loads(file.read_text(encoding="utf-8"))
    other = {
        path: (number, found.get(path))
        for path, number in recorded.items()
        if path not in found or abs(found[path] - number) > within + 1e-9
    }
    assert other == {}, "figures that differ, as recorded and as found"
