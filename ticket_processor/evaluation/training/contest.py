"""Cross-validation of one task: the methods meet the same folds, and the best linear one wins."""

from __future__ import annotations

import importlib.util
import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.model_selection import StratifiedKFold

from ...analysis.classifier.scoring import Features, Floats, Linear, decide
from ...core.errors import ConfigError, how_to_install
from ..scores import score
from .contenders import LINEAR, NEEDS, TREES, USUAL, Ensemble, Matrix, scores_of
from .corpus import Corpus, NgramCounts
from .labelled_task import LabelledTask

WEIGHTS = (0.35, 0.1)
"""Of the rules' points beside the words. The second where cross-validation finds it better by a standard error."""

Say = Callable[[str], object]
Advance = Callable[[int], object]
_TIMED = 100
_FEW = 1_000


@dataclass(frozen=True)
class Contest:
    """One method's figures in cross-validation; ``failed`` says why it took no part."""

    method: str
    macro_f1: float = 0.0
    sd: float = 0.0
    fit_s: float = 0.0
    ms_per_ticket: float = 0.0
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
    corpus: Corpus
    counted: NgramCounts
    points: Floats
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
            self.advance(folds_for(self.corpus))
            return HeldOut(Contest(method, failed=f"{module} is not installed: {how_to_install('bench')}"))
        try:
            return self._validated(method)
        except ValueError as error:
            return HeldOut(Contest(method, failed=str(error).partition("\n")[0]))

    def _validated(self, method: str) -> HeldOut:
        """Vocabulary and weights of each fold come from its own training part alone."""
        asked = self.question
        weights = WEIGHTS if method in LINEAR else WEIGHTS[:1]
        scores = {weight: np.zeros((len(asked.rows), len(asked.labels)), np.float32) for weight in weights}
        results: dict[float, list[float]] = {weight: [] for weight in weights}
        folds, fit_seconds = [], []
        milliseconds = 0.0
        count = min(folds_for(self.corpus), int(np.bincount(asked.targets).max()))
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
                fit = {**LINEAR, **TREES}[method]
                fitted = fit(*asked.with_votes(matrix, asked.targets[part], weight), self.seed)
                fit_seconds.append(time.perf_counter() - start)
                scores[weight][test] = scores_of(fitted, beside(words_of_test, self.points[test], weight))
                chosen = decide(scores[weight][test], 1.0, asked.group_of).labels
                results[weight].append(score(gold, [asked.labels[label] for label in chosen]).macro_f1)
            folds.append(test)
            if len(folds) == count:
                texts = [self.corpus.texts[at].text for at in asked.rows[test][:_TIMED]]
                milliseconds = _milliseconds(space.features(), fitted, texts, self.points.shape[1])
            self.advance(1)
        weight = _better(results)
        mean, sd = statistics.mean(results[weight]), statistics.stdev(results[weight])
        contest = Contest(method, mean, sd, statistics.mean(fit_seconds), milliseconds)
        return HeldOut(contest, weight, scores[weight], tuple(folds))


def _better(results: Mapping[float, Sequence[float]]) -> float:
    """The first weight, unless the last one's results in the same folds are better by a standard error."""
    first, last = next(iter(results)), list(results)[-1]
    gains = [new - old for old, new in zip(results[first], results[last], strict=True)]
    return last if statistics.mean(gains) > statistics.stdev(gains) / math.sqrt(len(gains)) else first


def beside(words: Matrix, points: Floats, weight: float) -> Matrix:
    return sparse.hstack([words, sparse.csr_matrix(points * np.float32(weight))], format="csr", dtype=np.float32)


def _milliseconds(features: Features, fitted: Linear | Ensemble, texts: Sequence[str], more: int) -> float:
    """Milliseconds for one ticket on its own, counting its words included; ``more`` is the number of rules' columns."""
    start = time.perf_counter()
    for text in texts:
        columns, values = features.vector(text)
        scores_of(fitted, sparse.csr_matrix((values, columns, [0, len(columns)]), shape=(1, len(features.idf) + more)))
    return 1000 * (time.perf_counter() - start) / len(texts)


def contest_line(contest: Contest) -> str:
    """One method's result for a log."""
    if contest.failed is not None:
        return f"{contest.method}: skipped, {contest.failed}"
    return (
        f"{contest.method}: macro-F1 {contest.macro_f1:.3f} ± {contest.sd:.3f}, fitted in {contest.fit_s:.1f} s, "
        f"{contest.ms_per_ticket:.2f} ms a ticket"
    )
