"""Learning one classifier for all tasks, and proving on held-out tickets where it is better than the rules."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from ... import __version__
from ...analysis.classifier.analyser import has_floor, with_subcategory
from ...analysis.classifier.features import Ints, beside, decide, learn_text, text_content
from ...analysis.classifier.storage import Description, Task, TaskDescription, account_digest
from ...analysis.rules.analyser import RulesAnalyser
from ...core.errors import ConfigError
from ...core.models import Analysis, Urgency
from ...core.taxonomy import Taxonomy
from ..scores import Scores, score
from .corpus import Corpus
from .labelled_task import LabelledTask, labelled_task, rules_matrix
from .learners import (
    Advance,
    Contest,
    CrossValidation,
    HeldOut,
    confidence_of,
    folds_for,
    learn_confidence,
    logistic_regression,
    methods_for,
)

Say = Callable[[str], object]

FEWEST_TICKETS: Mapping[Task, int] = {"category": 40, "urgency": 120, "sentiment": 120}
"""With fewer the rules answer. With 50 or 100 tickets three of 60 trainings of urgency and mood did harm that the
bootstrap had called a gain, by up to 0.06; none of 80 trainings of the category."""

_DRAWS = 1_000
_TAIL = 0.05


@dataclass(frozen=True)
class FittedTask:
    """One task: what is stored about it, and the answers on held-out tickets that its scores were computed from.

    ``corrected`` counts the corrected tickets, which are no part of the scores, ``mended`` those answered right.
    """

    task: Task
    description: TaskDescription
    rows: Ints
    gold: tuple[str, ...]
    predicted: tuple[str, ...]
    scores: Scores
    rules_scores: Scores
    contests: tuple[Contest, ...]
    corrected: int = 0
    mended: int = 0


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
    say: Say = lambda _line: None,
    advance: Advance = lambda _steps: None,
) -> Trained:
    """Learn ``tasks`` from ``corpus``; the same corpus and seed give the same classifier.

    ``own_desk`` says that the tickets are those of the helpdesk ``account``; others are learnt, but never put in use.
    ``bench`` compares all installed methods with logistic regression, which is kept.
    ``say`` gets a line for each result; ``advance`` is called after each of :func:`steps`, and may raise.
    Raises ``ConfigError`` when no task has enough labelled tickets.
    """
    questions: list[LabelledTask] = []
    skipped: dict[Task, str] = {}
    for task in tasks:
        question = labelled_task(corpus, task, taxonomy)
        if isinstance(question, str):
            skipped[task] = question
            advance(folds_for(corpus) * len(methods_for(bench=bench)))
        else:
            questions.append(question)
    if not questions:
        raise ConfigError(*(f"{task} cannot be learnt: {why}" for task, why in skipped.items()))
    try:
        text = learn_text([one.text for one in corpus.texts])
    except ValueError as error:
        raise ConfigError(f"{questions[0].task} cannot be learnt: {error}") from None
    matrix = text.transform([one.text for one in corpus.texts])
    weights = [fitted.idf_ for _, fitted in text.transformer_list]
    advance(1)
    answers = [rules.analyse_with_points(one) for one in corpus.texts]
    advance(1)
    content: dict[str, dict[str, Any]] = text_content(text)
    learnt: list[FittedTask] = []
    # The sums are small: more threads would wait for each other. A fit cut short is still a fit, and measured.
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)  # it has the rules' vote
        for question in questions:
            asked = [answers[at] for at in question.rows]
            rows, points = matrix[question.rows], rules_matrix(question.task, asked, taxonomy.names)
            validation = CrossValidation(question, rows, weights, points, folds_for(corpus), seed, advance)
            held_out = validation.usual()
            contests = [held_out.contest]
            say(f"{question.task}: {held_out.contest}")
            for method in methods_for(bench=bench)[1:]:
                contests.append(validation.contest(method))
                say(f"{question.task}: {contests[-1]}")
            learnt.append(_learn(question, held_out, contests, [answer[0] for answer in asked], seed))
            whole = beside(rows, points * held_out.weight)
            seen, targets, counts_for = question.with_votes(whole, question.targets, held_out.weight)
            model = logistic_regression(seed).fit(seen, targets, sample_weight=counts_for)
            model.coef_[:, -points.shape[1] :] *= held_out.weight  # at use the points come as they are
            tested = question.tested
            confidence = learn_confidence(held_out.shares[tested], question.targets[tested], question.groups.group_of)
            content[question.task] = {"model": model, "confidence": confidence}
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


def steps(corpus: Corpus, tasks: Sequence[Task], *, bench: bool) -> int:
    """The number of steps of :func:`train`."""
    return 2 + len(tasks) * folds_for(corpus) * len(methods_for(bench=bench))


def _learn(
    question: LabelledTask, held_out: HeldOut, contests: Sequence[Contest], analyses: Sequence[Analysis], seed: int
) -> FittedTask:
    """The scores of the classifier and of the rules, on the same tickets, over all labels that these have."""
    answers, confidences = _held_out_answers(question, held_out)
    tested = question.tested
    corrected = np.setdiff1d(np.arange(len(question.gold)), tested)
    predicted, confidence = [answers[at] for at in tested], [confidences[at] for at in tested]
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
                _at_least_high(label) if has_floor(analysis, outage=outage) else label
                for label, analysis in zip(predicted, analyses, strict=True)
            ]
            for outage in (True, False)
        )
        outage_floor = score(gold, floored).macro_f1 >= score(gold, freer).macro_f1
        predicted = floored if outage_floor else freer
    scores, rules_scores = score(gold, predicted, confidence), score(gold, by_rules)
    gain = gain_over(gold, predicted, by_rules, seed)
    # Confidence is that of the category, whatever the sub-category.
    groups, group_of = question.groups
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
        macro_f1_sd=held_out.contest.sd,
        accuracy=scores.accuracy,
        ece=top_scores.ece or 0.0,
        rules_macro_f1=rules_scores.macro_f1,
        rules_accuracy=rules_scores.accuracy,
        gain_low=gain.low,
        gain_high=gain.high,
        used=gain.low > 0 and len(gold) >= FEWEST_TICKETS[question.task],
        outage_floor=outage_floor,
    )
    return FittedTask(
        task=question.task,
        description=description,
        rows=question.rows[tested],
        gold=gold,
        predicted=tuple(predicted),
        scores=scores,
        rules_scores=rules_scores,
        contests=tuple(contests),
        corrected=len(corrected),
        mended=sum(answers[at] == question.gold[at] for at in corrected),
    )


def _held_out_answers(question: LabelledTask, held_out: HeldOut) -> tuple[list[str], list[float]]:
    """Labels and confidences for all tickets, each calibrated on the other folds."""
    group_of = question.groups.group_of
    confidence = np.zeros(len(question.rows))
    for test in held_out.folds:
        others = np.setdiff1d(question.tested, test)
        fitted = learn_confidence(held_out.shares[others], question.targets[others], group_of)
        confidence[test] = confidence_of(fitted, held_out.shares[test], group_of)
    predicted, _ = decide(held_out.shares, group_of)
    return [question.labels[label] for label in predicted], confidence.tolist()


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


def _at_least_high(label: str) -> str:
    return label if label == Urgency.CRITICAL else str(Urgency.HIGH)


class Gain(NamedTuple):
    """The difference in macro-F1, and what it stays above and below 95 times in 100 each."""

    value: float
    low: float
    high: float


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
