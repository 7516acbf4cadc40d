"""Confidence that means something: two small fits on answers to tickets that the model had not seen."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize, minimize_scalar

from ...analysis.classifier.scoring import Floats, Ints, decide, log_odds, softmax

_SHRINK = 4.0
"""Holds offsets near zero: half a unit is as likely as it is not. By cross-validation any value from 1 to 5 will do."""

Doubles = npt.NDArray[np.float64]


class Calibration(NamedTuple):
    """See :class:`TaskDescription` for how they are applied; ``offsets`` has one for each group of labels."""

    temperature: float
    slope: float
    intercept: float
    offsets: tuple[float, ...]

    def confidence(self, scores: Floats, group_of: Ints) -> Doubles:
        """The confidence in the best group of labels of each row, 0 to 1."""
        decision = decide(scores, self.temperature, group_of)
        offsets = np.array(self.offsets)[decision.groups.argmax(axis=1)]
        return _sigmoid(self.slope * log_odds(decision.shares) + self.intercept + offsets)


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
    odds = log_odds(decision.shares).astype(np.float64)
    best = decision.groups.argmax(axis=1)
    count = decision.groups.shape[1]
    right = best == group_of[targets]
    hits, misses = int(right.sum()), int((~right).sum())
    wanted = np.where(right, (hits + 1) / (hits + 2), 1 / (misses + 2))

    def loss(parameters: Doubles) -> tuple[float, Doubles]:
        offsets = parameters[2:]
        x = parameters[0] * odds + parameters[1] + offsets[best]
        error = _sigmoid(x) - wanted
        value = float((np.logaddexp(0, x) - wanted * x).sum() + _SHRINK / 2 * offsets @ offsets)
        by_group = np.bincount(best, error, count) + _SHRINK * offsets
        return value / len(x), np.concatenate(([error @ odds, error.sum()], by_group)) / len(x)

    start, bounds = np.array([1.0, *np.zeros(count + 1)]), [(0, 10), (-20, 20), *[(-20, 20)] * count]
    fitted = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return Calibration(temperature, float(fitted[0]), float(fitted[1]), tuple(float(value) for value in fitted[2:]))


def _sigmoid(odds: Doubles) -> Doubles:
    result: Doubles = 1 / (1 + np.exp(-np.clip(odds, -30, 30)))
    return result
