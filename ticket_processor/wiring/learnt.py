"""What runs use of what was learnt: the trained classifier, approved examples, and what the first receipt says of it.

Most runs need nothing of it, so that heavy parts are imported where they are used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

from ..analysis.chain import Analyser
from ..analysis.rules.analyser import RulesAnalyser
from ..core.errors import StateUnusable, unexpected
from ..settings.schema import LEARNING_STORE, Settings
from ..state.sqlite import is_there

if TYPE_CHECKING:
    from ..learning.examples import ExamplePicker


def trained_classifier(
    settings: Settings, rules: RulesAnalyser, trouble: Callable[[str], object] = lambda _sentence: None
) -> Analyser | None:
    """The classifier that ``ticketbot train`` made, if it is there, wanted and usable."""
    folder = settings.classifier_folder
    if not settings.use_classifier or not is_there(folder):
        return None
    from ..analysis.classifier.analyser import LocalClassifier
    from ..analysis.classifier.storage import ClassifierUnusable, NotTrained, read_description

    try:
        if not read_description(folder).used:
            return None  # it beat the rules at nothing, which 'ticketbot train' has said
        return LocalClassifier.load(folder, settings.taxonomy, rules, settings.account)
    except NotTrained:
        return None
    except ClassifierUnusable as error:
        trouble(f"{error}; the rules do its work")
        return None


@contextmanager
def approved_examples(settings: Settings, trouble: Callable[[str], object]) -> Iterator[ExamplePicker | None]:
    """What picks examples for a prompt; ``None`` where none were approved, or they cannot be read (``trouble``)."""
    from ..learning.examples import ExamplePicker, examples_of
    from ..learning.store import LearningStore

    path, found = settings.state_folder / LEARNING_STORE, []
    try:
        if is_there(path):
            with closing(LearningStore(path, read_only=True)) as store:
                found = examples_of(store, settings.taxonomy)
    except StateUnusable as error:
        trouble(f"what was learnt is not used: {error}")
    with closing(ExamplePicker(found, settings.learning.examples)) as picker:
        yield picker if found else None


def learnt_in_use(settings: Settings, trouble: Callable[[str], object]) -> Mapping[str, object]:
    """What the first receipt says of a retrained classifier; empty where there is none.

    ``trouble`` is told where the file cannot be used.
    """
    path = settings.state_folder / LEARNING_STORE
    try:
        if not is_there(path):
            return {}
        from ..analysis.classifier.storage import ClassifierUnusable, version
        from ..learning.examples import RETRAINED
        from ..learning.store import LearningStore

        with closing(LearningStore(path, read_only=True)) as store:
            last = {item.what: item for item in store.changes() if item.undone_at is None}
        trained = last.get(RETRAINED)
        with suppress(ClassifierUnusable):  # which is said where it is loaded
            if trained is not None and version(settings.classifier_folder) == trained.detail["now"]:
                return {"learnt": {RETRAINED: trained.id}}
    except Exception as error:  # noqa: BLE001 - whatever is wrong with that file, tickets are triaged
        trouble(f"what was learnt is not used: {unexpected(error)}")
    return {}
