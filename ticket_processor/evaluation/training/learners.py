"""The learning methods, and cross-validation of one task, in which all of them meet the same folds.

Logistic regression is put in use. The others take part in ``train --bench``, for comparison: trees on the features that
tell most, since they would look at each one by one.
"""

from __future__ import annotations

import importlib.util
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import SelectKBest, chi2
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import ComplementNB
from sklearn.preprocessing import normalize
from sklearn.svm import LinearSVC

from ...analysis.classifier.features import FEWEST_TICKETS, Floats, Ints, Matrix, beside, certainty, decide
from ...core.errors import how_to_install
from ..scores import score
from .corpus import Corpus
from .labelled_task import LabelledTask

WEIGHTS = (0.35, 0.1)
"""Of the rules' points beside the words. The second where cross-validation finds it better by a standard error."""

USUAL = "logistic regression"
Advance = Callable[[int], object]
_FEW = 1_000
_TREE_FEATURES = 1_000
_OF_THEM_FOR_EACH_TREE = 0.3


def logistic_regression(seed: int) -> LogisticRegression:
    """The method whose result is stored, not yet fitted."""
    return LogisticRegression(C=2.0, max_iter=300, tol=1e-3, random_state=seed)


def _xgboost(seed: int) -> Any:
    from xgboost import XGBClassifier

    return XGBClassifier(
        n_estimators=100,
        max_depth=5,
        learning_rate=0.2,
        colsample_bytree=_OF_THEM_FOR_EACH_TREE,
        random_state=seed,
        n_jobs=1,
        verbosity=0,
    )


