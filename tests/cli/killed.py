"""Real processes over real sockets, killed at any moment: one account, one state folder, many deaths, then quiet.

A :class:`Story` serves a sandbox with faults from this process, has people edit tickets in a thread, and starts the
real command again and again, each time with new tickets, to kill it (SIGKILL; TerminateProcess on Windows). When it has
died often enough nothing goes wrong any more, and a few runs have to bring everything to its end.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ticket_processor.audit.files import read_events
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.sandbox.app import SandboxServer
from ticket_processor.sandbox.basics import OffsetClock
from ticket_processor.sandbox.messages import Request, Response
from ticket_processor.sandbox.store import BOT_ID, Audit, Store
from ticket_processor.state.store import FILE_NAME

from ..imitation import FaultPlan, FaultRule, Rules, Sandbox
from ..imitation.latency import LatencyProfile
from ..simulation.evidence import explains, passed_by
from ..simulation.invariants import violations
from ..simulation.mishaps import Mishaps
from ..simulation.world import AREA, AREAS, GROUPS, ORDER, PEOPLES_TAGS, TEXTS
from .conftest import Desk, is_chat

WITHHELD_S = 90.0
"""The export withholds the newest minute, so time moves on this far before each run."""
QUIET_RUNS = 4
TO_BE_NONE = ("human_values_changed", "foreign_tags_removed", "public_comments", "not_found")
HANGS_S = 100.0
_MARK = re.compile(r"case ([a-j]+) of ours")


@dataclass(frozen=True)
class Ending:
    """What came of a story."""

    seed: int
    kills: int
    violations: tuple[str, ...]
    without_receipt: int
    """Writes on the helpdesk that no receipt names."""
    writes: int
    recovered: int
    """Writes whose receipt a later run had to write, from what it read."""
    counts: Counter[str] = field(default_factory=Counter)


class Story:
    """One account's story. ``seed`` chooses mode, model, faults, people and moments, as far as real time lets it."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.seed = seed
        self.dice = random.Random(seed)
        self.batch = self.dice.random() < 0.5
        self.model = self.dice.random() < 0.4
        self.sandbox = Sandbox(
            OffsetClock(),
            plan="unlimited",
            seed=seed,
            rules=Rules(job_seconds=(self.dice.uniform(0.1, 0.6), 0.005)),
            llm_latency=LatencyProfile(0.15, 0.5, seed),
        )
        self.mishaps = Mishaps({}, {})
        self.kills = 0
        self.counts: Counter[str] = Counter()
        self._folder = folder
        self._explained: set[int] = set()
        self._torn = 0
        self._run = ""
        self._first = threading.Event()
        self._arrived: dict[int, str] = {}
        self._lock = threading.Lock()
        self._busy_s = 1.5
        self._startup_s = 1.0
        # What the invariants look at
        self.cursors: list[str] = []
        self.wire: list[tuple[str, str, str, tuple[int, ...], str]] = []
        self.model_calls: list[tuple[str, int, float]] = []
        self.run_starts: dict[str, float] = {}
        self.second_looks: set[str] = set()
        self.answered: list[tuple[int, float]] = []
        self.asked: dict[str, tuple[int, ...]] = {}
        self.durations: dict[str, float] = {}
        self.keeps_state = True
        self.log: list[dict[str, Any]] = []

    def play(self, deaths: int) -> Ending:
        """Kill so many runs, then let everything come to its end, and judge."""
        self._settings()
        self.sandbox.on_request.append(self._comes)
        self.sandbox.after_request.append(self._goes)
        with ExitStack() as stack:
            server = stack.enter_context(SandboxServer(self.sandbox))
            desk = Desk(self._folder, self.sandbox, server.url, model=self.model)
            self.sandbox.on_request.remove(desk.seen.append)
            stack.callback(desk.close)
            self._customers_write(8)
            if deaths > 1 and self.dice.random() < 0.3:
                self._until_killed(desk, "birth", "--since", "1d")
            self._to_its_end(desk, "warm-up", "--since", "1d")
            self.sandbox.faults = self._faults()
            self._customers_write(self._some())
            self._to_its_end(desk, "rehearsal")
            with self._people():
                number = 0
                while self.kills < deaths:
                    number += 1
                    self._customers_write(self._some())
                    self._until_killed(desk, f"run {number}")
            self.sandbox.faults = FaultPlan()
            self._come_to_an_end(desk)
        return self.judged()

    # The helpdesk's side

    @property
    def store(self) -> Store:
        return self.sandbox.store

    def is_settled(self, ticket_id: int) -> bool:
        """A write of ours is on it, or a receipt says why there is none, or a person dealt with it."""
        ended = self.store.tickets[ticket_id].json["status"] not in ("new", "open")
        return ended or ticket_id in self._explained or bool(self.our_writes(ticket_id))

    def our_writes(self, ticket_id: int) -> Sequence[Audit]:
        return [audit for audit in self.store.tickets[ticket_id].audits if audit.author_id == BOT_ID]

    def _some(self) -> int:
        return self.dice.randint(10, 40) if self.batch else self.dice.randint(4, 12)

    def _customers_write(self, count: int) -> None:
        for _ in range(count):
            subject, body = self.dice.choice(TEXTS)
            with self.store.lock:
                # Digits would be taken for an order's number.
                mark = "".join(chr(ord("a") + int(digit)) for digit in str(len(self.store.tickets) + 1))
                self.store.create(
                    subject=subject,
                    body=f"{body} This is case {mark} of ours.",
                    channel=self.dice.choice(("email", "web", "api")),
                )
        self._advance(WITHHELD_S)

    def _advance(self, seconds: float) -> None:
        clock = self.sandbox.clock
        assert isinstance(clock, OffsetClock)
        clock.advance(seconds)

    def _faults(self) -> FaultPlan:
        """Some kinds of misbehaviour, and answers slow enough that a death can fall into them."""
        menu: list[dict[str, Any]] = [
            {"kind": "lost-request", "path": "/api/"},
            {"kind": "lost-reply", "path": "/api/"},
            {"kind": "late-commit", "method": "PUT", "seconds": self.dice.uniform(0.2, 50)},
            {"kind": "error-after", "method": "PUT"},
            {"kind": "error-before", "path": "/v1/"},
            {"kind": "conflict", "method": "PUT", "path": r"/tickets/\d"},
            {"kind": "job-slow", "seconds": self.dice.uniform(0.5, 20)},
            {"kind": "job-item-fails"},
            {"kind": "job-no-results"},
            {"kind": "job-killed"},
            {"kind": "job-lost"},
        ]
        chosen = [FaultRule(probability=0.05, **item) for item in menu if self.dice.random() < 0.3]
        slow = FaultRule("slow", path="/api/", seconds=self.dice.uniform(0.01, 0.08))
        return FaultPlan([*self._lasting_faults(), *chosen, slow], self.seed)

    def _lasting_faults(self) -> list[FaultRule]:
        """Tickets of which the helpdesk never shows the record, or that it shows in an odd form; rows that it omits."""
        newest = list(self.store.tickets)[-6:]
        poison, odd = (self.dice.sample(newest, self.dice.choice((0, 1, 2))) for _ in range(2))
        how = {number: self.dice.choice(("no-date", "status-number", "surrogate-tag")) for number in odd}
        self.mishaps = Mishaps(dict.fromkeys(poison, ("audits", 504)), how)
        rules = [FaultRule("error-before", path=rf"/tickets/{number}/audits", status=504) for number in poison]
        rules += [FaultRule("odd-row", path="/api/", ticket=number, odd=form) for number, form in how.items()]
        return [*rules, FaultRule("omit-row", path="show_many", probability=self.dice.choice((0.0, 0.1)))]

    @contextmanager
    def _people(self) -> Iterator[None]:
        """Somebody at work on the newest tickets, until the block ends."""
        over = threading.Event()
        dice = random.Random(self.seed + 1)
        pause = dice.choice((0.02, 0.1, 0.5))

        def work() -> None:
            while not over.wait(dice.uniform(0, 2 * pause)):
                numbers = list(self.store.tickets)[-40:]
                self._edit(dice, dice.choice(numbers))

        thread = threading.Thread(target=work, name="people")
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _edit(self, dice: random.Random, number: int) -> None:
        store = self.store
        with store.lock:
            ticket = store.tickets[number]
            if ticket.deleted or ticket.json["status"] == "closed":
                return
            act = dice.random()
            if act < 0.4:
                store.person_edit(number, add_tags=(dice.choice(PEOPLES_TAGS),))
            elif act < 0.55 and ticket.tags:
                store.person_edit(number, remove_tags=(dice.choice(ticket.tags),))
            elif act < 0.72:
                store.person_edit(number, priority=dice.choice(("low", "normal", "high", "urgent")))
            elif act < 0.8:
                store.person_edit(number, group_id=dice.choice(GROUPS))
            elif act < 0.9:
                chosen: dict[int, str] = dice.choice(({AREA: AREAS[0]}, {AREA: AREAS[1]}, {ORDER: "A-7"}))
                store.person_edit(number, custom_fields=chosen)
            elif act < 0.98:
                store.person_edit(number, comment="Looking into it.", public=dice.random() < 0.5)
            elif act < 0.99:
                store.person_edit(number, status=dice.choice(("open", "pending", "solved", "closed")))
            else:
                store.delete(number)

    # What goes over the wire

    def _comes(self, request: Request) -> None:
        with self._lock:
            self._arrived[id(request)] = self._run
            if request.path.startswith("/api/"):
                self._first.set()

    def _goes(self, request: Request, response: Response) -> None:
        with self._lock:
            run = self._arrived.pop(id(request), self._run)
            if is_chat(request):
                asked = _MARK.search(request.body.decode("utf-8", "replace"))
                if asked and response.status == 200 and response.fate == "reply":
                    number = int("".join(str(ord(letter) - ord("a")) for letter in asked[1]))
                    self.model_calls.append((run, number, self.store.now()))
            elif request.path.startswith("/api/"):
                end = str(response.status) if response.fate == "reply" else "lost"
                self.wire.append((run, request.method, request.path, _tickets_of(request), end))

    # Runs

    def _settings(self) -> None:
        lines = [
            "[run]",
            f'write_mode = "{"batch" if self.batch else "single"}"',
            "workers = 4",
            "deadline_s = 60",
        ]
        for number, category in enumerate(default_taxonomy().categories):
            lines += [
                "[[categories]]",
                f"name = {json.dumps(category.name)}",
                f"description = {json.dumps(category.description)}",
            ]
            if number % 3:
                lines += [f'tag = "desk_{category.name}"', f"group = {GROUPS[number % 2]}"]
                lines += [f'fields = {{ {AREA} = "{AREAS[number % 2]}" }}']
        (self._folder / "ticketbot.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _start(self, desk: Desk, name: str, *arguments: str) -> subprocess.Popen[str]:
        with self._lock:
            self._run = name
            self._first.clear()
            self.run_starts[name] = self.store.now()
        return desk.start("run", "--quiet", *arguments, fresh=True)

    def _to_its_end(self, desk: Desk, name: str, *arguments: str) -> int:
        began = time.monotonic()
        process = self._start(desk, name, *arguments)
        self._first.wait(HANGS_S)
        self._startup_s = time.monotonic() - began
        process.communicate(timeout=HANGS_S)
        self.durations[name] = time.monotonic() - began
        self._busy_s = self.durations[name] - self._startup_s
        return int(process.returncode)

    def _until_killed(self, desk: Desk, name: str, *arguments: str) -> None:
        """One run, which may end before it is killed."""
        again = self.model and self.dice.random() < 0.2
        if again:
            self.second_looks.add(name)
        process = self._start(desk, name, *arguments, *(["--retry-fallbacks"] if again else []))
        if self.dice.random() < 0.1:
            self._asleep(process, self.dice.uniform(0, self._startup_s))
        else:
            while not self._first.wait(0.002) and process.poll() is None:
                pass
            self._asleep(process, self.dice.uniform(0, 1.05 * self._busy_s))
        ended_by_itself = process.poll() is not None
        process.kill()
        process.communicate(timeout=HANGS_S)
        if ended_by_itself or process.returncode == 0:
            self.counts["runs that ended before they were killed"] += 1
            if process.returncode not in (0, 1):
                self.counts[f"of them with exit code {process.returncode}"] += 1
        else:
            self.kills += 1
        self._look_at_the_cursor(name)

    @staticmethod
    def _asleep(process: subprocess.Popen[str], seconds: float) -> None:
        """Wait, but not for a process that has ended."""
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            return

    def _come_to_an_end(self, desk: Desk) -> None:
        for number in range(QUIET_RUNS):
            self._advance(700.0)
            code = self._to_its_end(desk, f"quiet {number}")
            if code == 0 and number and not self._left():
                return
        left = self._left()
        if left:
            self.cursors.append(f"18 liveness: after {QUIET_RUNS} quiet runs still open: {left}")

    # What is known of a run from outside

    def _read_log(self) -> None:
        files = sorted((self._folder / "logs").glob("*.jsonl"))
        self.log = [line for path in files for line in read_events(path)]
        self._torn = sum(path.read_bytes().count(b"\n") for path in files) - len(self.log)
        self._explained = {line["ticket_id"] for line in self.log if explains(line)}

    def _state(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the state, read from a copy: opening the file would tidy up what a death has left."""
        with tempfile.TemporaryDirectory() as name:
            for path in (self._folder / "state").glob(f"{FILE_NAME}*"):
                shutil.copy(path, name)
            with closing(sqlite3.connect(Path(name) / FILE_NAME)) as db:
                try:
                    return db.execute(sql).fetchall()
                except sqlite3.OperationalError:
                    return []  # killed before there was a table

    def _left(self) -> list[int]:
        """Tickets that the state has not let go."""
        rows = self._state("SELECT ticket_id FROM verdicts UNION SELECT ticket_id FROM retries")
        return [number for (number,) in rows]

    def _look_at_the_cursor(self, name: str) -> None:
        self._read_log()
        facts = dict(self._state("SELECT name, value FROM facts"))
        if "cursor" in facts:
            left = self._left()
            with self.store.lock:
                passed = [number for number in passed_by(facts["cursor"], self) if number not in left]
            self.cursors += [f"after {name} the cursor had passed ticket {number}, unsettled" for number in passed]

    def judged(self) -> Ending:
        """What the helpdesk's own history and the log on disk say of all that."""
        self._read_log()
        told = {line["intent"]: line for line in self.log if line["event"] == "ticket" and line["intent"]}
        written = [
            (ticket_id, str(audit.custom.get("ticketbot", {}).get("intent")))
            for ticket_id in self.store.tickets
            for audit in self.our_writes(ticket_id)
        ]
        silent = [one for one in written if one[1] not in told and not self._gone(one[0])]
        there = {intent for _, intent in written}
        found = [*violations(self)]
        found += [
            f"ticket {ticket_id}: 12 audit: write {intent} has no receipt; the last says: {self._last_word(ticket_id)}"
            for ticket_id, intent in silent
        ]
        found += [
            f"ticket {line['ticket_id']}: 12 audit: a receipt names the write {intent}, which never happened"
            for intent, line in told.items()
            if line["outcome"] in ("updated", "suggested") and intent not in there
        ]
        sworn = [line["statement"] for line in self.log if line["event"] == "run_finished" and line["statement"]]
        found += [f"a run swears to {one}" for one in sworn if any(one[what] for what in TO_BE_NONE)]
        if self._torn > self.kills:
            found.append(f"13 audit: {self._torn} torn lines after {self.kills} kills")
        return Ending(
            seed=self.seed,
            kills=self.kills,
            violations=tuple(found),
            without_receipt=len(silent),
            writes=len(written),
            recovered=sum(
                line["reason"] == "confirmed_by_reading" or line["run_id"] != intent.rpartition("-")[0]
                for intent, line in told.items()
            ),
            counts=self.counts,
        )

    def _last_word(self, ticket_id: int) -> str:
        lines = [line for line in self.log if line["event"] == "ticket" and line["ticket_id"] == ticket_id]
        return f"{lines[-1]['outcome']} ({lines[-1]['reason']})" if lines else "nothing"

    def _gone(self, ticket_id: int) -> bool:
        """A ticket that is gone cannot be read: its receipt says so, and closes the intent without naming the write."""
        return self.store.tickets[ticket_id].deleted and self._last_word(ticket_id) == "skipped (deleted)"


def _tickets_of(request: Request) -> tuple[int, ...]:
    if "ids" in request.query and "/tickets/" in request.path:
        return tuple(int(part) for part in request.query["ids"].split(",") if part.isdecimal())
    if request.path.endswith("/tickets/update_many"):
        return tuple(item["id"] for item in request.json()["tickets"])
    found = re.search(r"/tickets/(\d+)", request.path)
    return (int(found[1]),) if found else ()
