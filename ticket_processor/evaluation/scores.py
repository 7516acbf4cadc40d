"""Scores of answers against the truth, by their definitions, in the standard library: they need no extra.

Confidence is whatever number in [0, 1] came with an answer; calibration asks whether it means what it says.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

BINS = 10
_LEVELS = ("low", "medium", "high", "critical")
STEPS = 100
"""Proposed thresholds have two decimals, so that what is read off a screen is what was measured."""

_Z = 1.644854
"""The normal distribution's 95% point: of a bound that holds 95 times in 100."""


@dataclass(frozen=True)
class LabelScores:
    """One label: ``support`` is how often it was right to say it, ``predicted`` how often it was said.

    ``coverage`` is the share of all tickets that were answered with it. A ratio with nothing below the line is 0.
    """

    precision: float
    recall: float
    f1: float
    support: int
    predicted: int
    coverage: float


@dataclass(frozen=True)
class Bin:
    """The answers whose confidence lies above ``lower`` and not above ``upper``; the first bin holds 0 as well."""

    lower: float
    upper: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class CurvePoint:
    """Only answers of at least ``threshold`` confidence counted: how many are left, and how many of them right."""

    threshold: float
    coverage: float
    precision: float
    rows: int


@dataclass(frozen=True)
class Threshold(CurvePoint):
    """A point with the lower bound of its precision, one-sided at 95%: what few answers prove is little."""

    precision_at_least: float


@dataclass(frozen=True)
class Scores:
    """One field's answers against the truth.

    ``macro_f1`` is the mean F1 over the labels that occur in the truth. ``confusion`` maps truth to answer to count.
    ``reliability``, ``ece`` and ``abstention`` are empty (``None``) where no confidence was given.
    """

    count: int
    accuracy: float
    macro_f1: float
    per_label: Mapping[str, LabelScores]
    confusion: Mapping[str, Mapping[str, int]]
    reliability: tuple[Bin, ...] = ()
    ece: float | None = None
    abstention: tuple[CurvePoint, ...] = ()


def score(gold: Sequence[str], predicted: Sequence[str], confidence: Sequence[float] | None = None) -> Scores:
    """Everything there is to say about ``predicted``, row by row against ``gold``.

    Raises ``ValueError`` when there are no rows, or not as many of each.
    """
    if not gold or len(gold) != len(predicted) or (confidence is not None and len(confidence) != len(gold)):
        raise ValueError("scores need at least one row, and as many answers as truths")
    total = len(gold)
    support, said = Counter(gold), Counter(predicted)
    pairs = Counter(zip(gold, predicted, strict=True))
    truths, others = _in_order(support), _in_order(said.keys() - support.keys())
    per_label = {}
    for label in (*truths, *others):
        hits = pairs[label, label]
        per_label[label] = LabelScores(
            precision=hits / said[label] if said[label] else 0.0,
            recall=hits / support[label] if support[label] else 0.0,
            f1=2 * hits / (support[label] + said[label]),
            support=support[label],
            predicted=said[label],
            coverage=said[label] / total,
        )
    right = [truth == answer for truth, answer in zip(gold, predicted, strict=True)]
    bins = () if confidence is None else reliability(right, confidence)
    return Scores(
        count=total,
        accuracy=sum(right) / total,
        macro_f1=math.fsum(per_label[label].f1 for label in support) / len(support),
        per_label=per_label,
        confusion={
            truth: {answer: pairs[truth, answer] for answer in per_label if pairs[truth, answer]} for truth in truths
        },
        reliability=bins,
        ece=None if confidence is None else calibration_error(bins),
        abstention=() if confidence is None else abstention_curve(right, confidence),
    )


def _in_order(labels: Iterable[str]) -> list[str]:
    """Levels from the lowest to the highest, so that near misses stand beside the diagonal; else by name."""
    return sorted(labels, key=lambda label: (_LEVELS.index(label) if label in _LEVELS else -1, label))


def reliability(right: Sequence[bool], confidence: Sequence[float]) -> tuple[Bin, ...]:
    """The answers sorted into bins of equal width by their confidence; empty bins are there too."""
    members: list[list[tuple[bool, float]]] = [[] for _ in range(BINS)]
    for hit, value in zip(right, confidence, strict=True):
        members[min(max(math.ceil(value * BINS) - 1, 0), BINS - 1)].append((hit, value))
    return tuple(
        Bin(
            lower=at / BINS,
            upper=(at + 1) / BINS,
            count=len(inside),
            confidence=math.fsum(value for _, value in inside) / len(inside) if inside else 0.0,
            accuracy=sum(hit for hit, _ in inside) / len(inside) if inside else 0.0,
        )
        for at, inside in enumerate(members)
    )


def calibration_error(bins: Sequence[Bin]) -> float:
    """Expected calibration error: the mean distance of confidence from accuracy, each bin by its size."""
    total = sum(item.count for item in bins) or 1
    return math.fsum(item.count * abs(item.accuracy - item.confidence) for item in bins) / total


def abstention_curve(right: Sequence[bool], confidence: Sequence[float]) -> tuple[CurvePoint, ...]:
    """Precision and coverage at every confidence that occurs, highest first; the last point covers everything."""
    hits: Counter[float] = Counter()
    answers: Counter[float] = Counter()
    for hit, value in zip(right, confidence, strict=True):
        answers[value] += 1
        hits[value] += hit
    points = []
    taken = correct = 0
    for value in sorted(answers, reverse=True):
        taken += answers[value]
        correct += hits[value]
        points.append(CurvePoint(value, taken / len(right), correct / taken, taken))
    return tuple(points)


def threshold_for(precision: float, right: Sequence[bool], confidence: Sequence[float]) -> Threshold | None:
    """Lowest threshold whose precision reaches ``precision`` with 95% confidence; ``None`` where none does.

    Fixed-sequence testing: thresholds are tried from the top, each by the lower bound of its precision, until one
    fails. The first is the one whose answers allow for one mistake.
    """
    pairs = sorted(zip(confidence, right, strict=True), reverse=True)
    best = None
    taken = hits = tried = 0
    for step in range(STEPS, -1, -1):
        while taken < len(pairs) and pairs[taken][0] >= step / STEPS:
            hits += pairs[taken][1]
            taken += 1
        if taken == tried or wilson_lower(taken - 1, taken) < precision:
            continue  # nothing new to try, or too little to prove anything
        lower = wilson_lower(hits, taken)
        if lower < precision:
            break
        tried = taken
        best = Threshold(step / STEPS, taken / len(pairs), hits / taken, taken, lower)
    return best


def wilson_lower(hits: int, count: int) -> float:
    """Wilson's lower bound, one-sided at 95%, for a share of which ``hits`` of ``count`` were seen."""
    if count <= 0 or hits <= 0:
        return 0.0
    share, square = hits / count, _Z * _Z
    middle = share + square / (2 * count)
    spread = _Z * math.sqrt(share * (1 - share) / count + square / (4 * count * count))
    return max(0.0, (middle - spread) / (1 + square / count))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of ``values`` that at least ``share`` of them do not pass (nearest rank); 0 when there are none."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)] if ordered else 0.0
