"""The frame of a run: its first receipt, its checks, and its end with summary and last receipt."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress

from ..audit.retention import keep_head, left_in, not_before
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
from ..core.wording import many
from ..state.store import HELPDESK_DATE
from .intake import Intake
from .parts import Parts, RunOptions
from .recorder import Recorder
from .run_checks import HALTED, RunChecks
from .verification import WriteVerifier
from .writeback import WriteBack


class RunFrame:
    """Begins a run and brings it to its end. For one thread. ``intake`` gives the run's intake once it is there."""

    def __init__(
        self,
        parts: Parts,
        options: RunOptions,
        checks: RunChecks,
        recorder: Recorder,
        verifier: WriteVerifier,
        writes: WriteBack,
        intake: Callable[[], Intake | None],
    ) -> None:
        self._parts = parts
        self._options = options
        self._checks = checks
        self._recorder = recorder
        self._verifier = verifier
        self._write_back = writes
        self._intake = intake

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
        taken = self._intake()
        summary = self._recorder.summary(
            stopped,
            code,
            parts.clock.monotonic() - started,
            dry_run=options.dry_run,
            seen=taken.seen if taken else self._recorder.recorded,
            requests=parts.requests(),
            troubles=parts.troubles(),
            writes=self._write_back.writes,
            statement=None if options.dry_run else self._verifier.statement(),
            stopped_by=stopped_by,
            caught_up=taken is not None and taken.caught_up,
            causes=parts.understanding.details,
            price_note=parts.understanding.price_note,
        )
        if (used := parts.cluster()) is not None:
            summary = summary.model_copy(update={"cluster": used})
        if taken is not None:
            summary = summary.model_copy(update={"known": dict(taken.known)})
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
        kind, by_hand = self._options.kind, self._options.by_hand
        record = RunRecord(
            run_id=summary.run_id, kind=kind, by_hand=by_hand, started=begun, finished=now, summary=summary
        )
        with suppress(StateUnusable), self._parts.state.together():
            self._parts.state.keep_run(record)
            keep_head(self._parts.state, self._parts.audit)
            if (date := self._parts.helpdesk_date()) is not None:
                self._parts.state.remember(**{HELPDESK_DATE: repr(date)})

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
