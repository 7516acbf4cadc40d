"""A report's tables of topics without an answer."""

from __future__ import annotations

from collections.abc import Iterator

from ..core.tables import Table
from ..reporting.knowledge_gaps import ANY, Coverage, Knowledge
from .reply_tables import SENTENCES

GAPS = {
    "no_article": "no article",
    "only_mentions": "only articles that mention it",
    "no_such_language": "nothing in this language",
    "no_answer": "mostly no answer in it",
}
"""Why a topic has no answer, in words."""


def knowledge_tables(found: Knowledge) -> Iterator[Table]:
    """How many topics were searched, and those without an answer."""
    yield Table("Topics without an answer", SENTENCES, tuple((text,) for text in _about_knowledge(found)))
    rows = tuple(
        (item.topic, item.kind, _language(item), f"{item.tickets:,}", GAPS[item.gap], *_notes(item))
        for item in found.gaps
        if item.gap is not None
    )
    columns = ("<topic", "<level", "<language", "tickets", "<knowledge base", "no answer", "in part", "not used")
    told = any(item.offered for item in found.gaps)
    yield Table("Without an answer", columns if told else columns[:5], rows if told else tuple(row[:5] for row in rows))


def _about_knowledge(found: Knowledge) -> Iterator[str]:
    if found.searched:
        several = "topic and language has" if found.searched == 1 else "topics and languages have"
        missing = sum(item.gap not in (None, "no_answer") for item in found.gaps)
        yield (
            f"{missing} of {found.searched} {several} no article, of those that at least {found.at_least} "
            f"tickets are about; {found.requests:,} requests."
        )
    lacking = sum(bool(item.offered) for item in found.gaps)
    if lacking:
        several = "topic has" if lacking == 1 else "topics have"
        yield f"{lacking} {several} at least {found.at_least} notes, most without a whole answer that people used."
    if not found.topics and not found.ended_early:
        yield f"No topic has {found.at_least} tickets in one language that lack an answer."


def _notes(item: Coverage) -> tuple[str, ...]:
    return f"{item.no_answer:,}", f"{item.partial:,}", f"{item.ignored:,}"


def _language(item: Coverage) -> str:
    return "any" if item.language == ANY else item.language
