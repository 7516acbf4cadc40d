"""Finds topics of many tickets that no article of the help centre covers. Pure, except for reading the articles.

An article covers a topic if its title or labels name it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

from ..analysis.rules.evidence import content_words
from ..analysis.rules.matcher import PhraseMatcher, category_words, entries_of, known_name, words_of
from ..core.clock import Deadline, why_ended
from ..core.errors import CannotRun, DeadlineReached
from ..core.models import Frozen
from ..core.tables import SENTENCES, Table
from ..core.taxonomy import Category, Taxonomy
from ..knowledge.model import Article
from .likeness import groups

Kind = Literal["category", "subcategory", "theme"]
Gap = Literal["no_article", "no_such_language"]
FEWEST_TICKETS = 5
"""Minimum number of tickets of a topic. With fewer, a single customer's words would make a theme."""
ANY = "*"
"""Stands for all languages."""
_UNKNOWN = "und"
_SURE = 3
"""Weight from which a single listed word names the topic of a text."""
_GAPS: dict[Gap, str] = {
    "no_article": "no article",
    "no_such_language": "nothing in this language",
}

TOPICS = """
SELECT category, subcategory, coalesce(language, 'und'), count(*) FROM lines
WHERE NOT dry_run AND category IS NOT NULL AND ts >= $first AND ts < $end
  AND coalesce(next_labelled_at >= $end, true) AND kind IS DISTINCT FROM 'undo'
GROUP BY ALL ORDER BY ALL
"""
"""Query for the categories of a period's tickets; a ticket's last answer in the period counts."""


class Coverage(Frozen):
    """A topic of ``tickets`` in one language, and how many articles are about it.

    A theme is a few words without a category of its own, in any language (``*``).
    """

    topic: str
    kind: Kind
    language: str
    tickets: int
    articles: int = 0
    gap: Gap | None = None


class Knowledge(Frozen):
    """The topics that at least ``at_least`` tickets are about, most tickets first, with their articles.

    ``ended_early`` says why the articles could not be read.
    """

    at_least: int = FEWEST_TICKETS
    topics: tuple[Coverage, ...] = ()
    languages: tuple[str, ...] = ()
    requests: int = 0
    ended_early: str | None = None

    @property
    def gaps(self) -> tuple[Coverage, ...]:
        """The topics without an article."""
        return tuple(topic for topic in self.topics if topic.gap)


def topics_of(rows: Iterable[tuple[str, str | None, str, int]], taxonomy: Taxonomy) -> list[Coverage]:
    """Both levels of categories by rows of :data:`TOPICS`; the fallback category is no topic, see :func:`themes_of`."""
    counted = Counter[tuple[str, Kind, str]]()
    for category, subcategory, language, tickets in rows:
        if category != taxonomy.fallback:
            counted[category, "category", language] += tickets
        if subcategory:
            counted[subcategory, "subcategory", language] += tickets
    return [
        Coverage(topic=name, kind=kind, language=language, tickets=tickets)
        for (name, kind, language), tickets in counted.items()
        if language != _UNKNOWN
    ]


def themes_of(texts: Sequence[str]) -> list[Coverage]:
    """What enough of ``texts`` are about: redacted summaries of tickets without a category of their own."""
    return [
        Coverage(topic=group.name, kind="theme", language=ANY, tickets=len(group.places))
        for group in groups(texts)
        if len(group.places) >= FEWEST_TICKETS and group.name
    ]


def look_up(
    topics: Iterable[Coverage], taxonomy: Taxonomy, articles: Iterable[Article], deadline: Deadline
) -> Knowledge:
    """Find the ``articles`` that cover topics of enough tickets; articles for agents only are left out.

    The articles are read only if there is such a topic. If the help centre is missing, does not answer or takes too
    long, nothing is raised: ``ended_early`` says so.
    """
    asked = [item for item in topics if item.tickets >= FEWEST_TICKETS]
    if not asked:
        return Knowledge()
    try:
        known = [one for one in articles if one.audience != "agents"]
    except (CannotRun, DeadlineReached) as error:
        return Knowledge(ended_early=why_ended(error, deadline))
    asked.sort(key=lambda item: (-item.tickets, item.kind, item.topic, item.language))
    return Knowledge(
        topics=tuple(_looked_up(item, taxonomy, known) for item in asked),
        languages=tuple(dict.fromkeys(one.lang for one in known)),
    )


def _looked_up(item: Coverage, taxonomy: Taxonomy, articles: Iterable[Article]) -> Coverage:
    candidates = [one for one in articles if item.language in (ANY, one.lang)]
    if not candidates:
        return item.model_copy(update={"gap": "no_article" if item.language == ANY else "no_such_language"})
    tells = _teller(item, taxonomy)
    # All languages of an article count as one article.
    about = {one.id.partition("/")[0] for one in candidates if tells(_title(one))}
    return item.model_copy(update={"articles": len(about), "gap": None if about else "no_article"})


def _teller(item: Coverage, taxonomy: Taxonomy) -> Callable[[str], bool]:
    """A function that is true for texts about the topic."""
    if item.kind == "theme":
        needed = set(content_words(item.topic, 3))
        return lambda text: len(needed.intersection(content_words(text, 3))) >= min(2, len(needed))
    name = item.topic.replace("_", " ")
    category = taxonomy[item.topic] if item.topic in taxonomy.names else Category(name=item.topic, description="")
    words = [entry for entry in category.keywords.get(item.language, ()) if entry.strip()]
    known = known_name(item.topic) if item.kind == "category" else None
    weights = category_words()[known].get(item.language, {}) if known else {}
    words += entries_of(weights.get(_SURE, ""))
    if not words:
        words = [f"{word}*" for word in content_words(category.description)]
    matcher = PhraseMatcher(topic=[(entry, True) for entry in (*words, name, f"{name}s")])
    return lambda text: bool(matcher.find(words_of(text), text)["topic"])


def _title(article: Article) -> str:
    return " . ".join((article.title, *(label.replace("_", " ") for label in article.labels)))


def knowledge_tables(found: Knowledge) -> Iterator[Table]:
    """How many topics were searched, and those without an article."""
    yield Table("Topics without an article", SENTENCES, tuple((text,) for text in _in_words(found)))
    rows = tuple(
        (item.topic, item.kind, "any" if item.language == ANY else item.language, f"{item.tickets:,}", _GAPS[item.gap])
        for item in found.gaps
        if item.gap is not None
    )
    yield Table("Without an article", ("<topic", "<level", "<language", "tickets", "<knowledge base"), rows)


def _in_words(found: Knowledge) -> Iterator[str]:
    if count := len(found.topics):
        several = "topic and language has" if count == 1 else "topics and languages have"
        yield (
            f"{len(found.gaps)} of {count} {several} no article, of those that at least {found.at_least} "
            f"tickets are about; {found.requests:,} requests."
        )
    elif not found.ended_early:
        yield f"No topic has {found.at_least} tickets in one language."
