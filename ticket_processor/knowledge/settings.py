"""Settings of the knowledge base."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from ..core.models import Frozen, VendorKind
from .model import Audience


class KnowledgeSettings(Frozen):
    """Where your articles are; see `docs/knowledge.md`."""

    help_centers: tuple[VendorKind, ...] = Field(
        (), description="read the articles of this account's Help Center or solutions"
    )
    folders: tuple[Path, ...] = Field((), description="folders of Markdown or HTML files, each of another name")
    audience: Audience = Field("agents", description="who may read files that do not say so")

    @property
    def sources(self) -> bool:
        """Whether there is anything to read."""
        return bool(self.help_centers or self.folders)
