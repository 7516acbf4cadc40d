"""Compares changed settings with the running ones, on pinned cases and on tickets whose labels people chose.

A pinned case is a ticket with a known right answer, which no change of settings may get wrong.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from ..core.errors import ConfigError
from ..core.models import Analysis, Decision, Priority, Sentiment, Urgency
from ..core.reasons import NO_MODEL
from ..core.taxonomy import Taxonomy
from ..evaluation.data import Example, ScoredField, pairs
from .store import CATEGORIES, Correction, LearningStore

LEVEL = 0.05
"""Probability that a harmless change is refused because precision seems to fall in some field."""
ANSWERED = "answered by a model"
Mark = Literal["right", "wrong", "none"]
"""Judgement of an answer; ``none`` if no label is written."""
MarkPair = tuple[Mark, Mark]
"""The marks of one ticket with the first settings and with the second."""
_SCORED: tuple[ScoredField, ...] = ("category", "subcategory", "urgency", "sentiment")


@dataclass(frozen=True)
class Ruling:
    """What some settings decide for one ticket; ``labelled``: they write its labels, which go together."""

    analysis: Analysis
    decision: Decision
    labelled: bool

    @property
    def answered(self) -> Mark:
        """``right`` if the model answered, ``wrong`` if it did not, ``none`` without a model."""
        if self.analysis.why_fallback == NO_MODEL:
            return "none"
        return "wrong" if self.analysis.fell_back else "right"

    def value(self, field: str) -> str:
        """The value of a field; empty if there is none."""
        if field == "escalated":
            return "yes" if self.decision.escalated else "no"
        if field == "review":
            return "yes" if any(tag.endswith("review") for tag in self.decision.tags) else "no"
        found = getattr(self.decision if field in ("priority", "group") else self.analysis, field)
        return "" if found is None else str(found)


@dataclass(frozen=True)
class PrecisionTest:
    """Precision and coverage of one field before and after; ``p`` is the probability of such a fall by chance."""

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
    """The effect of changed settings. ``changes`` are ticket ids by field, ``broken`` pinned cases that become wrong.

    ``wrong_before`` counts pinned cases that the running settings get wrong; they do not count against the change.
    """

    tickets: int
    pins: int
    wrong_before: int
    broken: tuple[WrongPin, ...]
    changes: Mapping[str, tuple[str, ...]]
    tests: tuple[PrecisionTest, ...]

    @property
    def passed(self) -> bool:
        """True if no pinned case breaks and no precision falls by more than chance explains."""
        return not self.broken and not any(test.fell for test in self.tests)


def compare(
    running: Sequence[Ruling],
    candidate: Sequence[Ruling],
    examples: Sequence[Example],
    cases: Sequence[PinnedCase],
    taxonomy: Taxonomy,
) -> GateResult:
    """Compare ``candidate`` with ``running``: each holds the rulings on all ``examples``, then on all ``cases``.

    ``taxonomy`` is the running one, whose names the true labels use.
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
    """By field, the probability that some field falls this clearly although both settings are equally good.

    Tickets on which both write a label make a sign test (McNemar's). Labels that only the second writes are tested
    against the first one's error rate. Labels that only the first writes are not compared. Bonferroni's correction
    covers all tests.
    """
    tests = {field: _tests(pairs) for field, pairs in marks.items()}
    made = sum(map(len, tests.values()))
    fell = {field: _fell([pair for pair in pairs if pair[1] != "none"]) for field, pairs in marks.items()}
    return {field: min([1.0, *(made * p for p in tests[field])]) if fell[field] else 1.0 for field in marks}


def _tests(pairs: Sequence[MarkPair]) -> list[float]:
    counts = Counter(pairs)
    worse, better = counts["right", "wrong"], counts["wrong", "right"]
    found = [_at_least(worse, worse + better, 0.5)] if worse + better else []
    wrong, new = counts["none", "wrong"], counts["none", "wrong"] + counts["none", "right"]
    before = _precision(pairs, 0)
    if new and before is not None:
        found.append(_at_least(wrong, new, 1 - before))
    return found


def _at_least(count: int, of: int, share: float) -> float:
    """The probability of ``count`` or more of ``of`` events, each as likely as ``share``; ``count`` itself counts half.

    Floats hold the binomials of up to 1,000 tickets.
    """
    chances = [math.comb(of, k) * share**k * (1 - share) ** (of - k) for k in range(count, of + 1)]
    return sum(chances) - chances[0] / 2


def _fell(written: Sequence[MarkPair]) -> bool:
    """True if precision falls on the tickets on which the second settings write."""
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
"""Fields that a pinned case can be about."""


@dataclass(frozen=True, slots=True)
class PinnedCase:
    """One ticket's redacted text, a field, and its right value, or the lowest right one."""

    id: int
    ticket_id: int
    field: str
    bound: Bound
    value: str
    text: str

    def holds(self, value: str) -> bool:
        if self.bound == "is" or value not in ORDERED[self.field]:
            return value == self.value
        order = ORDERED[self.field]
        return order.index(value) <= order.index(self.value)

    @property
    def wanted(self) -> str:
        return f"{self.field} {'at least ' if self.bound == 'at_least' else ''}{self.value}"

    def as_row(self) -> dict[str, Any]:
        """A line that ``ticketbot eval`` reads; a lowest value is not a label, so it has its own key."""
        right = {self.field: self.value}
        said: dict[str, Any] = right if self.bound == "is" else {self.bound: right}
        return {"id": f"pin-{self.id}", "ticket": self.ticket_id, "body": self.text, **said}


def pinned(store: LearningStore) -> list[PinnedCase]:
    """The pinned cases, oldest first: the latest for each field of a ticket, without those that were undone."""
    rows = store.all(
        "SELECT max(pin.id), ticket_id, field, bound, value, text FROM pin JOIN change ON change.id=pin.change "
        "WHERE change.undone_at IS NULL GROUP BY ticket_id, field ORDER BY 1"
    )
    return [PinnedCase(*row) for row in rows]


def pin(store: LearningStore, cases: Sequence[PinnedCase], who: str, at: float) -> list[PinnedCase]:
    """Pin cases that are not pinned yet; returns all of them, with the store's ids.

    Erased tickets are not pinned. Raises :class:`ConfigError` for a case that no answer could fulfil.
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
    """Cases from corrections. Raises :class:`ConfigError` for one that is not approved, or has no text."""
    for item in corrections:
        if item.status != "approved":
            raise ConfigError(f"correction {item.id} is {item.status}: approve it first")
        if not item.text:
            raise ConfigError(f"correction {item.id} has no text")
        yield PinnedCase(0, item.ticket_id, item.field, "is", item.theirs, item.text)


def of_today(case: PinnedCase, taxonomy: Taxonomy) -> PinnedCase:
    """The case with its category's present name; unchanged if the category no longer exists."""
    return replace(case, value=(case.field in CATEGORIES and taxonomy.today(case.value)) or case.value)


def _problem(case: PinnedCase) -> str:
    if case.field not in FIELDS:
        return f"{case.field} cannot be pinned: choose one of {', '.join(FIELDS)}"
    if case.field in CLOSED and case.value not in CLOSED[case.field]:
        return f"{case.value} is no value of {case.field}: choose one of {', '.join(CLOSED[case.field])}"
    if case.bound != "is" and case.field not in ORDERED:
        return f"--at-least is for {' and '.join(ORDERED)}"
    return "" if case.text else f"ticket {case.ticket_id} has no text"
