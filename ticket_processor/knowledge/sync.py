"""Brings the store up to date with what its sources give; what has not changed costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from ..core.clock import parse_iso
from ..core.errors import CannotRun, DeadlineReached
from .model import Article
from .store import KeptArticle, KnowledgeStore, hash_of


class Portion(NamedTuple):
    """Some articles of a source, each with a stamp by which it knows them again, to be kept in one step.

    ``all_ids`` ends the listing: what is neither among them nor was listed before is gone.
    """

    articles: Sequence[tuple[Article, str]] = ()
    all_ids: Collection[str] | None = None


class ArticleSource(Protocol):
    """A place where articles are kept; ``name`` begins the ids of its articles."""

    name: str

    def portions(self, kept: Mapping[str, KeptArticle]) -> Iterator[Portion]:
        """All that may be read, but for articles that are ``kept`` and known to be the same, and the ids of all.

        Raises :class:`CannotRun` besides what reading raises.
        """


def language_of(locale: str) -> str:
    """``en-us`` as ``en``."""
    return locale.replace("_", "-").partition("-")[0].lower()


def moment_of(value: object) -> float:
    """An ISO 8601 time in Unix seconds; 0.0 for anything else."""
    try:
        return parse_iso(str(value))
    except ValueError:
        return 0.0


AGAIN_S = 3_600.0
"""A sync that failed is not repeated by itself before."""
SYNCED, FAILED = "synced", "sync failed"
"""Facts of the store: when a sync last did all that there was to do, and when one failed since then."""


@dataclass
class SyncResult:
    """What a sync did with each source; ``failed`` are sentences by source. ``unfinished``: its time was used up."""

    changed: dict[str, int] = field(default_factory=dict)
    removed: dict[str, int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    unfinished: bool = False


def is_due(store: KnowledgeStore, now: float, hours: float) -> bool:
    """Whether the last whole sync is so old, and none has failed within the hour. A time to come does not count."""
    synced, failed = (float(store.fact(name) or "-inf") for name in (SYNCED, FAILED))
    return not (0 <= now - synced < hours * 3600 or 0 <= now - failed < min(hours * 3600, AGAIN_S))


def remember_end(store: KnowledgeStore, now: float, *, failed: bool) -> None:
    """Keep when a sync ended that its time sufficed for."""
    store.set_fact(FAILED if failed else SYNCED, str(now))


def sync(
    store: KnowledgeStore,
    sources: Sequence[ArticleSource],
    *,
    advance: Callable[[int], None] = lambda _count: None,
) -> SyncResult:
    """Read every source's changes into the store, and forget sources that are no longer among them.

    A source that fails keeps what it had, and does not stop the others. What is gone is noticed by a sync that has
    listed a source to its end. Raises :class:`StateUnusable`.
    """
    result = SyncResult()
    known = {name for (name,) in store.rows("SELECT DISTINCT source FROM article")}
    for name in known - {source.name for source in sources}:
        store.remove(store.kept(name))
    for source in sources:
        result.changed[source.name] = result.removed[source.name] = 0
        kept, listed = store.kept(source.name), set[str]()
        try:
            for portion in source.portions(kept):
                changed, gone = _keep(store, portion, kept, listed)
                result.changed[source.name] += changed
                result.removed[source.name] += gone
                advance(len(portion.articles))
        except CannotRun as error:
            result.failed[source.name] = str(error)
        except DeadlineReached:
            result.unfinished = True
            break
    return result


def _keep(store: KnowledgeStore, portion: Portion, kept: dict[str, KeptArticle], listed: set[str]) -> tuple[int, int]:
    """Keep a portion, and note what it lists; gives how many articles are new or changed, and how many gone."""
    changed, stamps = [], {}
    for article, stamp in portion.articles:
        now = KeptArticle(hash_of(article), stamp)
        before = kept.get(article.id)
        if before is None or before.hash != now.hash:
            changed.append((article, stamp))
        elif before != now:
            stamps[article.id] = stamp
        kept[article.id] = now
        listed.add(article.id)
    gone = kept.keys() - listed - set(portion.all_ids) if portion.all_ids is not None else set()
    if changed:
        store.put(changed)
    if stamps:
        store.restamp(stamps)
    if gone:
        store.remove(gone)
    for name in gone:
        del kept[name]
    return len(changed), len(gone)
