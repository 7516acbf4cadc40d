"""Labelled tickets made ready to learn from, the learning methods, their cross-validation, and how sure an answer is.

The rules' knowledge is given to the learner as tickets: one for each label, without words, of which they are sure. So
it begins as good as the rules and departs from them as far as the tickets tell, and it still answers with labels that
no ticket has. Logistic regression is put in use. The others take part in ``train --bench``, for comparison: trees on
the features that tell most, since they would look at each one by one.
"""

from __future__ import annotations

import importlib.util
import statistics
import time
from collections import Counter
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

from ..analysis.classifier.features import (
    FEWEST_TICKETS,
    Floats,
    Groups,
    Ints,
    Matrix,
    beside,
    certainty,
    decide,
    groups_of,
    plain_form,
    vote,
)
from ..analysis.classifier.storage import TASKS, Task
from ..analysis.text.cleaning import clean
from ..analysis.text.redact import RedactedText, redact
from ..core.errors import how_to_install
from ..core.models import Sentiment, Urgency
from ..core.taxonomy import Taxonomy
from .data import Example
from .scores import score

MAX_TICKETS = 20_000
"""Tickets learnt from; more take hours and change little."""
VOTES = 3
"""Tickets that a vote counts for."""
FEWEST_OF_A_LABEL = 5
"""Two labels need so many tickets each, and so does a sub-category, or its tickets count for its category."""


@dataclass(frozen=True)
class Corpus:
    """Different tickets, and for each task one label or ``None`` a ticket; the first ``tested`` are also tested on."""

    texts: tuple[RedactedText, ...]
    labels: Mapping[Task, tuple[str | None, ...]]
    repeats: int
    passed_over: int
    tested: int


def corpus_of(examples: Sequence[Example], corrected: Sequence[Example] = ()) -> Corpus:
    """The first :data:`MAX_TICKETS` different tickets, as an analyser would see them; ``corrected`` are no test.

    A text that comes again with the same labels is left out: it would be learnt and tested at once.
    """
    seen: set[tuple[str, ...]] = set()
    texts: list[RedactedText] = []
    labels: dict[Task, list[str | None]] = {task: [] for task in TASKS}
    repeats = passed_over = tested = 0
    for place, example in enumerate((*examples, *corrected)):
        if len(texts) == (MAX_TICKETS if place >= len(examples) else MAX_TICKETS - len(corrected)):
            passed_over += 1
            continue
        text = text_of(example)
        key = (plain_form(text.text), *(example.label(task) or "" for task in TASKS))
        if not key[0].strip() or key in seen:
            repeats += 1
            continue
        seen.add(key)
        tested += place < len(examples)
        texts.append(text)
        for task in TASKS:
            labels[task].append(example.label(task))
    return Corpus(tuple(texts), {task: tuple(given) for task, given in labels.items()}, repeats, passed_over, tested)


def text_of(example: Example) -> RedactedText:
    return redact(clean(example.subject, example.body), names=example.names)


@dataclass(frozen=True)
class LabelledTask:
    """One task's labelled tickets; ``tested`` are the places of those that scores are computed from."""

    task: Task
    labels: tuple[str, ...]
    left_out: dict[str, int]
    rows: Ints
    gold: tuple[str, ...]
    targets: Ints
    names: tuple[str, ...]
    groups: Groups
    tested: Ints

    def with_votes(self, matrix: Matrix, targets: Ints, weight: float) -> tuple[Matrix, Ints, Floats]:
        """``matrix`` and ``targets`` of some rows with the rules' votes behind them, and what each row counts.

        Labels with tickets count the same, however many they have. One without counts for its vote alone. A
        sub-category has no vote.
        """
        voted = [at for at, label in enumerate(self.labels) if self.task != "category" or label in self.names]
        counts = np.bincount(targets, minlength=len(self.labels)).astype(float)
        seen = counts > 0
        counts[voted] += VOTES
        counts_for = np.where(seen, counts[seen].mean() / counts, 1)
        votes = np.array([vote(self.task, self.labels[at], self.names) for at in voted]) * weight
        blank = sparse.csr_matrix((len(voted), matrix.shape[1] - votes.shape[1]), dtype=np.float32)
        whole = sparse.vstack([matrix, beside(blank, votes)], format="csr")
        rows_count = np.concatenate((counts_for[targets], counts_for[voted] * VOTES))
        return whole, np.concatenate((targets, voted)), rows_count


