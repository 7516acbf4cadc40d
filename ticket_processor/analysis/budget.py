"""A limit to what models may cost in US dollars, for a run and for a UTC day.

Money is set aside before a request is made and settled by what the server counted as soon as it ends, so that many
threads cannot pass a limit together.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..core.clock import Deadline
from ..core.errors import AnalysisFailed
from ..core.models import Usage
from .cache import AnswerStore
from .model_server.settings import BudgetSettings, Price, cost_usd

RUN_SPENT, DAY_SPENT = "budget_of_run_spent", "budget_of_day_spent"
PATIENCE_S = 45.0
"""Longest wait of a ticket for money that other calls hold; older calls are not waited for."""
LOOK_S = 0.05
"""Seconds between two looks for money."""


class NotAsked(AnalysisFailed):
    """No call was made: it could pass a limit of the budget, or would be paid for in vain."""


@dataclass(frozen=True)
class Question:
    """One request to a model: its estimated input tokens, and the limit of its output tokens.

    ``price`` is input, output and cached input in dollars per million tokens; without one the request counts as free.
    """

    input: int
    output: int
    price: Price | None = None

    @property
    def usd(self) -> float:
        """What it costs at most, as far as that is known."""
        return 0.0 if self.price is None else cost_usd(Usage(input=self.input, output=self.output), self.price)


@dataclass(frozen=True, eq=False)
class Hold:
    """Money set aside for one call of ``model``, since a moment of the monotonic clock.

    Its input was estimated, and multiplied by ``ratio``.
    """

    model: str
    question: Question
    since: float = 0.0
    ratio: float = 1.0


@dataclass(frozen=True)
class Full:
    """A limit does not allow a call: not ``for_now``, while others hold the money, or not any more."""

    reason: str
    for_now: bool

    def wait(self, deadline: Deadline, began: float) -> None:
        """Wait a moment; ``began`` is what the deadline had left when the waiting began.

        Raises :class:`NotAsked` when there is nothing to wait for any more, ``DeadlineReached`` and ``Stopping``.
        """
        if not self.for_now or began - deadline.remaining() > PATIENCE_S:
            raise NotAsked(self.reason)
        deadline.wait(LOOK_S)


class Budget:
    """The limits, what has been spent, and what is set aside. Thread-safe.

    The day's spending of other processes is read when this one begins; what they spend meanwhile is not seen.
    """

    def __init__(self, limits: BudgetSettings, store: AnswerStore) -> None:
        self._limits = limits
        self._store = store
        self._lock = threading.Lock()
        self._before = store.spent_today()
        self.spent = 0.0
        """US dollars, by this run so far."""
        self._held: set[Hold] = set()
        self._ratios: dict[str, float] = {}
        store.before_close.append(self._book_what_is_under_way)

    def set_aside(self, model: str, question: Question) -> Hold | Full:
        """Set aside the most that ``question`` may cost."""
        now = self._store.clock.monotonic()
        with self._lock:
            ratio = self._ratios.get(model, 1.0)
            most = replace(question, input=math.ceil(question.input * ratio))
            full = self._over(most, self._held)
            if full is None:
                hold = Hold(model, most, now, ratio)
                self._held.add(hold)
                return hold
            never = self._over(most, [other for other in self._held if now - other.since > PATIENCE_S])
            return Full(never or full, for_now=never is None)

    def settle(self, hold: Hold, usage: Usage, usd: float | None, *, answered: bool = True) -> None:
        """The call is over, and cost this; an answer whose server counts no tokens costs what was set aside."""
        asked = hold.question
        with self._lock:
            if hold not in self._held:
                return  # booked already, as the run was ending
            self._held.remove(hold)
            if asked.input and usage.input:  # estimates may be low for a model's vocabulary
                found = hold.ratio * usage.input / asked.input
                self._ratios[hold.model] = max(self._ratios.get(hold.model, 1.0), found)
            if answered and not (usage.input or usage.output):
                usage, usd = Usage(input=asked.input, output=asked.output), asked.usd
            self.spent += usd or 0.0
        if usage.input or usage.output:
            self._store.spend(hold.model, usage, usd or 0.0)

    def _over(self, question: Question, others: Iterable[Hold]) -> str | None:
        """The limit that ``question`` could pass beside what is spent and what ``others`` hold."""
        run = self.spent + sum(other.question.usd for other in others) + question.usd
        if self._limits.run_usd is not None and run > self._limits.run_usd:
            return RUN_SPENT
        return DAY_SPENT if self._limits.day_usd is not None and run + self._before > self._limits.day_usd else None

    def _book_what_is_under_way(self) -> None:
        """Book abandoned calls: the server charges for them all the same."""
        with self._lock:
            held = list(self._held)
            self._held.clear()
        for hold in held:
            asked = hold.question
            self._store.spend(hold.model, Usage(input=asked.input, output=asked.output), asked.usd)


class Allowance:
    """Money for the requests about one ticket to one model, one after the other. For one thread at a time."""

    def __init__(self, budget: Budget, model: str, question: Question, hold: Hold, deadline: Deadline) -> None:
        """``hold`` was set aside for ``question``."""
        self._budget = budget
        self._model = model
        self._question = question
        self._hold = hold
        self._deadline = deadline
        self._booked, self._booked_usd = Usage(), 0.0
        self._counts = False

    @property
    def output_tokens(self) -> int:
        """The most output tokens that the next request may take."""
        return self._hold.question.output

    def again(self, usage: Usage, *, input: int | None = None, output: int) -> None:
        """The last request took ``usage``; get money for another one of so many tokens. Raises :class:`NotAsked`."""
        question = replace(self._question, input=self._question.input if input is None else input, output=output)
        usd = 0.0 if question.price is None else cost_usd(usage, question.price)
        self._counts = bool(usage.input or usage.output)
        self._booked, self._booked_usd = self._booked + usage, self._booked_usd + usd
        self._budget.settle(self._hold, usage, usd)
        began = self._deadline.remaining()
        while isinstance(held := self._budget.set_aside(self._model, question), Full):
            held.wait(self._deadline, began)
        self._hold = held

    def settle(self, usage: Usage, usd: float | None, *, answered: bool = True) -> None:
        """The requests are over, and cost this together."""
        before = self._booked
        rest = Usage(
            input=max(0, usage.input - before.input),
            output=max(0, usage.output - before.output),
            cached=max(0, usage.cached - before.cached),
        )
        # A server that has counted one request and not the next one has not answered that.
        answered = answered and not self._counts
        self._budget.settle(self._hold, rest, max(0.0, (usd or 0.0) - self._booked_usd), answered=answered)
