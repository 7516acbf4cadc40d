"""Settings with the thresholds that ``learn thresholds --apply`` has set, for all that decides."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing

from ..settings.learning import FILE_NAME
from ..settings.schema import Settings
from ..state.sqlite import is_there


def with_learnt(settings: Settings) -> tuple[Settings, Mapping[str, object]]:
    """The settings, and what the first receipt says of what was learnt; both as they were where nothing was.

    Raises :class:`StateUnusable` when the file is there and cannot be read.
    """
    path = settings.state_folder / FILE_NAME
    if not is_there(path):
        return settings, {}
    from ..learning.store import LearningStore  # most runs need nothing of it
    from ..learning.thresholds import KIND, with_thresholds

    with closing(LearningStore(path, read_only=True)) as store:
        applied = [item for item in store.changes() if item.what == KIND and item.undone_at is None]
    if not applied:
        return settings, {}
    last = applied[-1]
    policy = with_thresholds(settings.policy, last.detail["parts"], last.detail["taxonomy"])
    return settings.model_copy(update={"policy": policy}), {"learnt": {KIND: last.id}}
