"""What the stations of a run share: its parts, its options, its checks, and its frame.

The checks say whether it may begin, go on and write: kill switch, deadline, disk space, what the helpdesk asked for.
The frame is its first receipt, what earlier runs have left, and its end with the last receipt.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Executor
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
from ..core.models import Analysis, Decision, Ticket
from ..core.run_summary import ClusterUse, RunSummary
from ..core.taxonomy import Taxonomy
from ..core.text import many
from ..helpdesk.protocol import Helpdesk, Shard
from ..policy.decide import Policy, decide
from ..policy.skip_rules import Selection, SkipRules
from ..state.store import CURSOR, HORIZON, TURN, State
from .analyse import Answers, Understands
from .fan_out import ReadEach
from .intake import Intake, ReadAhead, ToldOf
from .jobs import Delivery, Tools
from .plan import Triage
from .public_replies import ReplyObjection
from .record import Listener, Recorder
from .settlement import Settled
from .shared_faults import IsolatingDesk, SharedFaults
from .verify import WriteVerifier
from .write import WriteBack


@dataclass(frozen=True)
class Parts:
    """The parts of a run; ``wiring`` builds them."""

    desk: Helpdesk
    understanding: Understands
    executor: Executor
    state: State
    audit: AuditLog
    clock: Clock
    deadline: Deadline
    policy: Policy
    taxonomy: Taxonomy | None = None
    split: Callable[[int, Analysis], Decision] | None = None
    """Decides by ticket, where two settings files share the run's; ``None``: policy and taxonomy do."""
    selection: Selection = field(default_factory=lambda: Selection(SkipRules()))
    kill_switch: KillSwitch = field(default_factory=KillSwitch)
    shard: Shard | None = None
    """The part of the account's tickets that is this run's; ``None``: all of them."""
    saw: Callable[[Ticket], object] = lambda _ticket: None
    """Hears of every ticket that is read."""
    ahead: ReadAhead = iter
    each: ReadEach = map
    told_of: ToldOf | None = None
    answers: Answers | None = None
    shown: Callable[[Sequence[str]], object] = lambda _articles: None
    """Hears which articles a note names that was written."""
    reply_objection: ReplyObjection | None = None
    """Why a scheduled public reply is to be cancelled; ``None``: nothing that customers read is sent."""
    express: Executor | None = None
    """Where tickets are analysed that the helpdesk has told of, so that they wait behind no others."""
    requests: Callable[[], Mapping[str, int]] = dict
    cluster: Callable[[], ClusterUse | None] = lambda: None
    """What was asked of a cluster, where there is one."""
    helpdesk_date: Callable[[], float | None] = lambda: None
    """The helpdesk's clock at its last answer in this run (Unix seconds)."""
    troubles: Callable[[], Sequence[str]] = tuple
    room: Callable[[], None] = lambda: None
    """Raises when the disk has too little of it for receipts."""
    upkeep: Callable[[float, str | None], Sequence[str]] = lambda _now, _head: ()
    """Looks after the log, whose head the last run left so, at this time; gives what it could not do."""
    prepare: Callable[[], Sequence[str]] = tuple
    """Gets ready what the run's tickets need, once it may begin; gives sentences on that. Not called by a dry run."""

    def decide(self, ticket_id: int, analysis: Analysis) -> Decision:
        """The decision for a ticket with this analysis."""
        if self.split is not None:
            return self.split(ticket_id, analysis)
        return decide(ticket_id, analysis, self.policy, self.taxonomy)


@dataclass(frozen=True, kw_only=True)
class RunChoices:
    """A person's choices for one run. ``since`` is Unix seconds; ``None`` goes on where the last run ended."""

    dry_run: bool = False
    limit: int | None = None
    since: float | None = None
    resume: bool = False
    retry_fallbacks: bool = False

    def chosen(self) -> dict[str, Any]:
        """The choices alone, by name."""
        return {each.name: getattr(self, each.name) for each in fields(RunChoices)}


