"""The frame of a run: what its stations share, its first receipt, its checks, and its end with the last receipt."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress

from ..audit.receipts import keep_head, left_in, not_before
from ..core import reasons
from ..core.clock import iso
from ..core.errors import (
    AuditUnwritable,
    CannotRun,
    DeadlineReached,
    ExitCode,
    HelpdeskDown,
    NotePublished,
    RateLimited,
    StateUnusable,
    Stopping,
    TicketError,
)
from ..core.run_summary import RunRecord, RunSummary
from ..core.text import many
from ..state.store import HELPDESK_DATE
from .intake import Intake
from .parts import Parts, RunOptions
from .recorder import Listener, Recorder
from .run_checks import HALTED, RunChecks
from .settlement import Settled
from .shared_faults import IsolatingDesk, SharedFaults
from .verification import WriteVerifier
from .write_planner import Triage
from .writeback import WriteBack

LIKELY_INTERVAL_S = 600.0
"""Of several tickets that only one is asked for, it is another one in each run."""


class RunFrame:
    """Begins a run and brings it to its end, with what earlier runs have left. For one thread."""

    def __init__(self, parts: Parts, options: RunOptions, listener: Listener) -> None:
        self._parts = parts
        self._options = options
        self.intake: Intake | None = None
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
        self._write_back = WriteBack(
            self._desk,
            parts.state,
            parts.audit,
            parts.clock,
            parts.deadline,
            self._triage,
            delivery=options.delivery,
            dry_run=options.dry_run,
            before_write=self._checks.before_write,
            each=parts.each,
        )
        trust = self._write_back.trust
        self._verifier = WriteVerifier(
            parts.state, parts.audit, parts.deadline, trust, options.run_id, most=options.verify
        )
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
                self._recorder.remarks.extend(parts.upkeep(left))
            self._checks.before_run()
            if not options.dry_run:
                self._verifier.take_up_unread()
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
        head = parts.audit.head
        summary = summary.model_copy(update={"log_head": head and str(head)})
        record = RunRecord(
            run_id=summary.run_id,
            kind=options.kind,
            by_hand=options.by_hand,
            started=begun,
            finished=parts.clock.now(),
            summary=summary,
        )
        with suppress(StateUnusable), parts.state.together():  # what is wrong with the state has been said by now
            parts.state.keep_run(record)
            keep_head(parts.state, parts.audit)
            if (date := parts.helpdesk_date()) is not None:
                parts.state.remember(**{HELPDESK_DATE: repr(date)})
        return summary

    def _record(self, settled: Settled, waits: str = "") -> None:
        """Take an end in; ``waits`` is why its ticket waits for a run all the same, if it does."""
        self._recorder.record(settled, waits)
        if self.intake is not None:
            self.intake.settled(settled.outcome.ticket_id)

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
        """Read writes back; where jobs are found to be guarded no longer, also put back what they took away."""
        end = self._verifier.read_back(self._checks.reserve_s / 2)
        if self._write_back.trust.guard_ended:
            self._put_back(self._verifier.lost)
        if end is not None:
            self._recorder.remarks.append(f"not all writes were read back: {end}")
        if isinstance(end, RateLimited):
            self._checks.keep_not_before(end)

    def _put_back(self, lost: Collection[int]) -> None:
        """Put back what writes have taken away from people; what there is no time for is the next run's."""
        put_back = 0
        with suppress(DeadlineReached, HelpdeskDown, RateLimited):
            # A ticket is written once its last change, here our own, is a while ago.
            self._parts.deadline.wait(self._options.stable_read_s + 1 if lost else 0)
            for settled in self._write_back.unfinished(lost):
                self._recorder.record(settled)
                put_back += settled.outcome.written
        self._recorder.remarks.append(
            "the helpdesk no longer protects people's edits in jobs, so jobs are off; "
            f"of {len(lost)} tickets that lost a person's edit, {put_back} have it back"
        )
