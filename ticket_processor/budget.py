"""A limit to what models may cost, in dollars and in tokens, for a run and for a UTC day.

Money is set aside before a call is made and settled by what the server counted, so that many threads cannot pass a
limit together.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from .answer_store import AnswerStore, Spent
from .config import BudgetSettings
from .models import Usage

RUN_SPENT, DAY_SPENT = "budget_of_run_spent", "budget_of_day_spent"


@dataclass(frozen=True)
class Hold:
    """What is set aside for one call."""

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
        self._held_tokens, self._held_usd = 0, 0.0

    def reserve(self, tokens: int, usd: float | None) -> Hold | str:
        """Set aside the most that a call may cost; a word for the log when a limit does not allow it."""
        with self._lock:
            run = Spent(self._tokens + self._held_tokens + tokens, self._usd + self._held_usd + (usd or 0.0))
            day = Spent(run.tokens + self._before.tokens, run.usd + self._before.usd)
            limits = self._limits
            if _over(run.tokens, limits.run_tokens) or _over(run.usd, limits.run_usd):
                return RUN_SPENT
            if _over(day.tokens, limits.day_tokens) or _over(day.usd, limits.day_usd):
                return DAY_SPENT
            self._held_tokens += tokens
            self._held_usd += usd or 0.0
        return Hold(tokens, usd or 0.0)

    def settle(self, hold: Hold, model: str, usage: Usage, usd: float | None) -> None:
        """The call is over, and cost this."""
        with self._lock:
            self._held_tokens -= hold.tokens
            self._held_usd -= hold.usd
            self._tokens += usage.input + usage.output
            self._usd += usd or 0.0
        if usage.input or usage.output:
            self._store.spend(model, usage, usd or 0.0)

    @property
    def spent(self) -> Spent:
        """By this run so far."""
        with self._lock:
            return Spent(self._tokens, self._usd)


def _over(amount: float, limit: float | None) -> bool:
    return limit is not None and amount > limit
