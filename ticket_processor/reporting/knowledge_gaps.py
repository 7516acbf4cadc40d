"""Topics that many tickets are about and no article of the help centre is. Pure, but for reading the articles.

Searches find any article that mentions a word. So what counts as an article on a topic is one whose title or labels
speak of it; others are mere mentions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Literal

from ..analysis.rules.matcher import PhraseMatcher, category_words, entries_of, known_name, words_of
from ..analysis.text.similarity import content_words, themes
from ..core.clock import Deadline, why_ended
from ..core.errors import CannotRun, DeadlineReached
from ..core.models import Frozen
from ..core.taxonomy import Category, Taxonomy
from ..knowledge.model import Article

Kind = Literal["category", "subcategory", "theme"]
Gap = Literal["no_article", "only_mentions", "no_such_language"]
MOST_QUERIES = 3
"""Different words that a topic is searched by in one language, until there is an article."""

FEWEST_OF_A_THEME = 3
SHORTEST_WORD = 4
ANY = "*"
"""In place of a language: all of them."""

_UNKNOWN = "und"
SURE = 3
"""The weight of words of a list that say alone what a text is about."""

TOPICS = """
SELECT category, subcategory, coalesce(language, 'und'), count(*) FROM lines
WHERE NOT dry_run AND category IS NOT NULL AND ts >= $first AND ts < $end
  AND coalesce(next_labelled_at >= $end, true) AND kind IS DISTINCT FROM 'undo'
