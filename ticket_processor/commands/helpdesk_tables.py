"""A report's tables from the helpdesk: people's changes, and topics without an answer."""

from __future__ import annotations

from collections.abc import Iterator

from ..core.tables import Table
from ..core.wording import many
from ..learning.override_counts import Overrides
from ..reporting.knowledge_gaps import ANY, Coverage, Knowledge
from .label_tables import label_tables
from .reply_tables import SENTENCES

GAPS = {
    "no_article": "no article",
    "only_mentions": "only articles that mention it",
    "no_such_language": "nothing in this language",
    "no_answer": "mostly no answer in it",
}
"""Why a topic has no answer, in words."""


def overrides_tables(found: Overrides) -> Iterator[Table]:
    """People's changes: how many, by label, what they chose instead, and how sure ticketbot had been."""
    yield Table("What people changed", SENTENCES, tuple((text,) for text in _about_overrides(found)))
    yield from label_tables(found.parts, found.pairs)


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


def _about_overrides(found: Overrides) -> Iterator[str]:
    if not found.written:
        yield "ticketbot wrote on no ticket in this period."
        return
    if found.rate is not None:
        share = f"{found.rate:.0%}; at most {found.rate_at_most:.0%} of all such"
        urgent = f" ({found.raised_to_urgent:,} to urgent)" if found.raised_to_urgent else ""
        yield (
            f"On {found.overridden:,} of {many(found.judged, 'ticket')} that people have dealt with ({share}) they "
            f"changed something that ticketbot had set."
            + (f" On {found.unknown:,} more somebody did whom the helpdesk does not tell." if found.unknown else "")
        )
        yield f"After it they raised the priority of {found.raised:,}{urgent}, and lowered that of {found.lowered:,}."
    elif not found.ended_early:
        yield "No person has dealt yet with a ticket that ticketbot labelled in this period."
    yield (
        f"A random sample: {found.histories:,} histories read of {found.solved:,} solved tickets, found among "
        f"{found.looked_at:,} of the {many(found.written, 'ticket')} that ticketbot wrote on; "
        f"{many(found.requests, 'request')}."
    )
    if found.left_out:
        yield "Not judged: " + ", ".join(f"{number:,} {why}" for why, number in found.left_out.items()) + "."


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
