"""Measures search on questions with known articles, and whether vectors help; finds copies, old and unseen articles."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from ..core.clock import iso
from ..core.errors import ConfigError
from ..core.files import json_rows
from ..core.tables import ArticlePlace, Finding
from .search import USUAL_WEIGHT, KnowledgeSearch, Ranked, Rankings, blended, fused, issue_queries
from .store import KnowledgeStore

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
        with_them, without = scores["fused"], scores["issues"]
        # Refused where articles are found less well in whatever respect.
        refused = with_them.hit_5 < without.hit_5
        refused |= with_them.mrr_10 + with_them.recall_10 < without.mrr_10 + without.recall_10
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


RUN = 4
"""Words that are hashed together."""
SHINGLES_KEPT = 64
"""The smallest hashes of an article: their overlap estimates that of all."""
LEAST_SHARE = 0.8
OLD_S = 365 * 86_400.0
OFTEN = 5
"""Searches that showed an article, from which on it matters how old it is."""
_WORD = re.compile(r"\w+")


def examine(store: KnowledgeStore, now: float) -> list[Finding]:
    """What a person should look at: copies in one language; what is shown often and is a year old; what never is."""
    rows = store.all("SELECT id, title, url, lang, body, updated_at, found FROM article ORDER BY id")
    places = {name: ArticlePlace(article=name, title=title, url=url) for name, title, url, *_ in rows}

    def finding(kind: str, text: str, names: Iterable[str], advice: str) -> Finding:
        of = tuple(places[name] for name in names)
        return Finding(part="articles", severity="advice", kind=kind, what=kind, text=text, advice=advice, places=of)

    found: list[Finding] = []
    advice = "keep one article, or say at the top of each what it is for"
    for wanted in sorted({row[3] for row in rows}):
        for names in copies((name, body) for name, _, _, lang, body, *_ in rows if lang == wanted):
            found.append(finding("duplicate", f"nearly the same text {len(names)} times", names, advice))
    shown = sorted(((-times, name, updated) for name, *_, updated, times in rows), key=lambda one: one[:2])
    for times, name, updated in shown:
        if -times >= OFTEN and 0 < updated < now - OLD_S:
            text = f"shown {-times} times, and not changed since {iso(updated)[:10]}"
            found.append(finding("stale", text, [name], "check it against how things are today"))
    if any(times for times, *_ in shown):  # there have been searches at all
        advice = "give it a title in the words of customers, or delete it"
        found += [
            finding("never_found", "no search has shown it", [name], advice) for times, name, _ in shown if not times
        ]
    return found


def copies(articles: Iterable[tuple[str, str]]) -> list[tuple[str, ...]]:
    """The groups of ids with nearly the same words among these articles, given as id and text."""
    sketches = {name: _sketch(text) for name, text in articles}
    having: defaultdict[int, list[str]] = defaultdict(list)
    for name, sketch in sketches.items():
        for number in sketch:
            having[number].append(name)
    group = {name: {name} for name in sketches}
    # Copies share nearly all runs of words, so that one with the first article of each run is enough.
    for one, other in sorted({(names[0], name) for names in having.values() for name in names[1:]}):
        if group[one] is not group[other] and _share(sketches[one], sketches[other]) >= LEAST_SHARE:
            group[one] |= group[other]
            for name in group[other]:
                group[name] = group[one]
    return sorted({tuple(sorted(names)) for names in group.values() if len(names) > 1})


def _sketch(text: str) -> frozenset[int]:
    words = _WORD.findall(text.casefold())
    places = range(max(len(words) - RUN + 1, min(1, len(words))))
    runs = {crc32(" ".join(words[at : at + RUN]).encode("utf-8", "replace")) for at in places}
    return frozenset(sorted(runs)[:SHINGLES_KEPT])


def _share(one: frozenset[int], other: frozenset[int]) -> float:
    """The estimated share of their runs of words that two articles have in common."""
    smallest = sorted(one | other)[:SHINGLES_KEPT]
    return sum(number in one and number in other for number in smallest) / len(smallest)
