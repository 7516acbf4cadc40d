"""The tickets that we wrote on and whose labels' fate is not settled yet: from the log, each line of it read once."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ..audit.encryption import Keyring
from ..audit.files import check_opened, log_files, read_lines
from ..core.clock import Deadline, parse_iso
from .overrides import Written
from .store import LearningStore

AT_ONCE = 5_000
"""Lines of the log that are read before what they told is kept."""
CURSOR = "cursor"
"""The fact of the store that says how far the log was read."""


@dataclass(frozen=True)
class PendingTicket(Written):
    """A ticket that we wrote on, first at ``first`` (Unix seconds)."""

    first: float = 0.0


class PendingTickets:
    """The pending tickets of a store. Thread-safe, as that is."""

    def __init__(self, store: LearningStore) -> None:
        self._store = store

    def read_log(self, folder: Path, keys: Keyring | None, deadline: Deadline, *, first_day: str = "") -> None:
        """Take in the log's lines since the last time, the first time from ``first_day`` on; earlier ones from anew.

        Raises :class:`CannotRun` when a file cannot be read, for want of its key as well, and what
        :meth:`Deadline.check` does: the next time goes on from there.
        """
        at = json.loads(self._store.fact(CURSOR) or '{"day": "", "line": 0, "began": ""}')
        if not at["day"] or first_day < at["began"]:
            at = {"day": "", "line": 0, "began": first_day}
        for file in log_files(folder, first_day=at["day"] or first_day):
            if file.day != at["day"]:
                at |= {"day": file.day, "line": 0}
            lines = read_lines(file, keys, first=at["line"])
            while some := list(islice(lines, AT_ONCE)):
                for raw, line in some:
                    if line is None:
                        check_opened(raw, file.path)
                # The last line may still be being written.
                whole = max((place for place, (_, line) in enumerate(some, start=1) if line is not None), default=0)
                self._take([line for _, line in some[:whole] if line is not None])
                at["line"] += whole
                self._store.keep_fact(CURSOR, json.dumps(at))
                if whole < len(some):
                    break
                deadline.check()

    def next(self, most: int, before: float, since: float = 0.0) -> list[PendingTicket]:
        """Tickets written since ``since`` that were not looked at since ``before``; first those that waited longest."""
        rows = self._store.rows(
            "SELECT ticket_id, category, settings_files, first FROM pending WHERE looked<? AND first>=? "
            "ORDER BY looked, first LIMIT ?",
            (before, since, most),
        )
        return [PendingTicket(number, category, json.loads(text), at) for number, category, text, at in rows]

    def count(self) -> int:
        """How many there are."""
        return int(self._store.rows("SELECT count(*) FROM pending")[0][0])

    def looked_at(self, ticket_ids: Collection[int], at: float) -> None:
        """Put tickets at the end of the row."""
        with self._store.writing() as db:
            db.executemany("UPDATE pending SET looked=? WHERE ticket_id=?", [(at, number) for number in ticket_ids])

    def settled(self, ticket_ids: Iterable[int]) -> None:
        """Take tickets out of the row."""
        with self._store.writing() as db:
            db.executemany("DELETE FROM pending WHERE ticket_id=?", [(number,) for number in ticket_ids])

    def _take(self, lines: Sequence[Mapping[str, Any]]) -> None:
        """Have the lines' tickets wait, but for those that were erased, or settled after that write."""
        with self._store.writing() as db:
            for number, category, intent, settings_file, moment in filter(None, map(_write_of, lines)):
                db.execute(
                    "INSERT INTO pending SELECT ?1, ?2, 0, ?3, '{}' WHERE ?1 NOT IN (SELECT ticket_id FROM erased) "
                    "AND ?1 NOT IN (SELECT ticket_id FROM reaction WHERE settled_at>=?2) "
                    "ON CONFLICT (ticket_id) DO UPDATE SET category=?3",
                    (number, moment, category),
                )
                db.execute(
                    "UPDATE pending SET settings_files=json_patch(settings_files, ?) WHERE ticket_id=?",
                    (json.dumps({intent: settings_file}), number),
                )


def _write_of(line: Mapping[str, Any]) -> tuple[int, str, str, str, float] | None:
    """Ticket, category, intent, settings file and moment of a line about a write that has an answer behind it."""
    analysis = line.get("analysis")
    if line.get("event") != "ticket" or line.get("dry_run") or line.get("outcome") not in ("updated", "suggested"):
        return None
    if not isinstance(analysis, dict) or not isinstance(line.get("ticket_id"), int):
        return None
    if "summary" not in analysis:  # its words were erased, and are not to be read again
        return None
    category, intent = str(analysis.get("category")), str(line.get("intent") or "")
    settings_file, moment = str(analysis.get("settings_file", "")), parse_iso(str(line.get("ts")))
    return line["ticket_id"], category, intent, settings_file, moment
