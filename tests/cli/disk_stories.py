"""The real command on a disk that fails at a chosen operation, then on one that works again; and what came of both.

The command runs in this process, so that every operation of it can be made to fail; the helpdesk is a sandbox over
real sockets. Waiting costs no time: the clock that the command gets moves on by itself.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import typer

from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.audit.files import events
from ticket_processor.audit.receipts import CHANGED, LOG_HEAD, AuditLog
from ticket_processor.audit.verify import check
from ticket_processor.audit.writer import Head
from ticket_processor.cli import app
from ticket_processor.core.clock import SystemClock
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.pipeline.jobs import LOST_JOB_S
from ticket_processor.sandbox.app import SandboxServer, fill
from ticket_processor.sandbox.basics import OffsetClock
from ticket_processor.sandbox.messages import Request
from ticket_processor.sandbox.store import BOT_ID
from ticket_processor.state.store import FILE_NAME, State
from ticket_processor.wiring import parts as wiring

from ..imitation import Sandbox
from ..support.bad_disk import KINDS, Disk, Failing, Kind
from .conftest import OURS, QUICK_JOBS, rows

KEY = "a key of sixteen characters or more"
LATER_S = 90.0
"""The export withholds the newest minute."""
_COMMAND = typer.main.get_command(app)
_RULES = RulesAnalyser(default_taxonomy())
"""Both take longer to make than a run."""


@dataclass(frozen=True)
class Fault:
    """From the operation ``at`` on nothing can be written; with ``once`` it alone fails, with ``done`` after it."""

    at: int
    kind: Kind
    once: bool = False
    done: bool = False

    @property
    def name(self) -> str:
        """For people."""
        how = "once, though it was done" if self.done else "once" if self.once else "from then on"
        return f"{self.kind}, {how}"

    def at_operation(self, number: int) -> Fault:
        """The same elsewhere."""
        return replace(self, at=number)


FAULTS = (
    *(Fault(0, kind, once=once) for kind in KINDS for once in (False, True)),
    Fault(0, "broken", once=True, done=True),
)


@dataclass(frozen=True)
class Scene:
    """Where it begins: with nothing at all, or where days of the log are due to go."""

    jobs: bool
    grown: bool
    tickets: int = 4

    @property
    def name(self) -> str:
        """For people."""
        return f"{'in jobs' if self.jobs else 'one by one'}, {'a log with old days' if self.grown else 'first run'}"


SCENES = tuple(Scene(jobs, grown) for jobs in (False, True) for grown in (False, True))


@dataclass(frozen=True)
class Ended:
    """What the run on the failing disk came to, and everything that is wrong with it or with the runs after it."""

    operations: tuple[str, ...]
    struck: str | None
    code: int
    said: str
    effects: int
    wrong: tuple[str, ...]


class _Clock(SystemClock):
    """The sandbox's time; waiting moves it on."""

    time: OffsetClock

    def now(self) -> float:
        return self.time.now()

    def monotonic(self) -> float:
        return time.monotonic() + self.time.now() - time.time()

    def wait(self, seconds: float) -> None:
        self.check()
        self.time.advance(max(0.0, seconds))


