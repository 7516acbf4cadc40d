"""Settings of what is learnt from people's changes; all of it is off by default."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from ..core.models import Frozen

FILE_NAME = "learning.sqlite3"
"""The learning store's file in the state folder."""


FEWEST_EXAMPLES = 4
"""With fewer, one label's half of them is a single one."""


def _none_or_enough(number: int) -> int:
    if 0 < number < FEWEST_EXAMPLES:
        raise ValueError(f"must be 0, or {FEWEST_EXAMPLES} to 6")
    return number


class LearningSettings(Frozen):
    """What is used of what people made of our labels; see `docs/learning.md`."""

    examples: Annotated[int, AfterValidator(_none_or_enough)] = Field(
        0, ge=0, le=6, description="approved examples of similar tickets in a prompt, 4 to 6; 0: none"
    )
