"""What corrections change about a classifier: both versions' answers on the same held-out tickets."""

from __future__ import annotations

from collections.abc import Mapping

from ...analysis.classifier.storage import Task
from .fitting import FittedTask, Trained
from .gate import Gain, gain_over


def gains(before: Trained, after: Trained) -> dict[Task, Gain]:
    """The difference in macro-F1 of each task that both learnt, on the tickets that both were tested on."""
    learnt = {one.task: one for one in after.learnt}
    return {one.task: _gain(one, learnt[one.task]) for one in before.learnt if one.task in learnt}


def worse(found: Mapping[Task, Gain]) -> list[Task]:
    """The tasks that fall by more than chance."""
    return [task for task, gain in found.items() if gain.high < 0]


def _gain(before: FittedTask, after: FittedTask) -> Gain:
    now = dict(zip(after.rows, after.predicted, strict=True))
    both = [row for row in zip(before.rows, before.gold, before.predicted, strict=True) if row[0] in now]
    return gain_over([gold for _, gold, _ in both], [now[at] for at, _, _ in both], [said for *_, said in both], seed=0)
