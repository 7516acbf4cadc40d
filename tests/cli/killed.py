"""Real processes over real sockets, killed at any moment: one account, one state folder, many deaths, then quiet.

A :class:`Story` serves a sandbox with faults from this process, has a person tag tickets in a thread, and starts the
real command again and again, each time with new tickets, to kill it (SIGKILL; TerminateProcess on Windows). When it has
died often enough nothing goes wrong any more, and a few runs have to bring everything to its end.

The simulation draws what people and the helpdesk may do from a far longer list (tests/simulation); its deaths are not
real, and these are.
"""

from __future__ import annotations

import random
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ticket_processor.audit.files import read_events
from ticket_processor.sandbox.app import SandboxServer
from ticket_processor.sandbox.basics import OffsetClock
from ticket_processor.sandbox.messages import Request
from ticket_processor.sandbox.store import BOT_ID, Audit, StoredTicket

from ..imitation import FaultPlan, FaultRule, Rules, Sandbox
from ..simulation.world import PEOPLES_TAGS, TEXTS
from .conftest import Desk

WITHHELD_S = 90.0
"""The export withholds the newest minute, so time moves on this far before each run."""
QUIET_RUNS = 4
TO_BE_NONE = ("human_values_changed", "foreign_tags_removed", "public_comments", "not_found")
HANGS_S = 100.0


@dataclass(frozen=True)
class Ending:
    """What came of a story."""

    seed: int
    kills: int
    ended_first: int
    """Runs that had ended before they were killed."""
    writes: int
    recovered: int
    """Writes whose receipt a later run had to write, from what it read."""
    wrong: tuple[str, ...]


