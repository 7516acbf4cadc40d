"""Searches the knowledge base: words always, vectors where there are some, unless they have proved to do harm.

Words are found with FTS5, whose query is built here, so that a customer's text is never its syntax. Scores of words and
of vectors are brought to the span from 0 to 1 among the best of each. On three sets of questions that kept more first
hits than fusing their ranks: technical manuals, where vectors are weak, lost none.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import NamedTuple

from ..core.errors import AnalysisFailed
from ..helpdesk.protocol import Audience
from .model import READABLE, Found, Passage
from .store import SCOPE_BITS, KnowledgeStore
from .sync import EmbeddingModel, VectorIndex

DEPTH = 100
"""Passages of each kind that are looked at."""
RANK_CONSTANT = 10
"""Of reciprocal rank fusion of several queries: the lower, the more a first place counts."""

Ranked = Sequence[tuple[int, float]]
"""Numbers with scores, best first."""


def blended(words: Ranked, vectors: Ranked, weight: float) -> list[tuple[int, float]]:
    """Two rankings of one query as one; ``weight`` is the vectors' share, from 0 to 1."""
    if weight <= 0:
        return list(words)
    scores: dict[int, float] = {}
    for ranking, share in ((words, 1 - weight), (vectors, weight)):
        for number, score in _spanned(ranking).items():
            scores[number] = scores.get(number, 0.0) + share * score
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))


def fused(rankings: Sequence[Ranked], articles: Mapping[int, str]) -> list[tuple[int, float]]:
    """The rankings of several queries as one, by the reciprocal ranks of articles, whose passages stay together."""
    if len(rankings) == 1:
        return list(rankings[0])
    scores: dict[str, float] = {}
    best: dict[int, float] = {}
    for ranking in rankings:
        ranks: dict[str, int] = {}
        for number, _ in ranking:
            rank = ranks.setdefault(articles[number], len(ranks) + 1)
            best[number] = max(best.get(number, 0.0), 1 / (RANK_CONSTANT + rank))
        for name, rank in ranks.items():
            scores[name] = scores.get(name, 0.0) + 1 / (RANK_CONSTANT + rank)
    order = sorted(best, key=lambda number: (-scores[articles[number]], articles[number], -best[number], number))
    return [(number, scores[articles[number]]) for number in order]


def _spanned(ranking: Ranked) -> dict[int, float]:
    if not ranking:
        return {}
    best, last = ranking[0][1], ranking[-1][1]
    if best <= last:
        return {number: 1.0 for number, _ in ranking}
    return {number: (score - last) / (best - last) for number, score in ranking}


MOST_WORDS = 64
"""Distinct words of a query; a pasted log would search for a thousand."""
MOST_CHARACTERS = 20_000
FEW = 30
"""Of so few passages BM25 makes nothing: a word that half of them have counts 0."""
TITLE_WEIGHT, HEADING_WEIGHT, TEXT_WEIGHT = 3.0, 1.0, 1.0

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")


@cache
def stop_words() -> frozenset[str]:
    """Words that carry no subject, of several languages."""
    text = resources.files("ticket_processor.knowledge").joinpath("stop_words.txt").read_text("utf-8")
    return frozenset(text.split())


def query_words(text: str) -> list[str]:
    """The distinct words that are searched for, in order."""
    return telling_words(text)[:MOST_WORDS]


def telling_words(text: str) -> list[str]:
    """The distinct words of a text that carry a subject, in order; all of them where nothing but stop words is left."""
    found = dict.fromkeys(word.casefold().replace("’", "'") for word in _WORD.findall(text[:MOST_CHARACTERS]))
    return [word for word in found if word not in stop_words()] or [*found]


def lexical(
    store: KnowledgeStore, query: str, *, langs: Collection[str] | None, audience: Audience, limit: int
) -> list[tuple[int, float]]:
    """Numbers and BM25 scores of the best passages, best first, among those that ``audience`` may read.

    ``langs`` are languages to stay in; ``None``: any. Where there are at most :data:`FEW` passages in all, a score is
    the share of the words that a passage has, on a like scale.
    """
    words = query_words(query)
    scopes = store.scopes(langs, audience)
    if not words or not scopes:
        return []
    rows = store.all(
        f"SELECT rowid, -bm25(words, {TITLE_WEIGHT}, {HEADING_WEIGHT}, {TEXT_WEIGHT}) AS score "  # noqa: S608 - our own numbers
        "FROM words WHERE words MATCH ? AND rowid>>? IN (SELECT value FROM json_each(?)) "
        "ORDER BY score DESC, rowid LIMIT ?",
        *(any_of(words), SCOPE_BITS, json.dumps(scopes), limit),
    )
    passages = len(store.all("SELECT 1 FROM chunk LIMIT ?", FEW + 1))
    return [(number, score) for number, score in rows] if passages > FEW else _by_share(store, words, rows, passages)


