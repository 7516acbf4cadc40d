"""Exports events of the log, as they stand there or as rows of a table; the personal part only on request."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from ..core.sanitize import harmless
from .encryption import Keyring
from .files import events
from .lines import Line, encode, erased

COLUMNS = (
    *("ts", "event", "run_id", "dry_run", "ticket_id", "outcome", "reason", "intent", "what"),
    *("category", "subcategory", "urgency", "sentiment", "risk", "language", "confidence", "source", "model"),
    *("cached", "why_fallback", "tags_added", "tags_removed", "priority_from", "priority_to", "group_from"),
    *("group_to", "fields", "escalated", "tokens_in", "tokens_out", "cost_usd", "total_ms", "exit_code", "stopped"),
)
PERSONAL_COLUMNS = ("summary", "evidence", "entities", "note", "root_cause", "steps")


class CountingWriter:
    """Writes on, and knows how many bytes that were and what their SHA-256 is."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target
        self._digest = hashlib.sha256()
        self.bytes = 0

    def write(self, data: bytes) -> int:
        """Write it."""
        self._digest.update(data)
        self.bytes += len(data)
        return self._target.write(data)

    @property
    def sha256(self) -> str:
        """Of everything that was written, in hexadecimal digits."""
        return self._digest.hexdigest()


def chosen(
    folder: Path,
    keys: Keyring | None,
    *,
    since: str = "",
    until: str = "9999",
    tickets: Collection[int] | None = None,
) -> Iterator[Line]:
    """The events of this time (ISO, UTC; without the end itself), of these tickets alone when there are any.

    Raises :class:`CannotRun` when a file cannot be read, for want of its key as well.
    """
    for _, line in events(folder, first_day=since[:10], last_day=until[:10], keys=keys):
        stamp = str(line.get("ts"))
        if since <= stamp < until and (tickets is None or line.get("ticket_id") in tickets):
            yield line


def as_lines(lines: Iterable[Line], target: CountingWriter, *, with_text: bool) -> int:
    """JSON lines, byte for byte as the log holds them; without what is personal they still hold in its chain."""
    count = 0
    for line in lines:
        target.write(encode(line if with_text else erased(line)))
        count += 1
    return count


def as_table(lines: Iterable[Line], target: CountingWriter, *, with_text: bool) -> int:
    """CSV with a line of names, for a spreadsheet: no cell can be taken for a formula."""
    names = (*COLUMNS, *(PERSONAL_COLUMNS if with_text else ()))
    count = 0
    target.write(_row(names))
    for line in lines:
        cells = _cells(line)
        target.write(_row(_cell(cells.get(name)) for name in names))
        count += 1
    return count


def _row(cells: Iterable[object]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue().encode("utf-8", "replace")


def _cells(line: Line) -> dict[str, Any]:
    analysis, change = _table(line.get("analysis")), _table(line.get("change"))
    tokens, times = _table(line.get("tokens")), _table(line.get("timings_ms"))
    cells = {**analysis, **{name: value for name, value in line.items() if not isinstance(value, dict)}}
    for name in ("tags_added", "tags_removed", "escalated", "note"):
        cells[name] = change.get(name)
    for name in ("priority", "group"):
        value = _table(change.get(name))
        cells[f"{name}_from"], cells[f"{name}_to"] = value.get("from"), value.get("to")
    fields = {f"{key}={_table(value).get('to')}" for key, value in _table(change.get("fields")).items()}
    return {
        **cells,
        "fields": sorted(fields),
        "tokens_in": tokens.get("input"),
        "tokens_out": tokens.get("output"),
        "total_ms": times.get("total"),
    }


def _cell(value: object) -> object:
    if isinstance(value, dict):
        value = [f"{name}={inner}" for name, inner in value.items()]
    if isinstance(value, list | tuple):
        value = " ".join(map(str, value)) if all(" " not in str(item) for item in value) else "; ".join(map(str, value))
    return harmless(value)


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
