"""A walk over solved history: each ticket is understood as a run would, and what would be written goes to a file.

The helpdesk is only read. History is not urgent, so when no model can be asked the walk pauses, and in the end
stops, where a run would take the rules' word.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

from ...analysis.budget import DAY_SPENT, RUN_SPENT
from ...analysis.chain import Understanding
from ...analysis.guard import PERMANENT
from ...analysis.model_server.answer_gate import plain_words
from ...analysis.text.redact import redact
from ...core import reasons
from ...core.clock import Clock, Deadline
from ...core.errors import CannotRun, DeadlineReached, Stopping, TicketbotError, TicketError, unexpected
from ...core.id_set import IdSet
from ...core.models import Analysis, Decision, Ticket, Usage
from ...core.taxonomy import Taxonomy
from ...helpdesk.ticket_history import History
from ...policy.decide import Policy, decide
from ...policy.reanalysis import in_vain
from ...policy.tiers import TIER_TAGS
from ...tags import write_key
from ..fan_out import FanOut, Stuck
from ..settlement import clean_stamp as known_clean
from .results_file import DECIDED, BackfillFile, Entry

PAUSE_S = 60.0
MOST_PAUSES = 10
"""Consecutive pauses without a model's answer before the walk stops."""
MOST_TRIES = 3
"""Attempts for a ticket while models answer other tickets; after them the rules' answer stands."""
SETTLE_EVERY = 100
SPENT = {
    RUN_SPENT: "what models may cost in a run is spent (budget.run_usd, budget.run_tokens)",
    DAY_SPENT: "what models may cost in a day is spent (budget.day_usd, budget.day_tokens)",
}
HISTORY = (reasons.SOLVED, reasons.CLOSED)


class HistoryDesk(Protocol):
    """The part of a helpdesk that a walk over history needs; it only reads."""

    def solved(self, since: float) -> Iterator[tuple[Ticket, ...]]:
        """Solved and closed tickets created since ``since`` (Unix seconds), page after page."""

    def fetch(self, ticket_ids: Sequence[int]) -> Mapping[int, Ticket]:
        """The tickets as they are now, by id; deleted and unknown ones are absent."""

    def history(self, ticket_id: int) -> History:
        """Everything that has happened to the ticket. Raises :class:`TicketError`."""


@dataclass(frozen=True)
class Task:
    """A ticket to be understood, and the key of the write it may get.

    ``tries`` counts how often no model could be asked, ``answers`` how many tickets models had answered when that was
    so for the first time.
    """

    ticket: Ticket
    key: str
    tries: int = 0
    answers: int = 0


@dataclass
class BackfillTally:
    """The progress of a walk. ``counts`` are by :attr:`Entry.kind`, ``failed`` by reason."""

    seen: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    answered_by: Counter[str] = field(default_factory=Counter)
    usage: Usage = field(default_factory=Usage)
    cost_usd: float = 0.0
    cached: int = 0

    def understood(self, analysis: Analysis) -> None:
        """An analysis, and what it cost."""
        self.counts[DECIDED] += 1
        self.answered_by[analysis.model or analysis.source] += 1
        self.usage = self.usage + analysis.usage
        self.cost_usd += analysis.cost_usd or 0.0
        self.cached += analysis.cached


@dataclass(frozen=True)
class BackfillPolicy:
    """How decisions are made. Not ``as_new``, they keep what describes a ticket, and nothing that asks for work."""

    policy: Policy
    taxonomy: Taxonomy | None = None
    as_new: bool = False

    def __call__(self, ticket_id: int, analysis: Analysis) -> Decision:
        """The decision for the ticket."""
        whole = decide(ticket_id, analysis, self.policy, self.taxonomy)
        if self.as_new:
            return whole
        # Triggers on these would wake a person for a ticket that was settled long ago, or send it on.
        routes = {self.policy.tag(name) for name in ("escalated", *TIER_TAGS)}
        tags = tuple(tag for tag in whole.tags if tag not in routes)
        return Decision(ticket_id=ticket_id, tags=tags, fields=whole.fields, reason=whole.reason)


