"""Compares changed settings with the running ones, on pinned cases and on tickets whose labels people chose.

A pinned case is a ticket whose right answer is known, and which a change of settings must not get wrong again.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from ..core.errors import ConfigError
from ..core.models import NO_MODEL, Analysis, Decision, Priority, Sentiment, Urgency
from ..core.taxonomy import Taxonomy
from ..evaluation.data import Example, ScoredField, pairs
from .store import CATEGORIES, Correction, LearningStore

LEVEL = 0.05
"""Probability that a change which makes nothing worse is refused for precision, in any field."""
ANSWERED = "answered by a model"
Mark = Literal["right", "wrong", "none"]
"""What an answer is worth: ``none`` where no label is written."""
MarkPair = tuple[Mark, Mark]
"""The marks of one ticket with the first settings and with the second."""
_SCORED: tuple[ScoredField, ...] = ("category", "subcategory", "urgency", "sentiment")


@dataclass(frozen=True)
class Ruling:
    """What settings make of one ticket; ``labelled``: they write its labels, which are written together or not."""

    analysis: Analysis
    decision: Decision
    labelled: bool

    @property
    def answered(self) -> Mark:
        """Whether a model answered; ``none`` where none was to."""
        if self.analysis.why_fallback == NO_MODEL:
            return "none"
        return "wrong" if self.analysis.fell_back else "right"

    def value(self, field: str) -> str:
        """The value of a field, empty where there is none."""
        if field == "escalated":
            return "yes" if self.decision.escalated else "no"
        if field == "review":
            return "yes" if any(tag.endswith("review") for tag in self.decision.tags) else "no"
        found = getattr(self.decision if field in ("priority", "group") else self.analysis, field)
        return "" if found is None else str(found)


@dataclass(frozen=True)
class PrecisionTest:
    """Precision and coverage of one field before and after; ``p``: the probability of such a fall in any field."""

    field: str
    judged: int
    precision: tuple[float | None, float | None]
    coverage: tuple[float, float]
    p: float
    fell: bool


@dataclass(frozen=True)
class WrongPin:
    """A pinned case that is wrong with the changed settings; holds none of its words."""

    pin: int
    ticket: int
    wanted: str
    now: str


@dataclass(frozen=True)
class GateResult:
    """What a change of settings does. ``changes`` are ids of tickets by field, ``broken`` pinned cases that were right.

    ``wrong_before`` counts pinned cases that the running settings have wrong, and which refuse nothing.
    """

    tickets: int
    pins: int
    wrong_before: int
    broken: tuple[WrongPin, ...]
    changes: Mapping[str, tuple[str, ...]]
    tests: tuple[PrecisionTest, ...]

    @property
    def passed(self) -> bool:
        """Whether no pinned case breaks and no precision falls beyond chance."""
        return not self.broken and not any(test.fell for test in self.tests)


def compare(
    running: Sequence[Ruling],
    candidate: Sequence[Ruling],
    examples: Sequence[Example],
    cases: Sequence[PinnedCase],
    taxonomy: Taxonomy,
) -> GateResult:
    """The change from ``running`` to ``candidate``: rulings on all ``examples``, and behind them on all ``cases``.

    ``taxonomy`` is the running one, in whose words the truth is.
    """
    both = [*zip(running, candidate, strict=True)]
    of_tickets, of_pins = both[: len(examples)], both[len(examples) :]
    changes = {
        field: tuple(
            example.id
            for example, (before, after) in zip(examples, of_tickets, strict=True)
            if before.value(field) != after.value(field)
        )
        for field in FIELDS
    }
    marks: dict[str, list[MarkPair]] = {}
    for field in _SCORED:
        before, after = (_marks(field, side[: len(examples)], examples, taxonomy) for side in (running, candidate))
        marks[field] = [*zip(before, after, strict=True)]
    answered = [(before.answered, after.answered) for before, after in of_tickets]
    if any(pair != ("none", "none") for pair in answered):
        marks[ANSWERED] = answered
    marks = {field: found for field, found in marks.items() if found}
    held = [
        (case.holds(before.value(case.field)), case, after.value(case.field))
        for case, (before, after) in zip(cases, of_pins, strict=True)
    ]
    return GateResult(
        tickets=len(examples),
        pins=len(cases),
        wrong_before=sum(not right for right, _, _ in held),
        broken=tuple(
            WrongPin(case.id, case.ticket_id, case.wanted, now)
            for right, case, now in held
            if right and not case.holds(now)
        ),
        changes={field: ids for field, ids in changes.items() if ids},
        tests=tuple(_test(field, marks[field], p) for field, p in chances_of_falls(marks).items()),
    )


def _marks(
    field: ScoredField, rulings: Sequence[Ruling], examples: Sequence[Example], taxonomy: Taxonomy
) -> list[Mark]:
    """The marks on each ticket whose label a person chose."""
    found = pairs(field, examples, [ruling.analysis for ruling in rulings], taxonomy)
    return [
        ("right" if truth == answer else "wrong") if rulings[row].labelled else "none"
        for row, truth, answer in zip(found.rows, found.gold, found.predicted, strict=True)
    ]


def chances_of_falls(marks: Mapping[str, Sequence[MarkPair]]) -> dict[str, float]:
    """By field, how probable it is that any field falls so clearly although both settings are equally good.

    Tickets on which both write are a sign test (McNemar's). What the second writes alone may be as often wrong as what
    the first writes. A label that the second leaves away is not compared. Bonferroni's correction covers all tests.
    """
    tests = {field: _tests(pairs) for field, pairs in marks.items()}
    made = sum(map(len, tests.values()))
    fell = {field: _fell([pair for pair in pairs if pair[1] != "none"]) for field, pairs in marks.items()}
    return {field: min([1.0, *(made * p for p in tests[field])]) if fell[field] else 1.0 for field in marks}


def _tests(pairs: Sequence[MarkPair]) -> list[float]:
    """The chances of the differences that there are."""
    counts = Counter(pairs)
    worse, better = counts["right", "wrong"], counts["wrong", "right"]
    found = [_at_least(worse, worse + better, 0.5)] if worse + better else []
    wrong, new = counts["none", "wrong"], counts["none", "wrong"] + counts["none", "right"]
    before = _precision(pairs, 0)
    if new and before is not None:
        found.append(_at_least(wrong, new, 1 - before))
    return found


def _at_least(count: int, of: int, share: float) -> float:
    """How probable it is that ``count`` or more of so many happen, if each does by ``share``; ties count half.

    Floats hold the binomials of up to 1,000 tickets.
    """
    chances = [math.comb(of, k) * share**k * (1 - share) ** (of - k) for k in range(count, of + 1)]
    return sum(chances) - chances[0] / 2


def _fell(written: Sequence[MarkPair]) -> bool:
    """Whether precision falls, over the tickets on which the second writes."""
    before, after = _precision(written, 0), _precision(written, 1)
    return before is not None and after is not None and after < before


def _precision(pairs: Sequence[MarkPair], side: int) -> float | None:
    written = [pair[side] == "right" for pair in pairs if pair[side] != "none"]
    return sum(written) / len(written) if written else None


def _test(field: str, pairs: Sequence[MarkPair], p: float) -> PrecisionTest:
    before, after = (sum(pair[side] != "none" for pair in pairs) / len(pairs) for side in (0, 1))
    precision = (_precision(pairs, 0), _precision(pairs, 1))
    return PrecisionTest(field, len(pairs), precision, (before, after), p, p <= LEVEL)


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


def pinned(store: LearningStore) -> list[PinnedCase]:
    """The pinned cases, the oldest first: of a ticket's field the latest, but for those that were taken back."""
    rows = store.all(
        "SELECT max(pin.id), ticket_id, field, bound, value, text FROM pin JOIN change ON change.id=pin.change "
        "WHERE change.undone_at IS NULL GROUP BY ticket_id, field ORDER BY 1"
    )
    return [PinnedCase(*row) for row in rows]


def pin(store: LearningStore, cases: Sequence[PinnedCase], who: str, at: float) -> list[PinnedCase]:
    """Pin cases, without those that are pinned so already; gives all of them, with the store's ids.

    A ticket that was erased stays erased. Raises :class:`ConfigError` for a case that no answer could fulfil.
    """
    if problems := [problem for case in cases if (problem := _problem(case))]:
        raise ConfigError(*problems)
    with store.transaction() as db:
        gone = {number for (number,) in db.execute("SELECT ticket_id FROM erased")}
        kept = [case for case in cases if case.ticket_id not in gone]
        there = {replace(case, id=0) for case in pinned(store)}
        if new := [case for case in kept if replace(case, id=0) not in there]:
            detail = {"tickets": sorted({case.ticket_id for case in new}), "cases": len(new)}
            change = store.record(PINNED, who, detail, at)
            db.executemany(
                "INSERT INTO pin (ticket_id, field, bound, value, text, change) VALUES (?,?,?,?,?,?)",
                [(case.ticket_id, case.field, case.bound, case.value, case.text, change.id) for case in new],
            )
    wanted = {(case.ticket_id, case.field) for case in kept}
    return [case for case in pinned(store) if (case.ticket_id, case.field) in wanted]


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
