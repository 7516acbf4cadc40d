"""What held-out tickets prove: how sure an answer may be, and whether a gain is more than chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression

from ...analysis.classifier.scoring import Floats, Ints, decide, log_odds, softmax
from ...analysis.classifier.storage import Task

FEWEST_TICKETS: Mapping[Task, int] = {"category": 40, "urgency": 120, "sentiment": 120}
"""With fewer the rules answer. With 50 or 100 tickets three of 60 trainings of urgency and mood did harm that the
bootstrap had called a gain, by up to 0.06; none of 80 trainings of the category."""

_SHRINK = 4.0
"""Holds offsets near zero: half a unit is as likely as it is not. By cross-validation any value from 1 to 5 will do."""
_UNHELD = 10.0
"""The odds are scaled by it, so that next to nothing holds their slope."""
_DRAWS = 1_000
_TAIL = 0.05


class Calibration(NamedTuple):
    """See :class:`TaskDescription` for how they are applied; ``offsets`` has one for each group of labels."""

    temperature: float
    slope: float
    intercept: float
    offsets: tuple[float, ...]

    def confidence(self, scores: Floats, group_of: Ints) -> npt.NDArray[np.float64]:
        """The confidence in the best group of labels of each row, 0 to 1."""
        decision = decide(scores, self.temperature, group_of)
        offsets = np.array(self.offsets)[decision.groups.argmax(axis=1)]
        odds = self.slope * log_odds(decision.shares) + self.intercept + offsets
        result: npt.NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(odds, -30, 30)))
        return result


def calibrate(scores: Floats, targets: npt.NDArray[np.int64], group_of: Ints) -> Calibration:
    """First a temperature that makes the softmax likely, then Platt's sigmoid on whether the best group is right.

    Platt, J. (1999), with his smoothed targets, so that a few right answers do not make for certainty; on the
    largest share alone (Gupta and Ramdas, 2022), since that is the one that is shown. The slope is never negative.
    Each group has an offset: labels count the same in learning, so that answers with rare ones are right less often.
    """

    def surprise(log_temperature: float) -> float:
        shares = softmax(scores / np.float32(np.exp(log_temperature)))
        return float(-np.log(shares[np.arange(len(targets)), targets] + 1e-12).mean())

    temperature = float(np.exp(minimize_scalar(surprise, bounds=(-6, 3), method="bounded").x))
    decision = decide(scores, temperature, group_of)
    best = decision.groups.argmax(axis=1)
    right = best == group_of[targets]
    hits, misses = int(right.sum()), int((~right).sum())
    wanted = np.where(right, (hits + 1) / (hits + 2), 1 / (misses + 2))
    of_group = np.eye(decision.groups.shape[1])[best]
    for slope in (_UNHELD, 0.0):  # where surer answers are right less often, it does not count how sure they are
        columns = np.column_stack((slope * log_odds(decision.shares), of_group))
        # Each answer stands there as right and as wrong, by what is wanted of it.
        fitted = LogisticRegression(C=1 / _SHRINK, solver="newton-cholesky").fit(
            np.vstack((columns, columns)),
            np.repeat((1, 0), len(columns)),
            sample_weight=np.concatenate((wanted, 1 - wanted)),
        )
        if fitted.coef_[0, 0] >= 0:
            break
    first, *offsets = map(float, fitted.coef_[0])
    return Calibration(temperature, slope * first, float(fitted.intercept_[0]), tuple(offsets))


class Gain(NamedTuple):
    """The difference in macro-F1, and what it stays above and below 95 times in 100 each."""

    value: float
    low: float
    high: float


def gain_over(gold: Sequence[str], predicted: Sequence[str], others: Sequence[str], seed: int = 0) -> Gain:
    """A paired bootstrap over the tickets, by macro-F1 over all labels that the tickets have (Efron, 1979)."""
    names = sorted({*gold, *predicted, *others})
    rows = np.array([[names.index(label) for label in labels] for labels in (gold, predicted, others)])

    def difference(drawn: npt.NDArray[np.int64]) -> float:
        truth, ours, theirs = drawn
        return _macro_f1(truth, ours, len(names)) - _macro_f1(truth, theirs, len(names))

    rng = np.random.default_rng(seed)
    drawn = [difference(rows[:, rng.integers(0, len(gold), len(gold))]) for _ in range(_DRAWS)]
    low, high = np.quantile(drawn, [_TAIL, 1 - _TAIL])
    return Gain(difference(rows), float(low), float(high))


def _macro_f1(truth: npt.NDArray[np.int64], given: npt.NDArray[np.int64], labels: int) -> float:
    # Thousands of times a task: sklearn.metrics.f1_score takes thirty times as long.
    support = np.bincount(truth, minlength=labels)
    hits = np.bincount(truth[truth == given], minlength=labels)
    both = support + np.bincount(given, minlength=labels)
    return float((2 * hits / np.maximum(both, 1))[support > 0].mean())
