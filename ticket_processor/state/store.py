"""The state between runs, in one SQLite file: the cursor, unfinished writes, the retry list and past runs.

Losing the file costs time and model calls, never a wrong write: the marker tag and the key on the ticket itself
decide what is done.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

from ..core.clock import iso
from ..core.guards import BreakerMemory
from ..core.models import Change, Request
from ..core.run_summary import RunRecord
from ..core.service_times import KeptTimes
from .records import FollowUp, KeptWrite, Listed, Open, Retry, ScheduledReply, Verdict, parsed
from .sqlite import Database

FILE_NAME = "state.sqlite3"
CURSOR, HORIZON = "cursor", "horizon"
TURN = "turn"
"""Fact: the ticket after which the next run begins with what earlier runs have left."""
HELPDESK_DATE = "helpdesk_date"
"""Fact: the last time that the helpdesk's own clock showed, in Unix seconds."""
SERVICE_TIMES = "service_times "
"""Begins the names of the facts that hold tickets' service times; the ticket's number follows."""
AHEAD_S = 120.0
"""A run that ended further in the future was recorded by a clock that was wrong."""
RUNS_KEPT_S = 36 * 86_400.0
"""A month, which reports look back on, and some days more."""
DONE_KEPT_S = 100 * 86_400.0
"""How long the state remembers which tickets are done; after that their marker or their key on the ticket says so."""


_KEEP_VERDICT = (
    "INSERT INTO verdicts (ticket_id, verdict) VALUES (?, ?) "
    "ON CONFLICT (ticket_id) DO UPDATE SET verdict = excluded.verdict"
)


