"""Measures retrieval on questions with known articles, and whether vectors help: they are refused where they harm."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import ConfigError
from ..core.json_input import json_rows
from .search import USUAL_WEIGHT, KnowledgeSearch, Ranked, Rankings, blended, fused, issue_queries

FEWEST = 20
"""Questions from which something is learnt; fewer teach nothing."""
KEPT = 10


@dataclass(frozen=True)
class LabelledQuestion:
    """A question and the ids of articles that answer it; none, if no article does."""

    id: str
    text: str
    gold: frozenset[str]
    lang: str = ""


@dataclass(frozen=True)
class RetrievalScores:
    """Shares of questions with a right article first or among five, mean reciprocal rank and recall within ten."""

    hit_1: float
    hit_5: float
    mrr_10: float
    recall_10: float

    def worse_than(self, other: RetrievalScores) -> bool:
        """Whether these articles are found less well, in whatever respect."""
        return self.mrr_10 + self.recall_10 < other.mrr_10 + other.recall_10 or self.hit_5 < other.hit_5


@dataclass(frozen=True)
class Evaluation:
    """Scores by way of searching, what was learnt, and the ranking that search gives for each question.

    ``lexical`` is one query for the whole question; ``issues`` one for each few sentences of it, by words too.
    """

    scores: Mapping[str, RetrievalScores]
    weight: float
    refused: bool
    ranked: Mapping[str, tuple[str, ...]]


def evaluate(
    base: KnowledgeSearch,
    articles: Mapping[int, str],
    questions: Sequence[LabelledQuestion],
    *,
    vectors: bool,
    advance: Callable[[int], None] = lambda _count: None,
) -> Evaluation:
    """Search for every question; ``articles`` gives each passage's article."""
    seen: list[Sequence[Rankings]] = []
    for question in questions:
        langs = {question.lang, ""} if question.lang else None
        queries = issue_queries(question.text)
        seen.append(base.rankings(queries, langs=langs, audience="agents", vectors=vectors))
        advance(1)
    golds = [question.gold for question in questions]

    def orders(weight: float) -> list[tuple[str, ...]]:
        return [
            in_articles(fused([blended(one.words, one.vectors, weight) for one in rankings], articles), articles)
            for rankings in seen
        ]

    weight, found, refused = 0.0, orders(0.0), False
    scores = {
        "lexical": scored([in_articles(rankings[0].words, articles) for rankings in seen], golds),
        "issues": scored(found, golds),
    }
    if vectors:
        both = orders(USUAL_WEIGHT)
        scores |= {"vector": scored(orders(1.0), golds), "fused": scored(both, golds)}
        refused = scores["fused"].worse_than(scores["issues"])
        if refused:
            scores["fused"] = scores["issues"]
        else:
            weight, found = USUAL_WEIGHT, both
    return Evaluation(
        scores=scores,
        weight=weight,
        refused=refused,
        ranked={question.id: order for question, order in zip(questions, found, strict=True)},
    )


def in_articles(ranked: Ranked, articles: Mapping[int, str]) -> tuple[str, ...]:
    """The articles of the best passages, each once."""
    return tuple(dict.fromkeys(articles[number] for number, _ in ranked))[:KEPT]


def scored(orders: Sequence[Sequence[str]], golds: Sequence[AbstractSet[str]]) -> RetrievalScores:
    """How good these orders are; questions without an answer do not count."""
    pairs = [(order, gold) for order, gold in zip(orders, golds, strict=True) if gold]
    count = len(pairs) or 1
    ranks = [next((rank for rank, name in enumerate(order, 1) if name in gold), 0) for order, gold in pairs]
    return RetrievalScores(
        hit_1=sum(rank == 1 for rank in ranks) / count,
        hit_5=sum(1 <= rank <= 5 for rank in ranks) / count,
        mrr_10=sum(1 / rank for rank in ranks if rank) / count,
        recall_10=sum(len(gold & set(order)) / len(gold) for order, gold in pairs) / count,
    )


def read_questions(path: Path) -> list[LabelledQuestion]:
    """Questions with ``id``, ``text`` and ``gold``, the ids of the articles that answer it; from JSON lines."""
    found = []
    for number, row in json_rows(path):
        gold = row.get("gold", [])
        if not isinstance(row.get("id"), (str, int)):
            raise ConfigError(f"{path}, line {number}: there is no id")
        if not isinstance(row.get("text"), str) or not isinstance(gold, (list, str)):
            raise ConfigError(f"{path}, line {number}: a question needs text, and gold as a list of article ids")
        names = [gold] if isinstance(gold, str) else gold
        found.append(
            LabelledQuestion(str(row["id"]), row["text"], frozenset(map(str, names)), str(row.get("lang") or ""))
        )
    if not found:
        raise ConfigError(f"{path} holds no questions")
    return found
