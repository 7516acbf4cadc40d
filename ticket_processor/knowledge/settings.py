"""Settings of the knowledge base."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from ..core.models import Frozen, VendorKind
from .model import Audience

LOCAL = "local"
"""In place of a model's name: the one that the extra ``rag-local`` installs."""


class KnowledgeSettings(Frozen):
    """Where your articles are; see `docs/knowledge.md`. Without a source there is no knowledge base."""

    help_centers: tuple[VendorKind, ...] = Field(
        (), description="read the articles of this account's Help Center or solutions"
    )
    folders: tuple[Path, ...] = Field((), description="folders of Markdown or HTML files, each of another name")
    lang: str = Field("en", pattern=r"^[a-z]{2,3}$", description="language of files that do not say theirs")
    audience: Audience = Field("agents", description="who may read files that do not say so")
    embeddings_model: str | None = Field(
        None,
        min_length=1,
        description="embedding model at `embeddings.base_url`, or `local`: the one of the extra `rag-local`; none: "
        "words alone are searched",
    )
    query_prefix: str = Field("", description="text before a question; E5 models want `query: `")
    passage_prefix: str = Field("", description="text before a passage; E5 models want `passage: `")
    sync_hours: float = Field(
        24.0, ge=0, le=8_760, description="a run that wants articles syncs first when the last sync is so old; 0: never"
    )

    @property
    def sources(self) -> bool:
        """Whether there is anything to read."""
        return bool(self.help_centers or self.folders)
