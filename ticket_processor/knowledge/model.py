"""The nouns of the knowledge base, and its settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from ..core.models import Frozen
from ..helpdesk.protocol import Audience, VendorKind

READABLE: dict[Audience, tuple[Audience, ...]] = {
    "everyone": ("everyone",),
    "customers": ("everyone", "customers"),
    "agents": ("everyone", "customers", "agents"),
}
"""The audiences whose articles a reader may see."""


@dataclass(frozen=True)
class Article:
    """One article in one language, as text: headings are lines with ``#``, code stands between fences."""

    id: str
    """Unique among all sources, such as ``zendesk:360001/en-us``."""
    source: str
    title: str
    url: str
    """Where a person opens it; empty where it has no address."""
    lang: str
    """A language code of two or three letters; empty where it is unknown."""
    audience: Audience
    updated_at: float
    """Unix seconds."""
    body_text: str
    labels: tuple[str, ...] = ()
    """What its writers say that it is about; not kept."""


@dataclass(frozen=True)
class Passage:
    """A part of an article, with what is needed to cite it."""

    article_id: str
    source: str
    title: str
    url: str
    lang: str
    audience: Audience
    updated_at: float
    n: int
    """Its place in the article, from 0."""
    heading: str
    """The path of headings above it, joined by `` > ``; empty at the top."""
    text: str
    """Its words as they stand in the article, without title and headings."""


@dataclass(frozen=True)
class Found:
    """A passage that a search found.

    Its score says how much of a query's wording it holds, and compares with the search's floor. The order of passages
    may differ from that of their scores.
    """

    passage: Passage
    score: float


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
