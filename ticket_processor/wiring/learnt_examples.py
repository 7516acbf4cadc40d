"""What runs use of what was learnt: approved examples, for the vote of similar tickets and for prompts."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from ..analysis.chain import Analyser
from ..core.errors import StateUnusable
from ..learning.neighbour_vote import NeighbourVote
from ..learning.neighbours import ExampleIndex, examples_of
from ..learning.store import FILE_NAME, LearningStore
from ..settings.schema import Settings
from ..state.sqlite import is_there


def neighbour_vote(settings: Settings, rest: Analyser, trouble: Callable[[str], object]) -> Analyser | None:
    """The vote of similar tickets; ``None`` where nothing was approved yet, or it cannot be read."""
    index = example_index(settings, trouble)
    return NeighbourVote(index, rest, settings.taxonomy) if len(index) else None


def example_index(settings: Settings, trouble: Callable[[str], object]) -> ExampleIndex:
    """The approved examples of these settings; none, and ``trouble`` is told, where they cannot be read."""
    path = settings.state_folder / FILE_NAME
    try:
        if is_there(path):
            with closing(LearningStore(path, read_only=True)) as store:
                return ExampleIndex(examples_of(store, settings.taxonomy))
    except StateUnusable as error:
        trouble(f"what was learnt is not used: {error}")
    return ExampleIndex(())
