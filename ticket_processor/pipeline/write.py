"""The one place that changes tickets: fetch, merge, guarded update, receipt; exactly once, and people win.

What makes it exactly once, although the helpdesk knows no idempotency key for updates:

* One write carries everything, with the stamp it was merged from: it happens whole, or not at all.
* The write carries an in-band key. Before any write to a ticket that has been touched since its creation or
  since it was last known clean, the key is looked for.
* After any doubt the ticket is read first; see ``settlement``.

A few tickets go as single updates. Many go as jobs of up to a hundred, each item with its own stamp; see ``jobs``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

from ..core import reasons
from ..core.errors import (
    MissingPart,
    NotAuthorised,
    OutcomeUnknown,
    PartRefused,
    TicketError,
    TicketGone,
    UpdateConflict,
    UpdateRefused,
    WaitForEarlier,
)
from ..core.models import Change, Outcome, OutcomeStatus
from ..core.run_summary import Writes
from ..helpdesk.protocol import Fetched
from ..state.records import Open, Verdict
from ..state.store import in_turn
from ..tags import REPAIR
from .job_trust import JobTrust
from .jobs import MOST_ITEMS, Tools, UpdateJobs
from .settlement import Planner, Settled, Settlement, follow_up, incomplete

FEW = 3
"""This many last tickets of a run go as single updates, which are done at once, though jobs took the others."""
MINUTE_S = 60.0
LINGER_S = 10.0
"""How long a ticket waits for others to fill its job."""
LAST_LINGER_S = 1.5
"""The same towards the end of a run, when few others come."""
AT_ONCE = 25
"""Ended tickets taken in at once."""
SMALL_JOB = 50
"""Smallest job towards the end of a run: a job's time grows with its items."""
TRIMMED_IN_A_ROW = 3
"""Consecutive updates of which the helpdesk left out a part before the run stops."""
MOST_WAITING = 500
"""Tickets that may wait for a place in a job; with more, the run stops to think up new ones."""


