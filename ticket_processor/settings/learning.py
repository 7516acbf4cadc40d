"""Settings of what is learnt from people's changes; all of it is off by default."""

from __future__ import annotations

from pydantic import Field

from ..core.models import Frozen


class LearningSettings(Frozen):
    """What is collected of people's reactions, and what it may be used for; see `docs/learning.md`."""

    collect_share: float = Field(
        0.0,
        ge=0,
        le=0.05,
        description="share of each run's requests that read what people made of our labels; 0: none",
    )
    examples: int = Field(
        0, ge=0, le=6, description="approved corrections of similar tickets that a prompt shows, best 4 to 6; 0: none"
    )
    neighbour_vote: bool = Field(
        False, description="without a model, let approved corrections of similar tickets answer before keyword rules"
    )
    auto_approve: bool = Field(
        False, description="approve a correction that 3 people made on 5 tickets within 30 days, without a person"
    )