class Story:
    """One account's story. ``seed`` chooses write mode, faults and moments, as far as real time lets it."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.seed = seed
        self.dice = random.Random(seed)
        self.batch = self.dice.random() < 0.5
        rules = Rules(job_seconds=(self.dice.uniform(0.1, 0.6), 0.005))
        self.clock = OffsetClock()
        self.sandbox = Sandbox(self.clock, plan="unlimited", seed=seed, rules=rules)
        self.store = self.sandbox.store
        self._folder = folder
        self._kills = self._ended_first = 0
        self._asked = threading.Event()
        self.theirs: dict[int, set[str]] = {}
        """Tags that a person has put on tickets."""
        self._startup_s, self._busy_s = 1.0, 1.5
        mode = "batch" if self.batch else "single"
        (folder / "ticketbot.toml").write_text(f'[run]\nwrite_mode = "{mode}"\nworkers = 4\ndeadline_s = 60\n', "utf-8")

    def play(self, deaths: int) -> Ending:
        """Kill so many runs, then let everything come to its end, and judge."""
        with SandboxServer(self.sandbox) as server:
            self.desk = Desk(self._folder, self.sandbox, server.url, model=False)
            self.sandbox.on_request.append(self._is_asked)
            self._customers_write(8)
            self._to_its_end("--since", "1d")
            self.sandbox.faults = self._faults()
            self._customers_write(self._some())
            self._to_its_end()
            with self._a_person():
                while self._kills < deaths:
                    self._customers_write(self._some())
                    self._until_killed()
            self.sandbox.faults = FaultPlan()
            for _ in range(QUIET_RUNS):
                self.clock.advance(700.0)
                if self._to_its_end() == 0 and not self.wrong():
                    break
            told = self.desk("audit", "verify", code=None)
            self.desk.close()
        there, receipts = self._writes(), self._receipts()
        recovered = sum(
            line["reason"] == "confirmed_by_reading" or line["run_id"] != intent.rpartition("-")[0]
            for intent, line in receipts.items()
        )
        wrong = (*self.wrong(), *([told.out] if told.code else []))
        return Ending(self.seed, self._kills, self._ended_first, len(there), recovered, wrong)

    # The helpdesk's side

    def _some(self) -> int:
        return self.dice.randint(10, 40) if self.batch else self.dice.randint(4, 12)

    def _customers_write(self, count: int) -> None:
        for _ in range(count):
            subject, body = self.dice.choice(TEXTS)
            with self.store.lock:
                self.store.create(subject=subject, body=body, channel=self.dice.choice(("email", "web", "api")))
        self.clock.advance(WITHHELD_S)

    def _faults(self) -> FaultPlan:
        """Misbehaviour in one of twenty requests, and answers slow enough that a death can fall into them."""
        menu: list[dict[str, Any]] = [
            {"kind": "lost-request", "path": "/api/"},
            {"kind": "lost-reply", "path": "/api/"},
            {"kind": "late-commit", "method": "PUT", "seconds": self.dice.uniform(0.2, 50)},
            {"kind": "error-after", "method": "PUT"},
            {"kind": "conflict", "method": "PUT", "path": r"/tickets/\d"},
            {"kind": "omit-row", "path": "show_many"},
            {"kind": "job-slow", "seconds": self.dice.uniform(0.5, 20)},
            *({"kind": kind} for kind in ("job-item-fails", "job-no-results", "job-killed", "job-lost")),
        ]
        chosen = [FaultRule(probability=0.05, **item) for item in menu if self.dice.random() < 0.5]
        return FaultPlan([*chosen, FaultRule("slow", path="/api/", seconds=self.dice.uniform(0.01, 0.08))], self.seed)

    @contextmanager
    def _a_person(self) -> Iterator[None]:
        """Somebody at work on the newest tickets, until the block ends."""
        over, dice = threading.Event(), random.Random(self.seed + 1)

        def work() -> None:
            while not over.wait(dice.uniform(0, 0.2)):
                number, tag = dice.choice(list(self.store.tickets)[-40:]), dice.choice(PEOPLES_TAGS)
                with self.store.lock:
                    self.store.person_edit(number, add_tags=(tag,))
                self.theirs.setdefault(number, set()).add(tag)

        thread = threading.Thread(target=work, name="a person")
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _is_asked(self, request: Request) -> None:
        if request.path.startswith("/api/"):
            self._asked.set()

    # Runs

    def _start(self, *arguments: str) -> subprocess.Popen[str]:
        self._asked.clear()
        return self.desk.start("run", "--quiet", *arguments, fresh=True)

    def _to_its_end(self, *arguments: str) -> int:
        began = time.monotonic()
        process = self._start(*arguments)
        self._asked.wait(HANGS_S)
        self._startup_s = time.monotonic() - began
        process.communicate(timeout=HANGS_S)
        self._busy_s = time.monotonic() - began - self._startup_s
        return int(process.returncode)

    def _until_killed(self) -> None:
        """One run, which may end before it is killed."""
        process = self._start()
        moment = self.dice.uniform(0, self._startup_s)
        if self.dice.random() > 0.1:
            while not self._asked.wait(0.002) and process.poll() is None:
                pass
            moment = self.dice.uniform(0, 1.05 * self._busy_s)
        until = time.monotonic() + moment
        while process.poll() is None and time.monotonic() < until:
            time.sleep(0.001)
        ended = process.poll() is not None
        process.kill()
        process.communicate(timeout=HANGS_S)
        self._ended_first += ended
        self._kills += not ended

    # What is true

    def our_writes(self, ticket: StoredTicket) -> list[Audit]:
        return [audit for audit in ticket.audits if audit.author_id == BOT_ID]

    def _writes(self) -> dict[str, int]:
        """Our writes on the helpdesk, by their intents."""
        return {
            str(audit.custom.get("ticketbot", {}).get("intent")): ticket.id
            for ticket in self.store.tickets.values()
            for audit in self.our_writes(ticket)
        }

    def _log(self) -> list[dict[str, Any]]:
        return [line for path in sorted((self._folder / "logs").glob("*.jsonl")) for line in read_events(path)]

    def _receipts(self) -> dict[str, dict[str, Any]]:
        return {line["intent"]: line for line in self._log() if line["event"] == "ticket" and line["intent"]}

    def wrong(self) -> list[str]:
        """Broken promises, found in the helpdesk's own history and the log on disk; empty if there are none."""
        found = []
        for ticket in self.store.tickets.values():
            notes = [note["public"] for note in self.store.bot_comments(ticket.id)]
            if len(self.our_writes(ticket)) != 1 or notes != [False] or "ai_processed" not in ticket.tags:
                found.append(f"ticket {ticket.id}: {len(self.our_writes(ticket))} writes, public notes: {notes}")
            if lost := self.theirs.get(ticket.id, set()) - set(ticket.tags):
                found.append(f"ticket {ticket.id}: a person's tags are gone: {sorted(lost)}")
        there, receipts = self._writes(), self._receipts()
        found += [f"ticket {there[intent]}: write {intent} has no receipt" for intent in there.keys() - receipts.keys()]
        made = {intent for intent, line in receipts.items() if line["outcome"] == "updated"}
        found += [f"a receipt names the write {intent}, which never happened" for intent in made - there.keys()]
        sworn = [line["statement"] for line in self._log() if line["event"] == "run_finished" and line["statement"]]
        found += [f"a run swears to {one}" for one in sworn if any(one[what] for what in TO_BE_NONE)]
        lines = sum(path.read_bytes().count(b"\n") for path in (self._folder / "logs").glob("*.jsonl"))
        if (torn := lines - len(self._log())) > self._kills:
            found.append(f"{torn} torn lines after {self._kills} kills")
        return found
