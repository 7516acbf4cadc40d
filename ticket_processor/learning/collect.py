"""Reads the histories of settled tickets, and collects what people did with our labels on them.

The log names the tickets that we wrote on; each of its lines is read once. Nothing is written to the helpdesk and no
model is asked: one request for each hundred tickets (on Freshdesk for each), and those for each history.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from ..analysis.text.cleaning import clean
from ..analysis.text.redact import redact
from ..audit.files import log_files, readable
from ..audit.lines import Keyring
from ..core.clock import Deadline, parse_iso, why_ended
from ..core.errors import CannotRun, DeadlineReached, TicketError
from ..core.models import Ticket
from ..core.text import RedactionLevel
from ..evaluation.solved import MERGED_TAG
from ..helpdesk.protocol import Helpdesk
from ..helpdesk.ticket_history import History
from .overrides import ANOTHER, ENDED, SETTLED_AFTER_S, Words, Written, judge
from .store import Correction, LearningStore, Reaction

LONGEST_TEXT = 1_000
"""Maximum number of characters of a corrected ticket that are kept."""
AT_ONCE = 100
OPEN = "not solved yet"
NOT_OURS = "without a write of ours in its history"
REFUSED_AT_FIRST = 3
"""If this many histories fail and none has been read, collecting stops."""
GONE = "deleted since"
MERGED = "merged into another"
UNREADABLE = "whose history cannot be read"


@dataclass
class CollectedLabels:
    """The result of a pass: tickets settled, histories read, corrections found; ``waiting`` are not settled yet.

    ``left_out`` counts skipped tickets by reason, ``ended_early`` says why the pass stopped early.
    """

    settled: int = 0
    histories: int = 0
    corrections: int = 0
    waiting: int = 0
    requests: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    ended_early: str | None = None


def collect(
    desk: Helpdesk,
    store: LearningStore,
    words_for: Callable[[set[str]], Words],
    level: RedactionLevel,
    deadline: Deadline,
    now: float,
    *,
    since: float = 0.0,
    most: int | None = None,
    advance: Callable[[int], object] = lambda _count: None,
) -> CollectedLabels:
    """Read each settled ticket written since ``since``, at most ``most`` of them, and store what people did.

    Tickets are settled when they are solved or closed, or 14 days after our first write. If this stops early, the
    results so far are kept. ``words_for`` gives our words, with these earlier categories; texts of corrections are
    redacted at ``level``.
    """
    pending, done = PendingTickets(store), CollectedLabels()
    reader = HistoryReader(desk, deadline, advance)
    most = sys.maxsize if most is None else most
    while reader.ended_early is None and reader.histories < most and (some := pending.next(AT_ONCE, now, since)):
        by_id = {item.ticket_id: item for item in some}
        young = {item.ticket_id for item in some if now - item.first < SETTLED_AFTER_S}
        words = words_for({item.category for item in some})
        reactions: list[Reaction] = []
        corrections: list[Correction] = []
        settled: set[int] = set()
        try:
            for ticket, history in reader.read([*by_id], young):
                labels = judge(history, words, by_id[ticket.id], requester=ticket.requester)
                settled.add(ticket.id)
                if labels is None:
                    reader.left[ticket.id] = NOT_OURS
                else:
                    # A ticket that the helpdesk shows as solved, without the time, is settled now.
                    reactions += [replace(label, settled_at=min(label.settled_at, now)) for label in labels]
                    corrections += corrections_of(labels, ticket, level)
                if reader.histories >= most:
                    break
        finally:
            left = {number: why for number, why in reader.left.items() if number in by_id}
            settled |= {number for number, why in left.items() if why not in (OPEN, UNREADABLE)}
            with store.transaction() as db:
                store.keep(reactions, corrections, now)
                db.executemany("DELETE FROM pending WHERE ticket_id=?", [(number,) for number in settled])
                again = [(now, number) for number in left.keys() - settled]  # to the end of the row
                db.executemany("UPDATE pending SET looked=? WHERE ticket_id=?", again)
            done.settled += len(settled)
            done.corrections += len(corrections)
    done.histories, done.ended_early = reader.histories, reader.ended_early
    done.left_out, done.waiting = Counter(reader.left.values()), pending.count()
    return done


def corrections_of(labels: Iterable[Reaction], ticket: Ticket, level: RedactionLevel) -> list[Correction]:
    """People's corrections on a ticket, with its redacted text; changes by programs are no corrections."""
    found = [
        item
        for item in labels
        if item.actor_kind == "person" and item.fate in ("changed", "added") and item.theirs not in (None, ANOTHER)
    ]
    text = redacted_text(ticket, level) if found else ""
    return [
        Correction(
            id=0,
            ticket_id=item.ticket_id,
            field=item.field,
            ours=item.ours,
            theirs=item.theirs or "",
            author=item.author,
            actor_kind=item.actor_kind,
            at=item.at,
            text=text,
        )
        for item in found
    ]


def redacted_text(ticket: Ticket, level: RedactionLevel) -> str:
    """The beginning of the ticket's text, as analysers see it."""
    text = redact(clean(ticket.subject, ticket.description), names=ticket.names, level=level).text
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT].rsplit(" ", 1)[0]


