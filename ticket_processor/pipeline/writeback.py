"""The one place that changes tickets: fetch, merge, guarded update, receipt; exactly once, and people win.

What makes it exactly once, although the helpdesk knows no idempotency key for updates:

* One write carries everything, with the stamp it was merged from: it happens whole, or not at all.
* The write carries an in-band key. Before any write to a ticket that has been touched since its creation or
  since it was last known clean, the key is looked for.
* After any doubt the ticket is read first; see ``settlement``.

A few tickets go as single updates. Many go as jobs of up to a hundred, each item with its own stamp, several jobs at a
time; an item counts as done only when the job says so of it and the ticket shows it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal

from ..audit.receipts import AuditLog
from ..core import reasons
from ..core.clock import Clock, Deadline, parse_iso
from ..core.errors import (
    DeadlineReached,
    JobRefused,
    OutcomeUnknown,
    PartRefused,
    TicketError,
    TicketGone,
    TooManyJobs,
    UpdateConflict,
    UpdateRefused,
    WaitForEarlier,
)
from ..core.models import Change, Outcome, OutcomeStatus, Request, Ticket, Writes
from ..helpdesk.protocol import Fetched, Helpdesk, JobStatus
from ..helpdesk.ticket_history import Edit, overwritten
from ..state.store import FollowUp, Open, State, Verdict, in_turn
from ..tags import REPAIR
from .follow_ups import completion, incomplete, repair
from .job_trust import LOST_NOTE, JobTrust
from .settlement import Planner, Settled, Settlement, note_published

MOST_ITEMS = 100
TRIAL_ITEMS = 5
"""Items of the first job on an account of which nothing is known; each of them is looked at closely."""
JOB_PATIENCE_S = 180.0
"""A job that takes longer is judged by reading. What it may still do, the stamps keep apart from what we do."""
LOST_JOB_S = 600.0
"""How long a job whose reply was lost may still run. Where no stamp is known to guard, nothing is sent again."""
MISSED_POLLS = 3
FULL_IN_A_ROW = 3
"""Consecutive TooManyJobs replies, with no job of ours under way, before single updates are used."""
LATE_AUDITS_S = 10.0
"""How far back a second look reads the account's audits."""
LOOKS = 3
"""Reads, a poll apart, of tickets that do not show what their job reports."""
JOBS_IN_VAIN = 3
"""Consecutive jobs without an item known to be done before single updates are used."""
POLL_S = 2.0
"""Time between two polls of a job without progress; other jobs are polled when they should have ended."""
SOONEST_S, LATEST_S = 0.5, 5.0
LINGER_S = 10.0
"""How long a ticket waits for others to fill its job."""
LAST_LINGER_S = 1.5
"""The same towards the end of a run, when few others come."""
AT_ONCE = 25
"""Ended tickets taken in at once."""
SMALL_JOB = 50
"""Smallest job towards the end of a run: a job's time grows with its items."""
FEW = 3
"""This many last tickets of a run go as single updates, which are done at once, though jobs took the others."""
MINUTE_S = 60.0
MOST_WAITING = 500
"""Tickets that may wait for a place in a job; with more, the run stops to think up new ones."""
LOST_JOB_UNTIL = "lost_job_until"
"""Fact of the state: until when (Unix seconds) a job may be under way of whose end nothing is known."""

WriteMode = Literal["auto", "single", "batch"]


@dataclass(frozen=True)
class Delivery:
    """How changes travel. In mode ``auto`` jobs are used once ``batch_from`` tickets are on their way at the same time.

    Single updates of the last minute count as on their way, for the helpdesk's limit counts them.
    ``most_jobs`` are ours at a time; the account may have thirty. ``together`` is how many tickets are read before the
    first of them gets a single update: where nothing guards that, each is read by itself.
    """

    mode: WriteMode = "auto"
    batch_from: int = 25
    job_items: int = MOST_ITEMS
    most_jobs: int = 10
    together: int = MOST_ITEMS


@dataclass
class _Job:
    works: dict[int, Settlement]
    begun: float
    stale: int | None = None
    """The ticket of the trial's item whose stamp is out of date."""
    missed: int = 0
    looks: int = 0
    done: bool = False

    def left_s(self, status: JobStatus | None, now: float) -> float:
        """Seconds until it should have ended, by its progress so far."""
        if status is None or not status.progress or self.looks:
            return POLL_S
        return (now - self.begun) * (len(self.works) - status.progress) / status.progress


