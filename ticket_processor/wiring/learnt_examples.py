"""What runs use of what was learnt: approved examples, for prompts and for the vote of similar tickets."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from ..analysis.chain import Analyser
from ..core.errors import StateUnusable
from ..learning.neighbour_vote import NeighbourVote
from ..learning.neighbours import ExampleIndex, examples_of
from ..learning.prompt_examples import ExamplePicker
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

    def vote(self, rest: Analyser) -> Analyser | None:
        """The vote of similar tickets; all but the category is ``rest``'s."""
        wanted = self._settings.learning.neighbour_vote and len(self._index)
        return NeighbourVote(self._index, rest, self._settings.taxonomy) if wanted else None


def _index(settings: Settings, trouble: Callable[[str], object]) -> ExampleIndex:
    path = settings.state_folder / FILE_NAME
    try:
        if is_there(path):
            with closing(LearningStore(path, read_only=True)) as store:
                return ExampleIndex(examples_of(store, settings.taxonomy))
    except StateUnusable as error:
        trouble(f"what was learnt is not used: {error}")
    return ExampleIndex(())
