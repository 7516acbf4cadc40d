"""What the steps of a run share: its parts, options, checks, and frame.

The checks decide whether it may begin, go on and write: kill switch, deadline, disk space, the helpdesk's request to
wait. The frame writes its first receipt, finishes what earlier runs left, and ends it with the last receipt.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from typing import Any

from ..audit.receipts import AuditLog, left_in, not_before
from ..core import reasons
from ..core.clock import Clock, Deadline, iso, parse_iso
from ..core.errors import (
    CannotRun,
    ConfigError,
    DeadlineReached,
    ExitCode,
    NotePublished,
    RateLimited,
    StateUnusable,
    Stopping,
    TicketError,
)
from ..core.guards import KillSwitch
from ..core.models import Analysis, Decision
from ..core.run_summary import RunSummary
from ..core.text import many
from ..helpdesk.protocol import Helpdesk
from ..policy.decide import Policy, decide
from ..policy.skip_rules import Selection, SkipRules, in_share
from ..state.store import CURSOR, HORIZON, TURN, State
from .analyse import Answers, Judge
from .fan_out import Threads
from .intake import Intake, WebhookTickets
from .jobs import Delivery, Tools
from .record import Listener, Recorder, RunHost
from .select import Triage
from .settlement import Settled
from .shared_faults import IsolatingDesk, SharedFaults
from .verify import WriteVerifier
from .write import WriteBack


@dataclass(frozen=True)
class Parts:
    """The parts of a run; ``wiring`` builds them."""

    desk: Helpdesk
    judge: Judge
    threads: Threads
    state: State
    audit: AuditLog
    deadline: Deadline
    candidate: Judge | None = None
    percent: float = 0.0
    """The share of the tickets that ``candidate`` understands and decides."""
    selection: Selection = field(default_factory=lambda: Selection(SkipRules()))
    kill_switch: KillSwitch = field(default_factory=KillSwitch)
    webhook_tickets: WebhookTickets | None = None
    answers: Answers = field(default_factory=Answers)
    host: RunHost = field(default_factory=RunHost)

    @property
    def clock(self) -> Clock:
        """The clock of the deadline, and of the whole run."""
        return self.deadline.clock

    @property
    def policy(self) -> Policy:
        """The running settings' policy."""
        return self.judge.policy

    def judge_of(self, ticket_id: int) -> Judge:
        """Who understands this ticket and decides on it: always the same one."""
        if self.candidate is not None and in_share("split", ticket_id, self.percent):
            return self.candidate
        return self.judge

    def decide(self, ticket_id: int, analysis: Analysis, *, due_soon: bool = False) -> Decision:
        """The decision for a ticket with this analysis; see :func:`~.policy.decide.decide`."""
        judge = self.judge_of(ticket_id)
        return decide(ticket_id, analysis, judge.policy, judge.taxonomy, due_soon=due_soon)


@dataclass(frozen=True, kw_only=True)
class RunChoices:
    """A person's choices for one run. ``since`` is Unix seconds; with ``None`` it continues after the last run."""

    dry_run: bool = False
    limit: int | None = None
    since: float | None = None
    resume: bool = False
    retry_fallbacks: bool = False

    def chosen(self) -> dict[str, Any]:
        """The choices by name, without other options."""
        return {each.name: getattr(self, each.name) for each in fields(RunChoices)}


@dataclass(frozen=True)
class RunOptions(RunChoices):
    """The options of one run. ``facts`` are for its first receipt; ``verify`` is how many writes are read back."""

    run_id: str
    workers: int = 8
    analysis_timeout_s: float = 90.0
    stable_read_s: float = 6.0
    max_attempts: int = 5
    notices: tuple[str, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)
    retriage_on_reply: bool = False
    delivery: Delivery = field(default_factory=Delivery)
    kind: str = "run"
    by_hand: bool = False
    verify: int = 0


HELPDESK = "helpdesk"
"""By this name the state keeps until when we are to wait."""
HALTED = "halted"
"""Fact of the state: why no run may do anything."""
MOST_WAIT_S = 900.0
"""Seconds; if a helpdesk asks for a longer wait, it is asked again after this, since its limits are per minute."""
FIRST_RUN = (
    "this is the first run on this account, and history is never touched unasked: say where to begin with "
    "--since now (only tickets from now on), --since 7d, or --since 2026-11-01; it is remembered"
)


