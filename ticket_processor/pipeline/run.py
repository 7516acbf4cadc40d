"""One run, on about one screen: settle what was left open, pull, skip, fan out, decide, write back, record.

Everything that differs between a real helpdesk and a simulated one is in :class:`Parts`; nothing here knows a
vendor, a file name or the terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import islice

from ..analysis.chain import Understanding
from ..audit.receipts import AuditLog
from ..audit.retention import keep_head, left_in, not_before
from ..core.clock import Clock, Deadline, iso, parse_iso
from ..core.errors import (
    AuditUnwritable,
    CannotRun,
    ConfigError,
    DeadlineReached,
    ExitCode,
    NotePublished,
    RateLimited,
    StateUnusable,
    Stopping,
    TicketError,
    unexpected,
)
from ..core.kill_switch import KillSwitch
from ..core.models import Analysis, Decision, Outcome, OutcomeStatus, Request, RunRecord, RunSummary, Ticket
from ..core.taxonomy import Taxonomy
from ..helpdesk.protocol import Helpdesk
from ..helpdesk.ticket_history import History
from ..policy.decide import Policy, decide
from ..policy.reanalysis import CustomerReply, anew_key, our_labels, reply_to, with_answers
from ..policy.second_look import STILL_NO_MODEL, in_vain, replacing, still_ours
from ..policy.skip_rules import Selection, SkipRules
from ..state.store import CURSOR, HELPDESK_DATE, HORIZON, TURN, State, Verdict
from .fan_out import FanOut, Stuck
from .intake import Intake, PageLedger, ReadAhead, Wanted, Work
from .recorder import Listener, Recorder
from .shared_faults import IsolatingDesk, SharedFaults
from .verification import WriteVerifier
from .write_planner import Triage, clean_stamp
from .writeback import MOST_ITEMS, Delivery, WriteBack

HALTED = "halted"
"""Fact of the state: why nothing may be done."""
LIKELY_INTERVAL_S = 600.0
"""Of several tickets that only one is asked for, it is another one in each run."""
MOST_WAIT_S = 900.0
"""A helpdesk that asks for more is asked again after so long; its limits are by the minute."""
Understood = tuple[Analysis, Decision, int]
"""What a worker makes of a ticket, in how many milliseconds."""
FIRST_RUN = (
    "this is the first run on this account, and history is never touched unasked: say where to begin with "
    "--since now (only tickets from now on), --since 7d, or --since 2026-11-01; it is remembered"
)


@dataclass(frozen=True)
class Parts:
    """What a run is assembled from; see ``wiring``."""

    desk: Helpdesk
    understanding: Understanding
    executor: Executor
    state: State
    audit: AuditLog
    clock: Clock
    deadline: Deadline
    policy: Policy
    taxonomy: Taxonomy | None = None
    selection: Selection = field(default_factory=lambda: Selection(SkipRules()))
    kill_switch: KillSwitch = field(default_factory=KillSwitch)
    ahead: ReadAhead = iter
    requests: Callable[[], Mapping[str, int]] = dict
    helpdesk_date: Callable[[], float | None] = lambda: None
    """What the helpdesk's own clock said last in this run (Unix seconds), if it answered."""
    troubles: Callable[[], Sequence[str]] = tuple
    room: Callable[[], None] = lambda: None
    """Raises when the disk has too little of it for receipts."""
    upkeep: Callable[[str | None], Sequence[str]] = lambda _head: ()
    """Looks after the log, whose head the last run left so; gives what it could not do."""


@dataclass(frozen=True)
class RunOptions:
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
    retriage_on_reply: bool = False
    delivery: Delivery = field(default_factory=Delivery)
    kind: str = "run"
    verify: int = 0
    """So many writes are read back at most, once all are made."""


