"""Articles that may answer what a customer wrote, found in the knowledge base by words: no model, no network."""

from __future__ import annotations

from collections.abc import Sequence

from ...knowledge.search import KnowledgeSearch
from ...replies.best_lines import best_lines
from .parts import Suggest, Suggestion

MOST_PASSAGES = 8


def suggesting(search: KnowledgeSearch) -> Suggest:
    """Finds the best articles that everybody may read, with the lines in them that matter."""

    def suggest(text: str) -> Sequence[Suggestion]:
        found = search.search([text], lang="", audience="everyone", limit=MOST_PASSAGES)
        chosen = best_lines(found, text, floor=search.learnt_floor or 0.0)
        return [Suggestion(each.title, _web(each.url), each.lines) for each in chosen]

    return suggest


def _web(url: str) -> str:
    return url if url.startswith(("https://", "http://")) else ""
