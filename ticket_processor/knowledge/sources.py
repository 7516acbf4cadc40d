"""What a source of articles gives to a sync."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from .model import Article
from .store import KeptArticle


@dataclass(frozen=True)
class Portion:
    """Some articles of a source, to be kept in one step together with the place from which to go on.

    ``gone`` are articles that nobody may read any more. ``all_ids`` ends a listing of everything: what is not among
    them is gone. ``drafts`` is the number of unpublished ones, where everything has been seen.
    """

    articles: tuple[tuple[Article, str], ...] = ()
    gone: frozenset[str] = frozenset()
    cursor: str | None = None
    all_ids: Collection[str] | None = None
    drafts: int | None = None


class ArticleSource(Protocol):
    """A place where articles are kept; ``name`` begins the ids of its articles."""

    name: str

    def portions(self, kept: Mapping[str, KeptArticle], cursor: str | None, *, whole: bool) -> Iterator[Portion]:
        """What has changed since ``cursor``; ``whole``: everything, so that deleted articles are noticed.

        Raises :class:`CannotRun` besides what reading raises.
        """


def language_of(locale: str) -> str:
    """``en-us`` as ``en``."""
    return locale.replace("_", "-").partition("-")[0].lower()
