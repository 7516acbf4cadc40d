"""The learning methods, each of which ends as plain arrays (``scorers``).

Linear models are fitted on all features; trees on those that tell most, since they would look at each one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import SelectKBest, chi2
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import ComplementNB
from sklearn.svm import LinearSVC
from sklearn.utils.class_weight import compute_sample_weight

from ...analysis.classifier.scoring import Linear, Scorer, Trees
from . import trees

Matrix: TypeAlias = sparse.csr_matrix
Targets: TypeAlias = npt.NDArray[np.int64]
Fit = Callable[[Matrix, Targets, int], Scorer]
"""Fits a matrix and the labels' numbers, 0 to n - 1, with a seed."""

USUAL = "logistic regression"
_TREE_FEATURES = 1_000
_OF_THEM_FOR_EACH_TREE = 0.3


def scores_of(scorer: Scorer, matrix: Matrix) -> npt.NDArray[np.float32]:
    """The scores of many tickets at once."""
    if isinstance(scorer, Linear):
        result: npt.NDArray[np.float32] = matrix @ scorer.weights + scorer.bias
        return result
    if isinstance(scorer, Trees):
        return scorer.scores_of(_dense(matrix, scorer.columns))
    raise TypeError(type(scorer).__name__)


def logistic_regression(matrix: Matrix, targets: Targets, seed: int) -> Scorer:
    """Rare labels count as much as frequent ones, since the mean over labels is what is wanted."""
    model = LogisticRegression(C=2.0, class_weight="balanced", max_iter=300, tol=1e-3, random_state=seed)
    return _linear(model.fit(matrix, targets))


def linear_svm(matrix: Matrix, targets: Targets, seed: int) -> Scorer:
    return _linear(LinearSVC(C=0.2, class_weight="balanced", random_state=seed).fit(matrix, targets))


def naive_bayes(matrix: Matrix, targets: Targets, _seed: int) -> Scorer:
    """The complement variant, made for labels of unequal size."""
    model = ComplementNB(alpha=0.3).fit(matrix, targets)
    weights = model.feature_log_prob_.T.astype(np.float32)
    return Linear(weights, np.zeros(weights.shape[1], np.float32))


def random_forest(matrix: Matrix, targets: Targets, seed: int) -> Scorer:
    columns = _telling(matrix, targets)
    model = RandomForestClassifier(200, max_depth=25, class_weight="balanced_subsample", random_state=seed)
    dense = _dense(matrix, columns)
    model.fit(dense, targets)
    return trees.checked(trees.from_forest(model, columns), dense, np.log(model.predict_proba(dense) + 1e-3))


def xgboost(matrix: Matrix, targets: Targets, seed: int) -> Scorer:
    from xgboost import XGBClassifier

    columns = _telling(matrix, targets)
    dense = _dense(matrix, columns)
    model = XGBClassifier(
        n_estimators=100,
        max_depth=5,
        learning_rate=0.2,
        colsample_bytree=_OF_THEM_FOR_EACH_TREE,
        random_state=seed,
        n_jobs=1,
        verbosity=0,
    )
    model.fit(dense, targets, sample_weight=compute_sample_weight("balanced", targets))
    return trees.from_xgboost(model.get_booster(), columns, dense)


def catboost(matrix: Matrix, targets: Targets, seed: int) -> Scorer:
    from catboost import CatBoostClassifier

    columns = _telling(matrix, targets)
    dense = _dense(matrix, columns)
    model = CatBoostClassifier(
        iterations=200,
        depth=4,
        learning_rate=0.15,
        rsm=_OF_THEM_FOR_EACH_TREE,
        auto_class_weights="Balanced",
        loss_function="MultiClass",
        random_seed=seed,
        allow_writing_files=False,
        thread_count=1,
        verbose=False,
    )
    model.fit(dense, targets)
    return trees.from_catboost(model, columns, dense)


CONTENDERS: Mapping[str, Fit] = {
    USUAL: logistic_regression,
    "linear SVM": linear_svm,
    "naive Bayes": naive_bayes,
    "random forest": random_forest,
    "XGBoost": xgboost,
    "CatBoost": catboost,
}
"""In order of preference between equals: the quicker ones first."""

NEEDS: Mapping[str, str] = {"XGBoost": "xgboost", "CatBoost": "catboost"}
"""Modules from the extra ``bench``."""


def _linear(model: Any) -> Linear:
    weights = model.coef_.T.astype(np.float32)
    bias = np.asarray(model.intercept_, np.float32)
    if weights.shape[1] == 1:  # two labels: one column that speaks for the second
        weights, bias = np.hstack((-weights / 2, weights / 2)), np.array([-bias[0] / 2, bias[0] / 2], np.float32)
    return Linear(np.ascontiguousarray(weights), bias)


def _telling(matrix: Matrix, targets: Targets) -> npt.NDArray[np.int32]:
    chosen = SelectKBest(chi2, k=min(_TREE_FEATURES, matrix.shape[1])).fit(matrix, targets)
    return np.flatnonzero(chosen.get_support()).astype(np.int32)


def _dense(matrix: Matrix, columns: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
    dense: npt.NDArray[np.float32] = matrix[:, columns].toarray()
    return dense
