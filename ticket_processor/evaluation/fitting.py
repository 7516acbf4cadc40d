"""Learns one classifier for all tasks, proves on held-out tickets where it is better than the rules, and reports it."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from .. import __version__
from ..analysis.classifier.analyser import has_floor, with_subcategory
from ..analysis.classifier.features import Floats, Ints, beside, decide, learn_text, rules_features, text_content
from ..analysis.classifier.storage import TASKS, Description, Task, TaskDescription, account_digest
from ..analysis.rules.analyser import RulesAnalyser
from ..core.errors import ConfigError
from ..core.models import Analysis, Urgency
from ..core.tables import Table, as_text
from ..core.taxonomy import Taxonomy
from .learners import (
    METHODS,
    USUAL,
    Contest,
    Corpus,
    CrossValidation,
    LabelledTask,
    confidence_of,
    labelled_task,
    learn_confidence,
    logistic_regression,
    splits_of,
)
from .report import cells
from .scores import Scores, score

FEWEST_TICKETS: Mapping[Task, int] = {"category": 40, "urgency": 120, "sentiment": 120}
"""With fewer the rules answer. With 50 or 100 tickets three of 60 trainings of urgency and mood did harm that the
bootstrap had called a gain, by up to 0.06; none of 80 trainings of the category."""

_FEW = 1_000
_DRAWS = 1_000
_TAIL = 0.05


@dataclass(frozen=True)
class FittedTask:
    """One task: what is stored about it, and the answers on held-out tickets that its scores were computed from.

    ``corrected`` counts the corrected tickets, which are no part of the scores.
    """

    task: Task
    description: TaskDescription
    rows: Ints
    gold: tuple[str, ...]
    predicted: tuple[str, ...]
    scores: Scores
    contests: tuple[Contest, ...]
    corrected: int


@dataclass(frozen=True)
class Trained:
    """The classifier, ready to be written, and what there is to report."""

    description: Description
    content: dict[str, dict[str, Any]]
    learnt: tuple[FittedTask, ...]
    skipped: dict[Task, str]


def train(
    corpus: Corpus,
    taxonomy: Taxonomy,
    rules: RulesAnalyser,
    *,
    tasks: Sequence[Task],
    source: str,
    trained_at: str,
    own_desk: bool = False,
    account: str | None = None,
    bench: bool = False,
    seed: int = 0,
    advance: Callable[[int], object] = lambda _folds: None,
) -> Trained:
    """Learn ``tasks`` from ``corpus``; the same corpus and seed give the same classifier.

    ``own_desk`` says that the tickets are those of the helpdesk ``account``; others are learnt, but never put in use.
    ``bench`` compares all installed methods with logistic regression, which is kept.
    ``advance`` is called after each fold, and may raise.
    Raises ``ConfigError`` when no task has enough labelled tickets.
    """
    questions = {task: labelled_task(corpus, task, taxonomy) for task in tasks}
    skipped = {task: why for task, why in questions.items() if isinstance(why, str)}
    if len(skipped) == len(questions):
        raise ConfigError(*(f"{task} cannot be learnt: {why}" for task, why in skipped.items()))
    try:
        text = learn_text([one.text for one in corpus.texts])
    except ValueError as error:
        raise ConfigError(f"{tasks[0]} cannot be learnt: {error}") from None
    matrix = text.transform([one.text for one in corpus.texts])
    idf = [fitted.idf_ for _, fitted in text.transformer_list]
    answers = [rules.analyse_with_points(one) for one in corpus.texts]
    content: dict[str, dict[str, Any]] = text_content(text)
    learnt: list[FittedTask] = []
    # The sums are small: more threads would wait for each other. A fit cut short is still a fit, and measured.
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)  # it has the rules' vote
        for task, question in questions.items():
            if isinstance(question, str):
                continue
            asked = [answers[at] for at in question.rows]
            rows = matrix[question.rows]
            points = np.array(
                [rules_features(task, said, found, haste, taxonomy.names) for said, found, haste in asked]
            )
            # More folds where tickets are few, so that what is tested had nearly all of them.
            splits = splits_of(question, 10 if len(corpus.texts) <= _FEW else 5, seed)
            validation = CrossValidation(question, rows, idf, points, splits, seed, advance)
            contest, shares, weight = validation.usual()
            contests = [contest, *(validation.contest(method)[0] for method in [*METHODS][1:] if bench)]
            folds = [test for _, test in splits]
            learnt.append(_learn(question, shares, folds, contests, [answer[0] for answer in asked], seed))
            whole = beside(rows, points * weight)
            seen, targets, counts_for = question.with_votes(whole, question.targets, weight)
            model = logistic_regression(seed).fit(seen, targets, sample_weight=counts_for)
            model.coef_[:, -points.shape[1] :] *= weight  # at use the points come as they are
            tested = question.tested
            confidence = learn_confidence(shares[tested], question.targets[tested], question.groups.group_of)
            content[task] = {"model": model, "confidence": confidence}
    description = Description(
        ticketbot=__version__,
        trained_at=trained_at,
        rows=len(corpus.texts),
        source=source,
        own_desk=own_desk,
        account=account_digest(account),
        taxonomy=taxonomy.names,
        tops=tuple(
            taxonomy.split(label)[0] for one in learnt if one.task == "category" for label in one.description.labels
        ),
        tasks={result.task: result.description for result in learnt},
    )
    return Trained(description, content, tuple(learnt), skipped)


def _learn(
    question: LabelledTask,
    shares: Floats,
    folds: Sequence[Ints],
    contests: Sequence[Contest],
    analyses: Sequence[Analysis],
    seed: int,
) -> FittedTask:
    """The scores of the classifier and of the rules, on the same tickets, over all labels that these have."""
    tested, (groups, group_of) = question.tested, question.groups
    answers, confidences = decide(shares, group_of)[0], _held_out_confidence(question, shares, folds)
    predicted = [question.labels[answers[at]] for at in tested]
    confidence = [float(confidences[at]) for at in tested]
    gold, targets = tuple(question.gold[at] for at in tested), question.targets[tested]
    analyses = [analyses[at] for at in tested]
    by_rules = [rules_label(question.task, analysis, gold) for analysis in analyses]
    outage_floor = True
    if question.task == "category":
        below = [with_subcategory(*answer, question.labels) for answer in zip(predicted, analyses, strict=True)]
        predicted = [sub if sub in gold else label for sub, label in zip(below, predicted, strict=True)]
    if question.task == "urgency":
        floored, freer = (
            [
                str(Urgency.HIGH) if label != Urgency.CRITICAL and has_floor(analysis, outage=outage) else label
                for label, analysis in zip(predicted, analyses, strict=True)
            ]
            for outage in (True, False)
        )
        outage_floor = score(gold, floored).macro_f1 >= score(gold, freer).macro_f1
        predicted = floored if outage_floor else freer
    scores, rules_scores = score(gold, predicted, confidence), score(gold, by_rules)
    gain = gain_over(gold, predicted, by_rules, seed)
    # Confidence is that of the category, whatever the sub-category.
    top = {label: groups[group] for label, group in zip(question.labels, group_of, strict=True)}
    top |= {label: groups[group_of[at]] for label, at in zip(gold, targets, strict=True)}
    top_scores = score([top[label] for label in gold], [top.get(label, label) for label in predicted], confidence)
    counts = Counter(question.gold)
    description = TaskDescription(
        labels=question.labels,
        rows=len(question.gold),
        rows_by_label={label: counts[label] for label in question.labels},
        left_out=question.left_out,
        macro_f1=scores.macro_f1,
        macro_f1_sd=contests[0].sd,
        accuracy=scores.accuracy,
        ece=top_scores.ece or 0.0,
        rules_macro_f1=rules_scores.macro_f1,
        rules_accuracy=rules_scores.accuracy,
        gain_low=gain.low,
        gain_high=gain.high,
        used=gain.low > 0 and len(gold) >= FEWEST_TICKETS[question.task],
        outage_floor=outage_floor,
    )
    corrected = len(question.gold) - len(tested)
    rows = question.rows[tested]
    return FittedTask(question.task, description, rows, gold, tuple(predicted), scores, tuple(contests), corrected)


def _held_out_confidence(question: LabelledTask, shares: Floats, folds: Sequence[Ints]) -> Floats:
    """The confidence in each answer, calibrated on the other folds."""
    group_of = question.groups.group_of
    confidence = np.zeros(len(question.rows))
    for test in folds:
        others = np.setdiff1d(question.tested, test)
        fitted = learn_confidence(shares[others], question.targets[others], group_of)
        confidence[test] = confidence_of(fitted, shares[test], group_of)
    return confidence


def rules_label(task: Task, analysis: Analysis, labels: Sequence[str]) -> str:
    """The rules' answer in the words of ``labels``: their sub-category if any is asked for, three-level urgency."""
    if task == "category":
        below = analysis.subcategory
        return below if below is not None and below in labels else analysis.category
    if task == "sentiment":
        return str(analysis.sentiment)
    if analysis.urgency is Urgency.CRITICAL and "critical" not in labels:
        return "high"  # of three levels, it is the highest
    return str(analysis.urgency)