GROUP BY ALL ORDER BY ALL
"""
"""Asks the log's index what the tickets of a period were about; a ticket's last answer in it counts."""


class HelpCenter:
    """Articles, all of which are read at the first question; those for agents only are left out.

    Both questions may raise :class:`CannotRun` and :class:`DeadlineReached`.
    """

    def __init__(self, articles: Iterable[Article]) -> None:
        self._articles = articles

    @cached_property
    def _texts(self) -> list[tuple[Article, str]]:
        found = [one for one in self._articles if one.audience != "agents"]
        return [(one, f"{_title(one)} {one.body_text}".casefold()) for one in found]

    def languages(self) -> tuple[str, ...]:
        """The languages that there are articles in, such as ``en``."""
        return tuple(dict.fromkeys(article.lang for article, _ in self._texts))

    def search(self, query: str, language: str) -> Sequence[Article]:
        """Articles in this language (:data:`ANY`: in all) that hold these words."""
        words = query.casefold().split()
        found = (one for one, text in self._texts if all(word in text for word in words))
        return [one for one in found if language in (ANY, one.lang)]


class Coverage(Frozen):
    """A topic of ``tickets`` in one language, and how many articles are about it, or just mention it.

    A theme is a phrase without a category of its own, in any language (``*``).
    """

    topic: str
    kind: Kind
    language: str
    tickets: int
    articles: int = 0
    mentions: int = 0
    gap: Gap | None = None


class Knowledge(Frozen):
    """The topics that at least ``at_least`` tickets are about, most tickets first, with their articles.

    ``searched`` of them were looked up in the help centre; ``not_searched`` topics and languages were not reached, and
    ``ended_early`` says why, also where there is no help centre at all.
    """

    at_least: int
    topics: tuple[Coverage, ...] = ()
    searched: int = 0
    languages: tuple[str, ...] = ()
    not_searched: int = 0
    requests: int = 0
    ended_early: str | None = None

    @property
    def gaps(self) -> tuple[Coverage, ...]:
        """Those without an article."""
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


def themes_of(left: Sequence[str], elsewhere: Sequence[str], at_least: int) -> list[Coverage]:
    """What at least so many tickets without a category of their own speak of, by redacted summaries.

    Never what fewer than :data:`FEWEST_OF_A_THEME` speak of: it would be words of a single customer.
    """
    return [
        Coverage(topic=theme.phrase, kind="theme", language=ANY, tickets=len(theme.members))
        for theme in themes(left, elsewhere, at_least=max(at_least, FEWEST_OF_A_THEME))
    ]


def wanted(topics: Iterable[Coverage], at_least: int) -> tuple[Coverage, ...]:
    """What is to be searched: what at least so many tickets are about, most tickets first."""
    found = (item for item in topics if item.tickets >= at_least)
    return tuple(sorted(found, key=lambda item: (-item.tickets, item.kind, item.topic, item.language)))


def look_up(
    topics: Sequence[Coverage],
    taxonomy: Taxonomy,
    center: HelpCenter,
    *,
    at_least: int,
    deadline: Deadline,
    advance: Callable[[int], object] = lambda _count: None,
) -> Knowledge:
    """Whether the help centre has articles on these topics, which :func:`wanted` gave for ``at_least``.

    Never raises for a help centre that is not there, does not answer or takes too long: ``ended_early`` says so.
    ``advance`` is told of each topic.
    """
    done: list[Coverage] = []
    languages: tuple[str, ...] = ()
    ended: str | None = None
    try:
        languages = center.languages() if topics else ()
        for item in topics:
            done.append(_looked_up(item, taxonomy, center, languages))
            advance(1)
    except (CannotRun, DeadlineReached) as error:
        ended = why_ended(error, deadline)
    return Knowledge(
        at_least=at_least,
        topics=tuple(done),
        searched=len(done),
        languages=languages,
        not_searched=len(topics) - len(done),
        ended_early=ended,
    )


def _looked_up(item: Coverage, taxonomy: Taxonomy, center: HelpCenter, languages: Sequence[str]) -> Coverage:
    if item.language not in (ANY, *languages):
        return item.model_copy(update={"gap": "no_such_language"})
    queries, tells = _words(item, taxonomy)
    about: set[str] = set()
    found: set[str] = set()
    for query in queries:
        for article in center.search(query, item.language):
            number = article.id.partition("/")[0]  # of an article in all of its languages
            (about if tells(article) else found).add(number)
        if about:
            break
    mentions = len(found - about)
    gap: Gap | None = None if about else "only_mentions" if mentions else "no_article"
    return item.model_copy(update={"articles": len(about), "mentions": mentions, "gap": gap})


def _words(item: Coverage, taxonomy: Taxonomy) -> tuple[list[str], Callable[[Article], bool]]:
    """By which words a topic is searched, and by which an article on it is told from one that mentions it."""
    if item.kind == "theme":
        needed = set(content_words(item.topic))
        return [item.topic], lambda article: needed <= set(content_words(_title(article)))
    name = item.topic.replace("_", " ")
    category = taxonomy[item.topic] if item.topic in taxonomy.names else Category(name=item.topic, description="")
    own = [entry for entry in category.keywords.get(item.language, ()) if entry.strip()]
    known = known_name(item.topic) if item.kind == "category" else None
    weights = category_words()[known].get(item.language, {}) if known else {}
    own += [entry for weight, text in weights.items() if weight == SURE for entry in entries_of(text)]
    named = [name, f"{name}s"]
    if not own:
        named += [f"{word}*" for word in content_words(category.description)]
    matcher = PhraseMatcher([(entry, True) for entry in (*own, *named)])

    def tell(article: Article) -> bool:
        title = _title(article)
        return bool(matcher.find(words_of(title), title))

    # A category's name is as good a word as any of English, which the names are most often written in.
    ordered = [name, *own, *named[2:]] if item.language == "en" or not own else [*own, name]
    return _queries(ordered), tell


def _queries(entries: Iterable[str]) -> list[str]:
    """The first few entries as words to search for, none of which only narrows one before it."""
    chosen: list[str] = []
    for entry in entries:
        query = entry.replace("*", "").strip()
        if "~" in entry or (len(query) < SHORTEST_WORD and query.isascii()):
            continue
        if not any(other in query for other in chosen):
            chosen.append(query)
        if len(chosen) == MOST_QUERIES:
            break
    return chosen


def _title(article: Article) -> str:
    return " . ".join((article.title, *(label.replace("_", " ") for label in article.labels)))
