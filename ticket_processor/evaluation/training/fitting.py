"""Learning one classifier for all tasks, and proving on held-out tickets where it is better than the rules."""

from __future__ import annotations

import importlib.util
import statistics
import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

from ... import __version__
from ...analysis.classifier.analyser import groups_of
from ...analysis.classifier.scoring import Arrays, Features, Floats, Linear, decide
from ...analysis.classifier.storage import Description, Task, TaskDescription
from ...analysis.rules.analyser import RulesAnalyser
from ...core.errors import ConfigError, how_to_install
from ...core.models import Analysis, Sentiment, Urgency
from ...core.taxonomy import Taxonomy
from ..scores import Scores, score
from .calibration import calibrate
from .contenders import LINEAR, NEEDS, TREES, USUAL, Ensemble, scores_of
from .corpus import Corpus, NgramCounts, Rows

FOLDS = 5
FEWEST_OF_A_LABEL = FOLDS
"""A label with fewer tickets cannot be learnt and tested; it is left out, and said to be."""

Say = Callable[[str], object]
Advance = Callable[[int], object]
_TIMED = 100


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
class FittedTask:
    """One task: what is stored about it, and the answers on held-out tickets that its scores were computed from."""

    task: Task
    description: TaskDescription
    rows: Rows
    gold: tuple[str, ...]
    predicted: tuple[str, ...]
    confidence: tuple[float, ...]
    scores: Scores
    rules_scores: Scores
    top_scores: Scores
    contests: tuple[Contest, ...]


@dataclass(frozen=True)
class Trained:
    """The classifier, ready to be written, and what there is to report."""

    description: Description
    arrays: dict[str, Arrays]
    learnt: tuple[FittedTask, ...]
    skipped: dict[Task, str]


@dataclass(frozen=True)
class _Question:
    """One task's labelled tickets."""

    task: Task
    labels: tuple[str, ...]
    left_out: dict[str, int]
    rows: Rows
    targets: npt.NDArray[np.int64]
    groups: tuple[str, ...]
    group_of: npt.NDArray[np.int32]


@dataclass(frozen=True)
class _HeldOut:
    """A method's scores for each ticket, by a model that had not seen it."""

    contest: Contest
    scores: Floats = field(default_factory=lambda: np.empty((0, 0), np.float32))
    folds: tuple[npt.NDArray[np.int64], ...] = ()
    contests: tuple[Contest, ...] = ()


def train(
    corpus: Corpus,
    taxonomy: Taxonomy,
    rules: RulesAnalyser,
    *,
    tasks: Sequence[Task],
    source: str,
    trained_at: str,
    bench: bool = False,
    seed: int = 0,
    say: Say = lambda _line: None,
    advance: Advance = lambda _steps: None,
) -> Trained:
    """Learn ``tasks`` from ``corpus``; the same corpus and seed give the same classifier.

    ``bench`` compares all installed methods and keeps the best linear one of each task; otherwise logistic regression.
    ``say`` gets a line for each result; ``advance`` is called after each of :func:`steps`, and may raise.
    Raises ``ConfigError`` when no task has enough labelled tickets.
    """
    questions: list[_Question] = []
    skipped: dict[Task, str] = {}
    for task in tasks:
        question = _question(corpus, task, taxonomy)
        if isinstance(question, str):
            skipped[task] = question
            advance(FOLDS * len(_methods(bench)))
        else:
            questions.append(question)
    if not questions:
        raise ConfigError(*(f"{task} cannot be learnt: {why}" for task, why in skipped.items()))
    counted = NgramCounts(corpus.texts)
    advance(1)
    answers = [rules.analyse_with_floor(text) for text in corpus.texts]
    advance(1)
    arrays: dict[str, Arrays] = {}
    learnt: list[FittedTask] = []
    # The sums are small: more threads would wait for each other. A fit cut short is still a fit, and measured.
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        space = counted.space(np.arange(len(corpus.texts)))
        arrays["features"] = space.features().to_arrays()
        for question in questions:
            contest = _Contest(question, corpus, counted, seed, say, advance)
            learnt.append(_learn(question, contest.best(_methods(bench)), answers))
            fit = LINEAR[learnt[-1].description.model]
            arrays[question.task] = fit(space.matrix(question.rows), question.targets, seed).to_arrays()
    description = Description(
        ticketbot=__version__,
        trained_at=trained_at,
        rows=len(corpus.texts),
        source=source,
        taxonomy=taxonomy.names,
        tasks={result.task: result.description for result in learnt},
    )
    return Trained(description, arrays, tuple(learnt), skipped)