class Gain(NamedTuple):
    """The difference in macro-F1, and what it stays above and below 95 times in 100 each."""

    value: float
    low: float
    high: float


def gains(before: Trained, after: Trained) -> dict[Task, Gain]:
    """What corrections change: the difference in macro-F1 of each task, on the tickets that both were tested on."""
    learnt = {one.task: dict(zip(one.rows, one.predicted, strict=True)) for one in after.learnt}
    found = {}
    for one in before.learnt:
        now = learnt.get(one.task, {})
        both = [row for row in zip(one.rows, one.gold, one.predicted, strict=True) if row[0] in now]
        if both:
            found[one.task] = gain_over(
                [gold for _, gold, _ in both], [now[at] for at, *_ in both], [said for *_, said in both]
            )
    return found


def gain_over(gold: Sequence[str], predicted: Sequence[str], others: Sequence[str], seed: int = 0) -> Gain:
    """A paired bootstrap over the tickets, by macro-F1 over all labels that the tickets have (Efron, 1979)."""
    names = sorted({*gold, *predicted, *others})
    rows = np.array([[names.index(label) for label in labels] for labels in (gold, predicted, others)])

    def difference(drawn: Ints) -> float:
        truth, ours, theirs = drawn
        return _macro_f1(truth, ours, len(names)) - _macro_f1(truth, theirs, len(names))

    rng = np.random.default_rng(seed)
    drawn = [difference(rows[:, rng.integers(0, len(gold), len(gold))]) for _ in range(_DRAWS)]
    low, high = np.quantile(drawn, [_TAIL, 1 - _TAIL])
    return Gain(difference(rows), float(low), float(high))