class State(Database):
    """One account's state. Thread-safe; each method is one transaction.

    Raises :class:`StateUnusable` when the file is damaged, cannot be written, or is newer than this program.
    """

    # Public replies

    def schedule_reply(self, reply: ScheduledReply) -> None:
        """Store the reply that is due on a ticket; it replaces one that was due before."""
        row = (reply.ticket_id, reply.model_dump_json())
        self.write("INSERT OR REPLACE INTO scheduled_replies VALUES (?, ?)", *row)

    def scheduled_replies(self) -> list[ScheduledReply]:
        """All replies that are due now or later, by ticket id."""
        rows = self.all("SELECT reply FROM scheduled_replies ORDER BY ticket_id")
        return [parsed(ScheduledReply, reply) for (reply,) in rows]

    def cancel_reply(self, *ticket_ids: int) -> None:
        """Forget the replies that are due on these tickets."""
        self.write_many("DELETE FROM scheduled_replies WHERE ticket_id = ?", zip(ticket_ids))

    # Facts: the account, the cursor, the horizon

    def fact(self, name: str) -> str | None:
        """A stored text by name, ``None`` when there is none."""
        row = self.one("SELECT value FROM facts WHERE name = ?", name)
        return None if row is None else str(row[0])

    def remember(self, **facts: str) -> None:
        """Store texts by name, all in one transaction."""
        self.write_many("INSERT OR REPLACE INTO facts VALUES (?, ?)", facts.items())

    def helpdesk_date(self) -> float | None:
        """The last date of the helpdesk's own clock (Unix seconds); ``None`` if unknown."""
        try:
            return float(self.fact(HELPDESK_DATE) or "")
        except ValueError:
            return None

    def forget(self, name: str) -> None:
        """Drop a stored text."""
        self.write("DELETE FROM facts WHERE name = ?", name)

    def service_times_of(self, ticket_id: int) -> KeptTimes | None:
        """The service times of a triaged ticket, if they were read."""
        kept = self.fact(f"{SERVICE_TIMES}{ticket_id}")
        return None if kept is None else KeptTimes.of(json.loads(kept))

    def keep_service_times(self, ticket_id: int, kept: KeptTimes) -> None:
        """Store a ticket's service times as they were read now."""
        self.remember(**{f"{SERVICE_TIMES}{ticket_id}": json.dumps(kept.row())})

    def service_times(self) -> list[KeptTimes]:
        """The service times of all tickets that were triaged in the last :data:`DONE_KEPT_S`."""
        rows = self.all("SELECT value FROM facts WHERE name GLOB ?", f"{SERVICE_TIMES}*")
        return [KeptTimes.of(json.loads(value)) for (value,) in rows]

    def begin_again(self, horizon: str) -> None:
        """Start from this moment (ISO): drop the cursor, and try dead letters again."""
        with self.transaction() as db:
            db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (HORIZON, horizon))
            db.execute("DELETE FROM facts WHERE name = ?", (CURSOR,))
            db.execute("DELETE FROM listed")
            db.execute("DELETE FROM retries WHERE dead")

    # Verdicts and intents

    def keep_verdict(self, *verdicts: Verdict) -> None:
        """Store analyses before anything is sent, so that a crash does not make us pay a model twice."""
        self.write_many(_KEEP_VERDICT, [(verdict.ticket_id, verdict.model_dump_json()) for verdict in verdicts])

    def verdict(self, ticket_id: int) -> Verdict | None:
        """The verdict that is still to be written on the ticket; ``None`` if there is none."""
        row = self.one("SELECT verdict FROM verdicts WHERE ticket_id = ?", ticket_id)
        return None if row is None else parsed(Verdict, row[0])

    def cost_is_counted(self, ticket_id: int) -> None:
        """Drop the verdict's cost, which a receipt holds now: a later run that settles it must not count it again."""
        with self.transaction():
            if verdict := self.verdict(ticket_id):
                self.keep_verdict(verdict.without_cost())

    def open_intent(self, *changes: Change) -> None:
        """Note that ``changes`` are about to be sent."""
        self.write_many(
            "INSERT INTO intents (intent, ticket_id, change) VALUES (?, ?, ?)",
            [(change.intent, change.ticket_id, change.model_dump_json()) for change in changes],
        )

    def forget_intent(self, *intents: str) -> None:
        """Drop the intents of writes that surely were not made and never will be."""
        self.write_many("DELETE FROM intents WHERE intent = ?", zip(intents))

    def job_begun(self, job: str, intents: Iterable[str], now: float) -> None:
        """Store that ``job`` carries the writes of these intents since ``now``; a later run finds them by its id."""
        rows = [(job, now, intent) for intent in intents]
        self.write_many("UPDATE intents SET job = ?, job_begun = ? WHERE intent = ?", rows)

    def jobs_begun(self) -> dict[str, float]:
        """When each job that has not ended was begun, in Unix seconds; 0.0 for one of an earlier version."""
        return dict(self.all("SELECT DISTINCT job, job_begun FROM intents WHERE job IS NOT NULL"))

    def job_ended(self, job: str) -> None:
        """Forget a job that will report nothing more; runs read the tickets of its open intents instead."""
        self.write("UPDATE intents SET job = NULL WHERE job = ?", job)

    def unsettled(self) -> list[Open]:
        """All verdicts that are not settled, oldest ticket first, without those of dead letters."""
        sent: dict[int, list[Change]] = {}
        jobs: dict[int, str | None] = {}
        for ticket_id, change, job in self.all("SELECT ticket_id, change, job FROM intents ORDER BY rowid"):
            sent.setdefault(ticket_id, []).append(parsed(Change, change))
            jobs[ticket_id] = job
        rows = self.all(
            "SELECT ticket_id, verdict FROM verdicts WHERE ticket_id NOT IN "
            "(SELECT ticket_id FROM retries WHERE dead) ORDER BY ticket_id"
        )
        return [
            Open(parsed(Verdict, verdict), tuple(sent.get(ticket_id, ())), jobs.get(ticket_id))
            for ticket_id, verdict in rows
        ]

    def settled(
        self, ticket_id: int, *, done: tuple[str, str] | None = None, then: FollowUp | None = None, now: float = 0.0
    ) -> None:
        """Store that the ticket is settled; ``done`` is (run id, key) when it carries a write of ours.

        ``then`` is what a later run has to write next, and why: it goes on the retry list.
        """
        with self.transaction() as db:
            db.execute("DELETE FROM verdicts WHERE ticket_id = ?", (ticket_id,))
            db.execute("DELETE FROM intents WHERE ticket_id = ?", (ticket_id,))
            db.execute("DELETE FROM retries WHERE ticket_id = ?", (ticket_id,))
            if done is not None:
                db.execute("INSERT OR REPLACE INTO done VALUES (?, ?, ?)", (ticket_id, *done))
            if then is not None:
                verdict, reason = then
                db.execute(_KEEP_VERDICT, (ticket_id, verdict.model_dump_json()))
                db.execute(
                    "INSERT INTO retries (ticket_id, attempts, reason, since) VALUES (?, 0, ?, ?)",
                    (ticket_id, reason, now),
                )

    def remember_done(self, ticket_id: int, run_id: str, key: str) -> None:
        """Store that the ticket carries a write of that run; its open verdict stays, to be settled as usual."""
        self.write("INSERT OR IGNORE INTO done VALUES (?, ?, ?)", ticket_id, run_id, key)

    def remember_fallback(self, ticket_id: int, tags: Sequence[str]) -> None:
        """Store that the ticket was analysed without a model; ``tags`` are what our write put on it."""
        kept = json.dumps(list(tags))
        self.write("INSERT OR REPLACE INTO fallbacks (ticket_id, tags) VALUES (?, ?)", ticket_id, kept)

    def tried_in_vain(self, ticket_id: int, most: int) -> None:
        """Count a model's failure on the ticket; after ``most`` of them, no model is asked about it again."""
        with self.transaction() as db:
            db.execute("UPDATE fallbacks SET tries = tries + 1 WHERE ticket_id = ?", (ticket_id,))
            db.execute("DELETE FROM fallbacks WHERE ticket_id = ? AND tries >= ?", (ticket_id, most))

    def forget_fallback(self, ticket_id: int) -> None:
        """Store that the ticket needs no second look."""
        self.write("DELETE FROM fallbacks WHERE ticket_id = ?", ticket_id)

    def fallbacks(self) -> dict[int, tuple[str, ...]]:
        """Tickets analysed without a model, with our write's tags; least tried, then oldest first. No dead letters."""
        rows = self.all(
            "SELECT ticket_id, tags FROM fallbacks WHERE ticket_id NOT IN (SELECT ticket_id FROM retries WHERE dead) "
            "ORDER BY tries, ticket_id"
        )
        return {ticket_id: tuple(json.loads(tags)) for ticket_id, tags in rows}

    def is_done(self, ticket_id: int) -> bool:
        """True when this installation has settled the ticket with a write, whatever tags it carries now."""
        return self.one("SELECT 1 FROM done WHERE ticket_id = ?", ticket_id) is not None

    def last_key(self, ticket_id: int) -> str | None:
        """The key of the last write of this installation on the ticket, if it has made any."""
        row = self.one("SELECT key FROM done WHERE ticket_id = ?", ticket_id)
        return None if row is None else str(row[0])

    # Writes, where the helpdesk keeps no record of them

    def keep_write(self, write: KeptWrite) -> None:
        """Store a write of ours; with an intent that is stored already, replace what is known of it."""
        row = (write.change.intent, write.change.ticket_id, write.model_dump_json(exclude_defaults=True))
        self.write(
            "INSERT INTO writes VALUES (?, ?, ?) ON CONFLICT (intent) DO UPDATE SET write = excluded.write", *row
        )

    def kept_writes(self, ticket_id: int) -> tuple[KeptWrite, ...]:
        """The writes of this installation on the ticket, oldest first."""
        rows = self.all("SELECT write FROM writes WHERE ticket_id = ? ORDER BY rowid", ticket_id)
        return tuple(parsed(KeptWrite, row) for (row,) in rows)

    # The retry list

    def retry_later(
        self,
        ticket_id: int,
        reason: str,
        *,
        failed: bool,
        max_attempts: int,
        now: float = 0.0,
        failed_at: Request | None = None,
        proven: bool = False,
    ) -> Retry:
        """Put a ticket on the retry list. Only a failure counts as an attempt; too many make it a dead letter.

        ``failed_at`` is the request that failed; ``proven`` is true if it worked for other tickets at that time.
        """
        with self.transaction() as db:
            row = db.execute("SELECT attempts, since, proven FROM retries WHERE ticket_id = ?", (ticket_id,)).fetchone()
            earlier, since, proven_before = row or (0, now, 0)
            attempts = earlier + failed
            dead = attempts >= max_attempts
            db.execute(
                "INSERT OR REPLACE INTO retries (ticket_id, attempts, reason, dead, since, failed_at, proven) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (ticket_id, attempts, reason, dead, since, failed_at, proven or proven_before),
            )
            if dead:
                # A verdict that follows an earlier write cannot be analysed again; it waits until a person revives it.
                db.execute(
                    "DELETE FROM verdicts WHERE ticket_id = ? AND NOT coalesce(json_extract(verdict, '$.follows'), 0)",
                    (ticket_id,),
                )
                db.execute("DELETE FROM intents WHERE ticket_id = ?", (ticket_id,))
        return Retry(ticket_id, attempts, reason, dead, since)

    def has_worked(self, *requests: Request) -> None:
        """Revive the dead letters that failed at one of these requests before it had worked for any ticket."""
        query = "UPDATE retries SET attempts = 0, dead = 0 WHERE dead AND NOT proven AND failed_at = ?"
        self.write_many(query, zip(requests))

    def given_up_unproven(self, request: Request) -> list[int]:
        """Dead letters that failed at this request when it was not known to work for any other ticket."""
        rows = self.all(
            "SELECT ticket_id FROM retries WHERE dead AND NOT proven AND failed_at = ? ORDER BY ticket_id", request
        )
        return [ticket_id for (ticket_id,) in rows]

    def retries(self) -> list[Retry]:
        """Everything on the retry list, the dead included, by ticket id."""
        rows = self.all("SELECT ticket_id, attempts, reason, dead, since FROM retries ORDER BY ticket_id")
        return [Retry(ticket, attempts, reason, bool(dead), since) for ticket, attempts, reason, dead, since in rows]

    def revive(self, ticket_ids: Iterable[int]) -> None:
        """Try these tickets again: dead letters start from zero attempts, dropped ones come back on the list."""
        with self.transaction() as db:
            for ticket_id in ticket_ids:
                db.execute("UPDATE retries SET attempts = 0, dead = 0 WHERE ticket_id = ? AND dead", (ticket_id,))
                if db.execute("DELETE FROM dropped WHERE ticket_id = ?", (ticket_id,)).rowcount:
                    db.execute(
                        "INSERT OR IGNORE INTO retries (ticket_id, attempts, reason) VALUES (?, 0, 'taken_back')",
                        (ticket_id,),
                    )

    def drop(self, ticket_id: int) -> None:
        """Stop trying the ticket until it is revived, and forget what was under way with it."""
        with self.transaction() as db:
            for table in ("verdicts", "intents", "retries", "fallbacks", "scheduled_replies"):
                db.execute(f"DELETE FROM {table} WHERE ticket_id = ?", (ticket_id,))  # noqa: S608 - names of our own
            db.execute("INSERT OR IGNORE INTO dropped VALUES (?)", (ticket_id,))

    def dropped(self) -> frozenset[int]:
        """Tickets that a person took off the retry list for good."""
        return frozenset(ticket_id for (ticket_id,) in self.all("SELECT ticket_id FROM dropped"))

    # What searches have listed

    def listed_stamps(self, ticket_ids: Sequence[int]) -> dict[int, str]:
        """The stamps of the given tickets that a search has listed before; earlier versions stored empty stamps."""
        marks = ",".join("?" * len(ticket_ids))
        sql = f"SELECT ticket_id, stamp FROM listed WHERE ticket_id IN ({marks})"  # noqa: S608 - question marks
        return dict(self.all(sql, *ticket_ids))

    def keep_listed(self, tickets: Iterable[Listed]) -> None:
        """Store that a search has listed these."""
        rows = [(ticket.ticket_id, ticket.created, ticket.stamp) for ticket in tickets]
        self.write_many("INSERT OR REPLACE INTO listed VALUES (?, ?, ?)", rows)

    def forget_listed(self, before: float) -> None:
        """Forget listed tickets created before a moment: no search lists them again."""
        self.write("DELETE FROM listed WHERE created < ?", before)

    # How the helpdesk and the model servers were doing

    def breaker(self, name: str) -> BreakerMemory | None:
        """The memory of the breaker of that name."""
        row = self.one("SELECT failures, open_until, cause FROM breakers WHERE name = ?", name)
        return None if row is None else BreakerMemory(*row)

    def keep_breaker(self, name: str, memory: BreakerMemory) -> None:
        """Store a breaker for the next run."""
        row = (name, memory.failures, memory.open_until, memory.cause)
        self.write("INSERT OR REPLACE INTO breakers (name, failures, open_until, cause) VALUES (?, ?, ?, ?)", *row)

    def not_before(self, name: str, now: float) -> float:
        """Unix seconds before which the dependency asked not to be called; 0.0 when it did not.

        A request stored with a time in the future is ignored: the clock was wrong then.
        """
        row = self.one("SELECT not_before, told_at FROM waits WHERE name = ?", name)
        return 0.0 if row is None or row[1] > now else float(row[0])

    def keep_not_before(self, name: str, moment: float, now: float) -> None:
        """Store the moment before which a dependency asked, ``now``, not to be called."""
        self.write("INSERT OR REPLACE INTO waits (name, not_before, told_at) VALUES (?, ?, ?)", name, moment, now)

    # Runs

    def keep_run(self, record: RunRecord) -> None:
        """Store a run's result, and forget runs that are more than :data:`RUNS_KEPT_S` older.

        The first run of a day also forgets tickets done more than :data:`DONE_KEPT_S` before it. A record is old only
        if the helpdesk's clock says so as well as this machine's.
        """
        date = self.helpdesk_date()
        with self.transaction() as db:
            midnight = record.started // 86_400.0 * 86_400.0
            begun = min(record.started, date or 0.0)  # without a date nothing is too old
            if db.execute("SELECT 1 FROM runs WHERE started >= ? LIMIT 1", (midnight,)).fetchone() is None:
                oldest = (re.sub(r"[-:]", "", iso(begun - DONE_KEPT_S)),)  # as the names of runs begin
                db.execute(
                    "DELETE FROM fallbacks WHERE ticket_id IN (SELECT ticket_id FROM done WHERE run_id < ?)", oldest
                )
                db.execute("DELETE FROM done WHERE run_id < ?", oldest)
                db.execute("DELETE FROM writes WHERE intent < ?", oldest)
                db.execute(
                    "DELETE FROM facts WHERE name GLOB ? AND json_extract(value, '$.at') < ?",
                    (f"{SERVICE_TIMES}*", begun - DONE_KEPT_S),
                )
            row = (record.run_id, record.started, record.model_dump_json(exclude_defaults=True))
            db.execute("INSERT OR REPLACE INTO runs VALUES (?, ?, ?)", row)
            # A record from the future was written under a wrong clock, and would be taken for the last run.
            kept = (begun - RUNS_KEPT_S, max(record.finished, date or 0.0) + AHEAD_S)
            db.execute("DELETE FROM runs WHERE started < ? OR started > ?", kept)

    def runs(self, since: float) -> list[RunRecord]:
        """The runs that began at ``since`` (Unix seconds) or later, oldest first; dry runs are not among them."""
        rows = self.all("SELECT record FROM runs WHERE started >= ? ORDER BY started", since)
        return [parsed(RunRecord, record) for (record,) in rows]


def in_turn(state: State, ticket_ids: Iterable[int]) -> list[int]:
    """Sort tickets of earlier runs so that the next run begins after the ticket at which the last one stopped."""
    turn = int(state.fact(TURN) or 0)
    return sorted(ticket_ids, key=lambda number: (number <= turn, number))
