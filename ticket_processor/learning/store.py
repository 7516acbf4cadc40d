"""The SQLite file that keeps people's reactions to our labels, their corrections, and every change that was learnt.

Losing it costs what was learnt, and never leads to a wrong write.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from ..core.text import many
from ..settings.schema import LEARNING_STORE
from ..state.sqlite import Database, translated

Fate = Literal["kept", "changed", "removed", "added", "untouched", "reverted_by_rule"]
"""What happened to a label: ``added`` is one that a person set where we abstained; ``untouched``: no one edited."""

ActorKind = Literal["person", "rule", "bot", "unknown"]
"""Who decided a label's fate; ``unknown`` where the helpdesk keeps no record of it."""

CATEGORIES = ("category", "subcategory")
"""The fields whose values are names of the taxonomy."""

CorrectionStatus = Literal["pending", "approved", "rejected", "expired"]


@dataclass(frozen=True, slots=True)
class Reaction:
    """What happened to one label on one ticket: the scoreboard's unit. Times are Unix seconds.

    ``label`` is the label that it counts for: ours, or theirs if we abstained. ``at`` is the time of their change, else
    of our write; ``settled_at`` is when its fate became final: at the ticket's solution, or 14 days after our write.
    ``settings_file`` is the one that decided it, if two share a run's tickets.
    """

    ticket_id: int
    field: str
    label: str
    ours: str | None
    theirs: str | None
    fate: Fate
    actor_kind: ActorKind
    author: int | None
    at: float
    settled_at: float
    settings_file: str = ""


@dataclass(frozen=True, slots=True)
class Correction:
    """A person's value in place of ours, or where we abstained, with the ticket's redacted text.

    ``id`` is the store's, and 0 before it is stored. Only approved corrections are learnt from.
    """

    id: int
    ticket_id: int
    field: str
    ours: str | None
    theirs: str
    author: int | None
    actor_kind: ActorKind
    at: float
    text: str = ""
    status: CorrectionStatus = "pending"
    approved_by: str = ""
    approved_at: float | None = None


@dataclass(frozen=True, slots=True)
class LearntChange:
    """Something that was learnt or decided: by whom, when, and when it was undone."""

    id: int
    at: float
    what: str
    who: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    undone_at: float | None = None

    def decision(self) -> str:
        """A decision about corrections in words: ``3 corrections approved by ana``."""
        return f"{many(len(self.detail['before']), 'correction')} {self.detail['status']} by {self.who}"


FILE_NAME = LEARNING_STORE
DECIDED = "corrections"
"""The kind of change that approves or rejects corrections."""
HISTORY = "the ticket's history"
"""The author of changes by which corrections expire that no longer hold."""

