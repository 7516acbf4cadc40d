"""What the knowledge base adds to a decision: the best articles and their lines, in the internal note."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager

from ..analysis.text.cleaning import clean
from ..analysis.text.redact import redact
from ..core.errors import StateUnusable
from ..core.models import Analysis, Decision, Offered, Ticket
from ..knowledge.issues import issue_queries
from ..knowledge.search import KnowledgeSearch
from ..pipeline.parts import Answers
from ..policy.note import NoteWhen
from ..replies.best_lines import ArticleLines, best_lines
from ..settings.schema import Settings
from .knowledge import embedding_model, knowledge_store

PASSAGES = 8
"""Passages of which the lines of two articles are taken."""
HEAD = "Articles that may help:"


@contextmanager
def answers(settings: Settings, trouble: Callable[[str], object]) -> Iterator[Answers | None]:
    """Adds articles to decisions; ``None`` where no ticket is to get any.

    ``trouble`` hears why there are none although they are wanted. Thread-safe.
    """
    if not settings.replies.wanted or settings.policy.note is NoteWhen.NEVER:
        yield None
        return
    if not settings.knowledge.sources:
        trouble("replies.mode wants articles, and there is no knowledge base: name knowledge.folders or help_centers")
        yield None
        return
    with closing(knowledge_store(settings)) as store, embedding_model(settings) as model:
        base = KnowledgeSearch(store, model, trouble=trouble)
        floor = base.floor
        if floor is None:
            trouble("no article is shown before 'ticketbot kb eval' has found the floor of your articles")
            yield None
            return

        def add(ticket: Ticket, analysis: Analysis, decision: Decision) -> Decision:
            if settings.replies.of(analysis.category) == "off" or analysis.suspicious:
                return decision
            # The question may go to a server that makes vectors.
            text = redact(clean(ticket.subject, ticket.description), names=ticket.names).text
            try:
                found = base.search(issue_queries(text), lang=analysis.language, audience="agents", limit=PASSAGES)
            except StateUnusable as error:  # a run goes on without articles
                trouble(str(error))
                return decision
            chosen = best_lines(found, text, floor=floor)
            if not chosen:
                return decision
            note = "\n".join([*([decision.note] if decision.note else []), HEAD, *_lines(chosen)])
            offered = Offered(kind="articles", articles=tuple(article.article_id for article in chosen))
            return decision.model_copy(update={"note": note, "offered": offered})

        yield add


def _lines(chosen: Sequence[ArticleLines]) -> Iterator[str]:
    for article in chosen:
        yield f"“{article.title}” {article.url}".rstrip()
        yield from (f"  “{line}”" for line in article.lines)