@dataclass(frozen=True)
class RunOptions(RunChoices):
    """The options of one run. ``facts`` are for its first receipt; ``verify`` is how many writes are read back."""

    run_id: str
    workers: int = 8
    analysis_timeout_s: float = 90.0
    stable_read_s: float = 6.0
    max_attempts: int = 5
    dependency: str = "helpdesk"
    notices: tuple[str, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)
    retriage_on_reply: bool = False
    delivery: Delivery = field(default_factory=Delivery)
    kind: str = "run"
    by_hand: bool = False
    verify: int = 0


HALTED = "halted"
"""Fact of the state: why nothing may be done."""
MOST_WAIT_S = 900.0
"""A helpdesk that asks for more is asked again after so long; its limits are by the minute."""

FIRST_RUN = (
    "this is the first run on this account, and history is never touched unasked: say where to begin with "
    "--since now (only tickets from now on), --since 7d, or --since 2026-11-01; it is remembered"
)


class RunChecks:
    """The checks of one run. ``reserve_s`` of its time are kept for bringing what was begun to its end."""

    def __init__(self, parts: Parts, options: RunOptions, faults: SharedFaults) -> None:
        self._parts = parts
        self._options = options
        self._faults = faults
        self.reserve_s = min(60.0, parts.deadline.remaining() / 9)

    def before_run(self) -> None:
        """Raise when nothing may be done now: a kill switch, a published note, or the helpdesk's wish to wait."""
        parts, options = self._parts, self._options
        self.before_write()
        if options.resume:
            parts.state.forget(HALTED)
        halted = parts.state.fact(HALTED)
        if halted is not None:
            raise CannotRun(f"{halted}; when a person has looked into it, run once with --resume")
        heed_wait(parts.state, options.dependency, parts.clock.now())

    def before_ticket(self) -> None:
        """Raise when the run should take up no other ticket."""
        self._parts.clock.check()
        self._parts.kill_switch.check()
        if self._parts.deadline.remaining() < self.reserve_s:
            raise DeadlineReached("the run's time is up; the rest waits for the next run")

    def turn_over(self, ticket_id: int) -> bool:
        """Whether requests fail for ticket after ticket that earlier runs have left, so that others have their turn.

        ``ticket_id`` is the last of them; the next run begins behind it.
        """
        if not self._faults.stopped("update", "audits", "ticket"):
            return False
        self._faults.look_again()
        self._parts.state.remember(**{TURN: str(ticket_id)})
        return True

    def before_write(self) -> None:
        """Raise when the kill switch is set, or the receipts would have no room."""
        self._parts.kill_switch.check()
        if not self._options.dry_run:
            self._parts.room()

    def where_to_begin(self) -> float:
        """The time from which tickets are pulled (Unix seconds). A first run without it raises :class:`ConfigError`."""
        if self._options.since is not None:
            return self._options.since
        stored = self._parts.state.fact(HORIZON)
        if stored is None:
            raise ConfigError(FIRST_RUN)
        return parse_iso(stored)

    def begin_again(self, since: float | None) -> tuple[str, ...]:
        """Give up the place where the last run ended, if ``since`` replaces one; returns what to say of that."""
        parts = self._parts
        if since is None:
            return ()
        known = parts.state.fact(CURSOR) is not None and not self._options.dry_run
        if known:
            parts.audit.alert("since_replaces_cursor", since=iso(since))
        parts.state.begin_again(iso(since))
        return ("--since was given, so the place where the last run ended was given up",) if known else ()

    def keep_not_before(self, told: RateLimited) -> None:
        """Remember when the helpdesk wants to be asked again."""
        now = self._parts.clock.now()
        self._parts.state.keep_not_before(self._options.dependency, min(told.not_before, now + MOST_WAIT_S), now)


def heed_wait(state: State, dependency: str, now: float) -> None:
    """Raise :class:`RateLimited` while the helpdesk's wish to be left alone, told in an earlier run, still holds."""
    wait = state.not_before(dependency, now) - now
    if 0 < wait <= MOST_WAIT_S:
        raise RateLimited(f"the helpdesk asked us to wait another {wait:.0f} s", not_before=now + wait)


