"""The learning methods, and their contest: cross-validation of one task, in which all meet the same folds.

A classifier in use is linear, and learnt from all features. Trees take part for comparison, on the features that tell
most, since they would look at each one by one.
"""

from __future__ import annotations

import importlib.util
import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import SelectKBest, chi2
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import ComplementNB
from sklearn.svm import LinearSVC

from ...analysis.classifier.scoring import Floats, Linear, decide
from ...core.errors import ConfigError, how_to_install
from ..scores import score
from .corpus import Corpus, NgramCounts
from .labelled_task import LabelledTask, Matrix, Targets

WEIGHTS = (0.35, 0.1)
"""Of the rules' points beside the words. The second where cross-validation finds it better by a standard error."""

USUAL = "logistic regression"
Say = Callable[[str], object]
Advance = Callable[[int], object]
_FEW = 1_000
_TREE_FEATURES = 1_000
_OF_THEM_FOR_EACH_TREE = 0.3


@dataclass(frozen=True)
class Ensemble:
    """Fitted trees of a library, and what chooses their features."""

    model: Any
    most_telling: SelectKBest

    def shares(self, matrix: Matrix) -> Floats:
        """What ``predict_proba`` says of many tickets."""
        shares: Floats = self.model.predict_proba(self.most_telling.transform(matrix).toarray())
        return shares


Fit: TypeAlias = Callable[[Matrix, Targets, Floats, int], Linear | Ensemble]
"""Fits a matrix and the labels' numbers, 0 to n - 1, with what each row counts and a seed."""


def _linear(make: Callable[[int], Any]) -> Callable[[Matrix, Targets, Floats, int], Linear]:
    def fit(matrix: Matrix, targets: Targets, weights: Floats, seed: int) -> Linear:
        model = make(seed).fit(matrix, targets, sample_weight=weights)
        if isinstance(model, ComplementNB):
            learnt = model.feature_log_prob_.T.astype(np.float32)
            return Linear(learnt, np.zeros(learnt.shape[1], np.float32))
        learnt, bias = model.coef_.T.astype(np.float32), np.asarray(model.intercept_, np.float32)
        if learnt.shape[1] == 1:  # two labels: one column that speaks for the second
            learnt, bias = np.hstack((-learnt / 2, learnt / 2)), np.array([-bias[0] / 2, bias[0] / 2], np.float32)
        return Linear(np.ascontiguousarray(learnt), bias)

    return fit


def _trees(make: Callable[[int], Any]) -> Callable[[Matrix, Targets, Floats, int], Ensemble]:
    def fit(matrix: Matrix, targets: Targets, weights: Floats, seed: int) -> Ensemble:
        most_telling = SelectKBest(chi2, k=min(_TREE_FEATURES, matrix.shape[1])).fit(matrix, targets)
        model = make(seed)
        model.fit(most_telling.transform(matrix).toarray(), targets, sample_weight=weights)
        return Ensemble(model, most_telling)

    return fit


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


LINEAR: Mapping[str, Callable[[Matrix, Targets, Floats, int], Linear]] = {
    USUAL: _linear(lambda seed: LogisticRegression(C=2.0, max_iter=300, tol=1e-3, random_state=seed)),
    "linear SVM": _linear(lambda seed: LinearSVC(C=0.2, random_state=seed)),
    "naive Bayes": _linear(lambda _seed: ComplementNB(alpha=0.3)),  # the variant for labels of unequal size
}
"""The methods whose result can be stored, in order of preference between equals: the quicker ones first."""

TREES: Mapping[str, Callable[[Matrix, Targets, Floats, int], Ensemble]] = {
    "random forest": _trees(lambda seed: RandomForestClassifier(200, max_depth=25, random_state=seed)),
    "XGBoost": _trees(_xgboost),
    "CatBoost": _trees(_catboost),
}
"""Methods for comparison only."""

NEEDS: Mapping[str, str] = {"XGBoost": "xgboost", "CatBoost": "catboost"}
"""Modules from the extra ``bench``."""


def scores_of(fitted: Linear | Ensemble, matrix: Matrix) -> Floats:
    """The scores of many tickets at once, a row for each ticket and a column for each label.

    Those of trees are logarithms of their shares, which a softmax turns into the same shares again.
    """
    result: Floats
    if isinstance(fitted, Linear):
        result = matrix @ fitted.weights + fitted.bias
    else:
        result = np.log(fitted.shares(matrix) + 1e-6).astype(np.float32)
    return result


@dataclass(frozen=True)
class Contest:
    """One method's figures in cross-validation; ``failed`` says why it took no part."""

    method: str
    macro_f1: float = 0.0
    sd: float = 0.0
    fit_s: float = 0.0
    failed: str | None = None


