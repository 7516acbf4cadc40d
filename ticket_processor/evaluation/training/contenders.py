"""The learning methods that a contest compares. A classifier in use is one of the linear ones.

Linear models are fitted on all features; trees on those that tell most, since they would look at each one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import SelectKBest, chi2
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import ComplementNB
from sklearn.svm import LinearSVC

from ...analysis.classifier.scoring import Floats, Linear

Matrix: TypeAlias = sparse.csr_matrix
Targets: TypeAlias = npt.NDArray[np.int64]

USUAL = "logistic regression"
_TREE_FEATURES = 1_000
_OF_THEM_FOR_EACH_TREE = 0.3


@dataclass(frozen=True)
class Ensemble:
    """Fitted trees of a library, and the features they were fitted on."""

    model: Any
    columns: npt.NDArray[np.int64]

    def scores(self, matrix: Matrix) -> Floats:
        """The logarithm of ``predict_proba``: a softmax of it gives the same shares again."""
        shares = self.model.predict_proba(matrix[:, self.columns].toarray())
        result: Floats = np.log(shares + 1e-6).astype(np.float32)
        return result


def scores_of(fitted: Linear | Ensemble, matrix: Matrix) -> Floats:
    """The scores of many tickets at once, a row for each ticket and a column for each label."""
    if isinstance(fitted, Ensemble):
        return fitted.scores(matrix)
    result: Floats = matrix @ fitted.weights + fitted.bias
    return result


def logistic_regression(matrix: Matrix, targets: Targets, weights: Floats, seed: int) -> Linear:
    model = LogisticRegression(C=2.0, max_iter=300, tol=1e-3, random_state=seed)
    return _linear(model.fit(matrix, targets, sample_weight=weights))


def linear_svm(matrix: Matrix, targets: Targets, weights: Floats, seed: int) -> Linear:
    return _linear(LinearSVC(C=0.2, random_state=seed).fit(matrix, targets, sample_weight=weights))


def naive_bayes(matrix: Matrix, targets: Targets, weights: Floats, _seed: int) -> Linear:
    """The complement variant, made for labels of unequal size."""
    model = ComplementNB(alpha=0.3).fit(matrix, targets, sample_weight=weights)
    learnt = model.feature_log_prob_.T.astype(np.float32)
    return Linear(learnt, np.zeros(learnt.shape[1], np.float32))


def random_forest(matrix: Matrix, targets: Targets, weights: Floats, seed: int) -> Ensemble:
    model = RandomForestClassifier(200, max_depth=25, random_state=seed)
    return _ensemble(model, matrix, targets, weights)


def xgboost(matrix: Matrix, targets: Targets, weights: Floats, seed: int) -> Ensemble:
    from xgboost import XGBClassifier

    model = XGBClassifier(
        n_estimators=100,
        max_depth=5,
        learning_rate=0.2,
        colsample_bytree=_OF_THEM_FOR_EACH_TREE,
        random_state=seed,
        n_jobs=1,
        verbosity=0,
    )
    return _ensemble(model, matrix, targets, weights)


def catboost(matrix: Matrix, targets: Targets, weights: Floats, seed: int) -> Ensemble:
    from catboost import CatBoostClassifier

    model = CatBoostClassifier(
        iterations=200,
        depth=4,
        learning_rate=0.15,
        rsm=_OF_THEM_FOR_EACH_TREE,
        loss_function="MultiClass",
        random_seed=seed,
        allow_writing_files=False,
        thread_count=1,
        verbose=False,
    )
    return _ensemble(model, matrix, targets, weights)


Fit = Callable[[Matrix, Targets, Floats, int], Linear | Ensemble]
"""Fits a matrix and the labels' numbers, 0 to n - 1, with what each row counts and a seed."""

LINEAR: Mapping[str, Callable[[Matrix, Targets, Floats, int], Linear]] = {
    USUAL: logistic_regression,
    "linear SVM": linear_svm,
    "naive Bayes": naive_bayes,
}
"""The methods whose result can be stored, in order of preference between equals: the quicker ones first."""

TREES: Mapping[str, Fit] = {"random forest": random_forest, "XGBoost": xgboost, "CatBoost": catboost}
"""Methods for comparison only."""

NEEDS: Mapping[str, str] = {"XGBoost": "xgboost", "CatBoost": "catboost"}
"""Modules from the extra ``bench``."""


def _linear(model: Any) -> Linear:
    weights = model.coef_.T.astype(np.float32)
    bias = np.asarray(model.intercept_, np.float32)
    if weights.shape[1] == 1:  # two labels: one column that speaks for the second
        weights, bias = np.hstack((-weights / 2, weights / 2)), np.array([-bias[0] / 2, bias[0] / 2], np.float32)
    return Linear(np.ascontiguousarray(weights), bias)


def _ensemble(model: Any, matrix: Matrix, targets: Targets, weights: Floats) -> Ensemble:
    chosen = SelectKBest(chi2, k=min(_TREE_FEATURES, matrix.shape[1])).fit(matrix, targets)
    columns = np.flatnonzero(chosen.get_support())
    model.fit(matrix[:, columns].toarray(), targets, sample_weight=weights)
    return Ensemble(model, columns)