class Run:
    """One run, from its parts and what was asked of it."""

    def __init__(self, parts: Parts, options: RunOptions, listener: Listener = lambda _outcome: None) -> None:
        self._parts = parts
        self._options = options
        self._intake: Intake | None = None
        self.abandoned = 0
        """Worker threads left behind in calls that do not end."""
        self._reserve_s = min(60.0, parts.deadline.remaining() / 9)
        self._faults = SharedFaults()
        self._desk = IsolatingDesk(parts.desk, self._faults)
        self._triage = Triage(
            self._desk,
            parts.audit,
            parts.policy,
            statuses=options.statuses,
            stable_read_s=options.stable_read_s,
            dry_run=options.dry_run,
            peace=parts.selection.rules.reason,
            taxonomy=parts.taxonomy,
        )
        self._write_back = WriteBack(
            self._desk,
            parts.state,
            parts.audit,
            parts.clock,
            parts.deadline,
            self._triage,
            delivery=options.delivery,
            dry_run=options.dry_run,
            before_write=self._check_leave,
        )
        self._witness = WriteVerifier(
            self._desk,
            parts.state,
            parts.audit,
            parts.deadline,
            options.run_id,
            most=options.verify,
            looked_at=self._write_back.looked_at,
        )
        self._books = Recorder(
            parts.audit,
            parts.state,
            parts.policy,
            options.run_id,
            max_attempts=options.max_attempts,
            listener=listener,
            next_write=self._write_back.next_write,
            now=parts.clock.now,
            witness=self._witness.saw,
            faults=self._faults,
        )

    def execute(self) -> RunSummary:
        """Play the run to its end, whatever the helpdesk or the model do.

        Raises :class:`ConfigError` when it is the first run and nobody said where to begin, and
        :class:`StateUnusable` when not even the reason for an early end can be stored.
        """
        since = self._where_to_begin()
        return self._play(lambda: self._triage_from(since))

    def retry(self, ticket_ids: Collection[int] = ()) -> RunSummary:
        """Try the retry list now, or these tickets of it, the dead and the dropped ones too; nothing else is pulled.

        Raises :class:`ConfigError` for a ticket that is not there, and :class:`StateUnusable` as :meth:`execute` does.
        """
        state = self._parts.state
        listed = {item.ticket_id for item in state.retries()}
        if strange := sorted(set(ticket_ids) - listed - state.dropped()):
            raise ConfigError(
                *(f"ticket {number} is not on the retry list; see 'ticketbot retry list'" for number in strange)
            )
        return self._play(lambda: self._retry(frozenset(ticket_ids) or listed))

    def only(self, ticket_ids: Collection[int], *, anew: bool = False) -> RunSummary:
        """Triage exactly these tickets, now: given up or not, within their head start or not.

        ``anew``: also those that are done, under a key of this run. What people took off stays off, and a ticket whose
        labels somebody has changed is left alone. Raises :class:`StateUnusable` as :meth:`execute` does.
        """
        make = self._anew if anew else None
        return self._play(lambda: self._retry(ticket_ids, Wanted(frozenset(ticket_ids), at_once=True, anew=make)))

    def _retry(self, ticket_ids: Collection[int], wanted: Wanted | None = None) -> None:
        self._parts.state.revive(ticket_ids)
        self._triage_from(0.0, wanted=wanted or Wanted(frozenset(ticket_ids)))

    def write(self, verdicts: Iterable[Verdict]) -> RunSummary:
        """Bring verdicts of another day to the helpdesk, with everything that a run promises.

        Raises :class:`StateUnusable` as :meth:`execute` does.
        """
        return self._play(lambda: self._write_all(verdicts))

    def _play(self, work: Callable[[], None]) -> RunSummary:
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
            )
            if not options.dry_run:
                self._books.remarks.extend(parts.upkeep(left))
            self._check_peace()
            try:
                work()
            except DeadlineReached:
                self._read_back()
                raise
            self._read_back()
        except (Stopping, DeadlineReached, CannotRun, TicketError) as end:
            stopped, stopped_by, code = str(end), type(end).__name__, end.exit_code
            if isinstance(end, RateLimited):
                self._keep_not_before(end)
            if isinstance(end, NotePublished):
                parts.state.remember(**{HALTED: str(end)})
                self._witness.published()
                parts.audit.alert("note_published", message=str(end))
        with suppress(StateUnusable):  # which is why the run ended, then
            self._books.count_failures()
        if code is ExitCode.OK and self._books.failures:
            code = ExitCode.SOME_FAILED
        summary = self._books.summary(
            stopped,
            code,
            parts.clock.monotonic() - started,
            dry_run=options.dry_run,
            seen=self._intake.seen if self._intake else self._books.recorded,
            requests=parts.requests(),
            troubles=parts.troubles(),
            writes=self._write_back.writes,
            statement=None if options.dry_run else self._witness.statement(),
            stopped_by=stopped_by,
            caught_up=self._intake is not None and self._intake.caught_up,
            causes=parts.understanding.details,
            price_note=parts.understanding.price_note,
        )
        if (intake := self._intake) is not None:
            summary = summary.model_copy(update={"index_late_s": intake.index_late_s, "known": dict(intake.known)})
        try:
            parts.audit.run_finished(summary)
        except AuditUnwritable as unwritable:
            summary = summary.model_copy(
                update={
                    "stopped": stopped or str(unwritable),
                    "stopped_by": stopped_by or type(unwritable).__name__,
                    "exit_code": int(ExitCode.CANNOT_RUN),
                }
            )
        head = self._parts.audit.head
        summary = summary.model_copy(update={"log_head": head and str(head)})
        self._remember(begun, summary)
        return summary

    def _remember(self, begun: float, summary: RunSummary) -> None:
        """Keep the run for those who look back; what is wrong with the state has been said by now."""
        now = self._parts.clock.now()
        record = RunRecord(run_id=summary.run_id, kind=self._options.kind, started=begun, finished=now, summary=summary)
        with suppress(StateUnusable), self._parts.state.together():
            self._parts.state.keep_run(record)
            keep_head(self._parts.state, self._parts.audit)
            if (date := self._parts.helpdesk_date()) is not None:
                self._parts.state.remember(**{HELPDESK_DATE: repr(date)})

    def _read_back(self) -> None:
        end = self._witness.read_back(self._reserve_s / 2)
        if end is not None:
            self._books.remarks.append(f"not all writes were read back: {end}")
        if isinstance(end, RateLimited):
            self._keep_not_before(end)

    def _keep_not_before(self, told: RateLimited) -> None:
        now = self._parts.clock.now()
        self._parts.state.keep_not_before(self._options.dependency, min(told.not_before, now + MOST_WAIT_S), now)

    def _check_peace(self) -> None:
        """Raise when nothing may be done now: by somebody's wish, after a published note, or as the helpdesk asked."""
        parts, options = self._parts, self._options
        self._check_leave()
        if options.resume:
            parts.state.forget(HALTED)
        halted = parts.state.fact(HALTED)
        if halted is not None:
            raise CannotRun(f"{halted}; when somebody has looked into it, run once with --resume")
        heed_wait(parts.state, options.dependency, parts.clock.now())

    def _check_leave(self) -> None:
        """Raise when nobody wants it to go on, or its receipts would have no room."""
        self._parts.kill_switch.check()
        if not self._options.dry_run:
            self._parts.room()

    def _triage_from(self, since: float, *, wanted: Wanted | None = None) -> None:
        parts, options = self._parts, self._options
        if options.since is not None:
            if parts.state.fact(CURSOR) is not None and not options.dry_run:
                parts.audit.alert("since_replaces_cursor", since=iso(since))
                self._books.remarks.append("--since was given, so the place where the last run ended was given up")
            parts.state.begin_again(iso(since))
        ledger = PageLedger(lambda cursor: parts.state.remember(**{CURSOR: cursor}))
        self._intake = intake = Intake(
            self._desk,
            parts.state,
            ledger,
            cursor=parts.state.fact(CURSOR),
            since=since,
            statuses=options.statuses,
            marker=parts.policy.marker,
            may_hold_our_write=self._triage.may_hold_our_write,
            skipped=self._books.record,
            go_on=self._go_on,
            selection=parts.selection,
            wanted=wanted,
            reply_to=self._reply_to if options.retriage_on_reply else None,
            again=parts.state.fallbacks() if options.retry_fallbacks else None,
            still_ours=lambda ticket, tags: still_ours(ticket, tags, parts.policy),
            ahead=parts.ahead,
            turn_over=self._turn_over,
        )
        self._books.settled = intake.settled
        self._finish_what_was_left(intake, wanted.tickets if wanted is not None else None)
        intake.limit = None if options.limit is None else max(0, options.limit - self._books.recorded)
        fan_out = FanOut(
            parts.executor,
            self._understand,
            workers=options.workers,
            window=max(3 * options.workers, 100),
            timeout_s=options.analysis_timeout_s,
            clock=parts.clock,
            deadline=parts.deadline,
            reserve_s=self._reserve_s / 2,
        )
        late: DeadlineReached | None = None
        try:
            with closing(fan_out.over(iter(intake))) as results:
                for finished in results:
                    self._write_back.take(self._verdicts(finished))
                    self._books.record_all(self._write_back.advance(fan_out.outstanding, last=fan_out.exhausted))
        except DeadlineReached as end:
            late = end  # what was understood is still brought to its end, as far as time allows
        finally:
            self.abandoned = fan_out.abandoned
            self._parts.state.keep_verdict(*self._verdicts(fan_out.unclaimed))  # paid for: the next run writes it
        self._books.record_all(self._write_back.finish())
        self._ask_for_those_given_up()
        requests: tuple[Request, ...] = ("update", "audits", "ticket")
        if (fault := self._faults.end(*filter(self._books.waits_for, requests))) is not None:
            raise fault
        if late is not None:
            raise late

    def _ask_for_those_given_up(self) -> None:
        """Read one record, where tickets were given up at theirs and no other has been read: they may come back."""
        tickets = self._parts.state.given_up_unproven("audits")
        if tickets and not self._faults.tried("audits"):
            with suppress(TicketError):
                self._desk.history(tickets[int(self._parts.clock.now() // LIKELY_INTERVAL_S) % len(tickets)])

    def _finish_what_was_left(self, intake: Intake, only: Collection[int] | None) -> None:
        """Settle what earlier runs have begun. Tickets for which no request works keep no other waiting."""
        state, last = self._parts.state, 0
        try:
            for outcome in self._write_back.unfinished(only, self._options.limit, self._triage.revised):
                last = outcome.ticket_id
                intake.already_handled(last)
                self._books.record(outcome)
                if self._turn_over(last):
                    break
            else:
                return
        except CannotRun as end:
            if end is not self._faults.end("update"):
                raise
            self._turn_over(last)
        self._write_back.give_up()
        intake.leave_to_later(item.verdict.ticket_id for item in state.unsettled())

    def _turn_over(self, ticket_id: int) -> bool:
        """Whether requests fail for ticket after ticket that earlier runs have left, so that others have their turn.

        ``ticket_id`` is the last of them; the next run begins behind it.
        """
        if not self._faults.stopped("update", "audits", "ticket"):
            return False
        self._faults.look_again()
        self._parts.state.remember(**{TURN: str(ticket_id)})
        return True

    def _write_all(self, verdicts: Iterable[Verdict]) -> None:
        for part in batched(verdicts, MOST_ITEMS):
            self._go_on()
            self._write_back.take(part)
            more = len(part) == MOST_ITEMS
            self._books.record_all(self._write_back.advance(MOST_ITEMS if more else 0, last=not more))
        self._books.record_all(self._write_back.finish())

    def _reply_to(self, ticket: Ticket, history: History) -> CustomerReply | None:
        return reply_to(ticket, history, self._parts.policy)

    def _anew(self, ticket: Ticket, history: History) -> Work:
        heard = with_answers(ticket, history) if self._options.retriage_on_reply else ticket
        ours = our_labels(ticket, history, self._parts.policy)
        return Work(heard, anew_key(ticket, self._options.run_id), ours, is_new=False, anew=True)

    def _understand(self, work: Work) -> Understood:
        started = self._parts.clock.monotonic()
        analysis = self._parts.understanding(work.ticket)
        if work.is_new:
            self._books.pace.saw(work.ticket, analysis)
        decision = self._decide(work, analysis)
        return analysis, decision, round((self._parts.clock.monotonic() - started) * 1000)

    def _decide(self, work: Work, analysis: Analysis) -> Decision:
        return decide(work.ticket.id, analysis, self._parts.policy, self._parts.taxonomy)

    def _verdicts(self, finished: Iterable[tuple[Work, Future[Understood]]]) -> list[Verdict]:
        verdicts = (self._verdict(work, future) for work, future in finished)
        return [verdict for verdict in verdicts if verdict is not None]

    def _verdict(self, work: Work, future: Future[Understood]) -> Verdict | None:
        try:
            try:
                analysis, decision, milliseconds = future.result()
            except Stuck:
                analysis = self._parts.understanding.without_models(work.ticket, "model_hung")
                decision = self._decide(work, analysis)
                milliseconds = round(self._options.analysis_timeout_s * 1000)
        except (Stopping, DeadlineReached):
            return None  # the run is ending, and the ticket waits for the next one
        except Exception as error:  # noqa: BLE001 - one ticket's fault must not end the run; it is reported as failed
            self._books.record(
                Outcome(
                    ticket_id=work.ticket.id,
                    status=OutcomeStatus.FAILED,
                    reason=unexpected(error),
                    retry=True,
                    failed_at="analysis",
                )
            )
            return None
        self._faults.succeeded("analysis")
        if work.replaces or work.reply:
            fell_back_before = self._parts.policy.tag("fallback") in work.replaces
            rules_will_do = work.anew or (work.reply and (fell_back_before or not analysis.fell_back))
            if analysis.source != "model" and not rules_will_do:
                self._books.record(
                    Outcome(
                        ticket_id=work.ticket.id,
                        status=OutcomeStatus.SKIPPED,
                        reason=STILL_NO_MODEL,
                        analysis=analysis,
                        retry=work.reply and not in_vain(analysis.why_fallback),
                        timings_ms={"analyse": milliseconds, "total": milliseconds},
                    )
                )
                return None
            decision = replacing(decision, work.ticket, work.replaces, self._parts.policy)
        clean = clean_stamp(work.ticket, self._options.stable_read_s)
        return Verdict(
            ticket_id=work.ticket.id,
            key=work.key,
            analysis=analysis,
            decision=decision,
            clean_stamp=clean,
            analyse_ms=milliseconds,
            replaces=work.replaces,
            follows=bool(work.replaces) or work.reply or work.anew,
            anew=work.anew,
            earlier_key=work.earlier_key,
            taken_off=work.taken_off if clean else None,
        )

    def _go_on(self) -> None:
        self._parts.clock.check()
        self._parts.kill_switch.check()
        if self._parts.deadline.remaining() < self._reserve_s:
            raise DeadlineReached("the run's time is used up; the rest waits for the next run")

    def _where_to_begin(self) -> float:
        if self._options.since is not None:
            return self._options.since
        stored = self._parts.state.fact(HORIZON)
        if stored is None:
            raise ConfigError(FIRST_RUN)
        return parse_iso(stored)


def heed_wait(state: State, dependency: str, now: float) -> None:
    """Raise :class:`RateLimited` while the helpdesk's wish to be left alone, told in an earlier run, still holds."""
    wait = state.not_before(dependency, now) - now
    if 0 < wait <= MOST_WAIT_S:
        raise RateLimited(f"the helpdesk asked not to be called for another {wait:.0f} s", not_before=now + wait)


def batched(items: Iterable[Verdict], size: int) -> Iterator[list[Verdict]]:
    """Parts of at most ``size``, taken lazily."""
    source = iter(items)
    while part := list(islice(source, size)):
        yield part