def steps(tasks: Sequence[Task], *, bench: bool) -> int:
    """The number of steps of :func:`train`."""
    return 2 + len(tasks) * FOLDS * len(_methods(bench))


def _methods(bench: bool) -> tuple[str, ...]:
    return (*LINEAR, *TREES) if bench else (USUAL,)


def _question(corpus: Corpus, task: Task, taxonomy: Taxonomy) -> _Question | str:
    """The tickets to learn ``task`` from, or why there is nothing to learn."""
    given = corpus.labels[task]
    counts = Counter(label for label in given if label is not None)
    if not counts:
        return "no ticket has a label"
    if task == "category":
        unknown = [label for label in counts if label not in taxonomy.names]
        order = [name for name in taxonomy.names if name in counts]
    else:
        unknown, order = [], [str(value) for value in (*Urgency, *Sentiment) if value in counts]
    labels = tuple(label for label in order if counts[label] >= FEWEST_OF_A_LABEL)
    left_out = {label: counts[label] for label in [*order, *unknown] if label not in labels}
    if not order:
        return "the tickets' labels are none of the taxonomy's categories"
    if len(labels) < 2:
        return (
            f"it takes two labels with at least {FEWEST_OF_A_LABEL} different tickets each, and there are {len(labels)}"
        )
    rows = np.array([at for at, label in enumerate(given) if label in labels])
    targets = np.array([labels.index(str(given[at])) for at in rows])
    return _Question(task, labels, left_out, rows, targets, *groups_of(task, labels, taxonomy))


def _learn(question: _Question, best: _HeldOut, answers: Sequence[tuple[Analysis, Urgency | None]]) -> FittedTask:
    """The scores of the best method and of the rules, on the same tickets."""
    predicted, confidence = _held_out_answers(question, best)
    if question.task == "urgency":
        floors = [answers[at][1] for at in question.rows]
        predicted = [_at_least(label, floor, question.labels) for label, floor in zip(predicted, floors, strict=True)]
    gold = [question.labels[target] for target in question.targets]
    by_rules = [rules_label(question.task, answers[at][0], question.labels) for at in question.rows]
    scores, rules_scores = score(gold, predicted, confidence), score(gold, by_rules)
    # Confidence is that of the category, whatever the sub-category.
    top = {label: question.groups[group] for label, group in zip(question.labels, question.group_of, strict=True)}
    top_scores = score([top[label] for label in gold], [top.get(label, label) for label in predicted], confidence)
    counts = Counter(gold)
    description = TaskDescription(
        model=best.contest.method,
        labels=question.labels,
        rows=len(gold),
        rows_by_label={label: counts[label] for label in question.labels},
        left_out=question.left_out,
        macro_f1=scores.macro_f1,
        macro_f1_sd=best.contest.sd,
        accuracy=scores.accuracy,
        ece=top_scores.ece or 0.0,
        rules_macro_f1=rules_scores.macro_f1,
        rules_accuracy=rules_scores.accuracy,
        used=scores.macro_f1 > rules_scores.macro_f1,
        **calibrate(best.scores, question.targets, question.group_of)._asdict(),
    )
    return FittedTask(
        task=question.task,
        description=description,
        rows=question.rows,
        gold=tuple(gold),
        predicted=tuple(predicted),
        confidence=tuple(confidence),
        scores=scores,
        rules_scores=rules_scores,
        top_scores=top_scores,
        contests=best.contests,
    )


