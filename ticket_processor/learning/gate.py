"""Compares changed settings with the running ones, on pinned cases and on tickets whose labels people chose. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ..core.models import NO_MODEL, Analysis, Decision
from ..core.taxonomy import Taxonomy
from ..evaluation.data import Example
from ..evaluation.labels import ScoredField, pairs
from ..policy.decide import Policy
from .pins import FIELDS, PinnedCase

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
class WrongPin:
    """A pinned case that is wrong with the changed settings; holds none of its words."""

    pin: int
    ticket: int
    wanted: str
    now: str


@dataclass(frozen=True)
class GateResult:
    """What a change of settings does. ``changes`` are ids of tickets by field.

    ``broken`` are pinned cases that were right, ``still_wrong`` those that were not; ``wrong_before`` counts the latter
    and those that are right now.
    """

    tickets: int
    pins: int
    wrong_before: int
    broken: tuple[WrongPin, ...]
    still_wrong: tuple[WrongPin, ...]
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
    marks: dict[str, list[MarkPair]] = {
        field: _marks(field, (running, candidate), examples, taxonomy) for field in _SCORED
    }
    answered = [
        (_answered(before), _answered(after)) for before, after in zip(running.tickets, candidate.tickets, strict=True)
    ]
    if {mark for pair in answered for mark in pair} - {"none"}:
        marks[ANSWERED] = answered
    chances = chances_of_falls({field: found for field, found in marks.items() if found})
    held = [
        (case, case.holds(before.value(case.field)), after.value(case.field))
        for case, before, after in zip(cases, running.pins, candidate.pins, strict=True)
    ]
    wrong = [
        (right, WrongPin(case.id, case.ticket_id, case.wanted, now)) for case, right, now in held if not case.holds(now)
    ]
    return GateResult(
        tickets=len(examples),
        pins=len(cases),
        wrong_before=sum(not right for _case, right, _now in held),
        broken=tuple(pin for right, pin in wrong if right),
        still_wrong=tuple(pin for right, pin in wrong if not right),
        changes={field: ids for field, ids in changes.items() if ids},
        tests=tuple(_test(field, marks[field], p) for field, p in chances.items()),
    )


def chances_of_falls(marks: Mapping[str, Sequence[MarkPair]]) -> dict[str, float]:
    """By field, how probable it is that any field falls so clearly although both settings are equally good.

    Tickets on which both write are a sign test (McNemar's). What the second writes alone may be as often wrong as what
    the first writes. A label that the second leaves away is not compared. Bonferroni's correction covers all tests.
    """
    counts = {field: Counter(pairs) for field, pairs in marks.items()}
    tests = {field: _tests(count) for field, count in counts.items()}
    made = sum(map(len, tests.values()))
    fell = {field: (_fall([*count.elements()]) > 0) for field, count in counts.items()}
    return {field: min([1.0, *(made * p for p in tests[field])]) if fell[field] else 1.0 for field in marks}


def _tests(pairs: Counter[MarkPair]) -> list[float]:
    """The chances of the differences that there are."""
    worse, better = pairs["right", "wrong"], pairs["wrong", "right"]
    found = [_at_least(worse, worse + better, 0.5)] if worse + better else []
    wrong, new = pairs["none", "wrong"], pairs["none", "wrong"] + pairs["none", "right"]
    before = [first == "wrong" for first, _ in pairs.elements() if first != "none"]
    if new and before:
        found.append(_at_least(wrong, new, sum(before) / len(before)))
    return found


def _at_least(count: int, of: int, share: float) -> float:
    """How probable it is that ``count`` or more of so many happen, if each does by ``share``; ties count half."""
    if not 0 < share < 1:
        return 1.0 if count <= share * of else 0.0
    logs = (
        math.lgamma(of + 1) - math.lgamma(k + 1) - math.lgamma(of - k + 1)
        + k * math.log(share) + (of - k) * math.log1p(-share)
        for k in range(count, of + 1)
    )  # fmt: skip
    chances = [math.exp(value) for value in logs]
    return sum(chances) - chances[0] / 2


def _fall(pairs: Sequence[MarkPair]) -> float:
    """By how much precision falls, over the tickets on which the second writes."""
    written = [pair for pair in pairs if pair[1] != "none"]
    before, after = (_precision([pair[side] for pair in written]) for side in (0, 1))
    return 0.0 if before is None or after is None else before - after


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
    field: ScoredField, sides: Sequence[Side], examples: Sequence[Example], taxonomy: Taxonomy
) -> list[MarkPair]:
    """The marks of both sides on each ticket whose label a person chose."""
    before, after = (_marks_of(field, side, examples, taxonomy) for side in sides)
    return [*zip(before, after, strict=True)]


def _marks_of(field: ScoredField, side: Side, examples: Sequence[Example], taxonomy: Taxonomy) -> list[Mark]:
    found = pairs(field, examples, [ruling.analysis for ruling in side.tickets], taxonomy)
    marks: list[Mark] = []
    for row, truth, answer in zip(found.rows, found.gold, found.predicted, strict=True):
        ruling = side.tickets[row]
        # All labels are written together, or none.
        written = side.policy.tag("urgency", ruling.analysis.urgency) in ruling.decision.tags
        marks.append(("right" if truth == answer else "wrong") if written else "none")
    return marks
