"""Settings of what articles bring into a note."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ..core.models import Frozen

ReplyMode = Literal["off", "note", "draft"]


class ReplySettings(Frozen):
    """Which tickets get articles or a draft of a reply into their note; see `docs/knowledge.md`."""

    mode: ReplyMode = Field(
        "off",
        description="`note` names the two best articles and their lines in the note; `draft` also has a model draft a "
        "reply from articles for customers",
    )
    categories: dict[str, ReplyMode] = Field(
        default_factory=dict, description="another mode for a category, by its name"
    )

    def of(self, category: str) -> ReplyMode:
        """The mode of a category."""
        return self.categories.get(category, self.mode)

    @property
    def wanted(self) -> bool:
        """Whether any ticket may get articles."""
        return self._wants("note", "draft")

    @property
    def drafts(self) -> bool:
        """Whether any ticket may get a draft."""
        return self._wants("draft")

    def _wants(self, *modes: ReplyMode) -> bool:
        return any(mode in modes for mode in (self.mode, *self.categories.values()))
