"""Compares changed settings with the running ones, on pinned cases and on tickets whose labels people chose. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..core.models import NO_MODEL, Analysis, Decision
from ..core.taxonomy import Taxonomy
from ..evaluation.data import Example
from ..evaluation.labels import ScoredField, pairs
from ..policy.decide import Policy
from .falls import Mark, MarkPair, chances_of_falls
from .pins import FIELDS, PinnedCase

LEVEL = 0.05
"""Probability that a change which makes nothing worse is refused for precision, in any field."""
ANSWERED = "answered by a model"
_SCORED: tuple[ScoredField, ...] = ("category", "subcategory", "urgency", "sentiment")


@dataclass(frozen=True)
class Ruling:
    """What settings make of one ticket."""

    analysis: Analysis
    decision: Decision

    def value(self, field: str) -> str:
        """The value of a field, empty where there is none."""
        if field == "escalated":
            return "yes" if self.decision.escalated else "no"
        if field == "review":
            return "yes" if any(tag.endswith("review") for tag in self.decision.tags) else "no"
        found = getattr(self.decision if field in ("priority", "group") else self.analysis, field)
        return "" if found is None else str(found)


@dataclass(frozen=True)
class Side:
    """One of the two settings: its policy, and its rulings on the tickets and on the pinned cases."""

    policy: Policy
    tickets: Sequence[Ruling]
    pins: Sequence[Ruling]


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
class BrokenPin:
    """A pinned case that was right and is wrong; holds none of its words."""

    pin: int
    ticket: int
    wanted: str
    now: str


@dataclass(frozen=True)
class GateResult:
    """What a change of settings does. ``changes`` are ids of tickets by field; ``wrong_before`` counts pinned cases."""

    tickets: int
    pins: int
    wrong_before: int
    broken: tuple[BrokenPin, ...]
    changes: Mapping[str, tuple[str, ...]]
    tests: tuple[PrecisionTest, ...]

    @property
    def passed(self) -> bool:
        """Whether no pinned case breaks and no precision falls beyond chance."""
        return not self.broken and not any(test.fell for test in self.tests)

    def as_data(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {**asdict(self), "passed": self.passed}


def compare(
    running: Side, candidate: Side, examples: Sequence[Example], cases: Sequence[PinnedCase], taxonomy: Taxonomy
) -> GateResult:
    """The change from ``running`` to ``candidate``. ``taxonomy`` is the running one, in whose words the truth is."""
    changes = {
        field: tuple(
            example.id
            for example, before, after in zip(examples, running.tickets, candidate.tickets, strict=True)
            if before.value(field) != after.value(field)
        )
        for field in FIELDS
    }
    marks: dict[str, dict[int, MarkPair]] = {
        field: _marks(field, running, candidate, examples, taxonomy) for field in _SCORED
    }
    answered = [
        (_answered(before), _answered(after)) for before, after in zip(running.tickets, candidate.tickets, strict=True)
    ]
    if {mark for pair in answered for mark in pair} - {"none"}:
        marks[ANSWERED] = dict(enumerate(answered))
    chances = chances_of_falls(
        [{field: found[row] for field, found in marks.items() if row in found} for row in range(len(examples))]
    )
    held = [
        (case, case.holds(before.value(case.field)), after.value(case.field))
        for case, before, after in zip(cases, running.pins, candidate.pins, strict=True)
    ]
    return GateResult(
        tickets=len(examples),
        pins=len(cases),
        wrong_before=sum(not right for _case, right, _now in held),
        broken=tuple(
            BrokenPin(case.id, case.ticket_id, case.wanted, now)
            for case, right, now in held
            if right and not case.holds(now)
        ),
        changes={field: ids for field, ids in changes.items() if ids},
        tests=tuple(_test(field, tuple(marks[field].values()), p) for field, p in chances.items()),
    )


def _precision(marks: Sequence[Mark]) -> float | None:
    written = [mark == "right" for mark in marks if mark != "none"]
    return sum(written) / len(written) if written else None


def _test(field: str, marks: Sequence[MarkPair], p: float) -> PrecisionTest:
    sides = [[pair[side] for pair in marks] for side in (0, 1)]
    covered = [sum(mark != "none" for mark in side) / len(side) for side in sides]
    before, after = map(_precision, sides)
    return PrecisionTest(field, len(marks), (before, after), (covered[0], covered[1]), p, p <= LEVEL)


def _answered(ruling: Ruling) -> Mark:
    """Whether a model answered; ``none`` where none was to."""
    if ruling.analysis.why_fallback == NO_MODEL:
        return "none"
    return "wrong" if ruling.analysis.fell_back else "right"


def _marks(
    field: ScoredField, running: Side, candidate: Side, examples: Sequence[Example], taxonomy: Taxonomy
) -> dict[int, MarkPair]:
    """By ticket, the marks of both sides."""
    before, after = (_marks_of(field, side, examples, taxonomy) for side in (running, candidate))
    return {row: (mark, after[row]) for row, mark in before.items()}


def _marks_of(field: ScoredField, side: Side, examples: Sequence[Example], taxonomy: Taxonomy) -> dict[int, Mark]:
    found = pairs(field, examples, [ruling.analysis for ruling in side.tickets], taxonomy)
    marks: dict[int, Mark] = {}
    for row, truth, answer in zip(found.rows, found.gold, found.predicted, strict=True):
        ruling = side.tickets[row]
        # All labels are written together, or none.
        written = side.policy.tag("urgency", ruling.analysis.urgency) in ruling.decision.tags
        marks[row] = ("right" if truth == answer else "wrong") if written else "none"
    return marks
