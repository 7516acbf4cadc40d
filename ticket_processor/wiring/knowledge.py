"""The knowledge base of the settings, and bringing it up to date: on command, and at the start of a run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from functools import partial

from ..analysis.model_server.settings import LOCAL
from ..core.clock import Clock, Deadline
from ..core.errors import AnalysisFailed, CannotRun, ConfigError, DeadlineReached, Stopping, unexpected
from ..helpdesk.transport import Throttle, Transport
from ..knowledge.model import Article, Passage
from ..knowledge.search import KnowledgeSearch
from ..knowledge.sources import FolderArticles, HelpCenter
from ..knowledge.store import FILE_NAME, KnowledgeStore
from ..knowledge.sync import (
    ArticleSource,
    EmbeddingModel,
    SyncResult,
    embed_missing,
    is_due,
    local_model,
    prefixes_of,
    remember_end,
    sync,
)
from ..settings.helpdesks import VendorSettings
from ..settings.schema import Settings
from .parts import transport_for
from .vendors import VENDORS, vendor_of

MODEL_TOKENS = 480
"""Of a passage: most embedding models take 512, and what they cut off is never found."""


def knowledge_store(settings: Settings) -> KnowledgeStore:
    """The file in the state folder. Raises :class:`ConfigError` where the settings name no articles."""
    if not settings.knowledge.sources:
        raise ConfigError("there is no knowledge base: set knowledge.help_centers or knowledge.folders")
    return KnowledgeStore(settings.state_folder / FILE_NAME)


@contextmanager
def for_customers(settings: Settings) -> Iterator[Callable[[str], Sequence[Passage]]]:
    """Gives the passages of an article, by its id, that customers may read; none where there is no knowledge base."""
    if not settings.knowledge.sources:
        yield lambda _article: ()
        return
    with closing(knowledge_store(settings)) as store:
        yield lambda article: KnowledgeSearch(store).passages_of(article, "customers")


def help_center(settings: Settings, transport: Transport) -> Iterator[Article]:
    """The articles of the account itself, as they are read. Raises :class:`CannotRun` where it has none."""
    read = vendor_of(settings).articles
    if read is None:
        raise CannotRun("the helpdesk has no articles of its own; knowledge.folders names yours")
    for portion in HelpCenter(settings.helpdesk, partial(read, transport)).portions({}):
        yield from (article for article, _ in portion.articles)


@contextmanager
def knowledge_sources(
    settings: Settings, clock: Clock, deadline: Deadline, throttle: Throttle | None = None
) -> Iterator[Sequence[ArticleSource]]:
    """The sources of articles, with connections of their own.

    Where the helpdesk does not count articles' requests apart from tickets', its share is that of ``throttle``.
    """
    wanted = settings.knowledge
    sources: list[ArticleSource] = []
    with ExitStack() as stack:
        for name in dict.fromkeys(wanted.help_centers):
            account: VendorSettings = getattr(settings, name)
            vendor = VENDORS[account.vendor]
            if not account.named or vendor.articles is None:
                raise ConfigError(f"knowledge.help_centers names {name}, and no {account.vendor} account is set")
            shared = throttle if name == settings.helpdesk and vendor.shares_limits else None
            share = settings.run.limit_share
            transport = stack.enter_context(
                closing(transport_for(account, clock, deadline, share=share, read_only=True, throttle=shared))
            )
            sources.append(HelpCenter(name, partial(vendor.articles, transport)))
        lang = settings.team_language
        sources += [FolderArticles(folder, lang=lang, audience=wanted.audience) for folder in wanted.folders]
        if len({source.name for source in sources}) < len(sources):
            raise ConfigError("knowledge.folders names two folders of one name: rename one, or name the folder above")
        yield sources


@contextmanager
def embedding_model(
    settings: Settings,
    notice: Callable[[str], object] = lambda _text: None,
    remaining: Callable[[], float] = lambda: math.inf,
) -> Iterator[EmbeddingModel | None]:
    """The model that turns articles and questions into vectors, if one is set; ``notice`` hears what it cut.

    Its server is not waited for longer than the ``remaining`` seconds.
    """
    name = settings.embeddings.model
    if name is None:
        yield None
    elif name == LOCAL:
        yield local_model()
    else:
        from ..analysis.model_server.embeddings import Embedder

        if not settings.embeddings.base_url:
            raise ConfigError("embeddings.model needs the address of a server: embeddings.base_url")
        with closing(Embedder(settings.embeddings, tokens=MODEL_TOKENS, remaining=remaining)) as embedder:
            yield EmbeddingModel(name, embedder.embed, *prefixes_of(name))
            if embedder.cut:
                notice(f"{embedder.cut} passages are longer than the embedding model takes; their ends were cut off")


SHARE_OF_RUN = 0.1
"""Share of a run's time; the next run goes on with vectors, and lists the articles again."""
NOT_ALL_LISTED = (
    "not all articles were listed in the time for it, and each sync begins anew: 'ticketbot kb sync' has an hour"
)
VECTORS_WAIT = "the time for making vectors was used up; the next sync goes on"
Advance = Callable[[int], None]
Progress = Callable[[str, int | None], AbstractContextManager[Advance]]


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
    progress: Progress = no_progress,
    throttle: Throttle | None = None,
) -> SyncResult:
    """Read what is new from every source, and make the vectors that are missing, as far as the time suffices.

    ``throttle`` is that of the run's own connection, with which its share of the helpdesk's limits is shared.
    Raises :class:`ConfigError`, :class:`StateUnusable` and :class:`Stopping`.
    """
    synced, all_listed = SyncResult(), True

    def within(advance: Advance) -> Advance:
        def step(count: int) -> None:
            advance(count)
            deadline.check()

        return step

    try:
        with (
            knowledge_sources(settings, clock, deadline, throttle) as sources,
            progress("reading articles", None) as advance,
        ):
            synced = sync(store, sources, advance=within(advance))
        all_listed = not (synced.unfinished or synced.failed)
        synced.troubles += synced.failed.values()
        with embedding_model(settings, synced.notices.append, deadline.remaining) as model:
            if model is not None and not synced.unfinished:
                with progress("making vectors", len(store.without_vector(model.key))) as advance:
                    synced.vectors = embed_missing(store, model, advance=within(advance))
    except DeadlineReached:
        synced.unfinished = True
    except AnalysisFailed as failed:
        synced.troubles.append(f"vectors are missing, so words alone are searched there: {failed.in_words}")
    # A request that the deadline cuts short looks like a server that is down.
    if synced.unfinished or deadline.remaining() <= 0:
        synced.unfinished = True
        synced.troubles = [VECTORS_WAIT if all_listed else NOT_ALL_LISTED]
    went_on = bool(synced.said or synced.vectors)
    if not (synced.unfinished and went_on):  # else the next run goes on at once
        remember_end(store, clock.now(), failed=bool(synced.troubles))
    return synced


def sync_when_due(settings: Settings, clock: Clock, throttle: Throttle | None = None) -> list[str]:
    """Bring the knowledge base up to date at the start of a run, when the last sync is old enough.

    Gives sentences on what it did and could not do; it raises nothing but :class:`Stopping`.
    """
    if not settings.knowledge.sources:
        return []
    try:
        with closing(knowledge_store(settings)) as store:
            if not is_due(store, clock.now()):
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
    lines = [f"knowledge base: {synced.said}"] if synced.said else []
    return [*lines, *synced.notices, *(f"knowledge base: {trouble}" for trouble in synced.troubles)]
