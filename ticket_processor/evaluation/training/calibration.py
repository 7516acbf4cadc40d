"""Confidence that means something: two small fits on answers to tickets that the model had not seen."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize, minimize_scalar

from ...analysis.classifier.scoring import Floats, Ints, decide, log_odds, softmax


class Calibration(NamedTuple):
    """See :class:`TaskDescription` for how they are applied."""

    temperature: float
    slope: float
    intercept: float

    def confidence(self, scores: Floats, group_of: Ints) -> npt.NDArray[np.float64]:
        """The confidence in the best group of labels of each row, 0 to 1."""
        odds = self.slope * log_odds(decide(scores, self.temperature, group_of).shares) + self.intercept
        result: npt.NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(odds, -30, 30)))
        return result


def calibrate(scores: Floats, targets: npt.NDArray[np.int64], group_of: Ints) -> Calibration:
    """First a temperature that makes the softmax likely, then Platt's sigmoid on whether the best group is right.

    Platt, J. (1999), with his smoothed targets, so that a few right answers do not make for certainty; on the
    largest share alone (Gupta and Ramdas, 2022), since that is the one that is shown. The slope is never negative.
    """

    def surprise(log_temperature: float) -> float:
        shares = softmax(scores / np.float32(np.exp(log_temperature)))
        return float(-np.log(shares[np.arange(len(targets)), targets] + 1e-12).mean())

    temperature = float(np.exp(minimize_scalar(surprise, bounds=(-6, 3), method="bounded").x))
    decision = decide(scores, temperature, group_of)
    odds = log_odds(decision.shares).astype(np.float64)
    right = decision.groups.argmax(axis=1) == group_of[targets]
    hits, misses = int(right.sum()), int((~right).sum())
    wanted = np.where(right, (hits + 1) / (hits + 2), 1 / (misses + 2))

    def loss(parameters: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        x = parameters[0] * odds + parameters[1]
        error = 1 / (1 + np.exp(-np.clip(x, -30, 30))) - wanted
        value = float((np.logaddexp(0, x) - wanted * x).mean())
        return value, np.array([(error * odds).mean(), error.mean()])

    fitted = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(0, 10), (-20, 20)])
    return Calibration(temperature, float(fitted.x[0]), float(fitted.x[1]))
