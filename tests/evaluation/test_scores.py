"""Scores against their definitions, and against scikit-learn where it is installed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.evaluation.scores import percentile, score, threshold_for, wilson_lower

NAMES = ("billing", "refund", "technical", "general")
LABELS = st.sampled_from(NAMES)
ROWS = st.lists(st.tuples(LABELS, LABELS, st.floats(0, 1)), min_size=1, max_size=60)
Rows = list[tuple[str, str, float]]


def split(rows: Rows) -> tuple[list[str], list[str], list[float]]:
    gold, predicted, confidence = zip(*rows, strict=True)
    return list(gold), list(predicted), list(confidence)


def test_levels_stand_from_the_lowest_to_the_highest_and_other_labels_by_name() -> None:
    levels = ["low", "medium", "high", "critical"]
    scores = score(sorted(levels), sorted(levels))
    assert list(scores.per_label) == list(scores.confusion) == levels
    assert list(score(["b", "a"], ["b", "c"]).per_label) == ["a", "b", "c"]


def test_calibration_error_is_nothing_for_honest_and_large_for_boastful_confidence() -> None:
    gold, answers = ["a"] * 10, ["a"] * 8 + ["b"] * 2
    assert score(gold, answers, [0.8] * 10).ece == pytest.approx(0)
    assert score(gold, answers, [1.0] * 10).ece == pytest.approx(0.2)
    assert score(gold, answers, [0.0] * 10).ece == pytest.approx(0.8)


@given(ROWS)
def test_each_point_of_the_abstention_curve_counts_the_answers_from_its_threshold_on(rows: Rows) -> None:
    gold, predicted, confidence = split(rows)
    curve = score(gold, predicted, confidence).abstention
    for point in curve:
        taken = [truth == answer for truth, answer, sure in rows if sure >= point.threshold]
        assert point.rows == len(taken)
        assert point.coverage == len(taken) / len(rows)
        assert point.precision == sum(taken) / len(taken)
    assert curve[-1].coverage == 1
    assert [point.threshold for point in curve] == sorted(set(confidence), reverse=True)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=60), st.floats(0.1, 0.99))
def test_a_threshold_proves_its_precision_as_every_higher_one_does(
    rows: list[tuple[bool, float]], precision: float
) -> None:
    right, confidence = [hit for hit, _ in rows], [sure for _, sure in rows]
    found = threshold_for(precision, right, confidence)
    tried = []
    for step in range(100, -1, -1):
        taken = [hit for hit, sure in rows if sure >= step / 100]
        new = not tried or len(taken) > len(tried[-1][1])
        if new and wilson_lower(len(taken) - 1, len(taken)) >= precision:  # enough for one mistake
            tried.append((step / 100, taken, wilson_lower(sum(taken), len(taken))))
    passed = list(itertools.takewhile(lambda one: one[2] >= precision, tried))
    if found is None:
        assert not passed
        return
    threshold, taken, lower = passed[-1]
    assert (found.threshold, found.rows, found.precision_at_least) == (threshold, len(taken), lower)
    assert (found.precision, found.coverage) == (sum(taken) / len(taken), len(taken) / len(rows))


def test_a_handful_of_lucky_answers_is_no_proof() -> None:
    assert threshold_for(0.95, [True] * 20, [0.9] * 20) is None
    found = threshold_for(0.8, [True] * 20, [0.9] * 20)
    assert found is not None
    assert found.threshold == 0.9
    assert found.precision_at_least == pytest.approx(0.8808, abs=1e-4)  # Wilson's bound for 20 of 20, one-sided


@given(st.integers(0, 50), st.integers(0, 50))
def test_the_lower_bound_grows_with_evidence_and_stays_below_the_share(hits: int, misses: int) -> None:
    if hits + misses:
        bound = wilson_lower(hits, hits + misses)
        assert 0 <= bound <= hits / (hits + misses)
        if hits:
            assert wilson_lower(10 * hits, 10 * (hits + misses)) > bound


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_not_passed_by_its_share_of_the_values(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= math.floor(share * len(values))
    assert sum(value < found for value in values) < share * len(values)


@pytest.mark.parametrize(
    ("gold", "predicted", "confidence"),
    [([], [], None), (["a"], [], None), (["a"], ["a"], [])],
)
def test_rows_that_do_not_fit_together_are_refused(
    gold: Sequence[str], predicted: Sequence[str], confidence: Sequence[float] | None
) -> None:
    with pytest.raises(ValueError, match="at least one row"):
        score(gold, predicted, confidence)


@given(ROWS)
def test_scikit_learn_finds_the_same(rows: Rows) -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is in the extra 'ml'")
    gold, predicted, _ = split(rows)
    scores = score(gold, predicted)
    labels = list(scores.per_label)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        gold, predicted, labels=labels, zero_division=0
    )
    for at, label in enumerate(labels):
        found = scores.per_label[label]
        assert (found.precision, found.recall, found.f1, found.support) == pytest.approx(
            (precision[at], recall[at], f1[at], support[at])
        )
    present = sorted(set(gold))
    macro = metrics.f1_score(gold, predicted, labels=present, average="macro", zero_division=0)
    assert scores.macro_f1 == pytest.approx(macro)
    assert scores.accuracy == pytest.approx(metrics.accuracy_score(gold, predicted))
    matrix = metrics.confusion_matrix(gold, predicted, labels=NAMES)
    assert [[scores.confusion.get(t, {}).get(a, 0) for a in NAMES] for t in NAMES] == matrix.tolist()