def in_sample_order(ticket_ids: Iterable[int], run_ids: Iterable[str]) -> list[int]:
    """Shuffle tickets so that every beginning of the list is a random sample; repeatable for the same arguments."""
    ordered = sorted(ticket_ids)
    random.Random("\0".join(sorted(set(run_ids)))).shuffle(ordered)
    return ordered


class HistoryReader:
    """Reads histories from a helpdesk; ``left`` says why tickets were skipped, and callers may add to it.

    ``advance`` is called for each history. ``ended_early`` says why reading stopped early.
    """

    def __init__(
        self, desk: Helpdesk, deadline: Deadline, advance: Callable[[int], object] = lambda _count: None
    ) -> None:
        self._desk = desk
        self._deadline = deadline
        self._advance = advance
        self.left: dict[int, str] = {}
        self.histories = 0
        self.ended_early: str | None = None

    def read(self, ordered: Sequence[int], young: Collection[int] = frozenset()) -> Iterator[tuple[Ticket, History]]:
        """The tickets of ``ordered`` with their histories, without ``young`` ones that are not solved.

        A helpdesk that does not answer, forbids it or takes too long raises nothing here. Raises :class:`Stopping`.
        """
        try:
            for start in range(0, len(ordered), AT_ONCE):
                self._deadline.check()
                part = ordered[start : start + AT_ONCE]
                found = self._desk.fetch(part)
                for number in part:
                    ticket = found.get(number)
                    if isinstance(ticket, TicketError):
                        self.left[number] = UNREADABLE
                    elif ticket is None:
                        self.left[number] = GONE
                    elif ticket.status not in ENDED and number in young:
                        self.left[number] = OPEN
                    elif MERGED_TAG in ticket.tags:
                        self.left[number] = MERGED
                    elif (history := self._history(number)) is not None:
                        yield ticket, history
                    if self.ended_early:
                        return
        except (CannotRun, DeadlineReached) as error:
            self.ended_early = why_ended(error, self._deadline)

    def _history(self, ticket_id: int) -> History | None:
        self._deadline.check()
        try:
            history = self._desk.history(ticket_id)
        except TicketError as error:
            self.left[ticket_id] = UNREADABLE
            if not self.histories and [*self.left.values()].count(UNREADABLE) >= REFUSED_AT_FIRST:
                self.ended_early = f"histories of tickets cannot be read: {error}"
            return None
        self.histories += 1
        self._advance(1)
        return history


LINES_AT_ONCE = 5_000
CURSOR = "cursor"
"""Name of the store's fact that says how far the log was read."""


class PendingTickets:
    """The tickets in a store that are not collected yet. Thread-safe, as the store is."""

    def __init__(self, store: LearningStore) -> None:
        self._store = store

    def read_log(self, folder: Path, keys: Keyring | None, deadline: Deadline, *, first_day: str = "") -> None:
        """Read the log's new lines; at first, and if ``first_day`` is earlier than before, all from ``first_day`` on.

        Raises :class:`CannotRun` when a file cannot be read, also if its key is missing, and what
        :meth:`Deadline.check` raises; the next call goes on from there.
        """
        at = json.loads(self._store.fact(CURSOR) or '{"day": "", "line": 0, "began": ""}')
        if not at["day"] or first_day < at["began"]:
            at = {"day": "", "line": 0, "began": first_day}
        for file in log_files(folder, first_day=at["day"] or first_day):
            if file.day != at["day"]:
                at |= {"day": file.day, "line": 0}
            lines = (item.line for item in readable(file, keys, first=at["line"]))
            while some := list(islice(lines, LINES_AT_ONCE)):
                # A run may be writing the last line now.
                whole = max((place for place, line in enumerate(some, start=1) if line is not None), default=0)
                self._take([line for line in some[:whole] if line is not None])
                at["line"] += whole
                self._store.keep_fact(CURSOR, json.dumps(at))
                if whole < len(some):
                    break
                deadline.check()

    def next(self, most: int, before: float, since: float = 0.0) -> list[Written]:
        """Tickets written since ``since`` and not looked at since ``before``; those that wait longest come first."""
        rows = self._store.all(
            "SELECT ticket_id, category, settings_files, first FROM pending WHERE looked<? AND first>=? "
            "ORDER BY looked, first LIMIT ?",
            *(before, since, most),
        )
        return [Written(number, category, json.loads(text), at) for number, category, text, at in rows]

    def count(self) -> int:
        return int(self._store.all("SELECT count(*) FROM pending")[0][0])

    def _take(self, lines: Sequence[Mapping[str, Any]]) -> None:
        """Add the lines' tickets to the pending ones, except those erased, or settled after that write."""
        with self._store.transaction() as db:
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
    """Ticket, category, intent, settings file and time of a log line about a write with an analysis; else ``None``."""
    analysis = line.get("analysis")
    if line.get("event") != "ticket" or line.get("dry_run") or line.get("outcome") not in ("updated", "suggested"):
        return None
    if not isinstance(analysis, dict) or not isinstance(line.get("ticket_id"), int):
        return None
    if "summary" not in analysis:  # its words were erased
        return None
    category, intent = str(analysis.get("category")), str(line.get("intent") or "")
    settings_file, moment = str(analysis.get("settings_file", "")), parse_iso(str(line.get("ts")))
    return line["ticket_id"], category, intent, settings_file, moment