class RunChecks:
    """The checks of one run. ``reserve_s`` is the part of its time that is kept for finishing tickets."""

    def __init__(self, parts: Parts, options: RunOptions, faults: SharedFaults) -> None:
        self._parts = parts
        self._options = options
        self._faults = faults
        self.reserve_s = min(60.0, parts.deadline.remaining() / 9)

    def before_run(self) -> None:
        """Raise if the run may not begin: kill switch, published note, or the helpdesk's request to wait."""
        parts, options = self._parts, self._options
        self.before_write()
        if options.resume:
            parts.state.forget(HALTED)
        halted = parts.state.fact(HALTED)
        if halted is not None:
            raise CannotRun(f"{halted}; when a person has looked into it, run once with --resume")
        heed_wait(parts.state, parts.clock.now())

    def before_ticket(self) -> None:
        """Raise if the run may not begin another ticket."""
        self._parts.clock.check()
        self._parts.kill_switch.check()
        if self._parts.deadline.remaining() < self.reserve_s:
            raise DeadlineReached("the run's time is up; the rest waits for the next run")

    def turn_over(self, ticket_id: int) -> bool:
        """True if requests fail for many tickets of earlier runs in a row, so that the run should go on to others.

        ``ticket_id`` is the last of them; the next run begins after it.
        """
        if not self._faults.stopped("update", "audits", "ticket"):
            return False
        self._faults.look_again()
        self._parts.state.remember(**{TURN: str(ticket_id)})
        return True

    def before_write(self) -> None:
        """Raise if the kill switch is set or the disk has no room for receipts."""
        self._parts.kill_switch.check()
        if not self._options.dry_run:
            self._parts.host.check_room()

    def where_to_begin(self) -> float:
        """The time from which tickets are read (Unix seconds). Raises :class:`ConfigError` at a first run without."""
        if self._options.since is not None:
            return self._options.since
        stored = self._parts.state.fact(HORIZON)
        if stored is None:
            raise ConfigError(FIRST_RUN)
        return parse_iso(stored)

    def begin_again(self, since: float | None) -> tuple[str, ...]:
        """Drop the cursor of the last run if ``since`` is given; returns remarks about that."""
        parts = self._parts
        if since is None:
            return ()
        known = parts.state.fact(CURSOR) is not None and not self._options.dry_run
        if known:
            parts.audit.alert("since_replaces_cursor", since=iso(since))
        parts.state.begin_again(iso(since))
        return ("--since was given, so the place where the last run ended was given up",) if known else ()

    def keep_not_before(self, limited: RateLimited) -> None:
        """Store until when the helpdesk asks us to wait."""
        now = self._parts.clock.now()
        self._parts.state.keep_not_before(HELPDESK, min(limited.not_before, now + MOST_WAIT_S), now)


def heed_wait(state: State, now: float) -> None:
    """Raise :class:`RateLimited` while the wait that the helpdesk asked for in an earlier run has not ended."""
    wait = state.not_before(HELPDESK, now) - now
    if 0 < wait <= MOST_WAIT_S:
        raise RateLimited(f"the helpdesk asked us to wait another {wait:.0f} s", not_before=now + wait)


LIKELY_INTERVAL_S = 600.0
"""Seconds between runs; one of several tickets is read in each run, and it is a different one each time."""


