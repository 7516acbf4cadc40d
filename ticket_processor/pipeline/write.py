"""The only place that changes tickets: fetch, merge, guarded update, receipt; exactly once, and people's edits win.

Three things make it exactly once, although the helpdesk has no idempotency key for updates:

* One write carries everything, with the stamp of the ticket it was merged from: it happens whole, or not at all.
* The write stores its key on the ticket. Before a write to a ticket that has changed since its creation, or since it
  was last known to hold no write of ours, the key is looked for.
* After any doubt the ticket is read first; see ``settlement``.

Few tickets are sent as single updates, many as jobs of up to a hundred, each item with its own stamp; see ``jobs``.
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
"""At the end of a run, up to this many tickets are sent as single updates, which take effect at once."""
MINUTE_S = 60.0
LINGER_S = 10.0
"""Seconds that a ticket waits for others to fill its job."""
LAST_LINGER_S = 1.5
"""The same at the end of a run, when few others follow."""
AT_ONCE = 25
"""Number of finished items of jobs that are handled at once."""
SMALL_JOB = 50
"""Size of the smallest job at the end of a run: a job's time grows with its items."""
TRIMMED_IN_A_ROW = 3
"""Consecutive updates of which the helpdesk left out a part, after which the run stops."""
MOST_WAITING = 500
"""Maximum number of tickets that wait for a job; with more, the run pauses its analyses."""


