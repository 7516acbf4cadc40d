"""One run, on about one screen: settle what was left open, pull, skip, fan out, decide, write back, record.

Everything that differs between a real helpdesk and a simulated one is in :class:`Parts`; nothing here knows a
vendor, a file name or the terminal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import closing
from dataclasses import dataclass

from .analysis import NOTHING_TO_READ, Understanding
from .audit import AuditLog
from .clock import Clock, Deadline, iso, parse_iso
from .errors import (
    AuditUnwritable,
    CannotRun,
    ConfigError,
    DeadlineReached,
    ExitCode,
    NotePublished,
    RateLimited,
    StateUnusable,
    Stopping,
    unexpected,
)
from .fanout import FanOut, Stuck
from .helpdesk import Helpdesk
from .intake import Intake, PageLedger, Work
from .models import Analysis, Outcome, OutcomeStatus, RunSummary, Usage
from .pace import Pace
from .policy import Policy, decide
from .second_look import MOST_TRIES, STILL_NO_MODEL, in_vain, replacing, still_ours
from .state import CURSOR, HORIZON, State, Verdict
from .taxonomy import Taxonomy
from .writeback import ALREADY_DONE, WriteBack

HALTED = "halted"
FIRST_RUN = (
    "this is the first run on this account, and history is never touched unasked: say where to begin with "
    "--since now (only tickets from now on), --since 7d, or --since 2026-11-01; it is remembered"
)
Listener = Callable[[Outcome], None]


@dataclass(frozen=True)
class Parts:
    """What a run is assembled from; see :mod:`ticket_processor.wiring`."""

    desk: Helpdesk
    understanding: Understanding
    executor: Executor
    state: State
    audit: AuditLog
    clock: Clock
    deadline: Deadline
    policy: Policy
    taxonomy: Taxonomy | None = None
    requests: Callable[[], Mapping[str, int]] = dict
    troubles: Callable[[], Sequence[str]] = tuple


@dataclass(frozen=True)
class Options:
    """What was asked of this run. ``since`` is Unix seconds; ``None`` resumes."""

    run_id: str
    dry_run: bool = False
    limit: int | None = None
    since: float | None = None
    statuses: tuple[str, ...] = ("new", "open")
    workers: int = 8
    analysis_timeout_s: float = 90.0
    stable_read_s: float = 6.0
    max_attempts: int = 5
    dependency: str = "helpdesk"
    notices: tuple[str, ...] = ()
    resume: bool = False
    retry_fallbacks: bool = False


class Run:
    """One run, from its parts and what was asked of it."""

    def __init__(self, parts: Parts, options: Options, listener: Listener = lambda _outcome: None) -> None:
        self._parts = parts
        self._options = options
        self._listener = listener
        self._outcomes: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._answered_by: Counter[str] = Counter()
        self._usage = Usage()
        self._cost = 0.0
        self._cached = 0
        self._pace = Pace()
        self._dead = 0
        self._remarks: list[str] = []
        self._intake: Intake | None = None
        self.abandoned = 0
        """Worker threads left behind in calls that do not end."""
        self._reserve_s = min(60.0, parts.deadline.remaining() / 10)
        self._write_back = WriteBack(
            parts.desk,
            parts.state,
            parts.audit,
            parts.clock,
            parts.policy,
            statuses=options.statuses,
            stable_read_s=options.stable_read_s,
            dry_run=options.dry_run,
        )

    def execute(self) -> RunSummary:
        """Play the run to its end, whatever the helpdesk or the model do.

        Raises :class:`ConfigError` when it is the first run and nobody said where to begin, and
        :class:`StateUnusable` when not even the reason for an early end can be stored.
        """
        state, options = self._parts.state, self._options
        since = self._where_to_begin()
        started = self._parts.clock.monotonic()
        stopped, code = None, ExitCode.OK
        try:
            self._parts.audit.run_started(
                since=None if options.since is None else iso(options.since),
                limit=options.limit,
                notices=options.notices or None,
            )
            if options.resume:
                state.forget(HALTED)
            if options.since is not None:
                if state.fact(CURSOR) is not None and not options.dry_run:
                    self._parts.audit.alert("since_replaces_cursor", since=iso(since))
                    self._remarks.append("--since was given, so the place where the last run ended was given up")
                state.begin_again(iso(since))
            self._flow(since)
        except (Stopping, DeadlineReached, CannotRun) as end:
            stopped, code = str(end), end.exit_code
            if isinstance(end, RateLimited):
                state.keep_not_before(options.dependency, end.not_before)
            if isinstance(end, NotePublished):
                state.remember(**{HALTED: str(end)})
                self._parts.audit.alert("note_published", message=str(end))
        if code is ExitCode.OK and (self._outcomes[OutcomeStatus.FAILED] or self._dead):
            code = ExitCode.SOME_FAILED
        summary = self._summary(stopped, code, self._parts.clock.monotonic() - started)
        try:
            self._parts.audit.run_finished(summary)
        except AuditUnwritable as unwritable:
            summary = summary.model_copy(
                update={"stopped": stopped or str(unwritable), "exit_code": int(ExitCode.CANNOT_RUN)}
            )
        return summary

    def _flow(self, since: float) -> None:
        parts, options = self._parts, self._options
        halted = parts.state.fact(HALTED)
        if halted is not None:
            raise CannotRun(f"{halted}; when somebody has looked into it, run once with --resume")
        wait = parts.state.not_before(options.dependency) - parts.clock.now()
        if 0 < wait <= 3600:
            raise RateLimited(
                f"the helpdesk asked not to be called for another {wait:.0f} s", not_before=parts.clock.now() + wait
            )
        ledger = PageLedger(lambda cursor: parts.state.remember(**{CURSOR: cursor}))
        self._intake = intake = Intake(
            parts.desk,
            parts.state,
            ledger,
            cursor=parts.state.fact(CURSOR),
            since=since,
            statuses=options.statuses,
            marked=self._write_back.marked,
            may_hold_our_write=self._write_back.may_hold_our_write,
            skipped=self._record,
            go_on=self._go_on,
            again=parts.state.fallbacks() if options.retry_fallbacks else None,
            still_ours=lambda ticket, tags: still_ours(ticket, tags, parts.policy),
        )
        for outcome in self._write_back.unfinished():
            intake.already_handled(outcome.ticket_id)
            self._record(outcome)
        intake.limit = None if options.limit is None else max(0, options.limit - sum(self._outcomes.values()))
        fan_out = FanOut(
            parts.executor,
            self._understand,
            workers=options.workers,
            window=max(2 * options.workers, 100),
            timeout_s=options.analysis_timeout_s,
            clock=parts.clock,
            deadline=parts.deadline,
            reserve_s=self._reserve_s / 2,
        )
        try:
            with closing(fan_out.over(iter(intake))) as results:
                for finished in results:
                    for outcome in self._write_back.settle(self._verdicts(finished)):
                        self._record(outcome)
        finally:
            self.abandoned = fan_out.abandoned
            for verdict in self._verdicts(fan_out.unclaimed):
                parts.state.keep_verdict(verdict)  # paid for already: the next run writes it

    def _understand(self, work: Work) -> tuple[Analysis, int]:
        started = self._parts.clock.monotonic()
        analysis = self._parts.understanding(work.ticket)
        if work.is_new:
            self._pace.saw(work.ticket, analysis)
        return analysis, round((self._parts.clock.monotonic() - started) * 1000)

    def _verdicts(self, finished: Iterable[tuple[Work, Future[tuple[Analysis, int]]]]) -> list[Verdict]:
        verdicts = (self._verdict(work, future) for work, future in finished)
        return [verdict for verdict in verdicts if verdict is not None]

    def _verdict(self, work: Work, future: Future[tuple[Analysis, int]]) -> Verdict | None:
        try:
            try:
                analysis, milliseconds = future.result()
            except Stuck:
                analysis = self._parts.understanding.without_models(work.ticket, "model_hung")
                milliseconds = round(self._options.analysis_timeout_s * 1000)
        except (Stopping, DeadlineReached):
            return None  # the run is ending, and the ticket waits for the next one
        except Exception as error:  # noqa: BLE001 - one ticket's fault must not end the run; it is reported as failed
            self._record(
                Outcome(ticket_id=work.ticket.id, status=OutcomeStatus.FAILED, reason=unexpected(error), retry=True)
            )
            return None
        decision = decide(work.ticket.id, analysis, self._parts.policy, self._parts.taxonomy)
        if work.replaces:
            if analysis.source != "model":
                self._record(
                    Outcome(
                        ticket_id=work.ticket.id,
                        status=OutcomeStatus.SKIPPED,
                        reason=STILL_NO_MODEL,
                        analysis=analysis,
                        timings_ms={"analyse": milliseconds, "total": milliseconds},
                    )
                )
                return None
            decision = replacing(decision, work.ticket, work.replaces, self._parts.policy)
        return Verdict(
            ticket_id=work.ticket.id,
            key=work.key,
            analysis=analysis,
            decision=decision,
            clean_stamp=work.ticket.updated_at,
            analyse_ms=milliseconds,
            replaces=work.replaces,
        )

    def _record(self, outcome: Outcome) -> None:
        """Receipt first, then the books: a crash between the two repeats a line, and loses nothing."""
        state = self._parts.state
        self._parts.audit.ticket(outcome)
        if outcome.retry:
            retry = state.retry_later(
                outcome.ticket_id,
                outcome.reason,
                failed=outcome.status is OutcomeStatus.FAILED,
                max_attempts=self._options.max_attempts,
            )
            self._dead += retry.dead
            if outcome.analysis is not None:
                state.cost_is_told(outcome.ticket_id)
            if retry.dead:
                self._parts.audit.alert("dead_letter", ticket_id=outcome.ticket_id, reason=outcome.reason)
        elif outcome.status is not OutcomeStatus.PLANNED:
            done = (self._options.run_id, outcome.change.key) if outcome.change else None
            self._note_fallback(outcome)
            state.settled(outcome.ticket_id, done=done)
        if self._intake is not None:
            self._intake.settled(outcome.ticket_id)
        self._outcomes[outcome.status] += 1
        if outcome.status in (OutcomeStatus.SKIPPED, OutcomeStatus.FAILED):
            self._reasons[outcome.reason] += 1
        if outcome.analysis is not None:
            self._answered_by[outcome.analysis.model or outcome.analysis.source] += 1
            self._usage = self._usage + outcome.analysis.usage
            self._cost += outcome.analysis.cost_usd or 0.0
            self._cached += outcome.analysis.cached
        self._listener(outcome)

    def _note_fallback(self, outcome: Outcome) -> None:
        """Keep the list of tickets that a second look could help."""
        analysis, change, state = outcome.analysis, outcome.change, self._parts.state
        if outcome.reason == STILL_NO_MODEL:
            if analysis is not None and in_vain(analysis.why_fallback):
                state.tried_in_vain(outcome.ticket_id, MOST_TRIES)
        elif analysis is not None and change is not None and analysis.source != "model":
            worth_a_look = analysis.why_fallback != NOTHING_TO_READ
            if worth_a_look and self._parts.policy.tag("fallback") in change.tags_added:
                state.remember_fallback(outcome.ticket_id, change.tags_added)
        elif analysis is not None or outcome.reason != ALREADY_DONE:
            state.forget_fallback(outcome.ticket_id)  # done by a model, or a person has dealt with it

    def _go_on(self) -> None:
        self._parts.clock.check()
        if self._parts.deadline.remaining() < self._reserve_s:
            raise DeadlineReached("the run's time is used up; the rest waits for the next run")

    def _where_to_begin(self) -> float:
        if self._options.since is not None:
            return self._options.since
        stored = self._parts.state.fact(HORIZON)
        if stored is None:
            raise ConfigError(FIRST_RUN)
        return parse_iso(stored)

    def _summary(self, stopped: str | None, code: ExitCode, seconds: float) -> RunSummary:
        try:
            retries = self._parts.state.retries()
        except StateUnusable:
            retries = []  # which is why the run ended, and is said there
        dead = sum(item.dead for item in retries)
        return RunSummary(
            run_id=self._options.run_id,
            dry_run=self._options.dry_run,
            seen=self._intake.seen if self._intake else 0,
            outcomes=dict(self._outcomes),
            reasons=dict(self._reasons),
            answered_by=dict(self._answered_by),
            usage=self._usage,
            cost_usd=round(self._cost, 6),
            cached=self._cached,
            forecast=self._pace.forecast() if self._options.dry_run else None,
            requests=dict(self._parts.requests()),
            retry_list=len(retries) - dead,
            dead_letters=dead,
            new_dead_letters=self._dead,
            remarks=(*self._remarks, *self._parts.troubles()),
            duration_s=round(seconds, 3),
            stopped=stopped,
            exit_code=int(code),
        )
