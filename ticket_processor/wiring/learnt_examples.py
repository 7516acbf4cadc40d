"""What runs use of what was learnt: approved examples for prompts."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from ..core.errors import StateUnusable
from ..learning.examples import ExampleIndex, ExamplePicker, examples_of
from ..learning.store import FILE_NAME, LearningStore
from ..settings.schema import Settings
from ..state.sqlite import is_there


class LearntParts:
    """Parts of the chain that are made of approved examples; each is ``None`` where it is not wanted or nothing was.

    ``trouble`` is told where they cannot be read.
    """

    def __init__(self, settings: Settings, trouble: Callable[[str], object]) -> None:
        self._settings = settings
        self._index = _index(settings, trouble)

    def close(self) -> None:
        """Let go of the examples."""
        self._index.close()

    def examples(self) -> ExamplePicker | None:
        """What picks a prompt's examples."""
        wanted = self._settings.learning.examples
        return ExamplePicker(self._index, wanted) if wanted and len(self._index) else None


def _index(settings: Settings, trouble: Callable[[str], object]) -> ExampleIndex:
    path = settings.state_folder / FILE_NAME
    try:
        if is_there(path):
            with closing(LearningStore(path, read_only=True)) as store:
                return ExampleIndex(examples_of(store, settings.taxonomy))
    except StateUnusable as error:
        trouble(f"what was learnt is not used: {error}")
    return ExampleIndex(())
