"""What ``ticketbot train --from-corrections`` adds: approved corrections, and a former classifier that may stay."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..analysis.classifier.storage import version, write
from ..core.clock import SystemClock
from ..core.errors import ConfigError
from ..core.who import person_at_keyboard
from ..learning.model import Correction
from ..learning.retraining import FIELDS, RETRAINED
from ..learning.store import FILE_NAME, LearningStore
from ..settings.schema import Settings

if TYPE_CHECKING:
    from ..evaluation.training.fitting import Trained


def approved_corrections(settings: Settings) -> list[Correction]:
    """The approved corrections that a classifier can learn from. Raises ``ConfigError`` where there are none."""
    with closing(LearningStore(settings.state_folder / FILE_NAME, read_only=True)) as store:
        found = [item for field in FIELDS for item in store.examples(field)]
    if not found:
        raise ConfigError("no correction that a classifier can learn from was approved; see 'ticketbot learn review'")
    return found


def store_retrained(
    settings: Settings,
    clock: SystemClock,
    before: Trained,
    after: Trained,
    corrections: Sequence[Correction],
    *,
    force: bool,
) -> tuple[Trained, list[str], dict[str, Any]]:
    """Store the classifier and note what it has learnt from, unless its scores fall beyond chance: what to say of it.

    Both were tested on the same tickets, none of them a correction. That test is a hard one: what was corrected is what
    these tickets had taught wrongly.
    """
    folder = settings.classifier_folder
    from ..evaluation.training.fitting import gains  # heavy

    without, with_them, found = _scores(before), _scores(after), gains(before, after)
    fallen = [task for task, gain in found.items() if gain.high < 0]
    told = [
        f"{task}: held-out macro-F1 {without[task]:.3f} without corrections, {with_them[task]:.3f} with them "
        f"({gain.low:+.3f} to {gain.high:+.3f})"
        for task, gain in found.items()
    ]
    data: dict[str, Any] = {"without": without, "with": with_them, "change": None}
    if fallen and not force:
        return (
            after,
            [*told, f"not stored, since {' and '.join(fallen)} would get worse by more than chance; --force stores it"],
            data,
        )
    with closing(LearningStore(settings.state_folder / FILE_NAME)) as store, store.writing():
        former = version(folder)
        after = replace(after, description=write(folder, after.description, after.arrays, keep_former=True))
        detail = {
            "corrections": sorted(item.id for item in corrections),
            "macro_f1": ", ".join(f"{task} {score:.3f}" for task, score in with_them.items()),
            "former": former,
            "now": version(folder),
        }
        change = store.record(RETRAINED, person_at_keyboard(), detail, clock.now())
    told.append(f"stored in {folder}; 'ticketbot learn undo {change.id}' puts the former one back")
    return after, told, {**data, "change": change.id}


def _scores(trained: Trained) -> dict[str, float]:
    return {learnt.task: learnt.scores.macro_f1 for learnt in trained.learnt}
