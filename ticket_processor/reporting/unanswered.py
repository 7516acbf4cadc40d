"""Topics whose tickets mostly got no answer from articles, by what notes offered and people made of it. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence

from ..analysis.text.similarity import themes
from .knowledge_gaps import ANY, FEWEST_OF_A_THEME, Coverage, Kind, Knowledge, ranked
from .offers import Offer

MOST_EXAMPLES = 5
MOST_NEAR = 3


def unanswered_topics(
    offers: Sequence[Offer], ignored: Collection[int], *, at_least: int, fallback: str
) -> list[Coverage]:
    """Categories and subcategories, by language, of which most of at least so many tickets got no (whole) answer.

    ``ignored`` are the tickets on which people used nothing of what the note had offered.
    """
    found: defaultdict[tuple[str, Kind, str], list[Offer]] = defaultdict(list)
    for offer in filter(lambda each: each.tells, offers):
        if offer.category != fallback:
            found[offer.category, "category", offer.language].append(offer)
        if offer.subcategory:
            found[offer.subcategory, "subcategory", offer.language].append(offer)
    counted = [_counted(*key, its, ignored) for key, its in found.items() if len(its) >= at_least]
    return [item for item in counted if 2 * (item.no_answer + item.partial + item.ignored) > item.offered]


def unanswered_themes(
    offers: Sequence[Offer], ignored: Collection[int], summaries: Mapping[int, str], *, at_least: int
) -> list[Coverage]:
    """What at least so many tickets without a (whole) answer speak of, and others do not, by redacted summaries.

    Never what fewer than :data:`FEWEST_OF_A_THEME` speak of: it would be words of a single customer.
    """
    opened = [offer for offer in offers if _open(offer, ignored) and offer.ticket_id in summaries]
    others = [
        summaries[offer.ticket_id] for offer in offers if not _open(offer, ignored) and offer.ticket_id in summaries
    ]
    texts = [summaries[offer.ticket_id] for offer in opened]
    at_least = max(at_least, FEWEST_OF_A_THEME)
    return [
        _counted(theme.phrase, "theme", ANY, [opened[at] for at in theme.members], ignored)
        for theme in themes(texts, others, at_least=at_least)
        if len(theme.members) >= at_least
    ]


def with_unanswered(found: Knowledge, topics: Sequence[Coverage]) -> Knowledge:
    """One list of both: what the search found, and what notes lacked."""
    known = {(item.topic, item.kind, item.language): item for item in found.topics}
    for item in topics:
        key = (item.topic, item.kind, item.language)
        searched = known.get(key)
        if searched is None:
            known[key] = item
            continue
        evidence = item.model_dump(include={"offered", "no_answer", "partial", "ignored", "examples", "near"})
        known[key] = searched.model_copy(update={**evidence, "gap": searched.gap or item.gap})
    return found.model_copy(update={"topics": ranked(known.values())})


def _counted(topic: str, kind: Kind, language: str, offers: Sequence[Offer], ignored: Collection[int]) -> Coverage:
    opened = [offer for offer in offers if _open(offer, ignored)]
    near = Counter(article for offer in opened for article in offer.articles)
    partial = sum(offer.partial for offer in opened)
    no_answer = sum(offer.unanswered for offer in opened) - partial
    return Coverage(
        topic=topic,
        kind=kind,
        language=language,
        tickets=len(offers),
        offered=len(offers),
        no_answer=no_answer,
        partial=partial,
        ignored=len(opened) - no_answer - partial,
        examples=tuple(sorted((offer.ticket_id for offer in opened), reverse=True)[:MOST_EXAMPLES]),
        near=tuple(sorted(near, key=lambda article: (-near[article], article))[:MOST_NEAR]),
        gap="no_answer",
    )


def _open(offer: Offer, ignored: Collection[int]) -> bool:
    return offer.unanswered or offer.ticket_id in ignored