class WriteBack:
    """Brings verdicts to the helpdesk, as the ``planner`` wants of each. Used by one thread."""

    def __init__(self, tools: Tools, planner: Planner) -> None:
        self._desk, self._state, self._audit, self._clock = tools.desk, tools.state, tools.audit, tools.clock
        self._deadline = tools.deadline
        self._before_write = tools.before_write
        self._delivery = tools.delivery
        self._dry_run = tools.dry_run
        self._planner = planner
        self._waiting: list[Settlement] = []
        self._sent_singly = deque[float]()
        """When single updates of the last minute were sent."""
        self._batching = False
        """Whether jobs have been chosen before."""
        self._jobs = UpdateJobs(tools, self._waiting)
        self._singly_done = self._done_in_jobs = self._trimmed = self._incomplete_so_far = 0

    @property
    def trust(self) -> JobTrust:
        """Whether jobs may be used on this account."""
        return self._jobs.trust

    @property
    def in_jobs(self) -> int:
        """Tickets in jobs that the helpdesk has not finished."""
        return self._jobs.open

    @property
    def writes(self) -> Writes:
        """By which way the changes have gone so far."""
        sent = sum(bool(work.sent) for work in self._waiting)
        return Writes(
            singly=self._singly_done,
            in_jobs=self._done_in_jobs,
            jobs=self._jobs.used,
            open=sent + self._jobs.open,
            without=self._incomplete_so_far,
        )

    def unfinished(
        self,
        only: Collection[int] | None = None,
        most: int | None = None,
        revised: Callable[[Verdict], Verdict] = lambda verdict: verdict,
    ) -> Iterator[Settled]:
        """Settle what earlier runs analysed and did not finish, sent or not; their jobs are asked by id first.

        ``only`` are the tickets that it is about, ``most`` how many of them; ``None`` is all. ``revised`` makes of
        a verdict what is wanted today.
        """
        items = {item.verdict.ticket_id: item for item in self._state.unsettled()}
        opened = in_turn(self._state, (number for number in items if only is None or number in only))
        until = self._jobs.lost_until()
        in_jobs: dict[str, list[Settlement]] = {}
        for item in (items[number] for number in opened[:most]):
            work = Settlement.of(item, self._clock)
            work.in_doubt_until = until if item.sent else 0.0
            work.verdict = revised(work.verdict)
            if item.job is None or self._dry_run:
                self._waiting.append(work)
            else:
                in_jobs.setdefault(item.job, []).append(work)
        self._jobs.resume(in_jobs)
        yield from self.finish()

    def give_up(self) -> None:
        """Leave what waits to the next run, which finds it in the state. Jobs under way are still waited for."""
        self._waiting.clear()

    def take(self, verdicts: Sequence[Verdict], alone: Collection[int] = ()) -> None:
        """Take fresh verdicts in; :meth:`advance` and :meth:`finish` bring them to the helpdesk.

        Tickets that are to go ``alone`` wait for no job.
        """
        if verdicts:
            self._state.keep_verdict(*verdicts)
            works = [Settlement.of(Open(verdict), self._clock) for verdict in verdicts]
            for work in works:
                work.alone = work.alone or work.ticket_id in alone
            self._waiting += works

    def advance(self, outstanding: int, *, last: bool = False) -> Iterator[Settled]:
        """Do what is due, while ``outstanding`` more tickets are being analysed; the ``last`` ones, or not.

        Waits only when so much is pending that memory would grow.
        """
        self._jobs.poll_due()
        yield from self._take_in(AT_ONCE)
        # Towards the end, waiting until a job is full would take longer than two jobs.
        enough = max(SMALL_JOB, outstanding // 3) if last else MOST_ITEMS
        if self._batching and not last:
            outstanding = max(outstanding, self._delivery.batch_from)  # the next are only not taken in yet
        linger = LAST_LINGER_S if last else LINGER_S
        yield from self._send(outstanding, enough, linger)
        while len(self._waiting) > MOST_WAITING:
            yield from self._wait_for_jobs()
            yield from self._send(outstanding, enough, linger)

    def finish(self) -> Iterator[Settled]:
        """Bring everything to its end, waiting for jobs.

        Raises ``DeadlineReached`` with jobs still under way: the next run looks them up by their ids.
        """
        while self._waiting or self._jobs.open:
            yield from self._send(0, 1)
            if self._waiting or self._jobs.open:
                yield from self._wait_for_jobs()

    def _wait_for_jobs(self) -> Iterator[Settled]:
        self._jobs.wait(self._deadline)
        yield from self._take_in()

    def _take_in(self, most: int | None = None) -> Iterator[Settled]:
        for work, job_id in self._jobs.written(most):
            yield self._done_in_job(work, job_id)
            self._check_trimmed()

    # Which way

    def _send(self, outstanding: int, enough: int, linger: float = LINGER_S) -> Iterator[Settled]:
        """Send what can be sent, as jobs where ``enough`` are waiting for one."""
        alone = [work for work in self._waiting if work.alone]
        if alone:
            self._waiting[:] = [work for work in self._waiting if not work.alone]
            yield from self._singly(alone)
        while self._waiting:
            if not self._by_jobs(len(self._waiting) + outstanding):
                yield from self._singly(self._first(MOST_ITEMS))
                continue
            full = len(self._waiting) >= min(enough, self._jobs.takes)
            due = full or self._clock.monotonic() - self._waiting[0].begun >= linger
            if not due or not self._jobs.may_begin:
                return
            yield from self._as_job()

    def _by_jobs(self, together: int) -> bool:
        """Whether jobs are the way for so many tickets on their way ``together``, rather than single updates."""
        mode, sent = self._delivery.mode, self._sent_singly
        while sent and self._clock.monotonic() - sent[0] > MINUTE_S:
            sent.popleft()
        singly = self._delivery.batch_from - 1 - len(sent)
        if self._batching:
            singly = min(singly, FEW)
        if self._dry_run or mode == "single" or (mode == "auto" and together <= singly) or self._jobs.refused:
            return False
        if not self._batching:
            why = f"{together} tickets are under way" if mode == "auto" else "write_mode is batch"
            self._audit.alert("write_mode", mode="batch", why=why, verified="by reading back")
            self._batching = True
        return True

    def _first(self, count: int) -> list[Settlement]:
        """Take the first ones out of those that wait."""
        works = self._waiting[:count]
        del self._waiting[:count]
        return works

    # One by one

    def _singly(self, works: list[Settlement]) -> Iterator[Settled]:
        for start in range(0, len(works), self._delivery.together):
            part = works[start : start + self._delivery.together]
            tickets = self._desk.fetch([work.ticket_id for work in part])
            for work in part:
                work.begun = self._clock.monotonic() if not work.sent else work.begun
                yield self._settle(work, tickets)
                self._check_trimmed()

    def _plan(self, work: Settlement, tickets: Fetched) -> Change | Outcome:
        if (fault := tickets.unread.get(work.ticket_id)) is not None:
            planned: Change | Outcome = work.end(OutcomeStatus.FAILED, str(fault), retry=True, failed_at="ticket")
        else:
            planned = self._planner.plan(work, tickets.get(work.ticket_id))
        found = isinstance(planned, Outcome) and planned.change is not None
        if not found and self._jobs.may_still_write(work):
            return work.end(OutcomeStatus.SKIPPED, reasons.DEFERRED, retry=True)
        return planned

    def _settle(self, work: Settlement, tickets: Fetched) -> Settled:
        while True:
            change = self._plan(work, tickets)
            if isinstance(change, Outcome):
                return self._confirmed(work, self._withdrawn(work, change))
            self._before_write()
            work.sends(change)
            self._audit.intent(change)
            self._state.open_intent(change)
            self._sent_singly.append(self._clock.monotonic())
            try:
                edit = self._desk.update(change)
            except (UpdateConflict, OutcomeUnknown) as error:
                work.doubt = reasons.CHANGED_AGAIN if isinstance(error, UpdateConflict) else reasons.NO_CLEAR_ANSWER
                tickets = self._desk.fetch([work.ticket_id])
            except WaitForEarlier:
                return Settled(work.end(OutcomeStatus.SKIPPED, reasons.DEFERRED, retry=True))
            except TicketGone as gone:
                return Settled(work.end(OutcomeStatus.SKIPPED, str(gone)))
            except PartRefused as refused:
                # Nothing happened, so what was read still holds; the rest may be worth a write of its own.
                work.attempts -= 1
                if not self._planner.refused(work, change, refused.part):
                    end = work.end(OutcomeStatus.FAILED, str(refused), retry=True)
                    if work.verdict.follows or refused.part == "note":
                        retry = refused.part != "note"  # there is never room for it
                        end = work.end(OutcomeStatus.SKIPPED, incomplete((refused.part,)), retry=retry)
                    return Settled(self._withdrawn(work, end))
            except UpdateRefused as refused:
                # That a status is refused, as for an empty field that solving needs, is no fault of the ticket.
                retry = change.closing is None
                end = work.end(OutcomeStatus.FAILED, str(refused), retry=retry, failed_at="update")
                return Settled(self._withdrawn(work, end))
            except TicketError as error:  # what an update reads of this ticket cannot be read
                end = work.end(OutcomeStatus.FAILED, str(error), retry=True, failed_at="update")
                return Settled(self._withdrawn(work, end))
            else:
                self._singly_done += 1
                work.recorded = edit
                return self._done(work, change)

    def _incomplete(self, work: Settlement) -> bool:
        """Take note of what the helpdesk has left out of a write although it took it; whether a part is missing."""
        if work.recorded is None:
            return False
        dropped = work.recorded.dropped
        if work.attempts:  # what an earlier run has sent says nothing of today's rights
            self._trimmed = self._trimmed + 1 if dropped else 0
        if dropped:
            self._audit.alert("trimmed", ticket_id=work.ticket_id, parts=sorted(dropped))
        wanted = work.verdict.decision
        parts: dict[MissingPart, object] = {
            "tags": wanted.tags,
            "priority": wanted.priority,
            "group": wanted.group,
            "fields": wanted.fields,
            "note": wanted.note,
        }
        lacking = {part for part, value in parts.items() if value and part in dropped}
        work.without |= lacking
        return bool(lacking)

    def _check_trimmed(self) -> None:
        """Raise when update after update was taken without all of its parts."""
        if self._trimmed >= TRIMMED_IN_A_ROW:
            raise NotAuthorised(
                f"the helpdesk took {self._trimmed} updates in a row and left parts of them out, such as tags: give "
                "the role of ticketbot's user the right to edit tags and ticket properties, and its OAuth client the "
                "scope 'read write'; later runs complete what is missing"
            )

    def _withdrawn(self, work: Settlement, end: Outcome) -> Outcome:
        """The end of a ticket without a write of ours, once nothing of one that was begun is left on it."""
        waits = end.status is OutcomeStatus.SKIPPED and end.retry and not end.reason.startswith(reasons.INCOMPLETE)
        # Where people are at work on a ticket, no half of a write stays there until the next run.
        waits = waits and work.doubt != reasons.CHANGED_AGAIN
        if self._dry_run or not work.sent or end.change is not None or waits:
            return end
        try:
            self._desk.withdraw(work.sent[-1])
        except UpdateRefused as error:
            if not end.retry:  # else the next run goes on from there
                self._audit.alert("note_left", ticket_id=work.ticket_id, why=str(error))
        except TicketError:
            return end if end.retry else work.end(OutcomeStatus.SKIPPED, reasons.DEFERRED, retry=True)
        return end

    # As jobs

    def _as_job(self) -> Iterator[Settled]:
        works = self._first(self._jobs.takes)
        tickets = self._desk.fetch([work.ticket_id for work in works])
        begun = self._clock.monotonic()
        planned: list[tuple[Settlement, Change]] = []
        for work in works:
            change = self._plan(work, tickets)
            if isinstance(change, Outcome):
                yield self._confirmed(work, change)
                self._check_trimmed()
            else:
                planned.append((work, change))
        if planned:
            self._jobs.begin(planned, begun)

    # Ends

    def _done_in_job(self, work: Settlement, job_id: str) -> Settled:
        self._done_in_jobs += 1
        work.job = job_id
        return replace(self._done(work, work.sent[-1]), recorded=work.recorded)

    def _done(self, work: Settlement, change: Change, reason: str = "") -> Settled:
        lacking = self._incomplete(work)
        outcome = work.written(reason or work.verdict.decision.reason, change)
        self._incomplete_so_far += bool(outcome.missing)
        then = follow_up(work, outcome, change, self._audit, self.trust)
        if lacking and work.verdict.follows and not (then and then[1] == REPAIR):
            return Settled(work.end(OutcomeStatus.SKIPPED, incomplete(work.without), retry=True))
        return Settled(outcome, then)

    def _confirmed(self, work: Settlement, outcome: Outcome) -> Settled:
        """An end that was read; a write of ours that is there after all is looked at as every other."""
        if outcome.change is None or work.recorded is None:
            return Settled(outcome)
        return self._done(work, outcome.change, outcome.reason)
