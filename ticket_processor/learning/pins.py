"""Pinned cases: tickets whose right answer is known, and which a change of settings must not get wrong again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from ..core.errors import ConfigError
from ..core.models import Priority, Sentiment, Urgency
from ..core.taxonomy import Taxonomy
from .model import CATEGORIES, Correction
from .store import LearningStore

Bound = Literal["is", "at_least"]
PINNED = "pin"
"""The kind of change that pins cases."""
ORDERED: Mapping[str, tuple[str, ...]] = {"urgency": tuple(Urgency), "priority": tuple(Priority)}
"""Fields whose values have an order, the highest first."""
CLOSED: Mapping[str, tuple[str, ...]] = {
    **ORDERED,
    "sentiment": tuple(Sentiment),
    "escalated": ("yes", "no"),
    "review": ("yes", "no"),
}
"""Fields whose values are the same for every site."""
FIELDS = ("category", "subcategory", "urgency", "sentiment", "priority", "group", "escalated", "review")
"""Fields of which a case can be pinned."""


@dataclass(frozen=True, slots=True)
class PinnedCase:
    """One ticket's redacted text, a field, and its right value, or the least right one."""

    id: int
    ticket_id: int
    field: str
    bound: Bound
    value: str
    text: str

    def holds(self, value: str) -> bool:
        """Whether this value is right."""
        if self.bound == "is" or value not in ORDERED[self.field]:
            return value == self.value
        order = ORDERED[self.field]
        return order.index(value) <= order.index(self.value)

    @property
    def wanted(self) -> str:
        """What is right, for a person."""
        return f"{self.field} {'at least ' if self.bound == 'at_least' else ''}{self.value}"

    def as_row(self) -> dict[str, Any]:
        """A line that ``ticketbot eval`` reads; a bound, which is no label, stands apart."""
        right = {self.field: self.value}
        said: dict[str, Any] = right if self.bound == "is" else {self.bound: right}
        return {"id": f"pin-{self.id}", "ticket": self.ticket_id, "body": self.text, **said}


class Pins:
    """The pinned cases of a learning store. Of a ticket's field the latest counts, as long as it is not taken back."""

    def __init__(self, store: LearningStore) -> None:
        self._store = store

    def all(self) -> list[PinnedCase]:
        """Those that hold, the oldest first: not those that ``learn undo`` took back."""
        return [
            PinnedCase(*row)
            for row in self._store.rows(
                "SELECT max(pin.id), ticket_id, field, bound, value, text FROM pin JOIN change ON change.id=pin.change "
                "WHERE change.undone_at IS NULL GROUP BY ticket_id, field ORDER BY 1"
            )
        ]

    def pin(self, cases: Sequence[PinnedCase], who: str, at: float) -> list[PinnedCase]:
        """Pin cases, without those that are pinned so already; gives all of them, with the store's ids.

        A ticket that was erased stays erased. Raises :class:`ConfigError` for a case that no answer could fulfil.
        """
        if problems := [problem for case in cases if (problem := _problem(case))]:
            raise ConfigError(*problems)
        with self._store.writing() as db:
            gone = {number for (number,) in db.execute("SELECT ticket_id FROM erased")}
            kept = [case for case in cases if case.ticket_id not in gone]
            there = {replace(case, id=0) for case in self.all()}
            if new := [case for case in kept if replace(case, id=0) not in there]:
                detail = {"tickets": sorted({case.ticket_id for case in new}), "cases": len(new)}
                change = self._store.record(PINNED, who, detail, at)
                db.executemany(
                    "INSERT INTO pin (ticket_id, field, bound, value, text, change) VALUES (?,?,?,?,?,?)",
                    [(case.ticket_id, case.field, case.bound, case.value, case.text, change.id) for case in new],
                )
        wanted = {(case.ticket_id, case.field) for case in kept}
        return [case for case in self.all() if (case.ticket_id, case.field) in wanted]


def from_corrections(corrections: Sequence[Correction]) -> Iterator[PinnedCase]:
    """The cases that corrections make. Raises :class:`ConfigError` for one that is not approved, or has no text."""
    for item in corrections:
        if item.status != "approved":
            raise ConfigError(f"correction {item.id} is {item.status}: approve it first")
        if not item.text:
            raise ConfigError(f"correction {item.id} has no text")
        yield PinnedCase(0, item.ticket_id, item.field, "is", item.theirs, item.text)


def of_today(case: PinnedCase, taxonomy: Taxonomy) -> PinnedCase:
    """The case with the name that its category has now, as it is where there is none any more."""
    return replace(case, value=(case.field in CATEGORIES and taxonomy.today(case.value)) or case.value)


def _problem(case: PinnedCase) -> str:
    if case.field not in FIELDS:
        return f"{case.field} cannot be pinned: choose one of {', '.join(FIELDS)}"
    if case.field in CLOSED and case.value not in CLOSED[case.field]:
        return f"{case.value} is no value of {case.field}: choose one of {', '.join(CLOSED[case.field])}"
    if case.bound != "is" and case.field not in ORDERED:
        return f"--at-least is for {' and '.join(ORDERED)}"
    return "" if case.text else f"ticket {case.ticket_id} has no text"