class WriteBack:
    """Brings verdicts to the helpdesk. Used by one thread.

    ``before_write`` is called before anything is sent and may raise to stop everything (a kill switch).
    """

    def __init__(
        self,
        desk: Helpdesk,
        state: State,
        audit: AuditLog,
        clock: Clock,
        deadline: Deadline,
        planner: Planner,
        *,
        delivery: Delivery = Delivery(),
        dry_run: bool = False,
        before_write: Callable[[], None] = lambda: None,
    ) -> None:
        self._desk = desk
        self._state = state
        self._audit = audit
        self._clock = clock
        self._deadline = deadline
        self._planner = planner
        self._delivery = delivery
        self._dry_run = dry_run
        self._before_write = before_write
        self._waiting: list[Settlement] = []
        self._jobs: dict[str, _Job] = {}
        self._ended: dict[str, JobStatus] = {}
        self._arrived: deque[tuple[Settlement, str]] = deque()
        self._next_poll = 0.0
        self._no_jobs_before = 0.0
        self._jobs_refused = False
        self._in_vain = 0
        self._full_in_a_row = 0
        self._batching = False
        self._singles: deque[float] = deque()
        self._recorded: dict[str, Edit] = {}
        self._recent_until = 0.0
        self.trust = JobTrust(desk, state, audit, clock)
        self._singly_done = self._done_in_jobs = self._jobs_used = self._incomplete = 0

    @property
    def pending(self) -> int:
        """Tickets that were taken and have no end yet."""
        return len(self._waiting) + len(self._arrived) + sum(len(job.works) for job in self._jobs.values())

    @property
    def writes(self) -> Writes:
        """By which way the changes have gone so far."""
        sent = sum(bool(work.sent) for work in self._waiting)
        doubtful = sent + len(self._arrived) + sum(len(job.works) for job in self._jobs.values())
        return Writes(
            singly=self._singly_done,
            in_jobs=self._done_in_jobs,
            jobs=self._jobs_used,
            open=doubtful,
            without=self._incomplete,
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
        now = self._clock.monotonic()
        items = {item.verdict.ticket_id: item for item in self._state.unsettled()}
        opened = in_turn(self._state, (number for number in items if only is None or number in only))
        until = float(self._state.fact(LOST_JOB_UNTIL) or 0.0)
        for item in (items[number] for number in opened[:most]):
            work = Settlement.of(item, now)
            work.in_doubt_until = until if item.sent else 0.0
            work.verdict = revised(work.verdict)
            if item.job is None or self._dry_run:
                self._waiting.append(work)
                continue
            job = self._jobs.setdefault(item.job, _Job({}, now))
            job.works[work.ticket_id] = work
        self._jobs_used += len(self._jobs)
        if self._jobs:
            self._poll()
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
            now = self._clock.monotonic()
            works = [Settlement.of(Open(verdict), now) for verdict in verdicts]
            for work in works:
                work.alone = work.alone or work.ticket_id in alone
            self._waiting += works

    def advance(self, outstanding: int, *, last: bool = False) -> Iterator[Settled]:
        """Do what is due, while ``outstanding`` more tickets are being analysed; the ``last`` ones, or not.

        Waits only when so much is pending that memory would grow.
        """
        if self._jobs and not (self._ended or self._arrived) and self._clock.monotonic() >= self._next_poll:
            self._poll()
        yield from self._take_in(AT_ONCE)
        # Towards the end, waiting until a job is full would take longer than two jobs.
        enough = max(SMALL_JOB, outstanding // 2) if last else MOST_ITEMS
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
        while self._waiting or self._jobs or self._arrived:
            yield from self._send(0, 1)
            if self._waiting or self._jobs or self._arrived:
                yield from self._wait_for_jobs()

    def _wait_for_jobs(self) -> Iterator[Settled]:
        if not (self._ended or self._arrived):
            if self._deadline.remaining() < LATEST_S:
                raise DeadlineReached("jobs are still under way; the next run finds them by their ids")
            moment = self._next_poll if self._jobs else self._no_jobs_before
            self._deadline.wait(max(0.05, min(LATEST_S, moment - self._clock.monotonic())))
            if self._jobs:
                self._poll()
        yield from self._take_in()

    def _take_in(self, most: int | None = None) -> Iterator[Settled]:
        """Tickets whose jobs have ended, ``most`` of them, so that new answers are taken in between."""
        given = 0
        while (self._ended or self._arrived) and (most is None or given < most):
            if self._arrived:
                given += 1
                yield self._done_in_job(*self._arrived.popleft())
            else:
                job_id, status = next(iter(self._ended.items()))
                del self._ended[job_id]
                self._collect(job_id, self._jobs.pop(job_id), status)

    # Which way

    def _send(self, outstanding: int, enough: int, linger: float = LINGER_S) -> Iterator[Settled]:
        """Send what can be sent, as jobs where ``enough`` are waiting for one."""
        alone = [work for work in self._waiting if work.alone]
        if alone:
            self._waiting = [work for work in self._waiting if not work.alone]
            yield from self._singly(alone)
        while self._waiting:
            if not self._by_jobs(len(self._waiting) + outstanding):
                works, self._waiting = self._waiting[:MOST_ITEMS], self._waiting[MOST_ITEMS:]
                yield from self._singly(works)
                continue
            now = self._clock.monotonic()
            full = len(self._waiting) >= min(enough, self._job_items() + self.trust.on_trial)
            due = full or now - self._waiting[0].begun >= linger
            if not due or len(self._jobs) >= self._most_jobs() or now < self._no_jobs_before:
                return
            yield from self._as_job()

    def _by_jobs(self, together: int) -> bool:
        if self._dry_run or self._delivery.mode == "single" or self._jobs_refused or self.trust.refused:
            return False
        while self._singles and self._clock.monotonic() - self._singles[0] > MINUTE_S:
            self._singles.popleft()
        singly = self._delivery.batch_from - 1 - len(self._singles)
        if self._batching:
            singly = min(singly, FEW)
        use = self._delivery.mode == "batch" or together > singly
        if use and not self._batching:
            why = f"{together} tickets are under way" if self._delivery.mode == "auto" else "write_mode is batch"
            self._audit.alert("write_mode", mode="batch", why=why, verified="by reading back")
            self._batching = True
        return use

    def _job_items(self) -> int:
        return min(TRIAL_ITEMS, self._delivery.job_items) if self.trust.on_trial else self._delivery.job_items

    def _most_jobs(self) -> int:
        return 1 if self.trust.on_trial else self._delivery.most_jobs

    # One by one

    def _singly(self, works: list[Settlement]) -> Iterator[Settled]:
        for start in range(0, len(works), self._delivery.together):
            part = works[start : start + self._delivery.together]
            tickets = self._desk.fetch([work.ticket_id for work in part])
            for work in part:
                work.begun = self._clock.monotonic() if not work.sent else work.begun
                yield self._settle(work, tickets)

    def _plan(self, work: Settlement, tickets: Fetched) -> Change | Outcome:
        planned = self._planned(work, tickets)
        work.read_at = tickets[work.ticket_id].read_at if work.ticket_id in tickets else None
        found = isinstance(planned, Outcome) and planned.change is not None
        if not found and self._may_come_yet(work):
            return self._end(work, OutcomeStatus.SKIPPED, reasons.DEFERRED, retry=True)
        return planned

    def _may_come_yet(self, work: Settlement) -> bool:
        """Whether a job of whose end nothing is known may still write, and no stamp is known to keep it from that."""
        return not self.trust.stamps_guard and 0 < work.in_doubt_until - self._clock.now() <= LOST_JOB_S

    def _planned(self, work: Settlement, tickets: Fetched) -> Change | Outcome:
        if (fault := tickets.unread.get(work.ticket_id)) is not None:
            return self._end(work, OutcomeStatus.FAILED, str(fault), retry=True, failed_at="ticket")
        return self._planner.plan(work, tickets.get(work.ticket_id), self._clock.monotonic())

    def _settle(self, work: Settlement, tickets: Fetched) -> Settled:
        while True:
            change = self._plan(work, tickets)
            if isinstance(change, Outcome):
                return self._confirmed(work, self._withdrawn(work, change))
            self._before_write()
            self._open(work, change)
            self._audit.intent(change)
            self._state.open_intent(change)
            self._singles.append(self._clock.monotonic())
            try:
                edit = self._desk.update(change)
            except (UpdateConflict, OutcomeUnknown) as error:
                work.doubt = reasons.CHANGED_AGAIN if isinstance(error, UpdateConflict) else reasons.NO_CLEAR_ANSWER
                tickets = self._desk.fetch([work.ticket_id])
            except WaitForEarlier:
                return Settled(self._end(work, OutcomeStatus.SKIPPED, reasons.DEFERRED, retry=True))
            except TicketGone as gone:
                return Settled(self._end(work, OutcomeStatus.SKIPPED, str(gone)))
            except PartRefused as refused:
                # Nothing happened, so what was read still holds; the rest may be worth a write of its own.
                work.attempts -= 1
                if not self._planner.refused(work, change, refused.part):
                    end = self._end(work, OutcomeStatus.FAILED, str(refused), retry=True)
                    if work.verdict.follows:
                        end = self._end(work, OutcomeStatus.SKIPPED, incomplete((refused.part,)), retry=True)
                    return Settled(self._withdrawn(work, end))
            except UpdateRefused as refused:
                # That a status is refused, as for an empty field that solving needs, is no fault of the ticket.
                retry = change.closing is None
                end = self._end(work, OutcomeStatus.FAILED, str(refused), retry=retry, failed_at="update")
                return Settled(self._withdrawn(work, end))
            else:
                self._singly_done += 1
                work.recorded = edit
                return self._done(work, change)

    def _withdrawn(self, work: Settlement, end: Outcome) -> Outcome:
        """The end of a ticket without a write of ours, once nothing of one that was begun is left on it."""
        waits = end.status is OutcomeStatus.SKIPPED and end.retry and not end.reason.startswith(reasons.INCOMPLETE)
        if self._dry_run or not work.sent or end.change is not None or waits:
            return end
        try:
            self._desk.withdraw(work.sent[-1])
        except UpdateRefused as error:
            self._audit.alert("note_left", ticket_id=work.ticket_id, why=str(error))
        except TicketError:
            return end if end.retry else self._end(work, OutcomeStatus.SKIPPED, reasons.DEFERRED, retry=True)
        return end

    # As jobs

    def _as_job(self) -> Iterator[Settled]:
        size = self._job_items() + self.trust.on_trial  # one more, of which the job gets the stale item
        works, self._waiting = self._waiting[:size], self._waiting[size:]
        tickets = self._desk.fetch([work.ticket_id for work in works])
        job = _Job({}, self._clock.monotonic())
        changes: list[Change] = []
        for work in works:
            change = self._plan(work, tickets)
            if isinstance(change, Outcome):
                yield self._confirmed(work, change)
                continue
            changes.append(change)
            job.works[work.ticket_id] = work
        if not changes:
            return
        stale: Change | None = None
        if self.trust.on_trial and len(changes) > 1:
            stale = changes.pop()
            job.stale = stale.ticket_id
            self._waiting.insert(0, job.works.pop(stale.ticket_id))
        self._before_write()
        until = self._clock.now() + LOST_JOB_S
        for change in changes:
            self._open(job.works[change.ticket_id], change)
            job.works[change.ticket_id].in_doubt_until = until
        self._audit.intent(*changes)
        with self._state.together():
            self._state.open_intent(*changes)
            if self.trust.on_trial:
                self._state.remember(**{LOST_JOB_UNTIL: str(until)})
        try:
            job_id = self._desk.update_many(changes, stale=stale)
        except TooManyJobs as full:
            self._no_jobs_before = self._clock.monotonic() + full.wait
            self._full_in_a_row += not self._jobs
            if self._full_in_a_row >= FULL_IN_A_ROW:
                self._no_more_jobs("others take all the jobs that the account may have")
            self._not_taken(job)
        except JobRefused as refused:
            self._no_more_jobs(str(refused))
            self._not_taken(job)
        except OutcomeUnknown:
            self._back(job, doubt=reasons.NO_CLEAR_ANSWER)
        else:
            self._full_in_a_row = 0
            self._state.job_begun(job_id, [change.intent for change in changes])
            self._jobs_used += 1
            if not self._jobs:
                self._next_poll = self._clock.monotonic() + POLL_S / 2
            self._jobs[job_id] = job

    def _not_taken(self, job: _Job) -> None:
        """Nothing of the job was or will be done, so its intents count for nothing."""
        self._state.forget_intent(*(work.sent.pop().intent for work in job.works.values()))
        for work in job.works.values():
            work.in_doubt_until = 0.0
        self._back(job, attempts=-1)

    def _back(self, job: _Job, *, doubt: str = "", attempts: int = 0) -> None:
        for work in job.works.values():
            work.doubt = doubt or work.doubt
            work.attempts += attempts
        self._waiting = [*job.works.values(), *self._waiting]

    def _poll(self) -> None:
        """Ask how far the jobs are, and read what those that have ended replaced."""
        asked = [job_id for job_id in self._jobs if job_id not in self._ended]
        statuses = self._desk.jobs(asked)
        now = self._clock.monotonic()
        ended = {job_id: statuses[job_id] for job_id in asked if job_id in statuses and statuses[job_id].ended}
        self._read_recent([(self._jobs[job_id], status) for job_id, status in ended.items()])
        self._ended |= ended
        left = [SOONEST_S]
        for job_id in asked:
            if job_id in ended:
                continue
            job = self._jobs[job_id]
            job.missed = 0 if job_id in statuses else job.missed + 1
            if job.missed >= MISSED_POLLS or now - job.begun > JOB_PATIENCE_S:
                del self._jobs[job_id]
                self._state.job_ended(job_id)
                self._back(job, doubt=reasons.NO_CLEAR_ANSWER)
                self._learn_from(done=False)
            else:
                left.append(job.left_s(statuses.get(job_id), now))
        self._next_poll = now + min(max(left), POLL_S if self.trust.on_trial else LATEST_S)

    def _learn_from(self, *, done: bool) -> None:
        """A job has ended, or the helpdesk knows none; ``done`` when at least one of its items surely was."""
        self._in_vain = 0 if done else self._in_vain + 1
        if self._in_vain == JOBS_IN_VAIN:
            self._no_more_jobs("job after job has ended with nothing done, as far as can be told")

    def _no_more_jobs(self, why: str) -> None:
        if not self._jobs_refused:
            self._audit.alert("write_mode", mode="single", why=why)
        self._jobs_refused = True

    def _collect(self, job_id: str, job: _Job, status: JobStatus) -> None:
        """Tell apart what a job that has ended has done, what it has not, and what cannot be seen yet."""
        made: list[Settlement] = []
        for work in job.works.values():
            work.in_doubt_until = 0.0
            if status.results.get(work.ticket_id) is True:
                work.recorded = self._recorded.pop(work.sent[-1].intent, None)
                made.append(work)
            else:
                # An item's words say nothing certain; a single update's answer does.
                work.doubt, work.alone = reasons.JOB_ITEM_FAILED, True
                self._waiting.insert(0, work)
        unseen: dict[int, Settlement] = {}
        lacking = [work for work in made if work.recorded is None]
        if lacking:
            tickets = self._desk.fetch([work.ticket_id for work in lacking])
            for work in lacking:
                ticket = tickets.get(work.ticket_id)
                if ticket is None or not _shows(ticket, work.sent[-1]):
                    unseen[work.ticket_id] = work
        made = [work for work in made if work.ticket_id not in unseen]
        unseen |= {work.ticket_id: work for work in self._compare(made, last=job.looks >= LOOKS)}
        made = [work for work in made if work.ticket_id not in unseen]
        lacking = [work for work in made if work.recorded is None]
        if self.trust.on_trial and made:
            self.trust.judge(made, job.stale, status)
        elif lacking:
            self.trust.judge(lacking[:1], None, status)
        if self.trust.unguarded:
            # Where no stamp is known to guard, an item counts as done only once it is known what it has replaced.
            unseen |= {work.ticket_id: work for work in lacking}
            made = [work for work in made if work.recorded is not None]
        job.done = job.done or bool(made)
        if unseen and job.looks < LOOKS:
            # The read may be of a copy that is behind: it is repeated with the next poll.
            job.looks += 1
            job.works = unseen
            self._jobs[job_id] = job
        else:
            self._state.job_ended(job_id)
            self._learn_from(done=job.done)
            for work in unseen.values():
                work.doubt = reasons.NO_CLEAR_ANSWER
                self._waiting.insert(0, work)
        self._arrived.extend((work, job_id) for work in made)

    def _compare(self, made: Sequence[Settlement], *, last: bool) -> list[Settlement]:
        """Find what each item of a job has replaced, which may be more than it was merged from.

        Gives those of which the account's last audits do not tell yet; at the ``last`` look each of these is looked up.
        """
        missing = []
        for work in made:
            if work.recorded is None and self._recent_until and not last:
                missing.append(work)
            elif work.recorded is None:
                with suppress(TicketError):
                    work.recorded = self._desk.history(work.ticket_id).find(work.sent[-1].key)
            if work.recorded is not None:
                self._look_at(work, work.recorded)
        return missing

    def _look_at(self, work: Settlement, write: Edit) -> None:
        """Whether the note of a job's item came out as it was sent."""
        change = work.sent[-1]
        if write.comment == "public":
            raise note_published(work.ticket_id)
        if change.note and write.comment is None:
            self.trust.revoke(LOST_NOTE)

    def _read_recent(self, ended: Sequence[tuple[_Job, JobStatus]]) -> None:
        """Keep what the account's last audits tell of writes in jobs, on from where they were read last."""
        made = [
            work
            for job, status in ended
            for work in job.works.values()
            if status.results.get(work.ticket_id) is True and work.sent[-1].intent not in self._recorded
        ]
        moments = [work.read_at for work in made if work.read_at is not None]
        if not moments:
            return
        wanted = {work.sent[-1].intent for job in self._jobs.values() for work in job.works.values()}
        # Audits carry whole seconds, so that the last second that was read is read again.
        overlap = LATE_AUDITS_S if any(job.looks for job, _ in ended) else 0.0
        newest = ""
        with suppress(TicketError):
            for _, edit in self._desk.recent_edits(max(min(moments), self._recent_until - overlap)):
                newest = max(newest, edit.at)
                if edit.intent in wanted:
                    self._recorded[edit.intent] = edit
        with suppress(ValueError):  # a date that is none, or no edit at all
            self._recent_until = max(self._recent_until, parse_iso(newest))

    # Ends

    @staticmethod
    def _open(work: Settlement, change: Change) -> None:
        work.attempts += 1
        work.sent.append(change)

    def _done_in_job(self, work: Settlement, job_id: str) -> Settled:
        self._done_in_jobs += 1
        work.job = job_id
        return replace(self._done(work, work.sent[-1]), recorded=work.recorded)

    def _done(self, work: Settlement, change: Change) -> Settled:
        outcome = work.written(work.verdict.decision.reason, change, self._clock.monotonic())
        return Settled(outcome, self._left_to_write(work, outcome, change))

    def _confirmed(self, work: Settlement, outcome: Outcome) -> Settled:
        """An end that was read; a write of ours that is there after all is looked at as every other."""
        if outcome.change is None or work.recorded is None:
            return Settled(outcome)
        return Settled(outcome, self._left_to_write(work, outcome, outcome.change))

    def _left_to_write(self, work: Settlement, outcome: Outcome, change: Change) -> FollowUp | None:
        """The follow-up of a write: what a person has lost by it, and what the helpdesk refused."""
        missing = completion(outcome, work.verdict) if outcome.missing else None
        self._incomplete += missing is not None
        lost = overwritten(work.recorded, change) if work.recorded is not None else None
        if lost and work.recorded is not None:
            self.trust.overwrote(change, work.recorded)  # first: a reader of the alert may count on it
            self._audit.alert("overwrote", ticket_id=work.ticket_id, parts=lost.parts)
            return repair(change, lost, work.verdict, missing), REPAIR
        return None if missing is None else (missing, reasons.INCOMPLETE)

    def _end(
        self,
        work: Settlement,
        status: OutcomeStatus,
        reason: str,
        *,
        retry: bool = False,
        failed_at: Request | None = None,
    ) -> Outcome:
        return work.end(status, reason, retry=retry, failed_at=failed_at, now=self._clock.monotonic())


def _shows(ticket: Ticket, change: Change) -> bool:
    """Whether a ticket that was read shows a change; a later edit may hide it.

    A change happens whole or not at all: one new tag of it is proof, whatever triggers have made of the rest.
    """
    if ticket.updated_at == change.stamp:
        return False
    if change.tags_added:
        return not set(change.tags_added).isdisjoint(ticket.tags)
    return (
        not set(change.tags_removed) & set(ticket.tags)
        and (change.priority is None or ticket.priority is change.priority)
        and (change.group is None or ticket.group == change.group)
        and (change.closing is None or ticket.status == change.closing.status)
        # A field of several choices may come back in another order.
        and all(set(ticket.fields.get(key, "").split()) == set(value.split()) for key, value in change.fields.items())
        and ("priority" not in change.cleared or ticket.priority is None)
        and ("group" not in change.cleared or ticket.group is None)
        and not set(change.fields_cleared) & ticket.fields.keys()
    )