@dataclass(frozen=True)
class _Contest:
    """Stratified cross-validation of one task; all methods meet the same folds."""

    question: _Question
    corpus: Corpus
    counted: NgramCounts
    seed: int
    say: Say
    advance: Advance

    def best(self, methods: Sequence[str]) -> _HeldOut:
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

    def _try(self, method: str) -> _HeldOut:
        module = NEEDS.get(method)
        if module and importlib.util.find_spec(module) is None:
            self.advance(FOLDS)
            return _HeldOut(Contest(method, failed=f"{module} is not installed: {how_to_install('bench')}"))
        try:
            return self._validated(method)
        except ValueError as error:
            return _HeldOut(Contest(method, failed=str(error).partition("\n")[0]))

    def _validated(self, method: str) -> _HeldOut:
        """Vocabulary and weights of each fold come from its own training part alone."""
        asked = self.question
        scores = np.zeros((len(asked.rows), len(asked.labels)), np.float32)
        folds, results, fit_seconds = [], [], []
        milliseconds = 0.0
        splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=self.seed)
        for part, test in splitter.split(asked.rows, asked.targets):
            space = self.counted.space(asked.rows[part])
            matrix = space.matrix(asked.rows[part])
            if not matrix.shape[1]:
                raise ValueError("the tickets have no words in common")
            start = time.perf_counter()
            fitted = {**LINEAR, **TREES}[method](matrix, asked.targets[part], self.seed)
            fit_seconds.append(time.perf_counter() - start)
            scores[test] = scores_of(fitted, space.matrix(asked.rows[test]))
            chosen = decide(scores[test], 1.0, asked.group_of).labels
            gold = [asked.labels[target] for target in asked.targets[test]]
            results.append(score(gold, [asked.labels[label] for label in chosen]).macro_f1)
            folds.append(test)
            if len(folds) == FOLDS:
                texts = [self.corpus.texts[at].text for at in asked.rows[test][:_TIMED]]
                milliseconds = _milliseconds(space.features(), fitted, texts)
            self.advance(1)
        mean, sd = statistics.mean(results), statistics.stdev(results)
        contest = Contest(method, mean, sd, statistics.mean(fit_seconds), milliseconds)
        return _HeldOut(contest, scores, tuple(folds))


def _milliseconds(features: Features, fitted: Linear | Ensemble, texts: Sequence[str]) -> float:
    """Milliseconds for one ticket on its own, counting its words included."""
    start = time.perf_counter()
    for text in texts:
        columns, values = features.vector(text)
        scores_of(fitted, sparse.csr_matrix((values, columns, [0, len(columns)]), shape=(1, len(features.idf))))
    return 1000 * (time.perf_counter() - start) / len(texts)


def _held_out_answers(question: _Question, held_out: _HeldOut) -> tuple[list[str], list[float]]:
    """Labels and confidences for all tickets, each calibrated on the other folds."""
    predicted = np.zeros(len(question.rows), np.int64)
    confidence = np.zeros(len(question.rows))
    for test in held_out.folds:
        others = np.setdiff1d(np.arange(len(question.rows)), test)
        calibration = calibrate(held_out.scores[others], question.targets[others], question.group_of)
        predicted[test] = decide(held_out.scores[test], calibration.temperature, question.group_of).labels
        confidence[test] = calibration.confidence(held_out.scores[test], question.group_of)
    return [question.labels[label] for label in predicted], [float(value) for value in confidence]


def rules_label(task: Task, analysis: Analysis, labels: Sequence[str]) -> str:
    """The rules' answer in the words of ``labels``: their sub-category if any is asked for, three-level urgency."""
    if task == "category":
        below = analysis.subcategory
        return below if below is not None and below in labels else analysis.category
    if task == "sentiment":
        return str(analysis.sentiment)
    return _known_urgency(analysis.urgency, labels)


def _known_urgency(urgency: Urgency, labels: Sequence[str]) -> str:
    """Where nothing is ever "critical", what the rules call so is "high"."""
    return "high" if urgency is Urgency.CRITICAL and "critical" not in labels else str(urgency)


def _at_least(label: str, floor: Urgency | None, labels: Sequence[str]) -> str:
    if floor is None:
        return label
    return _known_urgency(min(Urgency(label), floor, key=list(Urgency).index), labels)


def contest_line(contest: Contest) -> str:
    """One method's result for a log."""
    if contest.failed is not None:
        return f"{contest.method}: skipped, {contest.failed}"
    return (
        f"{contest.method}: macro-F1 {contest.macro_f1:.3f} ± {contest.sd:.3f}, fitted in {contest.fit_s:.1f} s, "
        f"{contest.ms_per_ticket:.2f} ms a ticket"
    )
