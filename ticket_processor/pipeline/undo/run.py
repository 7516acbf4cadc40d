"""Finds earlier runs in their receipts, and undoes one of them where its values have not changed since.

Lines are read one at a time: memory holds the runs' names and one run's tickets, however long the log is.

An undo writes as a run does: guarded, in jobs if there are many, with one note and a receipt for each ticket, and
exactly once, since the write that undoes another has its own key on the ticket. So it may be stopped and repeated at
any time. It keeps its intents in memory only, since a later run would continue stored ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...audit.files import events
from ...audit.lines import Keyring
from ...core import reasons
from ...core.errors import (
    AuditUnwritable,
    CannotRun,
    ConfigError,
    DeadlineReached,
    ExitCode,
    Halted,
    NotePublished,
    RateLimited,
    Stopping,
)
from ...core.models import Change, Decision, Outcome, OutcomeStatus
from ...core.run_summary import RunSummary
from ...core.run_summary import Writes as Ways
from ...core.text import many
from ...state.records import Verdict
from ...state.store import State
from ...tags import COMPLETE, REPAIR, key_of_stage
from ..context import HALTED, HELPDESK, heed_wait
from ..job_trust import TRUST
from ..jobs import MISSED_POLLS, Tools
from ..settlement import Settled
from ..write import WriteBack
from .revert import STAGE, Left, UndoPlanner, run_of

MOST_WAITS = 8
"""Maximum number of waits for tickets that have just changed or whose job is under way."""
_WAITS = (reasons.DEFERRED, reasons.NOT_KNOWN_YET)
LATEST = "latest"
MOST_LISTED = 5
_WRITTEN = ("updated", "suggested")


@dataclass
class PastRun:
    """A run according to its receipts. ``tickets`` counts those that it surely wrote to.

    ``announced`` are tickets with an intent but no receipt of a write.
    """

    run_id: str
    first_day: str
    dry_run: bool = False
    undoes: str | None = None
    tickets: int = 0
    announced: set[int] = field(default_factory=set)

    @property
    def wrote(self) -> bool:
        """True if it may have written, unless it was an undo itself."""
        return bool(self.tickets or self.announced) and self.undoes is None


@dataclass
class RunWrites:
    """The tickets that a run wrote to, or may have, with the keys of these writes, in the order of receipts.

    Repairs for people are not among them. ``taken_back`` are tickets that are undone completely, as receipts say.
    """

    run_id: str
    keys: dict[int, tuple[str, ...]] = field(default_factory=dict)
    taken_back: set[int] = field(default_factory=set)

    def of(self, ticket_ids: Collection[int]) -> RunWrites:
        """The writes on these tickets; all if none is given. Raises :class:`ConfigError` for a ticket without one."""
        if strange := sorted(set(ticket_ids) - self.keys.keys()):
            raise ConfigError(*(f"run {self.run_id} did not write on ticket {number}" for number in strange))
        if not ticket_ids:
            return self
        return RunWrites(
            self.run_id, {number: self.keys[number] for number in sorted(set(ticket_ids))}, self.taken_back
        )


class PastRuns:
    """The runs whose receipts are in ``folder``. Raises :class:`CannotRun` when a file cannot be read."""

    def __init__(self, folder: Path, keys: Keyring | None = None) -> None:
        self._folder = folder
        self._keys = keys
        self._runs: dict[str, PastRun] = {}
        for day, line in events(folder, keys=keys):
            self._note(day, line)

    def find(self, asked: str) -> PastRun:
        """The run with this id, with an id that begins so, or the last run that wrote (``latest``).

        Raises :class:`ConfigError` if there is none, or none that can be undone.
        """
        if not self._runs:
            missing = "holds no receipts of any run" if self._folder.is_dir() else "does not exist"
            raise ConfigError(
                f"the log folder {self._folder} {missing}, and only receipts tell what a run wrote: name the folder "
                "that the runs wrote theirs to as log_dir (TICKETBOT_LOG_DIR)"
            )
        if asked == LATEST:
            wrote = [run for run in self._runs.values() if run.wrote]
            if not wrote:
                raise ConfigError(f"no run in the log {self._folder} has written anything")
            return wrote[-1]
        meant = [run for name, run in self._runs.items() if asked and name.startswith(asked)]
        meant = [run for run in meant if run.run_id == asked] or meant
        if not meant:
            unknown = f"the log {self._folder} knows no run {asked}; the receipts of a run say what it wrote"
            raise ConfigError(unknown, self._last_ones())
        if len(meant) > 1:
            names = ", ".join(run.run_id for run in meant[:MOST_LISTED])
            raise ConfigError(
                f"{len(meant)} runs begin with {asked}: {names}{', …' if len(meant) > MOST_LISTED else ''}"
            )
        run = meant[0]
        if run.dry_run:
            raise ConfigError(f"run {run.run_id} was a dry run: it wrote nothing, so there is nothing to take back")
        if run.undoes is not None:
            raise ConfigError(
                f"run {run.run_id} took back run {run.undoes}; that cannot be undone, and 'ticketbot run --again-run "
                f"{run.undoes}' triages these tickets anew"
            )
        return run

    def writes(self, run: PastRun) -> RunWrites:
        """The run's writes. A write belongs to the run that sent it, even if a later run confirmed it."""
        keys: dict[int, dict[str, None]] = {}
        undone: set[str] = set()
        undoing = {other.run_id for other in self._runs.values() if other.undoes == run.run_id}
        for _, line in events(self._folder, first_day=run.first_day, keys=self._keys):
            ticket_id, name, intent = line.get("ticket_id"), line.get("run_id"), line.get("intent")
            change = line.get("change")
            key = change.get("key") if isinstance(change, dict) else None
            if not (isinstance(ticket_id, int) and isinstance(intent, str) and isinstance(key, str)):
                continue
            made = line["event"] == "ticket" and line.get("outcome") in _WRITTEN
            if made and name in undoing:
                undone.add(key)
            elif made and line.get("reason") == reasons.PUT_BACK:
                keys.get(ticket_id, {}).pop(key, None)
            elif (made or line["event"] == "intent") and run.run_id in (name, run_of(intent)):
                keys.setdefault(ticket_id, {})[key] = None
        kept = {ticket_id: tuple(names) for ticket_id, names in keys.items() if names}
        taken_back = {number for number, names in kept.items() if key_of_stage(names[-1], STAGE) in undone}
        return RunWrites(run.run_id, kept, taken_back)

    def _note(self, day: str, line: dict[str, Any]) -> None:
        name = line.get("run_id")
        if not isinstance(name, str):
            return
        run = self._runs.setdefault(name, PastRun(name, day))
        run.dry_run = run.dry_run or line.get("dry_run") is True
        if line["event"] == "run_started" and isinstance(line.get("undoes"), str):
            run.undoes = line["undoes"]
        ticket_id = line.get("ticket_id")
        if line["event"] == "intent" and isinstance(ticket_id, int):
            run.announced.add(ticket_id)
        if line["event"] == "ticket" and line.get("outcome") in _WRITTEN and line.get("change") is not None:
            if isinstance(ticket_id, int):
                run.announced.discard(ticket_id)  # so that few are in memory
            run.tickets += line.get("reason") != reasons.PUT_BACK

    def _last_ones(self) -> str:
        wrote = [run for run in self._runs.values() if run.wrote][-MOST_LISTED:]
        if not wrote:
            return "no run in this log has written anything"
        return "the last runs that wrote: " + ", ".join(
            f"{run.run_id} ({many(run.tickets, 'ticket')})" for run in reversed(wrote)
        )


