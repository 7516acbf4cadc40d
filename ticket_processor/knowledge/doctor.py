"""Finds what a person should look at: copies, drafts, steps only in pictures, articles old or never found."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from zlib import crc32

from ..core.clock import iso
from ..core.findings import ArticlePlace, Finding
from .store import KnowledgeStore

RUN = 4
"""Words that are hashed together."""
KEPT = 64
"""The smallest hashes of an article: their overlap estimates that of all."""
LOOKED_UP = 12
"""Those of them by which articles like it are found."""
MOST_TOGETHER = 30
"""Articles with one hash in common that are compared; where there are more, it is a phrase that all have."""
LEAST_SHARE = 0.8
FEWEST_WORDS = 20
"""Words of an article that can be nearly like another."""

_RUN_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Copies:
    """Articles that are alike, by id; ``same`` when they have the same words."""

    ids: tuple[str, ...]
    same: bool


def copies(articles: Iterable[tuple[str, str]]) -> list[Copies]:
    """The groups of alike ones among these articles, given as id and text; those with the same words first."""
    groups: defaultdict[bytes, list[str]] = defaultdict(list)
    sketches: dict[str, frozenset[int]] = {}
    for name, text in articles:
        words = _RUN_WORD.findall(text.casefold())
        if not words:
            continue
        group = groups[hashlib.sha256(" ".join(words).encode("utf-8", "replace")).digest()]
        group.append(name)
        if len(group) == 1 and len(words) >= FEWEST_WORDS:
            sketches[name] = _sketch(words)
    same = [Copies(tuple(sorted(group)), same=True) for group in groups.values() if len(group) > 1]
    return [*sorted(same, key=lambda each: each.ids), *_nearly(sketches)]


def _sketch(words: list[str]) -> frozenset[int]:
    runs = {crc32(" ".join(words[at : at + RUN]).encode("utf-8", "replace")) for at in range(len(words) - RUN + 1)}
    return frozenset(sorted(runs)[:KEPT])


def _nearly(sketches: dict[str, frozenset[int]]) -> list[Copies]:
    having: defaultdict[int, list[str]] = defaultdict(list)
    for name, sketch in sketches.items():
        for number in sorted(sketch)[:LOOKED_UP]:
            having[number].append(name)
    group = {name: {name} for name in sketches}
    pairs = {pair for names in having.values() if len(names) <= MOST_TOGETHER for pair in combinations(names, 2)}
    for one, other in sorted(pairs):
        if group[one] is not group[other] and _share(sketches[one], sketches[other]) >= LEAST_SHARE:
            group[one] |= group[other]
            for name in group[other]:
                group[name] = group[one]
    found = {tuple(sorted(names)) for names in group.values() if len(names) > 1}
    return [Copies(ids, same=False) for ids in sorted(found)]


def _share(one: frozenset[int], other: frozenset[int]) -> float:
    """The estimated share of their runs of words that two articles have in common."""
    smallest = sorted(one | other)[:KEPT]
    return sum(number in one and number in other for number in smallest) / len(smallest)


MOST_WORDS_BESIDE_PICTURES = 15
"""A section with fewer words for each picture shows its steps instead of telling them."""
OLD_S = 365 * 86_400.0
OFTEN = 5
"""Searches that showed an article, from which on it matters how old it is."""
_PICTURE = re.compile(r"!\[[^\]\n]*\]")
_WORD = re.compile(r"\w+")


ADVICE = {
    "duplicate": "keep one article, and link to it from where the others were",
    "near_duplicate": "merge them, or say at the top of each what it is for",
    "drafts": "publish them, or delete them",
    "pictures_only": "write each step down beside its picture",
    "stale": "check it against how things are today",
    "never_found": "give it a title in the words of customers, or delete it",
}
"""What to do, by the kind of a finding."""


def examine(store: KnowledgeStore, now: float) -> list[Finding]:
    """What a person should look at, kind by kind."""
    return [*_copies(store), *_drafts(store), *_pictures(store), *_stale(store, now), *_never_found(store)]


def _copies(store: KnowledgeStore) -> Iterator[Finding]:
    """Articles of one language with the same, or nearly the same words."""
    for lang in sorted(store.langs()):
        rows = store.rows("SELECT id, title, url, body FROM article WHERE lang=? ORDER BY id", (lang,))
        places = {name: ArticlePlace(article=name, title=title, url=url) for name, title, url, _ in rows}
        for group in copies((name, body) for name, _, _, body in rows):
            kind, words = ("duplicate", "the same text") if group.same else ("near_duplicate", "nearly the same text")
            yield _finding(kind, f"{words} {len(group.ids)} times", tuple(places[name] for name in group.ids))


def _drafts(store: KnowledgeStore) -> Iterator[Finding]:
    for source in store.sources():
        count = int(store.fact(f"drafts {source}") or 0)
        if count:
            yield _finding("drafts", f"{source}: {count} unpublished, which nobody finds")


def _pictures(store: KnowledgeStore) -> Iterator[Finding]:
    """Sections of pictures without words to them."""
    sections: dict[ArticlePlace, list[str]] = {}
    for name, title, url, heading, text in store.rows(
        "SELECT article.id, article.title, article.url, chunk.heading, chunk.text FROM chunk "
        "JOIN article ON article.id=chunk.article WHERE article.body LIKE '%![%' ORDER BY article.id, chunk.n"
    ):
        sections.setdefault(ArticlePlace(article=name, title=title, url=url, heading=heading), []).append(text)
    for place, texts in sections.items():
        text = "\n".join(texts)
        pictures = len(_PICTURE.findall(text))
        words = len(_WORD.findall(_PICTURE.sub(" ", text)))
        if pictures and words < pictures * MOST_WORDS_BESIDE_PICTURES:
            said = f"1 picture and {words} words" if pictures == 1 else f"{pictures} pictures and {words} words"
            yield _finding("pictures_only", f"{said}, so its steps cannot be found", (place,))


def _stale(store: KnowledgeStore, now: float) -> Iterator[Finding]:
    """Articles that are shown often and have not changed for a year."""
    for name, title, url, updated, found in store.rows(
        "SELECT id, title, url, updated_at, found FROM article "
        "WHERE found>=? AND updated_at>0 AND updated_at<? ORDER BY found DESC, id",
        (OFTEN, now - OLD_S),
    ):
        text = f"shown {found} times, and not changed since {iso(updated)[:10]}"
        yield _finding("stale", text, (ArticlePlace(article=name, title=title, url=url),))


def _never_found(store: KnowledgeStore) -> Iterator[Finding]:
    """Articles that no search has shown, once there have been searches at all."""
    [(searches,)] = store.rows("SELECT coalesce(sum(found), 0) FROM article")
    if searches:
        for name, title, url in store.rows("SELECT id, title, url FROM article WHERE found=0 ORDER BY id"):
            yield _finding("never_found", "no search has shown it", (ArticlePlace(article=name, title=title, url=url),))


def _finding(kind: str, text: str, places: tuple[ArticlePlace, ...] = ()) -> Finding:
    return Finding(
        part="articles", severity="advice", kind=kind, what=kind, text=text, advice=ADVICE[kind], places=places
    )