class WriteBack:
    """Writes verdicts to the helpdesk, as ``planner`` decides for each. Used by one thread."""

    def __init__(self, tools: Tools, planner: Planner) -> None:
        self._desk, self._state, self._audit, self._clock = tools.desk, tools.state, tools.audit, tools.clock
        self._deadline = tools.deadline
        self._before_write = tools.before_write
        self._delivery = tools.delivery
        self._dry_run = tools.dry_run
        self._planner = planner
        self._waiting: list[Settlement] = []
        self._sent_singly = deque[float]()
        """Times of the single updates of the last minute."""
        self._batching = False
        """True once jobs have been chosen."""
        self._jobs = UpdateJobs(tools, self._waiting)
        self._singly_done = self._done_in_jobs = self._trimmed = self._incomplete_so_far = 0

    @property
    def trust(self) -> JobTrust:
        """What is known about jobs on this account."""
        return self._jobs.trust

    @property
    def in_jobs(self) -> int:
        """Number of tickets in jobs that are not finished."""
        return self._jobs.open if self._jobs.used else 0

    @property
    def writes(self) -> Writes:
        """Counts of the changes so far, by how they were sent."""
        sent = sum(bool(work.sent) for work in self._waiting)
        return Writes(
            singly=self._singly_done,
            in_jobs=self._done_in_jobs,
            jobs=self._jobs.used,
            open=sent + self.in_jobs,
            without=self._incomplete_so_far,
        )

    def unfinished(
        self,
        only: Collection[int] | None = None,
        most: int | None = None,
        revised: Callable[[Verdict], Verdict] = lambda verdict: verdict,
    ) -> Iterator[Settled]:
        """Settle the verdicts that earlier runs did not finish, sent or not; their jobs are looked up by id first.

        ``only`` limits it to these tickets, ``most`` to that many; ``None`` is all. ``revised`` adapts a verdict to the
        present settings.
        """
        items = {item.verdict.ticket_id: item for item in self._state.unsettled()}
        opened = in_turn(self._state, (number for number in items if only is None or number in only))
        until = self._jobs.lost_until() if opened else 0.0
        in_jobs: dict[str, list[Settlement]] = {}
        for item in (items[number] for number in opened[:most]):
            work = Settlement.of(item, self._clock)
            work.in_doubt_until = until if item.sent else 0.0
            work.verdict = revised(work.verdict)
            if item.job is None or self._dry_run:
                self._waiting.append(work)
            else:
                in_jobs.setdefault(item.job, []).append(work)
        if in_jobs:
            self._jobs.resume(in_jobs)
        yield from self.finish()

    def give_up(self) -> None:
        """Leave waiting tickets to the next run, which finds them in the state. Jobs under way are still awaited."""
        self._waiting.clear()

    def take(self, verdicts: Sequence[Verdict], alone: Collection[int] = (), newborn: Collection[int] = ()) -> None:
        """Store new verdicts; :meth:`advance` and :meth:`finish` write them.

        Tickets in ``alone`` are sent as single updates and wait for no job. Those that are ``newborn`` are left to the
        next run if they are not found.
        """
        if verdicts:
            self._state.keep_verdict(*verdicts)
            works = [Settlement.of(Open(verdict), self._clock) for verdict in verdicts]
            for work in works:
                work.alone = work.alone or work.ticket_id in alone
                work.newborn = work.ticket_id in newborn
            self._waiting += works

    def advance(self, outstanding: int, *, last: bool = False) -> Iterator[Settled]:
        """Write what is due while ``outstanding`` more tickets are analysed; ``last`` if no others follow these.

        Waits only when too much is pending.
        """
        if self._jobs.used:
            self._jobs.poll_due()
            yield from self._take_in(AT_ONCE)
        # At the end of a run, waiting for a full job would take longer than two jobs.
        enough = max(SMALL_JOB, outstanding // 3) if last else MOST_ITEMS
        if self._batching and not last:
            outstanding = max(outstanding, self._delivery.batch_from)  # more tickets will follow
        linger = LAST_LINGER_S if last else LINGER_S
        yield from self._send(outstanding, enough, linger)
        while len(self._waiting) > MOST_WAITING:
            yield from self._wait_for_jobs()
            yield from self._send(outstanding, enough, linger)

    def finish(self) -> Iterator[Settled]:
        """Write everything that is left, and wait for jobs.

        Raises ``DeadlineReached`` with jobs still under way: the next run finds them by their ids.
        """
        while self._waiting or self.in_jobs:
            yield from self._send(0, 1)
            if self._waiting or self.in_jobs:
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
        """Send what can be sent, as a job if ``enough`` tickets wait for one."""
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
        """True if ``together`` tickets should be sent in jobs rather than as single updates."""
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
        """Take the first ``count`` waiting tickets off the list."""
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
        ticket = tickets.get(work.ticket_id)
        if isinstance(ticket, TicketError):
            planned: Change | Outcome = work.end(OutcomeStatus.FAILED, str(ticket), retry=True, failed_at="ticket")
        else:
            planned = self._planner.plan(work, ticket)
        found = isinstance(planned, Outcome) and planned.change is not None
        if not found and work.in_doubt_until and self._jobs.may_still_write(work):
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
                # Nothing was written, so the read is still valid; the other parts may be worth a write.
                work.attempts -= 1
                if not self._planner.refused(work, change, refused.part):
                    end = work.end(OutcomeStatus.FAILED, str(refused), retry=True)
                    if work.verdict.follows or refused.part == "note":
                        retry = refused.part != "note"  # there will never be room for it
                        end = work.end(OutcomeStatus.SKIPPED, incomplete((refused.part,)), retry=retry)
                    return Settled(self._withdrawn(work, end))
            except UpdateRefused as refused:
                # A refused status, for example because solving needs a field, does not count against the ticket.
                retry = change.closing is None
                end = work.end(OutcomeStatus.FAILED, str(refused), retry=retry, failed_at="update")
                return Settled(self._withdrawn(work, end))
            except TicketError as error:  # an update reads the ticket, which failed
                end = work.end(OutcomeStatus.FAILED, str(error), retry=True, failed_at="update")
                return Settled(self._withdrawn(work, end))
            else:
                self._singly_done += 1
                work.recorded = edit
                return self._done(work, change)

    def _incomplete(self, work: Settlement) -> bool:
        """Count parts that the helpdesk left out of an accepted write; true if a part is missing."""
        if work.recorded is None:
            return False
        dropped = work.recorded.dropped
        if work.attempts:  # an earlier run's write says nothing about present permissions
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
        """Raise if several updates in a row were accepted without all of their parts."""
        if self._trimmed >= TRIMMED_IN_A_ROW:
            raise NotAuthorised(
                f"the helpdesk took {self._trimmed} updates in a row and left parts of them out, such as tags: give "
                "the role of ticketbot's user the right to edit tags and ticket properties, and its OAuth client the "
                "scope 'read write'; later runs complete what is missing"
            )

    def _withdrawn(self, work: Settlement, end: Outcome) -> Outcome:
        """The outcome of a ticket without our write, after parts of an unfinished write were removed from it."""
        waits = end.status is OutcomeStatus.SKIPPED and end.retry and not end.reason.startswith(reasons.INCOMPLETE)
        # If people work on a ticket, half a write must not stay on it until the next run.
        waits = waits and work.doubt != reasons.CHANGED_AGAIN
        if self._dry_run or not work.sent or end.change is not None or waits:
            return end
        try:
            self._desk.withdraw(work.sent[-1])
        except UpdateRefused as error:
            if not end.retry:  # with a retry, the next run goes on from there
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
        if self._jobs.used:
            self.trust.accepted(work)
        then = follow_up(work, outcome, change, self._audit, self.trust)
        if lacking and work.verdict.follows and not (then and then[1] == REPAIR):
            return Settled(work.end(OutcomeStatus.SKIPPED, incomplete(work.without), retry=True))
        return Settled(outcome, then)

    def _confirmed(self, work: Settlement, outcome: Outcome) -> Settled:
        """The end of a ticket that was read; if it carries our write after all, it is checked like any other."""
        if outcome.change is None or work.recorded is None:
            return Settled(outcome)
        return self._done(work, outcome.change, outcome.reason)