class Backfill:
    """One walk. For one thread; models are asked in those of ``executor``.

    ``left_alone`` says why a ticket is none of this program's business, ``check`` is asked before each and may raise to
    end the walk, ``told`` hears of each ticket's end: its id, and :attr:`Entry.kind` or what went wrong.
    """

    def __init__(
        self,
        desk: HistoryDesk,
        understanding: Understanding,
        judgement: BackfillPolicy,
        file: BackfillFile,
        executor: Executor,
        clock: Clock,
        deadline: Deadline,
        *,
        left_alone: Callable[[Ticket], str | None] = lambda _ticket: None,
        check: Callable[[], None] = lambda: None,
        told: Callable[[int, str], object] = lambda _ticket_id, _what: None,
        workers: int = 8,
        timeout_s: float = 90.0,
        stable_read_s: float = 6.0,
        limit: int | None = None,
    ) -> None:
        self._desk = desk
        self._understanding = understanding
        self._judgement = judgement
        self.file = file
        self._executor = executor
        self._clock = clock
        self._deadline = deadline
        self._left_alone = left_alone
        self._check = check
        self._told = told
        self._workers = workers
        self._timeout_s = timeout_s
        self._stable_read_s = stable_read_s
        self._limit = limit
        self._begun = IdSet()
        self._given = 0
        self._again: list[Task] = []
        self._silent = 0
        self._answers = 0
        self.tally = BackfillTally()
        self.enough: str | None = None
        """The limit of the budget that ended the walk, in a sentence."""
        self.abandoned = 0
        """Worker threads left behind in calls that do not end."""

    # Which tickets

    def history(self, since: float) -> Iterator[Task]:
        """The tickets created since ``since`` (Unix seconds) that are to be understood, at most ``limit``.

        Tickets in the file are left out.
        """
        for page in self._desk.solved(since):
            for ticket in page:
                if ticket.id in self.file or ticket.id in self._begun:
                    continue
                if self._limit is not None and self._given >= self._limit:
                    return
                task = self._task(ticket)
                if task is not None:
                    self._begun.add(ticket.id)
                    self._given += 1
                    yield task

    def _task(self, ticket: Ticket) -> Task | None:
        """The task for a ticket; ``None`` when it is left alone, which the file then says."""
        self._clock.check()
        self._check()
        self.tally.seen += 1
        key = write_key(ticket)
        try:
            reason = self._reason(ticket, key)
        except TicketError as error:
            self._failed(ticket.id, str(error))
            return None
        if reason is None:
            return Task(ticket, key)
        if reason != reasons.REOPENED:  # by the next walk it may be solved again
            self.file.add(
                Entry(ticket_id=ticket.id, status=ticket.status, reason=reason, clean_stamp=ticket.updated_at)
            )
        self.tally.counts[reason] += 1
        self._told(ticket.id, reason)
        return None

    def _reason(self, ticket: Ticket, key: str) -> str | None:
        if ticket.status not in HISTORY:
            return reasons.REOPENED  # the search lags behind
        if self._judgement.policy.marker in ticket.tags and not ticket.follow_up:
            return reasons.ALREADY_DONE
        if (reason := self._left_alone(ticket)) is not None:
            return reason
        # A closed ticket takes no write, so only for the others it has to be certain that there is none of ours yet.
        clean = ticket.seconds_to_last_change < self._stable_read_s
        if ticket.status != "closed" and not clean and self._desk.history(ticket.id).triaged(key) is not None:
            return reasons.ALREADY_DONE
        return None

    # Understanding them

    def run(self, tasks: Iterator[Task]) -> None:
        """Understand the tickets, and write what is decided to the file as it comes.

        Raises ``CannotRun`` when no model of the list answers for long, ``Stopping``, and what the desk raises. What
        was finished by then is in the file.
        """
        self._each(self._with_second_tries(tasks))
        while self._again and self.enough is None:
            self._each(self._after_a_pause())
        self.file.settle()

    def _each(self, tasks: Iterator[Task]) -> None:
        """Understand every task in the executor, and settle it here."""
        fan_out: FanOut[Task, tuple[Analysis, int]] = FanOut(
            self._executor,
            self._understood,
            workers=self._workers,
            window=max(2 * self._workers, 100),
            timeout_s=self._timeout_s,
            clock=self._clock,
            deadline=self._deadline,
            reserve_s=0.0,
        )
        waiting: deque[tuple[Task, Future[tuple[Analysis, int]]]] = deque()
        try:
            with closing(fan_out.over(tasks)) as results:
                for finished in results:
                    waiting.extend(finished)
                    while waiting:
                        self._settle(*waiting.popleft())
        finally:
            self.abandoned += fan_out.abandoned
            for item in (*waiting, *fan_out.unclaimed):
                with suppress(TicketbotError):  # why it ended is on its way already
                    self._settle(*item)  # paid for

    def _understood(self, task: Task) -> tuple[Analysis, int]:
        started = self._clock.monotonic()
        analysis = self._understanding(task.ticket)
        return analysis, round((self._clock.monotonic() - started) * 1000)

    def _settle(self, task: Task, future: Future[tuple[Analysis, int]]) -> None:
        """Put what was understood into the file, or the ticket aside where no model could be asked.

        A call that hangs is answered by the rules.
        """
        try:
            analysis, milliseconds = future.result()
        except Stuck:
            analysis, milliseconds = self._understanding.without_models(task.ticket, "model_hung"), 0
        except (Stopping, DeadlineReached):
            return  # the walk is ending; the ticket is not in the file, and the next one takes it
        except CannotRun:
            raise
        except Exception as error:  # noqa: BLE001 - one ticket's fault must not end the walk; it is told
            self._failed(task.ticket.id, unexpected(error))
            return
        if analysis.source == "model":
            self._answers += 1
            self._silent = 0
        elif self._understanding.links and not in_vain(analysis.why_fallback):
            why = analysis.why_fallback or ""
            if why in SPENT:
                self.enough = SPENT[why]
                return
            answered_others = task.tries > 0 and self._answers > task.answers
            if why in PERMANENT or task.tries + 1 < MOST_TRIES or not answered_others:
                self._later(task, why)
                return
        self._record(task, analysis, milliseconds)

    def _record(self, task: Task, analysis: Analysis, milliseconds: int) -> None:
        ticket = task.ticket
        analysis = plain_words(analysis, lambda text: redact(text).text)
        decision = self._judgement(ticket.id, analysis)
        self.file.add(
            Entry(
                ticket_id=ticket.id,
                status=ticket.status,
                reason=decision.reason,
                analysis=analysis,
                decision=decision,
                key=task.key,
                clean_stamp=known_clean(ticket, self._stable_read_s),
                analyse_ms=milliseconds,
            )
        )
        self.tally.understood(analysis)
        if self.tally.counts[DECIDED] % SETTLE_EVERY == 0:
            self.file.settle()
        self._told(ticket.id, DECIDED)

    def _failed(self, ticket_id: int, why: str) -> None:
        self.tally.failed[why] += 1
        self._told(ticket_id, f"failed ({why})")

    # Waiting for models

    def _later(self, task: Task, why: str) -> None:
        if why in PERMANENT or self._silent >= MOST_PAUSES:
            raise CannotRun(
                f"no model of the list can be asked ({why.replace('_', ' ')}); what was understood by now is in "
                f"{self.file.path}, and the same command goes on from there"
            )
        answers = task.answers if task.tries else self._answers
        self._again.append(replace(task, tries=task.tries + 1, answers=answers))

    def _with_second_tries(self, tasks: Iterator[Task]) -> Iterator[Task]:
        for task in tasks:
            yield from self._after_a_pause()
            if self.enough is not None:
                return
            yield task

    def _after_a_pause(self) -> Iterator[Task]:
        """The tickets for which no model could be asked, once some time has passed."""
        if self._again:
            self._silent += 1
            self._clock.wait(PAUSE_S)
            waiting, self._again = self._again, []
            yield from waiting
