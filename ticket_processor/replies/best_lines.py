"""Without a model: the two best articles and the lines in them that matter, for the internal note. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from .grounding import plain_words_leaving, sentences_of, telling_stems
from .sources import Citable, usable_text

MOST_ARTICLES = 2
MOST_LINES = 2
LONGEST_LINE = 200


class FoundPassage(Protocol):
    """What a search found, with a score that is the higher the better."""

    @property
    def passage(self) -> Citable:
        """A part of an article."""

    @property
    def score(self) -> float:
        """How well it fits, on the search's own scale."""


@dataclass(frozen=True)
class ArticleLines:
    """An article, and its lines about what was asked, in its own language and order."""

    article_id: str
    title: str
    url: str
    lines: tuple[str, ...]


def best_lines(found: Sequence[FoundPassage], query: str, *, floor: float) -> tuple[ArticleLines, ...]:
    """The best articles of ``found`` (best first) whose score clears ``floor``, with the lines nearest to ``query``.

    An article of which no line has a telling word of the query is left out.
    """
    wanted = set(telling_stems(query))
    chosen: dict[str, ArticleLines] = {}
    for each in found:
        passage = each.passage
        if each.score < floor or passage.article_id in chosen:
            continue
        lines = _nearest(usable_text(passage.text), wanted)
        if lines:
            title = plain_words_leaving(usable_text(passage.title), LONGEST_LINE)
            chosen[passage.article_id] = ArticleLines(passage.article_id, title, passage.url, lines)
        if len(chosen) == MOST_ARTICLES:
            break
    return tuple(chosen.values())


def _nearest(text: str, wanted: set[str]) -> tuple[str, ...]:
    sentences = [sentence for line in text.splitlines() for sentence in sentences_of(line.strip())]
    shared = [len(wanted.intersection(telling_stems(sentence))) for sentence in sentences]
    best = sorted((at for at, count in enumerate(shared) if count), key=lambda at: (-shared[at], at))[:MOST_LINES]
    plain = (plain_words_leaving(sentences[at], LONGEST_LINE) for at in sorted(best))
    return tuple(line for line in plain if line)