@dataclass(frozen=True)
class HeldOut:
    """A method's scores for each ticket, by a model that had not seen it."""

    contest: Contest
    weight: float = WEIGHTS[0]
    scores: Floats = field(default_factory=lambda: np.empty((0, 0), np.float32))
    folds: tuple[npt.NDArray[np.int64], ...] = ()
    contests: tuple[Contest, ...] = ()


def methods_for(*, bench: bool) -> tuple[str, ...]:
    """The methods that are tried."""
    return (*LINEAR, *TREES) if bench else (USUAL,)


def folds_for(corpus: Corpus) -> int:
    """Folds of cross-validation: more where tickets are few, so that what is tested had nearly all of them."""
    return 10 if len(corpus.texts) <= _FEW else 5


@dataclass(frozen=True)
class CrossValidation:
    """Stratified cross-validation of one task; all methods meet the same folds."""

    question: LabelledTask
    counted: NgramCounts
    points: Floats
    folds: int
    seed: int
    say: Say
    advance: Advance

    def best(self, methods: Sequence[str]) -> HeldOut:
        """The linear method with the highest mean macro-F1; between equals the first. Raises ``ConfigError``."""
        entries = []
        for method in methods:
            entries.append(self._try(method))
            self.say(f"{self.question.task}: {contest_line(entries[-1].contest)}")
        contests = tuple(entry.contest for entry in entries)
        able = [entry for entry in entries if entry.contest.failed is None and entry.contest.method in LINEAR]
        if not able:
            raise ConfigError(f"{self.question.task} cannot be learnt: {contests[0].failed}")
        return replace(max(able, key=lambda entry: entry.contest.macro_f1), contests=contests)

    def _try(self, method: str) -> HeldOut:
        module = NEEDS.get(method)
        if module and importlib.util.find_spec(module) is None:
            self.advance(self.folds)
            return HeldOut(Contest(method, failed=f"{module} is not installed: {how_to_install('bench')}"))
        try:
            return self._validated(method)
        except ValueError as error:
            return HeldOut(Contest(method, failed=str(error).partition("\n")[0]))

    def _validated(self, method: str) -> HeldOut:
        """Vocabulary and weights of each fold come from its own training part alone."""
        asked = self.question
        weights = WEIGHTS if method in LINEAR else WEIGHTS[:1]
        fit: Fit = LINEAR[method] if method in LINEAR else TREES[method]
        scores = {weight: np.zeros((len(asked.rows), len(asked.labels)), np.float32) for weight in weights}
        results: dict[float, list[float]] = {weight: [] for weight in weights}
        folds, fit_seconds = [], []
        count = min(self.folds, int(np.bincount(asked.targets).max()))
        splitter = StratifiedKFold(count, shuffle=True, random_state=self.seed)
        for part, test in splitter.split(asked.rows, asked.targets):
            space = self.counted.space(asked.rows[part])
            words, words_of_test = space.matrix(asked.rows[part]), space.matrix(asked.rows[test])
            if not words.shape[1]:
                raise ValueError("the tickets have no words in common")
            gold = [asked.labels[target] for target in asked.targets[test]]
            for weight in weights:
                start = time.perf_counter()
                matrix = beside(words, self.points[part], weight)
                fitted = fit(*asked.with_votes(matrix, asked.targets[part], weight), self.seed)
                fit_seconds.append(time.perf_counter() - start)
                scores[weight][test] = scores_of(fitted, beside(words_of_test, self.points[test], weight))
                chosen = decide(scores[weight][test], 1.0, asked.group_of).labels
                results[weight].append(score(gold, [asked.labels[label] for label in chosen]).macro_f1)
            folds.append(test)
            self.advance(1)
        weight = _better(results)
        mean, sd = statistics.mean(results[weight]), statistics.stdev(results[weight])
        return HeldOut(Contest(method, mean, sd, statistics.mean(fit_seconds)), weight, scores[weight], tuple(folds))


def _better(results: Mapping[float, Sequence[float]]) -> float:
    """The first weight, unless the last one's results in the same folds are better by a standard error."""
    first, last = next(iter(results)), list(results)[-1]
    gains = [new - old for old, new in zip(results[first], results[last], strict=True)]
    return last if statistics.mean(gains) > statistics.stdev(gains) / math.sqrt(len(gains)) else first


def beside(words: Matrix, points: Floats, weight: float) -> Matrix:
    """The rules' points as columns behind those of the words."""
    return sparse.hstack([words, sparse.csr_matrix(points * np.float32(weight))], format="csr", dtype=np.float32)


def contest_line(contest: Contest) -> str:
    """One method's result for a log."""
    if contest.failed is not None:
        return f"{contest.method}: skipped, {contest.failed}"
    return f"{contest.method}: macro-F1 {contest.macro_f1:.3f} ± {contest.sd:.3f}, fitted in {contest.fit_s:.1f} s"
