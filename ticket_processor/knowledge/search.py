"""Searches the knowledge base: words always, vectors where there are some, unless they have proved to do harm."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from ..core.errors import AnalysisFailed
from .fusion import DEPTH, Ranked, blended, fused
from .lexical import FEW, lexical, query_words
from .model import READABLE, Article, Audience, Found, Passage
from .store import KnowledgeStore
from .vectors import EmbeddingModel, VectorIndex

PER_ARTICLE = 2
FLOOR, WEIGHT = "floor", "weight"
"""Names under which the store keeps what ``kb eval`` learnt; the weight's is followed by the model's key."""
USUAL_WEIGHT = 0.2
"""The vectors' share until one was learnt. On three sets of articles it lost no first hit, and won 6% on one."""
LEAST_OF_FEW, LEAST, GROWTH = 0.35, 0.25, 0.053
"""The floor until one was learnt, times the logarithm of how many passages there are, with which scores grow.

The more there are, the more of a question stands in wrong ones. Measured on four sets of articles with questions.
"""


@dataclass(frozen=True)
class Rankings:
    """One query's passages, by words and by vectors."""

    words: Ranked
    vectors: Ranked = ()


class KnowledgeSearch:
    """Search in a store's articles. Thread-safe. ``trouble`` is called when vectors cannot be had.

    A model that let one search wait in vain is not asked again.
    """

    def __init__(
        self,
        store: KnowledgeStore,
        model: EmbeddingModel | None = None,
        *,
        trouble: Callable[[str], object] = lambda _text: None,
    ) -> None:
        self._store = store
        self._trouble = trouble
        self._model = model
        self._vectors = VectorIndex(store, model) if model else None

    @property
    def learnt_weight(self) -> float | None:
        """The vectors' share in a ranking, which ``kb eval`` learnt for this model; ``None`` before that."""
        value = self._store.fact(f"{WEIGHT} {self._model.key}") if self._model else None
        return None if value is None else float(value)

    @property
    def weight(self) -> float:
        """The vectors' share in a ranking; 0 where none were made."""
        if self._model is None or not self._store.has_vectors(self._model.key):
            return 0.0
        learnt = self.learnt_weight
        return USUAL_WEIGHT if learnt is None else learnt

    @property
    def learnt_floor(self) -> float | None:
        """The floor that ``kb eval`` learnt: infinite where no score was good enough; ``None`` before that."""
        value = self._store.fact(FLOOR)
        return None if value is None else float(value)

    @property
    def floor(self) -> float:
        """The score from which the first two articles are good enough to be shown without a model's judgement."""
        learnt = self.learnt_floor
        return default_floor(self._store.counts()[1]) if learnt is None else learnt

    def article(self, article_id: str) -> Article | None:
        """The whole article; ``None`` where there is none of the name."""
        return self._store.article(article_id)

    def passages_of(self, article_id: str, audience: Audience) -> list[Passage]:
        """The passages of an article that ``audience`` may read, in order."""
        numbers = [
            number for (number,) in self._store.rows("SELECT id FROM chunk WHERE article=? ORDER BY n", [article_id])
        ]
        passages = self._store.passages(numbers)
        return [passages[each] for each in numbers if passages[each].audience in READABLE[audience]]

    def search(self, queries: Sequence[str], *, lang: str, audience: Audience, limit: int) -> list[Found]:
        """The passages that answer these queries best, best first, at most two of one article.

        ``queries`` are the issues of one ticket; each is searched by itself. Only what ``audience`` may read is
        ranked, and only articles in ``lang`` where one of them has a match.

        A score is the BM25 of the passage for the query that it fits best, per word of that query: it says how much of
        the wording is there, and compares with :attr:`floor`. One that only vectors found has 0.
        """
        weight = self.weight
        own = {lang, ""} if lang else None
        found = self.rankings(queries, langs=own, audience=audience, vectors=weight > 0)
        if own is not None and not any(one.words or one.vectors for one in found):
            found = self.rankings(queries, langs=None, audience=audience, vectors=weight > 0)
        rankings = [blended(one.words, one.vectors, weight) for one in found]
        articles = self._store.articles_of({number for ranking in rankings for number, _ in ranking})
        return self._shown(fused(rankings, articles), articles, _wordings(queries, found), limit)

    def rankings(
        self, queries: Sequence[str], *, langs: Collection[str] | None, audience: Audience, vectors: bool
    ) -> list[Rankings]:
        """Each query's passages by words and, if wanted and possible, by vectors."""
        words = [lexical(self._store, query, langs=langs, audience=audience, limit=DEPTH) for query in queries]
        near: Sequence[Ranked] = [()] * len(queries)
        index = self._vectors
        if vectors and index is not None:
            try:
                near = index.search(queries, langs=langs, audience=audience, limit=DEPTH)
            except AnalysisFailed as failed:
                self._trouble(f"no vectors, so words alone are searched: {failed.reason}")
                if failed.reason == "embeddings_timeout":
                    self._vectors = None  # each ticket would wait as long
        return [Rankings(*pair) for pair in zip(words, near, strict=True)]

    def _shown(
        self, order: Ranked, articles: Mapping[int, str], wordings: Mapping[int, float], limit: int
    ) -> list[Found]:
        counts: Counter[str] = Counter()
        chosen: list[int] = []
        for number, _ in order:
            if len(chosen) < limit and counts[articles[number]] < PER_ARTICLE:
                counts[articles[number]] += 1
                chosen.append(number)
        passages = self._store.passages(chosen)
        return [Found(passages[number], wordings.get(number, 0.0)) for number in chosen if number in passages]


def default_floor(passages: int) -> float:
    """The floor for articles on which none was learnt, by how many passages they have."""
    grown = math.log(1 + passages)
    return grown * (LEAST_OF_FEW if passages <= FEW else max(LEAST, GROWTH * grown))


def _wordings(queries: Sequence[str], rankings: Sequence[Rankings]) -> dict[int, float]:
    """For each passage the best BM25 score per word of a query."""
    best: dict[int, float] = {}
    for query, ranking in zip(queries, rankings, strict=True):
        words = len(query_words(query)) or 1
        for number, score in ranking.words:
            best[number] = max(best.get(number, 0.0), score / words)
    return best