@dataclass(frozen=True, kw_only=True)
class UndoTools(Tools):
    """The tools and options of an undo. ``run_id`` is the undo's own."""

    run_id: str
    stable_read_s: float = 6.0
    hands_off: str = ""
    requests: Callable[[], Mapping[str, int]] = dict


class Undo:
    """Undoes the writes of a run. ``listener`` gets every ticket's outcome, and the parts that stay."""

    def __init__(
        self,
        tools: UndoTools,
        writes: RunWrites,
        listener: Callable[[Outcome, tuple[Left, ...]], None] = lambda _outcome, _left: None,
    ) -> None:
        self._tools = tools
        self._writes = writes
        self._listener = listener
        self._outcomes: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._again = False
        self._doubtful: set[int] = set()
        self._unconfirmed = 0
        self._jobs: dict[str, dict[int, Change]] = {}
        """Changes that the run sent in jobs with an unknown end."""
        self._missed = Counter[str]()
        self._planner = UndoPlanner(tools, writes)

    def execute(self) -> RunSummary:
        """Undo the writes, whatever the helpdesk does. The summary's outcomes are those of a run.

        Its ``writes.open`` are sent and not confirmed; see also :func:`not_reached`.
        """
        tools = self._tools
        started = tools.clock.monotonic()
        stopped, code = None, ExitCode.OK
        try:
            tools.audit.run_started(undoes=self._writes.run_id, tickets=len(self._writes.keys))
            self._flow()
        except DeadlineReached:
            stopped, self._again = "the time is up; run the same command again to continue", True
        except (Stopping, CannotRun) as end:
            stopped, code = str(end), end.exit_code
            if isinstance(end, Halted):
                stopped += "; with --while-stopped the run is taken back all the same, and runs stay stopped"
            if isinstance(end, RateLimited):
                tools.state.keep_not_before(HELPDESK, end.not_before, tools.clock.now())
            if isinstance(end, NotePublished):
                tools.state.remember(**{HALTED: str(end)})
                tools.audit.alert("note_published", message=str(end))
        if code is ExitCode.OK and (self._again or self._outcomes[OutcomeStatus.FAILED]):
            code = ExitCode.SOME_FAILED
        summary = RunSummary(
            run_id=tools.run_id,
            dry_run=tools.dry_run,
            seen=len(self._writes.keys),
            outcomes=dict(self._outcomes),
            reasons=dict(self._reasons),
            requests=dict(tools.requests()),
            writes=Ways(open=self._unconfirmed),
            duration_s=round(tools.clock.monotonic() - started, 3),
            stopped=stopped,
            exit_code=int(code),
        )
        if stopped:
            with suppress(AuditUnwritable):  # which the last line's failure tells
                tools.audit.alert(
                    "undo_ended_early", sent_not_confirmed=self._unconfirmed, not_reached=not_reached(summary)
                )
        return tools.audit.run_finished(summary)

    def _flow(self) -> None:
        tools, writes = self._tools, self._writes
        halted = tools.state.fact(HALTED)
        if halted is not None and not tools.dry_run:
            raise CannotRun(f"{halted}; an undo writes notes too: when a person has looked into it, run with --resume")
        heed_wait(tools.state, tools.clock.now())
        tools.before_write()
        self._give_up_completions()
        if not tools.dry_run:
            tools.state.cancel_reply(*writes.keys)
        pending = writes.keys.keys() - writes.taken_back
        for item in tools.state.unsettled():
            number, change = item.verdict.ticket_id, item.sent[-1] if item.sent else None
            if item.job and change and number in pending and run_of(change.intent) == writes.run_id:
                self._jobs.setdefault(item.job, {})[number] = change
        for ticket_id in sorted(writes.taken_back & writes.keys.keys()):
            undone = Outcome(ticket_id=ticket_id, status=OutcomeStatus.SKIPPED, reason=reasons.ALREADY_UNDONE)
            self._record(Settled(undone))
        with closing(State(None)) as scratch:
            try:
                self._write(scratch, sorted(pending))
            finally:
                open_still = {item.verdict.ticket_id for item in scratch.unsettled() if item.sent}
                self._unconfirmed = len(open_still | self._doubtful)

    def _write(self, scratch: State, waiting: list[int]) -> None:
        tools = self._tools
        known = tools.state.fact(TRUST)
        if known is not None:
            scratch.remember(**{TRUST: known})
        write_back = WriteBack(replace(tools, state=scratch), self._planner)
        for waits in range(MOST_WAITS + 1):
            if waits:
                tools.deadline.wait(tools.stable_read_s + 1)
            self._look_at_jobs()
            write_back.take([self._verdict(ticket_id) for ticket_id in waiting])
            waiting = []
            for settled in write_back.finish():
                outcome = settled.outcome
                if outcome.reason in _WAITS and waits < MOST_WAITS:
                    waiting.append(outcome.ticket_id)
                    if outcome.attempts:
                        self._doubtful.add(outcome.ticket_id)
                else:
                    self._record(settled)
                scratch.settled(outcome.ticket_id)
            if not waiting:
                break
        learnt = scratch.fact(TRUST)
        if learnt is not None and learnt != known:
            tools.state.remember(**{TRUST: learnt})

    def _look_at_jobs(self) -> None:
        """Poll the run's jobs; while one runs, nothing is decided for its tickets."""
        statuses = self._tools.desk.jobs([*self._jobs]) if self._jobs else {}
        for job in list(self._jobs):
            status = statuses.get(job)
            self._missed[job] = 0 if status is not None else self._missed[job] + 1
            if status is not None and status.ended:
                done = self._jobs.pop(job)
                self._planner.arrived |= {number: done[number] for number in done if status.results.get(number) is True}
            elif self._missed[job] >= MISSED_POLLS:
                del self._jobs[job]  # the tickets show what it has done
        self._planner.under_way = {number: change for job in self._jobs.values() for number, change in job.items()}

    def _verdict(self, ticket_id: int) -> Verdict:
        return Verdict(
            ticket_id=ticket_id,
            key=key_of_stage(self._writes.keys[ticket_id][-1], STAGE),
            analysis=None,
            decision=Decision(ticket_id=ticket_id, reason=reasons.TAKEN_BACK),
            clean_stamp="",
            follows=True,
        )

    def _give_up_completions(self) -> None:
        """Drop the completions of these writes that a later run would make."""
        for item in self._tools.state.unsettled():
            verdict = item.verdict
            keys = self._writes.keys.get(verdict.ticket_id, ())
            if verdict.key in {key_of_stage(key, COMPLETE) for key in keys}:
                self._tools.state.settled(verdict.ticket_id)

    def _record(self, settled: Settled) -> None:
        """Write the receipt, then change the state. The ticket stays done, so no later run triages it again."""
        tools, outcome = self._tools, settled.outcome
        tools.audit.ticket(outcome)
        if outcome.status is OutcomeStatus.UPDATED:
            done = (self._writes.run_id, self._writes.keys[outcome.ticket_id][-1])
            then = settled.follow_up
            if then is None and (kept := tools.state.verdict(outcome.ticket_id)) is not None and kept.puts_back:
                then = (kept, REPAIR)  # the repair of another write is still needed
            tools.state.settled(outcome.ticket_id, done=done, then=then)
            tools.state.forget_fallback(outcome.ticket_id)
        self._doubtful.discard(outcome.ticket_id)
        self._outcomes[outcome.status] += 1
        if outcome.status in (OutcomeStatus.SKIPPED, OutcomeStatus.FAILED):
            self._reasons[outcome.reason] += 1
        self._again = self._again or outcome.reason in _WAITS
        self._listener(outcome, self._planner.left(outcome.ticket_id))


def other_run(reason: str) -> str | None:
    """The other run that wrote to the ticket, if an outcome's ``reason`` names one."""
    return reason.removeprefix(f"{reasons.OTHER_RUN}_") if reason.startswith(reasons.OTHER_RUN) else None


def not_reached(summary: RunSummary) -> int:
    """Number of tickets that an undo did not reach because it ended early."""
    return summary.seen - sum(summary.outcomes.values()) - summary.writes.open
