"""Settings with the thresholds that ``learn thresholds --apply`` has set, for all that decides; and their release."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing

from ..settings.learning import FILE_NAME
from ..settings.schema import Settings
from ..state.sqlite import is_there


def with_learnt(settings: Settings) -> tuple[Settings, Mapping[str, object]]:
    """The settings, and what the first receipt says of what was learnt; both as they were where nothing was.

    It names their release where one was ever put in place.

    Raises :class:`StateUnusable` when the file is there and cannot be read.
    """
    path = settings.state_folder / FILE_NAME
    if not is_there(path):
        return settings, {}
    from ..learning.model import RELEASE  # most runs need nothing of it
    from ..learning.store import LearningStore
    from ..learning.thresholds import KIND, with_thresholds

    with closing(LearningStore(path, read_only=True)) as store:
        changes = [item for item in store.changes() if item.undone_at is None]
    said: dict[str, object] = {}
    if applied := [item for item in changes if item.what == KIND]:
        last = applied[-1]
        policy = with_thresholds(settings.policy, last.detail["parts"], last.detail["taxonomy"])
        settings = settings.model_copy(update={"policy": policy})
        said["learnt"] = {KIND: last.id}
    if any(item.what == RELEASE for item in changes):
        from ..learning.releases import release_id

        said["release"] = release_id(settings)
    return settings, said
