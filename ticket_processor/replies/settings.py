"""Settings of what articles bring into a note."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ..core.models import Frozen

ReplyMode = Literal["off", "note"]


class ReplySettings(Frozen):
    """Which tickets get articles into their note; see `docs/knowledge.md`. Needs a knowledge base and its floor."""

    mode: ReplyMode = Field("off", description="`note` names the two best articles and their lines in the note")
    categories: dict[str, ReplyMode] = Field(
        default_factory=dict, description="another mode for a category, by its name"
    )

    def of(self, category: str) -> ReplyMode:
        """The mode of a category."""
        return self.categories.get(category, self.mode)

    @property
    def wanted(self) -> bool:
        """Whether any ticket may get articles."""
        return self.mode != "off" or any(mode != "off" for mode in self.categories.values())
