"""The state's memory of the tickets that searches have listed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .database import Database


@dataclass(frozen=True)
class Listed:
    """A ticket that a search has listed: when it was created (Unix seconds), and the stamp at which it was dealt with.

    The stamp is empty while it is not.
    """

    ticket_id: int
    created: float
    stamp: str


class Listings:
    """What searches have listed, and at which stamp it was dealt with. Thread-safe; each method is one transaction."""

    def __init__(self, state: Database) -> None:
        self._state = state

    def stamps(self, ticket_ids: Sequence[int]) -> dict[int, str]:
        """The stamps of those of these tickets that a search has listed before; empty ones were not dealt with."""
        marks = ",".join("?" * len(ticket_ids))
        sql = f"SELECT ticket_id, stamp FROM listed WHERE ticket_id IN ({marks})"  # noqa: S608 - question marks
        return dict(self._state.all(sql, *ticket_ids))

    def keep(self, tickets: Iterable[Listed]) -> None:
        """Store that a search has listed these."""
        with self._state.transaction() as db:
            db.executemany(
                "INSERT OR REPLACE INTO listed VALUES (?, ?, ?)",
                [(ticket.ticket_id, ticket.created, ticket.stamp) for ticket in tickets],
            )

    def forget(self, before: float) -> None:
        """Drop those that were created before a moment: no listing shows them again."""
        with self._state.transaction() as db:
            db.execute("DELETE FROM listed WHERE created < ?", (before,))
