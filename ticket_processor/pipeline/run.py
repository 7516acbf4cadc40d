"""One run: settle what was left open, pull, skip, fan out, decide, write back, record.

What differs between a real helpdesk and a simulated one is in :class:`Parts`; nothing here knows a vendor or a file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import closing

from ..core.errors import ConfigError, DeadlineReached
from ..core.models import Outcome
from ..core.run_summary import RunSummary
from ..state.records import Verdict
from .fan_out import FanOut
from .intake import Intake, IntakeOptions, Wanted
from .leftovers import Leftovers
from .parts import Parts, RunOptions
from .planned_writes import Applying
from .public_replies import send_replies
from .recorder import Listener, Recorder
from .run_checks import RunChecks
from .run_frame import RunFrame
from .settlement import Settled
from .shared_faults import REQUESTS, IsolatingDesk, SharedFaults
from .verdicts import Verdicts
from .verification import WriteVerifier
from .write_planner import Triage
from .writeback import WriteBack


class Run:
    """One run, from its parts and what was asked of it."""

    def __init__(self, parts: Parts, options: RunOptions, listener: Listener = lambda _outcome: None) -> None:
        self._parts = parts
        self._options = options
        self.intake: Intake | None = None
        self.abandoned = 0  # worker threads left behind in calls that do not end
        self._faults = SharedFaults()
        self._checks = RunChecks(parts, options, self._faults)
        self._desk = desk = IsolatingDesk(parts.desk, self._faults, parts.clock.monotonic)
        self._triage = Triage(
            desk,
            parts.audit,
            parts.policy,
            selection=parts.selection,
            stable_read_s=options.stable_read_s,
            dry_run=options.dry_run,
            decide=parts.decide,
        )
        self._write_back = writes = WriteBack(
            desk,
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
        verifier = WriteVerifier(
            desk, parts.state, parts.audit, parts.deadline, writes.trust, options.run_id, most=options.verify
        )
        self._recorder = Recorder(
            parts.audit,
            parts.state,
            parts.policy,
            options.run_id,
            max_attempts=options.max_attempts,
            listener=listener,
            now=parts.clock.now,
            verifier=verifier,
            faults=self._faults,
            schedules=parts.reply_objection is not None,
            shown=parts.shown,
        )
        self._verdicts = Verdicts(parts, options, self._record, self._recorder.pace, self._faults)
        self._leftovers = Leftovers(parts, options.limit, desk, self._faults, self._checks, self._triage, writes)
        self._frame = RunFrame(parts, options, self._checks, self._recorder, verifier, writes, lambda: self.intake)

    def execute(self) -> RunSummary:
        """Play the run to its end, whatever the helpdesk or the model do.

        Raises :class:`ConfigError` on a first run without ``--since``, and
        :class:`StateUnusable` when not even the reason for an early end can be stored.
        """
        since = self._checks.where_to_begin()
        return self._frame.play(lambda: self._triage_from(since))

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
        return self._frame.play(lambda: self._retry(frozenset(ticket_ids) or listed))

    def only(self, ticket_ids: Collection[int], *, anew: bool = False, named: bool = True) -> RunSummary:
        """Triage exactly these tickets, now: given up or not, within their head start or not.

        ``anew``: those that are done too, under a key of this run; what people took off stays off, and what a person
        has relabelled is left alone. ``named``: a number without a ticket makes the exit code 1. Raises as the above.
        """
        wanted = Wanted(frozenset(ticket_ids), at_once=True, anew=self._options.run_id if anew else None)
        return self._frame.play(lambda: self._retry(ticket_ids, wanted), all_there=named)

    def told_of(self, ticket_ids: Collection[int]) -> RunSummary:
        """Look at these tickets, of which the helpdesk has told, as if a page had listed them; nothing else is pulled.

        It raises what :meth:`execute` does.
        """
        since = self._checks.where_to_begin()
        wanted = Wanted(frozenset(ticket_ids), told=True)
        return self._frame.play(lambda: self._triage_from(since, wanted=wanted))

    def _retry(self, ticket_ids: Collection[int], wanted: Wanted | None = None) -> None:
        self._parts.state.revive(ticket_ids)
        self._triage_from(0.0, wanted=wanted or Wanted(frozenset(ticket_ids)))

    def write(self, verdicts: Iterable[Verdict]) -> RunSummary:
        """Write what a dry run has planned, see :class:`Applying`. It raises what :meth:`execute` does."""
        record = self._record_settled
        applying = Applying(self._parts.state, self._checks, self._leftovers, self._write_back, self._recorder, record)
        return self._frame.play(lambda: applying.write(verdicts))

    def _triage_from(self, since: float, *, wanted: Wanted | None = None) -> None:
        parts, options = self._parts, self._options
        self._recorder.remarks += self._checks.begin_again(options.since)
        self.intake = intake = Intake(
            self._desk,
            parts.state,
            self._triage,
            self._checks,
            self._record,
            IntakeOptions(since, wanted, options.retriage_on_reply, options.retry_fallbacks),
            ahead=parts.ahead,
            told_of=parts.told_of,
        )
        self._leftovers.finish(intake, None if wanted is None else wanted.tickets, self._record_settled)
        intake.limit = None if options.limit is None else max(0, options.limit - self._recorder.recorded)
        if wanted is None or wanted.told:
            send_replies(self._desk, parts, options, self._checks, self._recorder.record_reply)
        fan_out = FanOut(
            parts.executor,
            self._verdicts.understand,
            workers=options.workers,
            window=max(3 * options.workers, 100),
            timeout_s=options.analysis_timeout_s,
            clock=parts.clock,
            deadline=parts.deadline,
            reserve_s=self._checks.reserve_s / 2,
            choose=lambda work: parts.express or parts.executor if work.told else parts.executor,
        )
        late: DeadlineReached | None = None
        try:
            with closing(fan_out.over(iter(intake))) as results:
                for finished in results:
                    intake.understood(work.ticket.id for work, _ in finished)
                    alone = {work.ticket.id for work, _ in finished if work.told and parts.express is not None}
                    self._write_back.take(self._verdicts.of(finished), alone)
                    self._record_all(self._write_back.advance(fan_out.outstanding, last=fan_out.exhausted))
        except DeadlineReached as end:
            late = end  # what was understood is still brought to its end, as far as time allows
        finally:
            self.abandoned = fan_out.abandoned
            self._parts.state.keep_verdict(*self._verdicts.of(fan_out.unclaimed))  # paid for: the next run writes it
        self._record_all(self._write_back.finish())
        self._leftovers.ask_for_those_given_up()
        if (fault := self._faults.end(*filter(self._recorder.waits_for, REQUESTS))) is not None:
            raise fault
        if late is not None:
            raise late

    def _record_all(self, ended: Iterable[Settled]) -> None:
        for settled in ended:
            self._record_settled(settled)

    def _record(self, outcome: Outcome) -> None:
        self._record_settled(Settled(outcome))

    def _record_settled(self, settled: Settled, waits: str = "") -> None:
        self._recorder.record(settled, waits)
        if self.intake is not None:
            self.intake.settled(settled.outcome.ticket_id)