_MIGRATIONS = (
    *[""] * 8,  # files of these versions are not read any more
    """
    CREATE TABLE reaction (
        ticket_id INTEGER NOT NULL, field TEXT NOT NULL, label TEXT NOT NULL, ours TEXT, theirs TEXT,
        fate TEXT NOT NULL, actor_kind TEXT NOT NULL, author INTEGER, at REAL NOT NULL, settled_at REAL NOT NULL,
        confidence REAL, model TEXT NOT NULL, language TEXT NOT NULL, run_id TEXT NOT NULL, settings_file TEXT NOT NULL,
        PRIMARY KEY (ticket_id, field, label)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX reaction_by_moment ON reaction (settled_at);
    CREATE TABLE correction (
        id INTEGER PRIMARY KEY AUTOINCREMENT, ticket_id INTEGER NOT NULL, field TEXT NOT NULL, ours TEXT,
        theirs TEXT NOT NULL, author INTEGER, actor_kind TEXT NOT NULL, at REAL NOT NULL, confidence REAL,
        model TEXT NOT NULL, text TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('pending', 'approved', 'rejected', 'expired')),
        approved_by TEXT NOT NULL, approved_at REAL
    ) STRICT;
    CREATE INDEX correction_by_ticket ON correction (ticket_id, field);
    CREATE INDEX correction_by_status ON correction (status, field);
    CREATE TABLE change (
        id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, what TEXT NOT NULL, who TEXT NOT NULL,
        detail TEXT NOT NULL, undone_at REAL
    ) STRICT;
    CREATE TABLE pin (
        id INTEGER PRIMARY KEY AUTOINCREMENT, ticket_id INTEGER NOT NULL, field TEXT NOT NULL,
        bound TEXT NOT NULL CHECK (bound IN ('is', 'at_least', 'at_most')), value TEXT NOT NULL, text TEXT NOT NULL,
        change INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE pending (
        ticket_id INTEGER PRIMARY KEY, first REAL NOT NULL, looked REAL NOT NULL, category TEXT NOT NULL,
        sources TEXT NOT NULL
    ) STRICT;
    CREATE INDEX pending_by_turn ON pending (looked, first);
    CREATE TABLE erased (ticket_id INTEGER PRIMARY KEY) STRICT;
    CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    """,
    # Which tickets wait is read from the log again, but for settled ones of days that were read. A pin of a bound that
    # is gone takes along what it superseded, which would hold again.
    """
    ALTER TABLE reaction DROP COLUMN confidence;
    ALTER TABLE reaction DROP COLUMN model;
    ALTER TABLE reaction DROP COLUMN language;
    ALTER TABLE reaction DROP COLUMN run_id;
    ALTER TABLE correction DROP COLUMN confidence;
    ALTER TABLE correction DROP COLUMN model;
    ALTER TABLE pending RENAME COLUMN sources TO settings_files;
    DELETE FROM pending;
    UPDATE fact SET value=json_object('day', '', 'line', 0, 'began', '', 'known',
        max(coalesce(json_extract(value, '$.known'), ''), coalesce(json_extract(value, '$.day'), ''))
    ) WHERE name='cursor';
    DELETE FROM pin WHERE EXISTS (
        SELECT 1 FROM pin AS gone JOIN change ON change.id=gone.change
        WHERE gone.bound='at_most' AND change.undone_at IS NULL
        AND gone.ticket_id=pin.ticket_id AND gone.field=pin.field AND gone.id>=pin.id
    );
    DELETE FROM pin WHERE bound='at_most';
    """,
)
_OF_TICKETS = ("reaction", "correction", "pending", "pin")
"""The tables that hold something of tickets."""
_REACTION = tuple(item.name for item in fields(Reaction))
_CORRECTION = tuple(item.name for item in fields(Correction))