def _macro_f1(truth: Ints, given: Ints, labels: int) -> float:
    # Thousands of times a task: sklearn.metrics.f1_score takes thirty times as long.
    support = np.bincount(truth, minlength=labels)
    hits = np.bincount(truth[truth == given], minlength=labels)
    both = support + np.bincount(given, minlength=labels)
    return float((2 * hits / np.maximum(both, 1))[support > 0].mean())


_SCORES = ("<task", "tickets", "labels", "macro-F1", "rules", "gain", "accuracy", "rules", "ECE", "<used")


def summary_text(trained: Trained, *, bench: bool) -> str:
    """The result in a few lines: a table for each contest, best first, the scores beside the rules' on the same
    held-out tickets, and what is used."""
    parts = []
    for one in trained.learnt if bench else ():
        able = sorted((each for each in one.contests if each.failed is None), key=lambda each: -each.macro_f1)
        rows = tuple(cells(each.method, each.macro_f1, f"± {each.sd:.3f}", f"{each.fit_s:.2f}") for each in able)
        title = f"{one.task}, by {len(one.scores.confusion)} labels, cross-validation"
        parts.append(f"{as_text(Table(title, ('<method', 'macro-F1', 'sd', 'fit s'), rows))}\n")
    scores = tuple(
        cells(
            task,
            learnt.rows,
            len(learnt.labels),
            learnt.macro_f1,
            learnt.rules_macro_f1,
            f"{learnt.gain_low:+.3f} to {learnt.gain_high:+.3f}",
            learnt.accuracy,
            learnt.rules_accuracy,
            learnt.ece,
            "yes" if task in trained.description.used else "no",
        )
        for task in TASKS
        if (learnt := trained.description.tasks.get(task)) is not None
    )
    return "\n".join([*parts, as_text(Table("Scores", _SCORES, scores)), *_remarks(trained)])


def _remarks(trained: Trained) -> list[str]:
    """A sentence for each unexpected result."""
    sentences = [f"{task} is not learnt: {why}" for task, why in trained.skipped.items()]
    for learnt in trained.learnt:
        if left_out := learnt.description.left_out:
            named = ", ".join(f"{label} ({count})" for label, count in sorted(left_out.items()))
            sentences.append(f"{learnt.task}: labels with too few tickets, or not in the taxonomy, not learnt: {named}")
        sentences += [f"{learnt.task}: {one.method} is skipped, {one.failed}" for one in learnt.contests if one.failed]
        best = max(learnt.contests, key=lambda contest: contest.macro_f1)
        if best.method != USUAL:
            sentences.append(f"{learnt.task}: {best.method} scored higher, but only {USUAL} is put in use")
        if learnt.corrected:
            sentences.append(f"{learnt.task}: {learnt.corrected} corrected tickets are no part of the scores")
        if not learnt.description.used:
            fewest, count = FEWEST_TICKETS[learnt.task], len(learnt.gold)
            why = (
                f"it takes {fewest} labelled tickets, and there are {count}"
                if count < fewest
                else f"on the same {count} tickets the rules may be as good, see the gain"
            )
            sentences.append(f"{learnt.task} will not be used: {why}")
    if not trained.description.own_desk:
        sentences.append("nothing will be used: the tickets are not said to be this desk's own (--own-desk)")
    return sentences


def as_data(trained: Trained, folder: Path) -> dict[str, object]:
    """The same for a program, with each label's scores and the confusion on the held-out tickets."""
    held_out = {
        learnt.task: {
            "labels": {label: vars(scores) for label, scores in learnt.scores.per_label.items()},
            "confusion": dict(learnt.scores.confusion),
        }
        for learnt in trained.learnt
    }
    return {
        "folder": str(folder),
        "classifier": trained.description.model_dump(mode="json"),
        "contests": {learnt.task: [vars(contest) for contest in learnt.contests] for learnt in trained.learnt},
        "held_out": held_out,
        "skipped": dict(trained.skipped),
    }
