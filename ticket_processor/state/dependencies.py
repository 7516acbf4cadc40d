"""The state's memory of the services that runs depend on: circuit breakers, and times before which not to call."""

from __future__ import annotations

from ..core.circuit_breaker import BreakerMemory
from .database import Database


class Dependencies:
    """How the helpdesk and the model servers were doing. Thread-safe; each method is one transaction."""

    def __init__(self, state: Database) -> None:
        self._state = state

    def breaker(self, name: str) -> BreakerMemory | None:
        """The memory of the breaker of that name."""
        row = self._state.one("SELECT failures, open_until, cause FROM breakers WHERE name = ?", name)
        return None if row is None else BreakerMemory(*row)

    def keep_breaker(self, name: str, memory: BreakerMemory) -> None:
        """Store a breaker for the next run."""
        with self._state.transaction() as db:
            row = (name, memory.failures, memory.open_until, memory.cause)
            db.execute("INSERT OR REPLACE INTO breakers (name, failures, open_until, cause) VALUES (?, ?, ?, ?)", row)

    def not_before(self, name: str, now: float) -> float:
        """Unix seconds before which the dependency asked not to be called; 0.0 when it did not.

        What was told in the future comes from a clock that was wrong, and counts for nothing.
        """
        row = self._state.one("SELECT not_before, told_at FROM waits WHERE name = ?", name)
        return 0.0 if row is None or row[1] > now else float(row[0])

    def keep_not_before(self, name: str, moment: float, now: float) -> None:
        """Store such a moment, and that it was told ``now``."""
        with self._state.transaction() as db:
            db.execute("INSERT OR REPLACE INTO waits (name, not_before, told_at) VALUES (?, ?, ?)", (name, moment, now))
