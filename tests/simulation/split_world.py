"""Stories in which two settings files share most runs' tickets: one half is decided as the candidate wants."""

from __future__ import annotations

import random
from functools import partial
from unittest import mock

from ticket_processor.analysis.chain import Understanding
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.pipeline.analyse import Judge
from ticket_processor.policy.decide import FieldPolicy, Mode, Policy

from .guards import Guard
from .world import World

CANDIDATE = Policy(
    tag_secondary=True, review_below=0.9, priority=FieldPolicy(threshold=0.5), group=FieldPolicy(mode=Mode.SUGGEST)
)
NO_TARGETS = default_taxonomy()


class SplitWorld(World):
    """One story with a split, which some runs are without."""

    def __init__(self, seed: int, **options: object) -> None:
        self.splits = random.Random(f"split {seed}")
        super().__init__(seed, **options)  # type: ignore[arg-type]

    def _candidate(self, understanding: Understanding) -> Judge | None:
        return Judge(understanding, CANDIDATE, NO_TARGETS) if self.splits.random() < 0.8 else None


SPLIT_MUTATIONS = {
    "the candidate has a marker of its own": Guard(
        2, partial(mock.patch, f"{__name__}.CANDIDATE", CANDIDATE.model_copy(update={"tag_prefix": "bot_"}))
    )
}
"""What must be noticed: why a split's settings share the beginning of their tags."""
