"""What runs use of what was learnt, for their first receipt: a retrained classifier."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing, suppress

from ..core.errors import unexpected
from ..settings.learning import FILE_NAME
from ..settings.schema import Settings
from ..state.sqlite import is_there


def learnt_in_use(settings: Settings, trouble: Callable[[str], object]) -> Mapping[str, object]:
    """What the first receipt says of what was learnt; empty where nothing was.

    ``trouble`` is told where the file cannot be used.
    """
    try:
        return _learnt(settings, trouble)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with that file, tickets are triaged
        trouble(f"what was learnt is not used: {unexpected(error)}")
        return {}


def _learnt(settings: Settings, trouble: Callable[[str], object]) -> Mapping[str, object]:
    path = settings.state_folder / FILE_NAME
    if not is_there(path):
        return {}
    from ..analysis.classifier.storage import ClassifierUnusable, version  # most runs need nothing of it
    from ..learning.retraining import RETRAINED
    from ..learning.store import LearningStore

    with closing(LearningStore(path, read_only=True)) as store:
        last = {item.what: item for item in store.changes() if item.undone_at is None}
    said: dict[str, object] = {}
    if (thresholds := last.get("thresholds")) is not None:
        trouble(
            "thresholds that 'learn thresholds --apply' of an earlier version stored are not used: set policy.tags, "
            f"policy.priority and so on in ticketbot.toml, then 'ticketbot learn undo {thresholds.id}'"
        )
    trained = last.get(RETRAINED)
    with suppress(ClassifierUnusable):  # which is said where it is loaded
        if trained is not None and version(settings.classifier_folder) == trained.detail["now"]:
            said["learnt"] = {RETRAINED: trained.id}
    return said