def _catboost(seed: int) -> Any:
    from catboost import CatBoostClassifier

    return CatBoostClassifier(
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


LINEAR: Mapping[str, Callable[[int], Any]] = {
    USUAL: logistic_regression,
    "linear SVM": lambda seed: LinearSVC(C=0.2, random_state=seed),
    "naive Bayes": lambda _seed: ComplementNB(alpha=0.3),  # the variant for labels of unequal size
}
TREES: Mapping[str, Callable[[int], Any]] = {
    "random forest": lambda seed: RandomForestClassifier(200, max_depth=25, random_state=seed),
    "XGBoost": _xgboost,
    "CatBoost": _catboost,
}
NEEDS: Mapping[str, str] = {"XGBoost": "xgboost", "CatBoost": "catboost"}
"""Modules from the extra ``bench``."""


@dataclass(frozen=True)
class Contest:
    """One method's figures in cross-validation; ``failed`` says why it took no part."""

    method: str
    macro_f1: float = 0.0
    sd: float = 0.0
    fit_s: float = 0.0
    failed: str | None = None

    def __str__(self) -> str:
        if self.failed is not None:
            return f"{self.method}: skipped, {self.failed}"
        return f"{self.method}: macro-F1 {self.macro_f1:.3f} ± {self.sd:.3f}, fitted in {self.fit_s:.1f} s"


class HeldOut(NamedTuple):
    """The usual method's shares for each ticket, by a model that had not learnt from it, and the rules' weight.

    ``folds`` are the places of the tickets tested together.
    """

    contest: Contest
    weight: float
    shares: Floats
    folds: tuple[Ints, ...]


def methods_for(*, bench: bool) -> tuple[str, ...]:
    """The methods that are tried, the usual one first."""
    return (*LINEAR, *TREES) if bench else (USUAL,)


def folds_for(corpus: Corpus) -> int:
    """Folds of cross-validation: more where tickets are few, so that what is tested had nearly all of them."""
    return 10 if len(corpus.texts) <= _FEW else 5


def as_learnt_from(part: Ints, text: Matrix, idf: Sequence[Floats]) -> Matrix:
    """``text`` as if its n-grams and their weights had been learnt from the rows ``part`` alone.

    ``idf`` are the weights that it was made with, one array for each of its parts.
    """
    blocks, at = [], 0
    for weights in idf:
        block, at = text[:, at : at + len(weights)], at + len(weights)
        counts = block[part].getnnz(axis=0)
        fresh = np.log((1 + len(part)) / (1 + counts)) + 1
        blocks.append(normalize(block @ sparse.diags(np.where(counts < FEWEST_TICKETS, 0.0, fresh / weights))))
    return sparse.hstack(blocks, format="csr")


@dataclass(frozen=True)
class CrossValidation:
    """Stratified cross-validation of one task; all methods meet the same folds.

    ``text`` and ``points`` have a row for each of its tickets; ``idf`` are the weights of the n-grams of each part of
    the text. ``advance`` is called after each fold, and may raise.
    """

    question: LabelledTask
    text: Matrix
    idf: Sequence[Floats]
    points: Floats
    folds: int
    seed: int
    advance: Advance

    def usual(self) -> HeldOut:
        """Logistic regression, with the weight of the rules' points that does better."""
        folds = [test for _, test in self._splits()]
        first, second = (self._validated(USUAL, logistic_regression, weight) for weight in WEIGHTS)
        gains = [new - old for old, new in zip(first.f1, second.f1, strict=True)]
        better = statistics.mean(gains) > statistics.stdev(gains) / len(gains) ** 0.5
        weight, best = (WEIGHTS[1], second) if better else (WEIGHTS[0], first)
        return HeldOut(best.contest(USUAL), weight, best.shares, tuple(folds))

    def contest(self, method: str) -> Contest:
        """The figures of any other method."""
        module = NEEDS.get(method)
        if module and importlib.util.find_spec(module) is None:
            self.advance(self.folds)
            return Contest(method, failed=f"{module} is not installed: {how_to_install('bench')}")
        try:
            return self._validated(method, {**LINEAR, **TREES}[method], WEIGHTS[0]).contest(method)
        except ValueError as error:
            return Contest(method, failed=str(error).partition("\n")[0])

    def _splits(self) -> list[tuple[Ints, Ints]]:
        count = min(self.folds, int(np.bincount(self.question.targets).max()))
        splitter = StratifiedKFold(count, shuffle=True, random_state=self.seed)
        return [*splitter.split(self.question.rows, self.question.targets)]

    def _validated(self, method: str, make: Callable[[int], Any], weight: float) -> _Validated:
        asked = self.question
        points = self.points * weight
        shares = np.zeros((len(asked.rows), len(asked.labels)))
        f1, fit_seconds = [], []
        for part, test in self._splits():
            matrix = beside(as_learnt_from(part, self.text, self.idf), points)
            start = time.perf_counter()
            rows, targets, counts_for = asked.with_votes(matrix[part], asked.targets[part], weight)
            tested = matrix[test]
            if method in TREES:
                telling = SelectKBest(chi2, k=min(_TREE_FEATURES, rows.shape[1])).fit(rows, targets)
                rows, tested = telling.transform(rows).toarray(), telling.transform(tested).toarray()
            model = make(self.seed).fit(rows, targets, sample_weight=counts_for)
            fit_seconds.append(time.perf_counter() - start)
            if method == USUAL:
                shares[test] = model.predict_proba(tested)
            else:
                shares[test] = np.eye(len(asked.labels))[np.ravel(model.predict(tested)).astype(int)]
            chosen = decide(shares[test], asked.groups.group_of)[0]
            gold = [asked.labels[target] for target in asked.targets[test]]
            f1.append(score(gold, [asked.labels[label] for label in chosen]).macro_f1)
            if weight == WEIGHTS[0]:
                self.advance(1)
        return _Validated(shares, f1, fit_seconds)


class _Validated(NamedTuple):
    shares: Floats
    f1: Sequence[float]
    fit_seconds: Sequence[float]

    def contest(self, method: str) -> Contest:
        return Contest(method, statistics.mean(self.f1), statistics.stdev(self.f1), statistics.mean(self.fit_seconds))


# --- how sure an answer may be ----------------------------------------------------------------------------------------

_SHRINK = 4.0
"""Holds offsets near zero: half a unit is as likely as it is not. By cross-validation any value from 1 to 5 will do."""


def learn_confidence(shares: Floats, targets: Ints, group_of: Ints) -> LogisticRegression:
    """What turns the :func:`certainty` of an answer into how likely its group is right.

    Platt, J. (1999), with his smoothed targets, so that a few right answers do not make for certainty; on the largest
    share alone (Gupta and Ramdas, 2022), since that is the one that is shown. Its slope is never negative. Each group
    has an offset: labels count the same in learning, so that answers with rare ones are right less often.
    """
    groups = decide(shares, group_of)[1]
    right = groups.argmax(axis=1) == group_of[targets]
    hits, misses = right.sum(), (~right).sum()
    wanted = np.where(right, (hits + 1) / (hits + 2), 1 / (misses + 2))
    columns = certainty(groups)
    # Each answer stands there as right and as wrong, by what is wanted of it.
    answers, weights = np.repeat((1, 0), len(columns)), np.concatenate((wanted, 1 - wanted))
    learner = LogisticRegression(C=1 / _SHRINK, solver="newton-cholesky")
    fitted = learner.fit(np.vstack((columns, columns)), answers, sample_weight=weights)
    if fitted.coef_[0, 0] < 0:  # surer answers are right less often: it does not count how sure they are
        columns[:, 0] = 0
        fitted = learner.fit(np.vstack((columns, columns)), answers, sample_weight=weights)
    return fitted


def confidence_of(fitted: LogisticRegression, shares: Floats, group_of: Ints) -> Floats:
    """The confidence in the best group of labels of each row, 0 to 1."""
    result: Floats = fitted.predict_proba(certainty(decide(shares, group_of)[1]))[:, 1]
    return result
