"""Sends and polls jobs of many updates, and finds out from the tickets what each job has done.

An item counts as done only if the job reports it and the ticket shows it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ..audit.receipts import AuditLog
from ..core import reasons
from ..core.clock import Clock, Deadline
from ..core.errors import DeadlineReached, JobRefused, OutcomeUnknown, TooManyJobs
from ..core.models import Change, Ticket
from ..helpdesk.protocol import Helpdesk, JobStatus
from ..state.store import State
from .job_trust import JobTrust
from .settlement import Settlement, shows

MOST_ITEMS = 100

WriteMode = Literal["auto", "single", "batch"]


@dataclass(frozen=True)
class Delivery:
    """How changes are sent. In mode ``auto``, jobs are used once ``batch_from`` tickets are on their way together.

    Single updates of the last minute count as on their way, since the helpdesk's limit counts them. We use at most
    ``most_jobs`` at a time; the account may have thirty. ``together`` is how many tickets are read before the first of
    them gets a single update; if nothing guards updates, it is 1.
    """

    mode: WriteMode = "auto"
    batch_from: int = 25
    job_items: int = MOST_ITEMS
    most_jobs: int = 10
    together: int = MOST_ITEMS


@dataclass(frozen=True)
class Tools:
    """What steps that write need.

    ``before_write`` is called before anything is sent and may raise to stop everything (a kill switch). With
    ``readers`` several records are read at a time.
    """

    desk: Helpdesk
    state: State
    audit: AuditLog
    clock: Clock
    deadline: Deadline
    before_write: Callable[[], None] = lambda: None
    delivery: Delivery = Delivery()
    dry_run: bool = False
    readers: bool = False


TRIAL_ITEMS = 5
"""Number of items in the first job on an unknown account; the record of each is read."""
JOB_PATIENCE_S = 180.0
"""Seconds. Slower jobs are abandoned, their tickets are read again, and single updates write what they left.

