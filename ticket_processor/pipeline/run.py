"""One run: settle open writes, read tickets, skip, analyse in parallel, decide, write, record.

:class:`Parts` holds what differs between a real helpdesk and a simulated one; this module knows no vendor and no file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import Future
from contextlib import closing
from functools import partial

from ..core.errors import ConfigError, DeadlineReached
from ..core.models import Outcome
from ..core.run_summary import RunSummary
from ..state.records import Verdict
from .analyse import Understood, Verdicts
from .context import Parts, RunFrame, RunOptions
from .fan_out import FanOut, read_ahead
from .intake import Intake, Wanted
from .public_replies import ReplySender
from .record import Listener
from .select import Work
from .settlement import Settled, is_newborn
from .shared_faults import REQUESTS


class Run(RunFrame):
    """One run, made of its parts and options."""

    def __init__(self, parts: Parts, options: RunOptions, listener: Listener = lambda _outcome: None) -> None:
        super().__init__(parts, options, listener)
        self._verdicts = Verdicts(parts, options, self._faults)

    def execute(self) -> RunSummary:
        """Play the run to its end, whatever the helpdesk and the models do.

        Raises :class:`ConfigError` on a first run without ``--since``, and
        :class:`StateUnusable` when not even the reason for an early end can be stored.
        """
        since = self._checks.where_to_begin()
        return self.play(lambda: self._triage_from(since))

    def retry(self, ticket_ids: Collection[int] = ()) -> RunSummary:
        """Try the retry list now, or the given tickets of it, dead and dropped ones too; no other ticket is read.

        Raises :class:`ConfigError` for a ticket not on the list, and :class:`StateUnusable` as :meth:`execute` does.
        """
        state = self._parts.state
        listed = {item.ticket_id for item in state.retries()}
        if strange := sorted(set(ticket_ids) - listed - state.dropped()):
            raise ConfigError(
                *(f"ticket {number} is not on the retry list; see 'ticketbot retry list'" for number in strange)
            )
        return self.play(lambda: self._retry(frozenset(ticket_ids) or listed))

    def only(self, ticket_ids: Collection[int], *, anew: bool = False, named: bool = True) -> RunSummary:
        """Triage exactly these tickets now, even if they were given up or people still have their head start.

        ``anew``: also those that are done, under a key of this run; what people took off stays off, and tickets that a
        person relabelled are left alone. ``named``: the exit code is 1 if a ticket does not exist. Raises as above.
        """
        wanted = Wanted(frozenset(ticket_ids), at_once=True, anew=self._options.run_id if anew else None)
        return self.play(lambda: self._retry(ticket_ids, wanted), all_there=named)

    def run_webhook_tickets(self, ticket_ids: Collection[int]) -> RunSummary:
        """Handle these tickets, which webhooks have named, as if a page had listed them; no other ticket is read.

        Raises what :meth:`execute` does.
        """
        since = self._checks.where_to_begin()
        wanted = Wanted(frozenset(ticket_ids), from_webhook=True)
        return self.play(lambda: self._triage_from(since, wanted=wanted))

    def _retry(self, ticket_ids: Collection[int], wanted: Wanted | None = None) -> None:
        self._parts.state.revive(ticket_ids)
        self._triage_from(0.0, wanted=wanted or Wanted(frozenset(ticket_ids)))

    def _triage_from(self, since: float, *, wanted: Wanted | None = None) -> None:
        parts, options, threads = self._parts, self._options, self._parts.threads
        self._recorder.remarks += self._checks.begin_again(options.since)
        self.intake = intake = Intake(
            self._desk,
            parts.state,
            self._triage,
            self._checks,
            since,
            wanted,
            replies=options.retriage_on_reply,
            second_looks=options.retry_fallbacks,
            ahead=partial(read_ahead, clock=parts.clock) if parts.threads.readers else iter,
            webhook_tickets=parts.webhook_tickets,
            shard=parts.selection.shard,
        )
        intake.pass_over(*self._finish_earlier(None if wanted is None else wanted.tickets))
        intake.limit = None if options.limit is None else max(0, options.limit - self._recorder.recorded)
        if (wanted is None or wanted.from_webhook) and (due := parts.state.scheduled_replies()):
            ReplySender(self._desk, parts, options, self._checks, self._recorder.record_reply).send_due(due)
        fan_out = FanOut(
            threads.analyse,
            self._verdicts.understand,
            workers=options.workers,
            window=max(3 * options.workers, 100),
            timeout_s=options.analysis_timeout_s,
            clock=parts.clock,
            deadline=parts.deadline,
            reserve_s=self._checks.reserve_s / 2,
            choose=lambda work: threads.express or threads.analyse if work.from_webhook else threads.analyse,
        )
        late: DeadlineReached | None = None
        try:
            with closing(fan_out.over(self._works(intake))) as results:
                for finished in results:
                    intake.understood(work.ticket.id for work, _ in finished)
                    alone = {work.ticket.id for work, _ in finished if threads.express and work.from_webhook}
                    newborn = {work.ticket.id for work, _ in finished if is_newborn(work.ticket, options.stable_read_s)}
                    self._write_back.take(self._judged(finished), alone, newborn)
                    self._record_all(self._write_back.advance(fan_out.outstanding, last=fan_out.exhausted))
        except DeadlineReached as end:
            late = end  # analysed tickets are still written, as far as time allows
        finally:
            self.abandoned = fan_out.abandoned
            parts.state.keep_verdict(*self._judged(fan_out.unclaimed))  # paid for: the next run writes it
        self._record_all(self._write_back.finish())
        self._ask_for_those_given_up()
        if (fault := self._faults.end(*filter(self._recorder.waits_for, REQUESTS))) is not None:
            raise fault
        if late is not None:
            raise late

    def _works(self, intake: Intake) -> Iterator[Work | None]:
        """Yield the intake's work; the outcome of a ticket without work is recorded at once."""
        for item in intake:
            if isinstance(item, Outcome):
                self._record(Settled(item))
            else:
                yield item

    def _judged(self, finished: Iterable[tuple[Work, Future[Understood]]]) -> list[Verdict]:
        """The verdicts on analysed tickets; the outcome of a ticket without a verdict is recorded."""
        verdicts = []
        for work, future in finished:
            made = self._verdicts.of(work, future)
            if isinstance(made, Outcome):
                self._record(Settled(made))
            elif made is not None:
                verdicts.append(made)
                if work.is_new:
                    self._recorder.came(work.ticket)
        return verdicts
