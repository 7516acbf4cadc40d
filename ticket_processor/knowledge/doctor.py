"""Finds what a person should look at: copies of articles, and articles that are old or never found."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from zlib import crc32

from ..core.clock import iso
from ..core.findings import ArticlePlace, Finding
from .store import KnowledgeStore

RUN = 4
"""Words that are hashed together."""
KEPT = 64
"""The smallest hashes of an article: their overlap estimates that of all."""
LEAST_SHARE = 0.8
OLD_S = 365 * 86_400.0
OFTEN = 5
"""Searches that showed an article, from which on it matters how old it is."""
ADVICE = {
    "duplicate": "keep one article, or say at the top of each what it is for",
    "stale": "check it against how things are today",
    "never_found": "give it a title in the words of customers, or delete it",
}
"""What to do, by the kind of a finding."""
_WORD = re.compile(r"\w+")


def examine(store: KnowledgeStore, now: float) -> list[Finding]:
    """What a person should look at, kind by kind."""
    return [*_copies(store), *_stale(store, now), *_never_found(store)]


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
    return frozenset(sorted(runs)[:KEPT])


def _share(one: frozenset[int], other: frozenset[int]) -> float:
    """The estimated share of their runs of words that two articles have in common."""
    smallest = sorted(one | other)[:KEPT]
    return sum(number in one and number in other for number in smallest) / len(smallest)


def _copies(store: KnowledgeStore) -> Iterator[Finding]:
    """Articles of one language with nearly the same words."""
    for (lang,) in store.rows("SELECT DISTINCT lang FROM article ORDER BY lang"):
        rows = store.rows("SELECT id, title, url, body FROM article WHERE lang=? ORDER BY id", (lang,))
        places = {name: ArticlePlace(article=name, title=title, url=url) for name, title, url, _ in rows}
        for names in copies((name, body) for name, _, _, body in rows):
            yield _finding(
                "duplicate", f"nearly the same text {len(names)} times", tuple(places[each] for each in names)
            )


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


def _finding(kind: str, text: str, places: tuple[ArticlePlace, ...]) -> Finding:
    return Finding(
        part="articles", severity="advice", kind=kind, what=kind, text=text, advice=ADVICE[kind], places=places
    )