def _by_share(
    store: KnowledgeStore, words: Sequence[str], found: Iterable[tuple[int, float]], passages: int
) -> list[tuple[int, float]]:
    """What was found, by the share of the words, weighed by rarity, that each passage has."""
    shares: defaultdict[int, float] = defaultdict(float)
    whole = 0.0
    for word in words:
        having = store.all("SELECT rowid FROM words WHERE words MATCH ?", any_of([word]))
        weight = math.log(1 + (passages - len(having) + 0.5) / (len(having) + 0.5))
        whole += weight
        for (number,) in having:
            shares[number] += weight
    scale = len(words) * math.log(1 + passages) / whole
    return sorted(((number, scale * shares[number]) for number, _ in found), key=lambda pair: -pair[1])


def any_of(words: Sequence[str]) -> str:
    """The query in FTS5's own syntax, every word quoted."""
    return " OR ".join('"' + word.replace('"', '""') + '"' for word in words)


SENTENCES = 3
"""Sentences of one query."""
MOST_QUERIES = 16
LEAST_WORDS = 3
"""A sentence with fewer telling words says nothing by itself."""

_ENDS = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+")


def issue_queries(text: str) -> list[str]:
    """The whole text and, where it is long, every few sentences of it."""
    text = text[:MOST_CHARACTERS]
    sentences = [part.strip() for part in _ENDS.split(text) if len(query_words(part)) >= LEAST_WORDS]
    if len(sentences) <= SENTENCES:
        return [text]
    size = max(SENTENCES, -(-len(sentences) // MOST_QUERIES))
    return [text, *(" ".join(sentences[start : start + size]) for start in range(0, len(sentences), size))]


PER_ARTICLE = 2
WEIGHT = "weight"
"""Under this name and the model's key the store keeps what ``kb eval`` learnt."""
USUAL_WEIGHT = 0.2
"""The vectors' share. On three sets of articles it lost no first hit, and won 6% on one."""
LEAST_OF_FEW, LEAST, GROWTH = 0.35, 0.25, 0.053
"""The floor for articles, times the logarithm of how many passages there are, with which scores grow.

The more there are, the more of a question stands in wrong ones. Measured on four sets of articles with questions.
"""


class Rankings(NamedTuple):
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
    def weight(self) -> float:
        """The vectors' share in a ranking; 0 where none were made, and where ``kb eval`` refused them."""
        key = self._model.key if self._model else ""
        if not self._store.all("SELECT 1 FROM vector WHERE model=? LIMIT 1", key):
            return 0.0
        return float(self._store.fact(f"{WEIGHT} {key}") or USUAL_WEIGHT)

    @property
    def floor(self) -> float:
        """The score from which articles are shown without a model's judgement: three in four are right."""
        passages = self._store.counts()[1]
        grown = math.log(1 + passages)
        return grown * (LEAST_OF_FEW if passages <= FEW else max(LEAST, GROWTH * grown))

    def passages_of(self, article_id: str, audience: Audience) -> list[Passage]:
        """The passages of an article that ``audience`` may read, in order."""
        rows = self._store.all("SELECT id FROM chunk WHERE article=? ORDER BY n", article_id)
        passages = self._store.passages([number for (number,) in rows])
        return [passages[number] for (number,) in rows if passages[number].audience in READABLE[audience]]

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
        said = wordings(queries, found)
        counts: Counter[str] = Counter()
        chosen: list[int] = []
        for number, _ in fused(rankings, articles):
            if len(chosen) < limit and counts[articles[number]] < PER_ARTICLE:
                counts[articles[number]] += 1
                chosen.append(number)
        passages = self._store.passages(chosen)
        return [Found(passages[number], said.get(number, 0.0)) for number in chosen if number in passages]

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


def wordings(queries: Sequence[str], rankings: Sequence[Rankings]) -> dict[int, float]:
    """For each passage the best BM25 score per word of a query."""
    best: dict[int, float] = {}
    for query, ranking in zip(queries, rankings, strict=True):
        words = len(query_words(query)) or 1
        for number, score in ranking.words:
            best[number] = max(best.get(number, 0.0), score / words)
    return best