If such a job still runs, our newer stamps make its late items fail.
"""
LOST_JOB_S = 600.0
"""Seconds that a job may still run if its reply was lost. Unless stamps guard, nothing is sent again until then."""
MISSED_POLLS = 3
FULL_IN_A_ROW = 3
"""Consecutive TooManyJobs replies, without a job of ours under way, after which single updates are used."""
LOOKS = 3
"""Number of reads, one per poll, of tickets that do not show what their job reports."""
JOBS_IN_VAIN = 3
"""Consecutive jobs without an item known to be done, after which single updates are used."""
POLL_S = 2.0
"""Seconds between polls of a job without progress; other jobs are polled when they should have ended."""
SOONEST_S, LATEST_S = 0.5, 5.0
LOST_JOB_UNTIL = "lost_job_until"
"""Fact of the state: until when (Unix seconds) a job with an unknown end may still run."""


@dataclass
class _Job:
    begun: float
    works: dict[int, Settlement] = field(default_factory=dict)
    stale: Settlement | None = None
    """The one whose item has an old stamp."""
    missed: int = 0
    looks: int = 0
    done: bool = False

    def left_s(self, pace_s: float | None, now: float) -> float:
        """Seconds until the job should have ended, at ``pace_s`` seconds per item."""
        return POLL_S if pace_s is None or self.looks else pace_s * len(self.works) - (now - self.begun)


class UpdateJobs:
    """Our jobs on the account. Used by one thread.

    Tickets that a job seems not to have written go back to the front of ``waiting``.
    """

    def __init__(self, tools: Tools, waiting: list[Settlement]) -> None:
        self._desk, self._state, self._audit, self._clock = tools.desk, tools.state, tools.audit, tools.clock
        self._delivery = tools.delivery
        self._before_write = tools.before_write
        self._waiting = waiting
        self._jobs: dict[str, _Job] = {}
        self._ended: dict[str, JobStatus] = {}
        self._arrived: deque[tuple[Settlement, str]] = deque()
        self._next_poll = 0.0
        self._pace_s: float | None = None
        self._none_before = 0.0
        self._given_up = False
        self._in_vain = 0
        self._full_in_a_row = 0
        self.trust = JobTrust(tools)
        self.used = 0
        """Number of jobs so far."""

    @property
    def open(self) -> int:
        """Number of tickets in jobs that are not settled."""
        return len(self._arrived) + sum(len(job.works) for job in self._jobs.values())

    @property
    def refused(self) -> bool:
        """True if only single updates are used from now on."""
        return self._given_up or self.trust.refused

    @property
    def takes(self) -> int:
        """Number of tickets for the next job: on trial a few, and one more with an old stamp."""
        if self.trust.on_trial:
            return min(TRIAL_ITEMS, self._delivery.job_items) + 1
        return self._delivery.job_items

    @property
    def may_begin(self) -> bool:
        """True if another job may be begun."""
        most = 1 if self.trust.on_trial else self._delivery.most_jobs
        return len(self._jobs) < most and self._clock.monotonic() >= self._none_before

    def may_still_write(self, work: Settlement) -> bool:
        """True if a job with an unknown end may still write the ticket, and no stamp is known to prevent that."""
        return 0 < work.in_doubt_until - self._clock.now() <= LOST_JOB_S and not self.trust.stamps_guard

    def lost_until(self) -> float:
        """Until when (Unix seconds) a job of earlier runs with an unknown end may still run."""
        return float(self._state.fact(LOST_JOB_UNTIL) or 0.0)

    def resume(self, works: Mapping[str, Sequence[Settlement]]) -> None:
        """Follow the jobs of earlier runs, by their ids."""
        now, wall = self._clock.monotonic(), self._clock.now()
        begun = self._state.jobs_begun()
        for job_id, items in works.items():
            self._jobs[job_id] = _Job(now - max(0.0, wall - begun[job_id]), {work.ticket_id: work for work in items})
            for work in items:
                work.in_doubt_until = max(work.in_doubt_until, begun[job_id] + LOST_JOB_S)
        self.used += len(works)
        self._poll()

    def begin(self, planned: Sequence[tuple[Settlement, Change]], begun: float) -> None:
        """Send a job with the ``planned`` changes, whose tickets were read at ``begun`` (monotonic seconds)."""
        job = _Job(begun)
        if self.trust.wants_stale_item and len(planned) > 1:
            job.stale = planned[-1][0]
        self._before_write()
        until = self._clock.now() + LOST_JOB_S
        for work, change in planned:
            job.works[work.ticket_id] = work
            work.sends(change)
            work.in_doubt_until = until
        changes = [change for _, change in planned]
        self._audit.intent(*changes)
        with self._state.transaction():
            self._state.open_intent(*changes)
            if self.trust.on_trial:
                self._state.remember(**{LOST_JOB_UNTIL: str(until)})
        try:
            job_id = self._desk.update_many(changes, stale=job.stale.ticket_id if job.stale else None)
        except TooManyJobs as full:
            self._none_before = self._clock.monotonic() + full.wait
            self._full_in_a_row += not self._jobs
            if self._full_in_a_row >= FULL_IN_A_ROW:
                self._give_up("other programs use all the jobs that the account may have")
            self._not_taken(job)
        except JobRefused as refused:
            self._give_up(str(refused))
            self._not_taken(job)
        except OutcomeUnknown:
            self._back(job, doubt=reasons.NO_CLEAR_ANSWER)
        else:
            self._full_in_a_row = 0
            self._state.job_begun(job_id, [change.intent for change in changes], until - LOST_JOB_S)
            self.used += 1
            if not self._jobs:
                self._next_poll = self._clock.monotonic() + POLL_S / 2
            self._jobs[job_id] = job

    def poll_due(self) -> None:
        """Poll the jobs if one should have ended."""
        if self._jobs and not (self._ended or self._arrived) and self._clock.monotonic() >= self._next_poll:
            self._poll()

    def wait(self, deadline: Deadline) -> None:
        """Wait until a job should have ended or another may be begun; not if one has ended.

        Raises ``DeadlineReached`` with jobs still under way: the next run finds them by their ids.
        """
        if self._ended or self._arrived:
            return
        if deadline.remaining() < LATEST_S:
            raise DeadlineReached("jobs are still under way; the next run finds them by their ids")
        moment = self._next_poll if self._jobs else self._none_before
        deadline.wait(max(0.05, min(LATEST_S, moment - self._clock.monotonic())))
        if self._jobs:
            self._poll()

    def written(self, most: int | None = None) -> Iterator[tuple[Settlement, str]]:
        """Yield at most ``most`` tickets that a job has written, with the job's id."""
        given = 0
        while (self._ended or self._arrived) and (most is None or given < most):
            if self._arrived:
                given += 1
                yield self._arrived.popleft()
            else:
                job_id, status = next(iter(self._ended.items()))
                del self._ended[job_id]
                self._collect(job_id, self._jobs.pop(job_id), status)

    def _not_taken(self, job: _Job) -> None:
        """Drop the intents of a job that was refused as a whole."""
        self._state.forget_intent(*(work.sent.pop().intent for work in job.works.values()))
        for work in job.works.values():
            work.in_doubt_until = 0.0
        self._back(job, attempts=-1)

    def _back(self, job: _Job, *, doubt: str = "", attempts: int = 0) -> None:
        for work in job.works.values():
            work.doubt = doubt or work.doubt
            work.attempts += attempts
        self._waiting[:0] = job.works.values()

    def _poll(self) -> None:
        """Poll the jobs."""
        asked = [job_id for job_id in self._jobs if job_id not in self._ended]
        statuses = self._desk.jobs(asked)
        now = self._clock.monotonic()
        ended = {job_id: statuses[job_id] for job_id in asked if job_id in statuses and statuses[job_id].ended}
        self._ended |= ended
        # The fastest job shows how long the others take: a job that has just begun has mostly waited so far.
        paces = [(now - self._jobs[job_id].begun) / it.progress for job_id, it in statuses.items() if it.progress]
        self._pace_s = min(filter(None, [self._pace_s, *paces]), default=None)
        left = [SOONEST_S]
        for job_id in asked:
            if job_id in ended:
                continue
            job = self._jobs[job_id]
            job.missed = 0 if job_id in statuses else job.missed + 1
            late = now - job.begun > JOB_PATIENCE_S
            if late or job.missed >= MISSED_POLLS:
                for work in job.works.values():
                    work.alone = work.alone or late  # otherwise a run could wait for one job after another
                del self._jobs[job_id]
                with self._state.transaction():
                    self._state.job_ended(job_id)
                    until = max(self.lost_until(), *(work.in_doubt_until for work in job.works.values()))
                    self._state.remember(**{LOST_JOB_UNTIL: str(until)})
                self._back(job, doubt=reasons.NO_CLEAR_ANSWER)
                self._learn_from(done=False)
            else:
                left.append(job.left_s(self._pace_s, now))
        self._next_poll = now + min(max(left), POLL_S if self.trust.on_trial else LATEST_S)

    def _learn_from(self, *, done: bool) -> None:
        """Learn from a job that has ended or is unknown; ``done``: at least one of its items surely was made."""
        self._in_vain = 0 if done else self._in_vain + 1
        if self._in_vain == JOBS_IN_VAIN:
            self._give_up("several jobs in a row changed nothing")

    def _give_up(self, why: str) -> None:
        if not self._given_up:
            self._audit.alert("write_mode", mode="single", why=why)
        self._given_up = True

    def _collect(self, job_id: str, job: _Job, status: JobStatus) -> None:
        """Sort the items of an ended job into done, not done, and not visible yet.

        If stamps are known to guard, the job's report and the ticket are the proof, and one item's record is read to
        check note and priority. Otherwise, or if that one lacks a part, each item's record is read: an item is done
        only once it is known what it replaced.
        """
        said: list[Settlement] = []
        for work in job.works.values():
            work.in_doubt_until = 0.0
            if status.results.get(work.ticket_id) is True:
                said.append(work)
            elif work is job.stale:
                work.attempts -= 1
                self._waiting.insert(0, work)
            else:
                # An item's error is not reliable; the answer to a single update is.
                work.doubt, work.alone = reasons.JOB_ITEM_FAILED, True
                self._waiting.insert(0, work)
        fetched = self._desk.fetch([work.ticket_id for work in said]) if said else {}
        tickets = {number: ticket for number, ticket in fetched.items() if isinstance(ticket, Ticket)}
        made = [work for work in said if (it := tickets.get(work.ticket_id)) and shows(it, work.sent[-1])]
        unguarded = self.trust.unguarded
        # The ticket shows its tags; only the record of an item that set a priority shows whether it was left out.
        one = max(made, key=lambda work: work.sent[-1].priority is not None, default=None)
        sample = made if unguarded else [work for work in made if work in (one, job.stale)]
        if sample:
            self.trust.judge(sample, job.stale, status, tickets)
        if self.trust.unguarded or any(work.recorded and work.recorded.dropped for work in sample):
            if not unguarded:  # the sample has just shown that
                self.trust.judge([work for work in made if work not in sample], None, status, tickets)
            made = [work for work in made if work.recorded is not None]
        elif one is not None and one.recorded is None and job.looks < LOOKS:
            made.remove(one)  # its record is late or unreadable
        unseen = {work.ticket_id: work for work in said if work not in made}
        job.done = job.done or bool(made)
        if unseen and job.looks < LOOKS:
            # The read may have come from a late copy: it is repeated with the next poll.
            job.looks += 1
            job.works = unseen
            self._jobs[job_id] = job
        else:
            self._state.job_ended(job_id)
            self._learn_from(done=job.done)
            for work in unseen.values():
                # Its record shows what happened; without one, the answer to a single update does.
                work.doubt, work.alone = reasons.NO_CLEAR_ANSWER, True
                self._waiting.insert(0, work)
        self._arrived.extend((work, job_id) for work in made)
