"""What runs use of what was learnt, as settings and for their first receipt: thresholds, a classifier."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing

from ..core.errors import unexpected
from ..settings.learning import FILE_NAME
from ..settings.schema import Settings
from ..state.sqlite import is_there


def with_learnt(
    settings: Settings, trouble: Callable[[str], object] = lambda _sentence: None
) -> tuple[Settings, Mapping[str, object]]:
    """The settings, and what the first receipt says of what was learnt; both as they were where nothing was.

    ``trouble`` is told where the file cannot be used: then nothing was learnt.
    """
    try:
        return _with_learnt(settings)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with that file, tickets are triaged
        trouble(f"what was learnt is not used: {unexpected(error)}")
        return settings, {}


def _with_learnt(settings: Settings) -> tuple[Settings, Mapping[str, object]]:
    path = settings.state_folder / FILE_NAME
    if not is_there(path):
        return settings, {}
    from ..analysis.classifier.storage import version  # most runs need nothing of it
    from ..learning.retraining import RETRAINED
    from ..learning.store import LearningStore
    from ..learning.thresholds import KIND, with_thresholds

    with closing(LearningStore(path, read_only=True)) as store:
        in_use = [item for item in store.changes() if item.undone_at is None]
    last = {item.what: item for item in in_use}
    learnt: dict[str, object] = {}
    classifier = version(settings.classifier_folder)
    for applied in (item for item in in_use if item.what == KIND):
        policy = with_thresholds(settings.policy, applied.detail, classifier)
        settings, learnt[KIND] = settings.model_copy(update={"policy": policy}), applied.id
    trained = last.get(RETRAINED)
    if trained is not None and settings.classifier.use and classifier == trained.detail["now"]:
        learnt[RETRAINED] = trained.id
    return settings, {"learnt": learnt} if learnt else {}
