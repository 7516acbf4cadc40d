"""A limit to what models may cost, in dollars and in tokens, for a run and for a UTC day.

Money is set aside before a call is made and settled by what the server counted, so that many threads cannot pass a
limit together.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from .answer_store import AnswerStore, Spent
from .models import Usage
from .settings import BudgetSettings

RUN_SPENT, DAY_SPENT = "budget_of_run_spent", "budget_of_day_spent"


@dataclass(frozen=True)
class Hold:
    """What is set aside for one call; known by its identity."""

    tokens: int
    usd: float


class Budget:
    """The limits, what has been spent, and what is set aside. Thread-safe.

    The day's spending of other processes is read when this one begins; what they spend meanwhile is not seen.
    """

    def __init__(self, limits: BudgetSettings, store: AnswerStore) -> None:
        self._limits = limits
        self._store = store
        self._lock = threading.Lock()
        self._before = store.spent_today()
        self._tokens, self._usd = 0, 0.0
        self._held: dict[int, tuple[Hold, str]] = {}
        store.before_close.append(self._book_what_is_under_way)

    def reserve(self, model: str, tokens: int, usd: float | None) -> Hold | str:
        """Set aside the most that a call may cost; a word for the log when a limit does not allow it."""
        hold = Hold(tokens, usd or 0.0)
        with self._lock:
            held = [other for other, _ in self._held.values()]
            run = Spent(
                self._tokens + sum(other.tokens for other in held) + hold.tokens,
                self._usd + sum(other.usd for other in held) + hold.usd,
            )
            day = Spent(run.tokens + self._before.tokens, run.usd + self._before.usd)
            limits = self._limits
            if _over(run.tokens, limits.run_tokens) or _over(run.usd, limits.run_usd):
                return RUN_SPENT
            if _over(day.tokens, limits.day_tokens) or _over(day.usd, limits.day_usd):
                return DAY_SPENT
            self._held[id(hold)] = hold, model
        return hold

    def settle(self, hold: Hold, usage: Usage, usd: float | None, *, answered: bool = True) -> None:
        """The call is over, and cost this; an answer whose server counts no tokens cost what was set aside."""
        with self._lock:
            known = self._held.pop(id(hold), None)
            if known is None:
                return  # booked already, as the run was ending
            uncounted = answered and not (usage.input or usage.output)
            usage = Usage(input=hold.tokens) if uncounted else usage
            usd = hold.usd if uncounted else usd or 0.0
            self._tokens += usage.input + usage.output
            self._usd += usd
        if usage.input or usage.output:
            self._store.spend(known[1], usage, usd)

    def _book_what_is_under_way(self) -> None:
        """Calls that nobody waits for any more are paid for all the same."""
        with self._lock:
            held = list(self._held.values())
            self._held.clear()
        for hold, model in held:
            self._store.spend(model, Usage(input=hold.tokens), hold.usd)

    @property
    def spent(self) -> Spent:
        """By this run so far."""
        with self._lock:
            return Spent(self._tokens, self._usd)


def _over(amount: float, limit: float | None) -> bool:
    return limit is not None and amount > limit