class LearningStore(Database):
    """The store's file. Thread-safe. Raises :class:`StateUnusable` when it cannot be used.

    ``scratch_copy`` is for readers: it creates and changes no file, whether or not the file exists.
    """

    migrations = _MIGRATIONS
    holds = "approved corrections, pins and the list of erased tickets"

    def __init__(self, path: Path | None) -> None:
        """Open, or create, the file; ``None`` keeps everything in memory."""
        super().__init__(path)
        with translated(path):
            self._db.execute("PRAGMA secure_delete=ON")

    # What people made of our labels

    def keep(self, reactions: Iterable[Reaction], corrections: Iterable[Correction] = (), at: float = 0.0) -> None:
        """Store reactions and corrections, in place of earlier ones of the same tickets.

        A correction that is stored already keeps its status; one that no longer holds expires, which is recorded as a
        change if it was approved.
        """
        with self.transaction() as db:
            gone = {number for (number,) in db.execute("SELECT ticket_id FROM erased")}
            kept = [item for item in reactions if item.ticket_id not in gone]
            found = [item for item in corrections if item.ticket_id not in gone]
            by_ticket: dict[int, list[Correction]] = {reaction.ticket_id: [] for reaction in kept}
            for item in found:
                by_ticket.setdefault(item.ticket_id, []).append(item)
            db.executemany("DELETE FROM reaction WHERE ticket_id=?", [(number,) for number in by_ticket])
            db.executemany(_insert("reaction", _REACTION), map(astuple, kept))
            lost = [one for ticket, ours in by_ticket.items() for one in self._keep_corrections(db, ticket, ours)]
            if lost:
                self.decide(lost, "expired", HISTORY, at)

    def reactions(self, since: float | None = None) -> Iterator[Reaction]:
        """Reactions that were settled at or after ``since``, oldest first; ``None``: all."""
        rows = self.all(
            f"SELECT {', '.join(_REACTION)} FROM reaction WHERE settled_at>=? ORDER BY settled_at, ticket_id, field",  # noqa: S608 - our own names
            since or 0.0,
        )
        return (Reaction(*row) for row in rows)

    def corrections(self, status: CorrectionStatus | None = None, field: str | None = None) -> list[Correction]:
        """Corrections, oldest first, without the unchanged labels that earlier versions stored as well."""
        chosen = "(?1 IS NULL OR status=?1) AND (?2 IS NULL OR field=?2) AND ours IS NOT theirs"
        return self._corrections(chosen, (status, field))

    def examples(self, field: str) -> list[Correction]:
        """Approved corrections of a field that have a text and were made by people."""
        return self._corrections("status='approved' AND field=? AND text<>'' AND actor_kind='person'", (field,))

    # What was learnt

    def decide(self, ids: Collection[int], status: CorrectionStatus, by: str, at: float) -> LearntChange:
        """Approve or reject corrections; :meth:`undo` reverses it."""
        with self.transaction() as db:
            rows = db.execute(
                "SELECT id, status, approved_by, approved_at FROM correction "
                "WHERE id IN (SELECT value FROM json_each(?))",
                (json.dumps([*ids]),),
            ).fetchall()
            db.executemany(
                "UPDATE correction SET status=?, approved_by=?, approved_at=? WHERE id=?",
                [(status, by, at, row[0]) for row in rows],
            )
            return self.record(DECIDED, by, {"status": status, "before": rows}, at)

    def add_approved(self, corrections: Iterable[Correction]) -> int:
        """Take in corrections that were approved elsewhere, by whom and when they were; returns how many are new here.

        One that waits here is approved; any other keeps what was decided here, and erased tickets stay erased.
        """
        found: dict[tuple[str, float], list[int]] = {}
        with self.transaction() as db:
            gone = {number for (number,) in db.execute("SELECT ticket_id FROM erased")}
            for item in corrections:
                where = "ticket_id=? AND field=? AND ours IS ? AND theirs=?"
                there = self._corrections(where, (item.ticket_id, item.field, item.ours, item.theirs))
                if item.ticket_id in gone or any(one.status != "pending" for one in there):
                    continue
                values = astuple(replace(item, status="pending", approved_by="", approved_at=None))[1:]
                made = there[0].id if there else db.execute(_insert("correction", _CORRECTION[1:]), values).lastrowid
                found.setdefault((item.approved_by, item.approved_at or item.at), []).append(made or 0)
            for (who, at), ids in found.items():
                self.decide(ids, "approved", who, at)
        return sum(map(len, found.values()))

    def record(self, what: str, who: str, detail: Mapping[str, Any], at: float) -> LearntChange:
        """Note a change that was learnt; ``detail`` holds JSON, and no words of customers."""
        text = json.dumps(detail, ensure_ascii=False)
        with self.transaction() as db:
            row = db.execute("INSERT INTO change (at, what, who, detail) VALUES (?,?,?,?)", (at, what, who, text))
        return LearntChange(row.lastrowid or 0, at, what, who, json.loads(text))

    def changes(self) -> list[LearntChange]:
        """Everything that was learnt or decided, oldest first, undone changes included."""
        rows = self.all("SELECT id, at, what, who, detail, undone_at FROM change ORDER BY id")
        return [LearntChange(*row[:4], json.loads(row[4]), row[5]) for row in rows]  # type: ignore[call-arg]

    def undo(self, change_id: int, at: float) -> LearntChange | None:
        """Undo a change; ``None`` if there is no such change, or it was undone before.

        Corrections that were decided again since then keep that decision. Everything else is out of use once its change
        is marked, since its users read :meth:`changes`.
        """
        with self.transaction() as db:
            found = next((item for item in self.changes() if item.id == change_id and item.undone_at is None), None)
            if found is None:
                return None
            db.execute("UPDATE change SET undone_at=? WHERE id=?", (at, change_id))
            if found.what == DECIDED:
                db.executemany(
                    "UPDATE correction SET status=?, approved_by=?, approved_at=? "
                    "WHERE id=? AND status=? AND approved_by=? AND approved_at=?",
                    [
                        (status, by, when, number, found.detail["status"], found.who, found.at)
                        for number, status, by, when in found.detail["before"]
                    ],
                )
            return replace(found, undone_at=at)

    # Erasing, and how far was read

    def known(self, ticket_ids: Collection[int]) -> frozenset[int]:
        """Those of the given tickets of which the store holds anything."""
        rows = self.all(" UNION ".join(f"SELECT ticket_id FROM {table}" for table in _OF_TICKETS))  # noqa: S608 - our own names
        return frozenset(ticket_ids).intersection(number for (number,) in rows)

    def forget(self, ticket_ids: Collection[int]) -> int:
        """Erase tickets for good: nothing of them is left in the file, and they are not stored again."""
        gone = len(self.known(ticket_ids))
        self.ban(ticket_ids)
        self.vacuum()  # even if an erasure that was killed has deleted the rows before
        return gone

    def ban(self, ticket_ids: Iterable[int]) -> None:
        """Delete what is held of tickets, and never store them again; :meth:`vacuum` takes it out of the file."""
        numbers = [(number,) for number in ticket_ids]
        with self.transaction() as db:
            for table in _OF_TICKETS:
                db.executemany(f"DELETE FROM {table} WHERE ticket_id=?", numbers)  # noqa: S608 - our own names
            db.executemany("INSERT OR IGNORE INTO erased VALUES (?)", numbers)

    def erased(self) -> list[int]:
        """The tickets that are never stored again."""
        return [number for (number,) in self.all("SELECT ticket_id FROM erased ORDER BY ticket_id")]

    def drop_before(self, moment: float) -> None:
        """Delete older reactions and corrections; approved corrections and pins stay, since they are still used."""
        with self.transaction() as db:
            db.execute("DELETE FROM reaction WHERE settled_at<?", (moment,))
            db.execute("DELETE FROM correction WHERE at<? AND status<>'approved'", (moment,))

    def fact(self, name: str) -> str | None:
        """A stored value by name; ``None`` if there is none."""
        rows = self.all("SELECT value FROM fact WHERE name=?", name)
        return rows[0][0] if rows else None

    def keep_fact(self, name: str, value: str) -> None:
        with self.transaction() as db:
            db.execute("INSERT OR REPLACE INTO fact VALUES (?,?)", (name, value))

    # Inside

    def _keep_corrections(self, db: sqlite3.Connection, ticket_id: int, found: Sequence[Correction]) -> list[int]:
        """Store a ticket's corrections; returns the ids of approved ones that no longer hold."""
        there = {(item.field, item.ours, item.theirs): item for item in self._corrections("ticket_id=?", (ticket_id,))}
        wanted = {(item.field, item.ours, item.theirs): item for item in found}
        for key, item in there.items():
            if key not in wanted and item.status == "pending":
                db.execute("UPDATE correction SET status='expired' WHERE id=?", (item.id,))
        new = [item for key, item in wanted.items() if key not in there]
        db.executemany(_insert("correction", _CORRECTION[1:]), [astuple(item)[1:] for item in new])
        return [item.id for key, item in there.items() if key not in wanted and item.status == "approved"]

    def _corrections(self, condition: str, values: Sequence[object]) -> list[Correction]:
        query = f"SELECT {', '.join(_CORRECTION)} FROM correction WHERE {condition} ORDER BY id"  # noqa: S608 - our own names
        return [Correction(*row) for row in self.all(query, *values)]


def _insert(table: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({','.join('?' * len(columns))})"  # noqa: S608 - our own names
