"""The results of training for people, and as data."""

from __future__ import annotations

from pathlib import Path

from ...analysis.classifier.storage import TASKS
from ...core.tables import Table, as_text
from ..tables import cells
from .fitting import FEWEST_TICKETS, FittedTask, Trained
from .learners import USUAL

_SCORES = ("<task", "tickets", "labels", "macro-F1", "rules", "gain", "accuracy", "rules", "ECE", "<used")


def summary_text(trained: Trained, *, bench: bool) -> str:
    """The result in a few lines: a table for each contest, the scores beside the rules', and what is used."""
    contests = [f"{as_text(_contest_table(learnt))}\n" for learnt in trained.learnt if bench]
    return "\n".join([*contests, as_text(_scores_table(trained)), *_remarks(trained)])


def _scores_table(trained: Trained) -> Table:
    """A row for each task: the classifier's scores beside those of the rules on the same held-out tickets."""
    rows = tuple(
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
    return Table("Scores", _SCORES, rows)


def _contest_table(learnt: FittedTask) -> Table:
    """A row for each method that took part, best first."""
    able = [contest for contest in learnt.contests if contest.failed is None]
    rows = tuple(
        cells(contest.method, contest.macro_f1, f"± {contest.sd:.3f}", f"{contest.fit_s:.2f}")
        for contest in sorted(able, key=lambda contest: -contest.macro_f1)
    )
    title = f"{learnt.task}, by {len(learnt.scores.confusion)} labels, cross-validation"
    return Table(title, ("<method", "macro-F1", "sd", "fit s"), rows)


def _remarks(trained: Trained) -> list[str]:
    """A sentence for each unexpected result."""
    sentences = [f"{task} is not learnt: {why}" for task, why in trained.skipped.items()]
    for learnt in trained.learnt:
        if left_out := learnt.description.left_out:
            named = ", ".join(f"{label} ({count})" for label, count in sorted(left_out.items()))
            sentences.append(f"{learnt.task}: labels with too few tickets, or not in the taxonomy, not learnt: {named}")
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