class RunFrame:
    """Begins a run, finishes what earlier runs left, and ends it. For one thread."""

    def __init__(self, parts: Parts, options: RunOptions, listener: Listener) -> None:
        self._parts = parts
        self._options = options
        self.intake: Intake | None = None
        self.abandoned = 0
        """Number of worker threads in calls that do not end."""
        self._faults = SharedFaults()
        self._checks = RunChecks(parts, options, self._faults)
        self._desk = IsolatingDesk(
            parts.desk, self._faults, parts.clock.monotonic, shard=parts.selection.shard, saw=parts.host.saw
        )
        self._triage = Triage(
            self._desk,
            parts.audit,
            parts.policy,
            selection=parts.selection,
            stable_read_s=options.stable_read_s,
            dry_run=options.dry_run,
            decide=parts.decide,
        )
        tools = Tools(
            self._desk,
            parts.state,
            parts.audit,
            parts.clock,
            parts.deadline,
            self._checks.before_write,
            options.delivery,
            options.dry_run,
            parts.threads.readers,
        )
        self._write_back = WriteBack(tools, self._triage)
        self._verifier = WriteVerifier(tools, self._write_back.trust, options.run_id, most=options.verify)
        self._recorder = Recorder(parts, options, listener, self._verifier, self._faults)

    def play(self, work: Callable[[], None], *, all_there: bool = False) -> RunSummary:
        """Do the run's ``work`` and return its summary, however it ends.

        ``all_there``: the exit code is 1 if a ticket is not found.
        """
        parts, options = self._parts, self._options
        begun, started = parts.clock.now(), parts.clock.monotonic()
        stopped, stopped_by, code, left = None, None, ExitCode.OK, None
        with suppress(StateUnusable):  # the next use of the state reports it
            left = left_in(parts.state, parts.audit.folder)
            parts.audit.not_before = not_before(parts.state, begun)
        try:
            parts.audit.run_started(
                kind=options.kind,
                since=None if options.since is None else iso(options.since),
                limit=options.limit,
                notices=options.notices or None,
                follows=left,
                **options.facts,
            )
            if not options.dry_run:
                self._recorder.remarks.extend(parts.host.upkeep(begun, left))
            self._checks.before_run()
            if not options.dry_run:
                self._recorder.remarks.extend(parts.host.prepare())
            try:
                work()
            except DeadlineReached:
                self._read_back()
                raise
            self._read_back()
        except (Stopping, DeadlineReached, CannotRun, TicketError) as end:
            stopped, stopped_by, code = str(end), type(end).__name__, end.exit_code
            if isinstance(end, DeadlineReached) and (in_jobs := self._write_back.in_jobs):
                what = f"jobs with {many(in_jobs, 'ticket')} are not finished"
                stopped = f"{what} at the helpdesk; the next run asks for them by their ids"
                code = ExitCode.SOME_FAILED
            if isinstance(end, RateLimited):
                self._checks.keep_not_before(end)
            if isinstance(end, NotePublished):
                parts.state.remember(**{HALTED: str(end)})
                self._verifier.published()
                parts.audit.alert("note_published", message=str(end))
        with suppress(StateUnusable):  # then that is why the run ended
            self._recorder.count_failures()
            if not options.dry_run:
                self._verifier.leave_unread()
        missing = all_there and self._recorder.not_found
        if code is ExitCode.OK and (self._recorder.failures or missing or self._write_back.trust.guard_ended):
            code = ExitCode.SOME_FAILED
        taken = self.intake
        summary = RunSummary(
            **self._recorder.sums(parts.host.troubles()),
            seen=taken.seen if taken else self._recorder.recorded,
            known=dict(taken.known) if taken else {},
            caught_up=taken is not None and taken.caught_up,
            requests=dict(parts.host.transport.counts) if parts.host.transport else {},
            cluster=parts.host.cluster_use(),
            writes=self._write_back.writes,
            statement=None if options.dry_run else self._verifier.statement(),
            duration_s=round(parts.clock.monotonic() - started, 3),
            stopped=stopped,
            stopped_by=stopped_by,
            exit_code=int(code),
        )
        return self._recorder.end(summary, begun)

    def _record(self, settled: Settled, waits: str = "") -> None:
        """Record an outcome; ``waits`` is why its ticket still waits for a run, if it does."""
        self._recorder.record(settled, waits)
        if self.intake is not None:
            self.intake.settled(settled.outcome.ticket_id)

    def _record_all(self, ended: Iterable[Settled], waiting: Mapping[int, str] | None = None) -> None:
        """Record outcomes; ``waiting`` says why tickets without a write still wait for a run."""
        for settled in ended:
            kept = (waiting or {}).get(settled.outcome.ticket_id, "")
            self._record(settled, kept if settled.outcome.change is None else "")

    # What earlier runs left

    def _finish_earlier(self, only: Collection[int] | None) -> tuple[set[int], set[int]]:
        """Settle what earlier runs began; returns the settled tickets, and those left to the next run.

        If requests fail for many of them, the run goes on to other tickets. A ticket that changed before its planned
        write is treated as new, wherever the cursor is.
        """
        ended, last = set[int](), 0
        try:
            for settled in self._write_back.unfinished(only, self._options.limit, self._triage.revised):
                last = settled.outcome.ticket_id
                if settled.outcome.reason == reasons.CHANGED_SINCE:
                    self._record(settled, reasons.CHANGED_SINCE)
                else:
                    ended.add(last)
                    self._record(settled)
                if self._checks.turn_over(last):
                    break
            else:
                return ended, set()
        except CannotRun as end:
            if end is not self._faults.end("update"):
                raise
            self._checks.turn_over(last)
        self._write_back.give_up()
        return ended, {item.verdict.ticket_id for item in self._parts.state.unsettled()}

    def _ask_for_those_given_up(self) -> None:
        """If records could not be read for given-up tickets, read one: if that works now, they are tried again."""
        tickets = self._parts.state.given_up_unproven("audits")
        if tickets and not self._faults.tried("audits"):
            with suppress(TicketError):
                self._desk.history(tickets[int(self._parts.clock.now() // LIKELY_INTERVAL_S) % len(tickets)])

    # Reading back

    def _read_back(self) -> None:
        """Read writes back; the next run restores what they took from people."""
        end = self._verifier.read_back(self._checks.reserve_s / 2)
        if self._write_back.trust.guard_ended:
            self._recorder.remarks.append(
                "the helpdesk no longer protects people's edits in jobs, so jobs are off; "
                f"{many(self._verifier.lost, 'ticket')} lost a person's edit, which the next run puts back"
            )
        if end is not None:
            self._recorder.remarks.append(f"not all writes were read back: {end}")
        if isinstance(end, RateLimited):
            self._checks.keep_not_before(end)
