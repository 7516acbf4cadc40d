"""The loop: hand out batches, judge what comes back, keep what is good, ask again for the rest, know when to stop."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field

from ...analysis.budget import DAY_SPENT, RUN_SPENT
from ...analysis.model_server.connection import AnswerUnusable, ModelBusy
from ...analysis.rules.analyser import RulesAnalyser
from ...core.clock import Clock, Deadline
from ...core.errors import AnalysisFailed, CannotRun, DeadlineReached
from ...core.models import Usage
from ...core.taxonomy import Taxonomy
from ..corpus import SeedTicket
from .author import BREAKER_OPEN, Author, Batch, OutOfBudget
from .checks import Checks, Draft, KnownTexts
from .plan import Hints, Slot, hints_for
from .request import slot_line
from .rowfile import RowFile, row_id

BATCH = 5
"""Tickets in one request: the fixed part of the prompt is paid for once, and an answer stays within usual limits."""
MOST_ASKS = 4
"""Requests for one ticket at most, each with other hints."""
USELESS_IN_A_ROW = 6
"""Consecutive answers without a good ticket after which writing ends."""
PAUSES_IN_A_ROW = 2
FIRST_PAUSE_S = 5.0
POLL_S = 0.1
_PERMANENT = ("model_not_authorised", "model_unknown", "model_no_quota", "model_refused_request", "model_redirected")
_STOPS = {
    RUN_SPENT: "the budget of a run is spent",
    DAY_SPENT: "the day's budget is spent",
}


@dataclass
class WritingReport:
    """The result of the writing. ``rejected`` and ``stopped`` hold fixed words; ``open`` counts missing tickets."""

    saved: int = 0
    duplicates: int = 0
    flagged: int = 0
    answers: int = 0
    open: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    usage: Usage = field(default_factory=Usage)
    cost_usd: float | None = None
    stopped: str | None = None
    abandoned: int = 0

    @property
    def line(self) -> str:
        """Where it stands, in a line."""
        parts = [f"{self.saved} written", f"{self.open} to go"]
        if self.rejected:
            parts.append(f"{self.rejected.total()} rejected")
        if self.duplicates:
            parts.append(f"{self.duplicates} near-duplicates")
        return ", ".join(parts)


@dataclass(frozen=True)
class _Asked:
    slots: tuple[Slot, ...]
    hints: tuple[Hints, ...]
    lines: tuple[str, ...]


class Writing:
    """Fills ``file`` with the tickets of a plan. For one thread, which alone judges and writes; the model is asked in
    the ``executor``'s threads, ``workers`` requests at a time.

    ``known`` are tickets that nothing may resemble; the file's own rows are added to them.
    """

    def __init__(
        self,
        author: Author,
        file: RowFile,
        taxonomy: Taxonomy,
        rules: RulesAnalyser,
        *,
        seed: int,
        known: Sequence[SeedTicket],
        executor: Executor,
        workers: int,
        clock: Clock,
        deadline: Deadline,
        progress: Callable[[int], None] = lambda _count: None,
        tell: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self._author = author
        self._file = file
        self._taxonomy = taxonomy
        self._seed = seed
        self._executor = executor
        self._workers = workers
        self._clock = clock
        self._deadline = deadline
        self._progress = progress
        self._tell = tell
        self._checks = Checks(taxonomy, rules, author.instructions, accepted=len(file.rows))
        self._texts = KnownTexts()
        for ticket in known:
            self._texts.add(f"{ticket.subject}\n{ticket.text}")
        for row in file.rows:
            self._texts.add(f"{row.get('subject', '')}\n{row.get('body', '')}")
        self._queue: deque[Slot] = deque()
        self._running: dict[Future[Batch], _Asked] = {}
        self._batch = BATCH
        self._useless = 0
        self._pauses = 0
        self._silent: str | None = None
        self.report = WritingReport()

    def fill(self, slots: Sequence[Slot]) -> WritingReport:
        """Have these tickets written. What is good is in the file at once, whatever happens later.

        Ends early, and says so in ``stopped``, when budget or time is used up or when the model writes nothing
        usable. Raises :class:`CannotRun` when the model does not answer at all, ``Stopping`` on a signal.
        """
        self._queue.extend(slots)
        self.report.open = len(slots)
        try:
            while self._queue or self._running:
                self._hand_out()
                if self._running:
                    self._collect()
                elif self._silent is not None and self.report.stopped is None:
                    self._pause()
                else:
                    break
        except DeadlineReached:
            self.report.stopped = "the time is used up"
        finally:
            self.report.abandoned = sum(not future.cancel() and not future.done() for future in self._running)
        return self.report

    def _hand_out(self) -> None:
        # One request until the first answer: a server that is down, or wants other forms, need not be asked by all.
        workers = self._workers if self.report.answers else 1
        while self._queue and len(self._running) < workers and not (self.report.stopped or self._silent):
            asked = self._asked()
            self._running[self._executor.submit(self._author.write, asked.lines)] = asked

    def _asked(self) -> _Asked:
        """The next batch, in one language: models write one better than several at once."""
        language = self._queue[0].cell.language
        slots = [slot for slot in self._queue if slot.cell.language == language][: self._batch]
        for slot in slots:
            self._queue.remove(slot)
        hints = [hints_for(slot, self._seed, self._taxonomy) for slot in slots]
        pairs = enumerate(zip(slots, hints, strict=True), start=1)
        lines = [slot_line(number, slot, hint) for number, (slot, hint) in pairs]
        return _Asked(tuple(slots), tuple(hints), tuple(lines))

    def _collect(self) -> None:
        done, _ = wait(self._running, timeout=POLL_S, return_when=FIRST_COMPLETED)
        self._clock.check()
        for future in [future for future in self._running if future in done]:
            asked = self._running.pop(future)
            try:
                batch = future.result()
            except AnalysisFailed as error:
                self._failed(asked, error)
            else:
                self._judge(asked, batch)
        if not done:
            self._deadline.check()

    def _judge(self, asked: _Asked, batch: Batch) -> None:
        self._answered(batch.usage, batch.cost_usd)
        if not batch.whole:
            self._batch = max(1, self._batch // 2)
        before = self.report.saved
        for number, (slot, hints, line) in enumerate(zip(asked.slots, asked.hints, asked.lines, strict=True), start=1):
            given = batch.drafts.get(number)
            missing = "not_in_answer" if batch.whole else "cut_off"
            reason = missing if given is None else self._take(*given, slot, hints, line)
            if reason is not None:
                self._again(slot, reason)
        if self.report.saved > before:
            self._file.settle()
        self._useful(self.report.saved > before)
        self._tell(self.report.line)

    def _take(self, subject: object, body: object, slot: Slot, hints: Hints, line: str) -> str | None:
        """Keep a ticket, or say why not."""
        draft = self._checks.draft(subject, body)
        if isinstance(draft, str):
            return draft
        reason = self._checks.objection(draft, slot, line)
        if reason is not None:
            return reason
        if not self._texts.is_new(draft.text):
            return "near_duplicate"
        doubt = self._checks.doubt(draft, slot)
        self._file.append(self._row(draft, slot, hints, doubt))
        self._checks.accepted(draft)
        self._texts.add(draft.text)
        self.report.saved += 1
        self.report.open -= 1
        self.report.flagged += doubt is not None
        self._progress(1)
        return None

    def _row(self, draft: Draft, slot: Slot, hints: Hints, doubt: str | None) -> Mapping[str, object]:
        category, subcategory = self._taxonomy.split(slot.cell.category)
        row: dict[str, object] = {
            "id": row_id(draft.subject, draft.body),
            "subject": draft.subject,
            "body": draft.body,
            "category": category,
            "priority": hints.urgency.value,
            "sentiment": slot.cell.mood.value,
            "language": slot.cell.language,
            "source": f"synthetic:{self._author.name}",
        }
        if subcategory is not None:
            row["subcategory"] = subcategory
        if doubt is not None:
            row["doubt"] = doubt
        return row

    def _again(self, slot: Slot, reason: str) -> None:
        if reason == "near_duplicate":
            self.report.duplicates += 1
        else:
            self.report.rejected[reason] += 1
        if slot.attempt + 1 < MOST_ASKS:
            self._queue.append(slot.again)

    def _failed(self, asked: _Asked, error: AnalysisFailed) -> None:
        if isinstance(error, OutOfBudget):
            self.report.stopped = _STOPS.get(error.reason, error.reason)
        elif error.reason in _PERMANENT:
            raise CannotRun(f"the model {self._author.name} cannot be used: {error.reason}{self._so_far()}")
        elif isinstance(error, ModelBusy) or error.reason == BREAKER_OPEN:
            self._queue.extendleft(reversed(asked.slots))
            if error.reason == "model_timeout":
                self._batch = max(1, self._batch // 2)
            if self._silent in (None, BREAKER_OPEN):
                self._silent = error.reason
        else:
            spent = error if isinstance(error, AnswerUnusable) else None
            self._answered(spent.usage if spent else Usage(), spent.cost_usd if spent else None)
            for slot in asked.slots:
                self._again(slot, error.reason)
            self._useful(False)

    def _answered(self, usage: Usage, cost_usd: float | None) -> None:
        self.report.answers += 1
        self.report.usage = self.report.usage + usage
        if cost_usd is not None:
            self.report.cost_usd = (self.report.cost_usd or 0.0) + cost_usd
        self._pauses = 0

    def _useful(self, useful: bool) -> None:
        self._useless = 0 if useful else self._useless + 1
        if self._useless >= USELESS_IN_A_ROW and self.report.stopped is None:
            self.report.stopped = f"{self._useless} answers in a row held no usable ticket"

    def _pause(self) -> None:
        """Wait for a server that has answered before; one that never did is not worth waiting for."""
        if not self.report.answers or self._pauses >= PAUSES_IN_A_ROW:
            raise CannotRun(f"the model {self._author.name} does not answer: {self._silent}{self._so_far()}")
        self._pauses += 1
        self._silent = None
        self._deadline.wait(max(FIRST_PAUSE_S, self._author.breaker.seconds_until_trial()))

    def _so_far(self) -> str:
        if not self.report.saved:
            return ""
        return f"; {self.report.saved} tickets are in {self._file.path}, and the same command goes on from there"