def labelled_task(corpus: Corpus, task: Task, taxonomy: Taxonomy) -> LabelledTask | str:
    """The tickets to learn ``task`` from, or why there is nothing to learn."""
    given = corpus.labels[task]
    counts = Counter(label for label in given if label is not None)
    if not counts:
        return "no ticket has a label"
    space: list[str] = list(taxonomy.names) if task == "category" else [*Urgency] if task == "urgency" else [*Sentiment]
    known = [name for name in space if counts[name]]
    if not known:
        return "the tickets' labels are none of the taxonomy's categories"
    enough = [name for name in known if counts[name] >= FEWEST_OF_A_LABEL]
    if len(enough) < 2:
        return (
            f"it takes two labels with at least {FEWEST_OF_A_LABEL} different tickets each, and there are {len(enough)}"
        )
    learnt_as = {name: name for name in known}
    if task == "category":
        learnt_as |= {name: taxonomy.split(name)[0] for name in known if name not in enough}
        wanted = {*learnt_as.values(), *taxonomy.top} - {
            top for top in taxonomy.top if top not in learnt_as.values() and set(taxonomy.children(top)) & set(enough)
        }
    else:  # where nothing was ever critical there may be three levels
        wanted = {name for name in space if name in known or name != Urgency.CRITICAL}
    labels = tuple(str(name) for name in space if name in wanted)
    rows = np.array([at for at, label in enumerate(given) if label in learnt_as])
    tested = np.flatnonzero(rows < corpus.tested)
    if not len(tested):
        return "none but corrected tickets have a label, and these are no test"
    gold = tuple(str(given[at]) for at in rows)
    targets = np.array([labels.index(learnt_as[label]) for label in gold])
    left_out = {label: count for label, count in counts.items() if label not in labels}
    groups = groups_of(task, labels, taxonomy)
    return LabelledTask(task, labels, left_out, rows, gold, targets, taxonomy.names, groups, tested)


WEIGHTS = (0.35, 0.1)
"""Of the rules' points beside the words. The second where cross-validation finds it better by a standard error."""
USUAL = "logistic regression"
_TREE_FEATURES = 1_000
_OF_THEM_FOR_EACH_TREE = 0.3


def logistic_regression(seed: int) -> LogisticRegression:
    """The method whose result is stored, not yet fitted."""
    return LogisticRegression(C=2.0, max_iter=300, tol=1e-3, random_state=seed)


def _xgboost(seed: int) -> Any:
    from xgboost import XGBClassifier

    share = _OF_THEM_FOR_EACH_TREE
    options: dict[str, Any] = {"n_estimators": 100, "max_depth": 5, "learning_rate": 0.2, "colsample_bytree": share}
    return XGBClassifier(**options, random_state=seed, n_jobs=1, verbosity=0)


def _catboost(seed: int) -> Any:
    from catboost import CatBoostClassifier

    options: dict[str, Any] = {"iterations": 200, "depth": 4, "learning_rate": 0.15, "rsm": _OF_THEM_FOR_EACH_TREE}
    quiet: dict[str, Any] = {"allow_writing_files": False, "thread_count": 1, "verbose": False}
    return CatBoostClassifier(**options, **quiet, loss_function="MultiClass", random_seed=seed)


class Method(NamedTuple):
    """A way to learn: made from a seed; ``needs`` is its module, of the extra ``bench``."""

    make: Callable[[int], Any]
    trees: bool = False
    needs: str | None = None