LIKELY_INTERVAL_S = 600.0
"""Of several tickets that only one is asked for, it is another one in each run."""


class RunFrame:
    """Begins a run and brings it to its end, with what earlier runs have left. For one thread."""

    def __init__(self, parts: Parts, options: RunOptions, listener: Listener) -> None:
        self._parts = parts
        self._options = options
        self.intake: Intake | None = None
        self.abandoned = 0
        """Worker threads left behind in calls that do not end."""
        self._faults = SharedFaults()
        self._checks = RunChecks(parts, options, self._faults)
        self._desk = IsolatingDesk(parts.desk, self._faults, parts.clock.monotonic, shard=parts.shard, saw=parts.saw)
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
            parts.each,
        )
        self._write_back = WriteBack(tools, self._triage)
        self._verifier = WriteVerifier(tools, self._write_back.trust, options.run_id, most=options.verify)
        self._recorder = Recorder(parts, options, listener, self._verifier, self._faults)

    def play(self, work: Callable[[], None], *, all_there: bool = False) -> RunSummary:
        """Do the run's ``work`` and sum it up, whatever ends it.

        ``all_there``: the exit code is 1 where a ticket is not found.
        """
        parts, options = self._parts, self._options
        begun, started = parts.clock.now(), parts.clock.monotonic()
        stopped, stopped_by, code = None, None, ExitCode.OK
        left = None
        with suppress(StateUnusable):  # whatever else the state is asked for tells
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
                self._recorder.remarks.extend(parts.upkeep(begun, left))
            self._checks.before_run()
            if not options.dry_run:
                self._recorder.remarks.extend(parts.prepare())
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
        with suppress(StateUnusable):  # which is why the run ended, then
            self._recorder.count_failures()
            if not options.dry_run:
                self._verifier.leave_unread()
        missing = all_there and self._recorder.not_found
        if code is ExitCode.OK and (self._recorder.failures or missing or self._write_back.trust.guard_ended):
            code = ExitCode.SOME_FAILED
        taken = self.intake
        summary = RunSummary(
            **self._recorder.sums(parts.understanding, parts.troubles()),
            seen=taken.seen if taken else self._recorder.recorded,
            known=dict(taken.known) if taken else {},
            caught_up=taken is not None and taken.caught_up,
            requests=dict(parts.requests()),
            cluster=parts.cluster(),
            writes=self._write_back.writes,
            statement=None if options.dry_run else self._verifier.statement(),
            duration_s=round(parts.clock.monotonic() - started, 3),
            stopped=stopped,
            stopped_by=stopped_by,
            exit_code=int(code),
        )
        return self._recorder.end(summary, begun)

    def _record(self, settled: Settled, waits: str = "") -> None:
        """Take an end in; ``waits`` is why its ticket waits for a run all the same, if it does."""
        self._recorder.record(settled, waits)
        if self.intake is not None:
            self.intake.settled(settled.outcome.ticket_id)

    def _record_all(self, ended: Iterable[Settled], waiting: Mapping[int, str] | None = None) -> None:
        """Take ends in; ``waiting`` says why tickets wait for a run that get no write now."""
        for settled in ended:
            kept = (waiting or {}).get(settled.outcome.ticket_id, "")
            self._record(settled, kept if settled.outcome.change is None else "")

    # What earlier runs have left

    def _finish_earlier(self, only: Collection[int] | None) -> tuple[set[int], set[int]]:
        """Settle what earlier runs have begun; gives the tickets that are settled, and those left to the next run.

        Tickets for which no request works keep no other waiting. One that changed before its planned write could be
        made is as good as new, wherever the cursor is.
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
        """Read one record, where tickets were given up at theirs and no other has been read: they may come back."""
        tickets = self._parts.state.given_up_unproven("audits")
        if tickets and not self._faults.tried("audits"):
            with suppress(TicketError):
                self._desk.history(tickets[int(self._parts.clock.now() // LIKELY_INTERVAL_S) % len(tickets)])

    # Reading back

    def _read_back(self) -> None:
        """Read writes back; what they are found to have taken away from people, the next run puts back."""
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
