"""Brings the knowledge base up to date, on command and at the start of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field

from ..core.clock import Clock, Deadline
from ..core.errors import AnalysisFailed, DeadlineReached, Stopping, unexpected
from ..helpdesk.rate_limit import Throttle
from ..knowledge.sources import ArticleSource
from ..knowledge.store import KnowledgeStore
from ..knowledge.sync import SyncResult, is_due, remember_end, sync
from ..knowledge.vectors import embed_missing
from ..settings.schema import Settings
from .knowledge import embedding_model, knowledge_sources, knowledge_store

SHARE_OF_RUN = 0.1
"""Of a run's time; what a sync has not done by then, the next run goes on with."""
Advance = Callable[[int], None]
Progress = Callable[[str, int | None], AbstractContextManager[Advance]]


@dataclass
class Synced:
    """What a sync did. ``troubles`` are sentences on what it could not do; ``unfinished``: its time was used up."""

    articles: SyncResult = field(default_factory=SyncResult)
    vectors: int = 0
    notices: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    unfinished: bool = False

    @property
    def said(self) -> str:
        """What changed, in a line; empty where nothing did."""
        changed, removed = sum(self.articles.changed.values()), sum(self.articles.removed.values())
        return f"articles: {changed} new or changed, {removed} gone" if changed or removed else ""


@contextmanager
def no_progress(_what: str, _total: int | None = None) -> Iterator[Advance]:
    """Show nothing."""
    yield lambda _count: None


def bring_up_to_date(
    settings: Settings,
    clock: Clock,
    deadline: Deadline,
    store: KnowledgeStore,
    *,
    whole: bool = False,
    progress: Progress = no_progress,
    throttle: Throttle | None = None,
) -> Synced:
    """Read what is new from every source, and make the vectors that are missing, as far as the time suffices.

    ``throttle`` is that of the run's own connection, with which its share of the helpdesk's limits is shared.
    Raises :class:`ConfigError`, :class:`StateUnusable` and :class:`Stopping`.
    """
    synced = Synced()
    try:
        with (
            knowledge_sources(settings, clock, deadline, throttle) as sources,
            progress("reading articles", None) as advance,
        ):
            _read_articles(store, sources, synced, clock.now(), whole=whole, advance=_within(deadline, advance))
        _make_vectors(settings, deadline, store, synced, progress)
    except DeadlineReached:
        synced.unfinished = True
    # A request that the deadline cuts short looks like a server that is down.
    if synced.unfinished or deadline.remaining() <= 0:
        synced.unfinished = True
        synced.troubles = ["the time for reading what is new was used up; the next sync goes on"]
    went_on = bool(synced.said or synced.vectors)
    if not (synced.unfinished and went_on):  # else the next run goes on at once
        remember_end(store, clock.now(), failed=bool(synced.troubles))
    return synced


def _read_articles(
    store: KnowledgeStore,
    sources: Sequence[ArticleSource],
    synced: Synced,
    now: float,
    *,
    whole: bool,
    advance: Advance,
) -> None:
    synced.articles = sync(store, sources, now=now, whole=whole, advance=advance)
    synced.troubles += synced.articles.failed.values()
    if synced.articles.unfinished:
        raise DeadlineReached


def _make_vectors(
    settings: Settings, deadline: Deadline, store: KnowledgeStore, synced: Synced, progress: Progress
) -> None:
    with embedding_model(settings, synced.notices.append, deadline.remaining) as model:
        if model is None:
            return
        missing = len(store.without_vector(model.key))
        with progress("making vectors", missing) as advance:
            try:
                synced.vectors = embed_missing(store, model, advance=_within(deadline, advance))
            except AnalysisFailed as failed:
                why = f"{failed.reason} {failed}".strip()
                synced.troubles.append(f"vectors are missing, so words alone are searched there: {why}")


def _within(deadline: Deadline, advance: Advance) -> Advance:
    def step(count: int) -> None:
        advance(count)
        deadline.check()

    return step


def sync_when_due(settings: Settings, clock: Clock, throttle: Throttle | None = None) -> list[str]:
    """Bring the knowledge base up to date at the start of a run, when the last sync is old enough.

    Gives sentences on what it did and could not do; it raises nothing but :class:`Stopping`.
    """
    hours = settings.knowledge.sync_hours
    if not (hours and settings.knowledge.sources):
        return []
    try:
        with closing(knowledge_store(settings)) as store:
            if not is_due(store, clock.now(), hours):
                return []
            try:
                deadline = Deadline(clock, SHARE_OF_RUN * settings.run.deadline_s)
                synced = bring_up_to_date(settings, clock, deadline, store, throttle=throttle)
            except Stopping:
                raise
            except Exception:
                remember_end(store, clock.now(), failed=True)
                raise
    except Stopping:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the run goes on with the articles that are there
        return [f"the knowledge base was not brought up to date: {unexpected(error)}"]
    told = [f"knowledge base: {synced.said}"] if synced.said else []
    return [*told, *synced.notices, *(f"knowledge base: {trouble}" for trouble in synced.troubles)]