METHODS = {
    USUAL: Method(logistic_regression),
    "linear SVM": Method(lambda seed: LinearSVC(C=0.2, random_state=seed)),
    "naive Bayes": Method(lambda _seed: ComplementNB(alpha=0.3)),  # the variant for labels of unequal size
    "random forest": Method(lambda seed: RandomForestClassifier(200, max_depth=25, random_state=seed), trees=True),
    "XGBoost": Method(_xgboost, trees=True, needs="xgboost"),
    "CatBoost": Method(_catboost, trees=True, needs="catboost"),
}


@dataclass(frozen=True)
class Contest:
    """One method's figures in cross-validation; ``failed`` says why it took no part."""

    method: str
    macro_f1: float = 0.0
    sd: float = 0.0
    fit_s: float = 0.0
    failed: str | None = None
    f1: tuple[float, ...] = ()
    """Of each fold."""


@dataclass(frozen=True)
class CrossValidation:
    """Stratified cross-validation of one task; all methods meet the same ``splits``.

    ``text`` and ``points`` have a row for each of its tickets; ``idf`` are the weights of the n-grams of each part of
    the text. ``advance`` is called after each fold, and may raise.
    """

    question: LabelledTask
    text: Matrix
    idf: Sequence[Floats]
    points: Floats
    splits: Sequence[tuple[Ints, Ints]]
    seed: int
    advance: Callable[[int], object]

    def usual(self) -> tuple[Contest, Floats, float]:
        """Logistic regression as :meth:`contest`, with the weight of the rules' points that does better."""
        found = [self.contest(USUAL, weight) for weight in WEIGHTS]
        gains = [new - old for old, new in zip(found[0][0].f1, found[1][0].f1, strict=True)]
        better = statistics.mean(gains) > statistics.stdev(gains) / len(gains) ** 0.5
        return *found[better], WEIGHTS[better]

    def contest(self, name: str, weight: float = WEIGHTS[0]) -> tuple[Contest, Floats]:
        """The figures of a method, and its shares for each ticket, by a model that had not learnt from it."""
        method, asked = METHODS[name], self.question
        shares = np.zeros((len(asked.rows), len(asked.labels)))
        if method.needs and importlib.util.find_spec(method.needs) is None:
            self.advance(len(self.splits))
            return Contest(name, failed=f"{method.needs} is not installed: {how_to_install('bench')}"), shares
        f1, fit_seconds = [], []
        for part, test in self.splits:
            matrix = beside(as_learnt_from(part, self.text, self.idf), self.points * weight)
            start = time.perf_counter()
            rows, targets, counts_for = asked.with_votes(matrix[part], asked.targets[part], weight)
            tested = matrix[test]
            if method.trees:
                telling = SelectKBest(chi2, k=min(_TREE_FEATURES, rows.shape[1])).fit(rows, targets)
                rows, tested = telling.transform(rows).toarray(), telling.transform(tested).toarray()
            try:
                model = method.make(self.seed).fit(rows, targets, sample_weight=counts_for)
            except ValueError as error:
                return Contest(name, failed=str(error).partition("\n")[0]), shares
            fit_seconds.append(time.perf_counter() - start)
            if name == USUAL:
                shares[test] = model.predict_proba(tested)
            else:
                shares[test] = np.eye(len(asked.labels))[np.ravel(model.predict(tested)).astype(int)]
            chosen = decide(shares[test], asked.groups.group_of)[0]
            gold = [asked.labels[target] for target in asked.targets[test]]
            f1.append(score(gold, [asked.labels[label] for label in chosen]).macro_f1)
            self.advance(1)
        seconds = statistics.mean(fit_seconds)
        return Contest(name, statistics.mean(f1), statistics.stdev(f1), seconds, f1=tuple(f1)), shares


def splits_of(question: LabelledTask, folds: int, seed: int) -> list[tuple[Ints, Ints]]:
    """The places of tickets to learn from and to test, fold by fold."""
    count = min(folds, int(np.bincount(question.targets).max()))
    splitter = StratifiedKFold(count, shuffle=True, random_state=seed)
    return [*splitter.split(question.rows, question.targets)]


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
