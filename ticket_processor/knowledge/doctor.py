"""Finds what a person should look at: duplicates, drafts, articles never found, steps that exist only as pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .store import KnowledgeStore

MOST_WORDS_BESIDE_PICTURES = 15
"""An article with fewer words for each picture shows its steps instead of telling them."""

_PICTURE = re.compile(r"!\[[^\]\n]*\]")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Remark:
    """One thing to look at: its kind, the articles that it is about, and a sentence."""

    kind: str
    articles: tuple[str, ...]
    text: str


def examine(store: KnowledgeStore) -> list[Remark]:
    """What a person should look at, kind by kind."""
    return [*_duplicates(store), *_drafts(store), *_pictures(store), *_never_found(store)]


def _duplicates(store: KnowledgeStore) -> Iterator[Remark]:
    """Articles of one language with the same words."""
    rows = store.rows(
        "SELECT group_concat(id, char(10)), min(title) FROM article WHERE body<>'' "
        "GROUP BY lang, body HAVING count(*)>1 ORDER BY min(id)"
    )
    for ids, title in rows:
        yield Remark("duplicate", tuple(sorted(ids.split("\n"))), f"the same text more than once: {title}")


def _drafts(store: KnowledgeStore) -> Iterator[Remark]:
    for source in store.sources():
        count = int(store.fact(f"drafts {source}") or 0)
        if count:
            yield Remark("drafts", (), f"{source}: {count} unpublished, which nobody finds")


def _pictures(store: KnowledgeStore) -> Iterator[Remark]:
    for name, title, body in store.rows("SELECT id, title, body FROM article WHERE body LIKE '%![%' ORDER BY id"):
        pictures = len(_PICTURE.findall(body))
        words = len(_WORD.findall(_PICTURE.sub(" ", body)))
        if pictures and words < pictures * MOST_WORDS_BESIDE_PICTURES:
            said = "1 picture" if pictures == 1 else f"{pictures} pictures"
            yield Remark("pictures_only", (name,), f"{said} and {words} words, so its steps cannot be found: {title}")


def _never_found(store: KnowledgeStore) -> Iterator[Remark]:
    """Articles that no search has shown, once there have been searches at all."""
    [(searches,)] = store.rows("SELECT coalesce(sum(found), 0) FROM article")
    if searches:
        for name, title in store.rows("SELECT id, title FROM article WHERE found=0 ORDER BY id"):
            yield Remark("never_found", (name,), f"no search has shown it: {title}")
