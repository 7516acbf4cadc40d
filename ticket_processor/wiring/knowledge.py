"""The knowledge base of the settings: its file, its sources, its embedding model."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager

from ..core.clock import Clock, Deadline
from ..core.errors import ConfigError
from ..helpdesk.rate_limit import Throttle
from ..knowledge.folder_source import FolderArticles
from ..knowledge.freshdesk_source import FreshdeskArticles
from ..knowledge.model import Passage
from ..knowledge.search import KnowledgeSearch
from ..knowledge.settings import LOCAL
from ..knowledge.sources import ArticleSource
from ..knowledge.store import FILE_NAME, KnowledgeStore
from ..knowledge.vectors import EmbeddingModel
from ..knowledge.zendesk_source import ZendeskArticles
from ..settings.helpdesks import AccountSettings
from ..settings.schema import Settings
from .parts import transport_for

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


@contextmanager
def knowledge_sources(
    settings: Settings, clock: Clock, deadline: Deadline, throttle: Throttle | None = None
) -> Iterator[Sequence[ArticleSource]]:
    """The sources of articles, with connections of their own: Zendesk counts articles' requests apart from tickets'.

    Freshdesk does not, so its share of the limits is that of ``throttle``.
    """
    wanted = settings.knowledge
    sources: list[ArticleSource] = []
    accounts: dict[str, AccountSettings] = {"zendesk": settings.zendesk, "freshdesk": settings.freshdesk}
    with ExitStack() as stack:
        for name in dict.fromkeys(wanted.help_centers):
            account = accounts[name]
            if not account.named:
                raise ConfigError(f"knowledge.help_centers names {name}, and no {account.vendor} account is set")
            shared = throttle if name == settings.helpdesk == "freshdesk" else None
            share = settings.run.limit_share
            transport = stack.enter_context(
                closing(transport_for(account, clock, deadline, share=share, read_only=True, throttle=shared))
            )
            sources.append(ZendeskArticles(transport) if name == "zendesk" else FreshdeskArticles(transport))
        sources += [FolderArticles(folder, lang=wanted.lang, audience=wanted.audience) for folder in wanted.folders]
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
    wanted = settings.knowledge
    if wanted.embeddings_model is None:
        yield None
    elif wanted.embeddings_model == LOCAL:
        from ..knowledge.local_model import local_model

        yield local_model()
    else:
        from ..analysis.model_server.embeddings import Embedder

        if not settings.embeddings.base_url:
            raise ConfigError("knowledge.embeddings_model needs the address of a server: embeddings.base_url")
        server = settings.embeddings.model_copy(update={"model": wanted.embeddings_model})
        with closing(Embedder(server, tokens=MODEL_TOKENS, remaining=remaining)) as embedder:
            yield EmbeddingModel(wanted.embeddings_model, embedder.embed, wanted.query_prefix, wanted.passage_prefix)
            if embedder.cut:
                notice(f"{embedder.cut} passages are longer than the embedding model takes; their ends were cut off")