class Story:
    """One account, its folders, and runs on them."""

    def __init__(self, scene: Scene, folder: Path) -> None:
        self.scene = scene
        self.clock = OffsetClock()
        self.sandbox = Sandbox(self.clock, plan="unlimited", rules=QUICK_JOBS)
        fill(self.sandbox, rows(scene.tickets))
        self.state, self.logs = folder / "state", folder / "logs"
        self._folder = folder
        self._watched = False
        folder.mkdir(parents=True, exist_ok=True)
        mode = "batch" if scene.jobs else "single"
        (folder / "ticketbot.toml").write_text(f'[run]\nwrite_mode = "{mode}"\nworkers = 2\n', encoding="utf-8")

    def play(self, fault: Fault | None) -> Ended:
        """A run under this fault, and then runs without one until nothing is left to do."""
        with SandboxServer(self.sandbox) as server, self._surroundings(server.url):
            if self.scene.grown:
                self._grow()
            disk = Disk(self.state, self.logs) if fault is None else self._failing(fault)
            wrong: list[str] = []
            self.sandbox.on_request.append(lambda request: wrong.extend(self._unannounced(request, disk)))
            with disk.at_work():
                self._watched = True
                code, said = self._run("--since", "1d")
                self._watched = False
            struck = disk.operations[fault.at - 1] if fault and len(disk.operations) >= fault.at else None
            effects = self._effects()
            wrong += self._badly_told(code, said, struck)
            for more, later_s in ((2, LATER_S), (1, LATER_S), (0, LOST_JOB_S)):
                self.clock.advance(later_s)
                last, words = self._run(*([] if self._begun() else ["--since", "1d"]))
                left = list(self._unsettled())
                if not (more and left):
                    break
            if last:
                wrong.append(f"with a good disk again the run ended with {last}: {words}")
            wrong += left
        return Ended(tuple(disk.operations), struck, code, said, len(effects), tuple(wrong))

    # Runs

    @contextmanager
    def _surroundings(self, url: str) -> Iterator[None]:
        known = self.sandbox.credentials
        kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(OURS)}
        environ = {
            **kept,
            "TICKETBOT_CONFIG": str(self._folder / "ticketbot.toml"),
            "TICKETBOT_STATE_DIR": str(self.state),
            "TICKETBOT_LOG_DIR": str(self.logs),
            "ZENDESK_URL": url,
            "ZENDESK_OAUTH_CLIENT_ID": known.oauth_client_id,
            "ZENDESK_OAUTH_CLIENT_SECRET": known.oauth_client_secret,
            **({"TICKETBOT_AUDIT_KEY": KEY} if self.scene.grown else {}),
        }
        clock = type("Clock", (_Clock,), {"time": self.clock})
        with ExitStack() as stack:
            stack.enter_context(mock.patch.dict(os.environ, environ, clear=True))
            stack.enter_context(mock.patch("ticket_processor.core.clock.SystemClock", clock))
            stack.enter_context(mock.patch.object(wiring, "RulesAnalyser", return_value=_RULES))
            stack.enter_context(mock.patch.object(os, "_exit", sys.exit))  # a thread may still be at work
            stack.enter_context(mock.patch.object(tempfile, "tempdir", str(self._folder)))
            yield

    def _run(self, *arguments: str) -> tuple[int, str]:
        said = io.StringIO()
        with redirect_stdout(said), redirect_stderr(said):
            try:
                _COMMAND.main(["run", *arguments], prog_name="ticketbot")
            except SystemExit as end:
                code = int(end.code or 0)
            except Exception:
                code = -1
                traceback.print_exc(file=said)
        return code, said.getvalue()

    def _failing(self, fault: Fault) -> Failing:
        return Failing(fault.at, fault.kind, self.state, self.logs, once=fault.once, done=fault.done)

    def _grow(self) -> None:
        """Days that stay, and days whose time has come."""
        today = datetime.fromtimestamp(self.clock.now(), UTC)
        for back in (367, 366, 3, 2):

            class Then(_Clock):
                time = self.clock

                def now(self, back: int = back) -> float:
                    return (today - timedelta(days=back)).timestamp()

            audit = AuditLog(self.logs, Then(), f"before-{back}", key=KEY.encode())
            audit.run_started()
            audit.alert("a line")
            audit.close()

    def _begun(self) -> bool:
        try:
            state = State(self.state / FILE_NAME)
        except Exception:
            return False
        try:
            return state.fact("horizon") is not None
        finally:
            state.close()

    # What is true

    def _effects(self) -> list[str]:
        """The intents of our writes on the helpdesk, oldest first."""
        return [
            str(audit.custom.get("ticketbot", {}).get("intent"))
            for ticket in self.sandbox.store.tickets.values()
            for audit in ticket.audits
            if audit.author_id == BOT_ID
        ]

    def _log(self) -> list[Mapping[str, object]]:
        return [line for _, line in events(self.logs)]

    def _unannounced(self, request: Request, disk: Disk) -> Iterator[str]:
        """What is wrong with a write that arrives: of each the disk has to know, surely, before it is sent."""
        if request.method != "PUT":
            return
        paths = list(self.logs.glob("*.jsonl"))
        stored = b"".join(path.read_bytes() for path in paths)
        synced = b"".join(path.read_bytes()[: disk.synced.get(str(path), 0)] for path in paths)
        for intent in re.findall(rb'"intent": ?"([^"]+)"', request.body):
            if intent not in stored:
                yield f"the write {intent.decode()} was sent, and nothing on the disk announces it"
            elif self._watched and intent not in synced:
                yield f"the write {intent.decode()} was sent before what announces it was surely on the disk"

    def _badly_told(self, code: int, said: str, struck: str | None) -> Iterator[str]:
        if "Traceback" in said or "this is a bug" in said:
            yield f"no sentence, but: {said}"
        if struck is None and code:
            yield f"nothing failed, and it ended with {code}: {said}"
        if code == 0:
            receipts = {line["intent"] for line in self._log() if line["event"] == "ticket"}
            if not set(self._effects()) <= receipts or len(receipts) < self.scene.tickets:
                yield f"it ended with 0 and has not done all: {said}"
        elif code != 3:
            yield f"it ended with {code}: {said}"
        elif str(self.logs) not in said and str(self.state) not in said:
            yield f"which folder, it does not say: {said}"

    def _unsettled(self) -> Iterator[str]:
        lines = self._log()
        for ticket in self.sandbox.store.tickets.values():
            ours = [audit for audit in ticket.audits if audit.author_id == BOT_ID]
            notes = len(self.sandbox.store.bot_comments(ticket.id))
            if len(ours) != 1 or notes != 1 or "ai_processed" not in ticket.tags:
                yield f"ticket {ticket.id}: {len(ours)} writes, {notes} notes"
        receipts = [line["intent"] for line in lines if line["event"] == "ticket" and line["intent"]]
        for intent in self._effects():
            if intent not in receipts:
                yield f"the write {intent} has no receipt"
        yield from (f"the log says {line['what']}" for line in lines if line.get("what") == CHANGED)
        yield from self._broken_chain()
        yield from (f"left behind: {path.name}" for path in self.logs.glob("*.tmp"))
        today = datetime.fromtimestamp(self.clock.now(), UTC)
        oldest = (today - timedelta(days=365)).date().isoformat()
        yield from (f"too old: {path.name}" for path in self.logs.glob("ticketbot-*") if path.name[10:20] < oldest)

    def _broken_chain(self) -> Iterator[str]:
        settings = _Keys(self.state, KEY if self.scene.grown else None)
        state = State(self.state / FILE_NAME)
        try:
            left, open_still = state.fact(LOG_HEAD), state.unsettled()
        finally:
            state.close()
        if left is None:
            yield "the state does not know where the log ended"
            return
        report = check(self.logs, settings.keys(), None, [("the state", Head.parse(left))])
        yield from (str(flaw) for flaw in (*report.flaws, *report.unchecked))
        yield from (f"ticket {item.verdict.ticket_id} is open still" for item in open_still)


@dataclass(frozen=True)
class _Keys:
    folder: Path
    given: str | None

    def keys(self) -> tuple[bytes, ...]:
        return wiring.log_keys([self.given] if self.given else [], self.folder)


def operations(scene: Scene, folder: Path) -> tuple[str, ...]:
    """What a whole run does to the disk, with nothing wrong."""
    ended = Story(scene, folder).play(None)
    assert not ended.wrong, ended
    return ended.operations


def play(scene: Scene, fault: Fault, folder: Path) -> Ended:
    """One story in a folder that is made and removed."""
    try:
        return Story(scene, folder).play(fault)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
