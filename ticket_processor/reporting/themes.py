"""Voice of the customer: what the tickets of a period are about, merged across wording, from the log alone.

A theme is a group of redacted summaries that are alike; tickets of the period and of the one before are grouped
together, so that each theme has both its numbers. The state folder keeps the issues that people link to themes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from ..analysis.rules.analyser import RulesAnalyser
from ..analysis.rules.matcher import known_name
from ..analysis.rules.telling import LONGEST
from ..analysis.text.outgoing import leaving_line
from ..core.models import Frozen
from ..core.tables import SENTENCES, WHERE, Table
from ..core.taxonomy import Taxonomy, default_taxonomy
from ..core.text import many, plain_line
from ..settings.schema import Settings
from ..state.store import FILE_NAME, State
from .glossary import NONE, percent
from .likeness import groups, without_forms
from .story import ticket_lines

FEWEST_OF_THEME = 3
"""Tickets of a theme, in the period or in the one before."""
MOST_QUOTES, LONGEST_QUOTE = 3, 200
MOST_LISTED = 40
"""Themes in tables; JSON has all."""
WISH = "feature_request"
_LINK = "theme_link "
"""Begins the names of the state's facts that hold links; the issue follows."""

Analyses = dict[int, Mapping[str, Any]]


class Quote(Frozen):
    """A customer's words, redacted."""

    ticket_id: int
    text: str
    url: str


class IssueLink(Frozen):
    """An issue that people linked to a theme; ``since`` is where the log has its tickets from (Unix seconds).

    ``shipped`` is the day on which the tickets to tell were first listed.
    """

    issue: str
    theme: str
    tickets: tuple[int, ...] = ()
    since: float = 0.0
    shipped: str | None = None

    def is_about(self, name: str, tickets: set[int]) -> bool:
        """Whether a theme is the linked one: by its name, or since a third of its tickets are linked."""
        return name == self.theme or 3 * len(tickets.intersection(self.tickets)) >= len(tickets)


class Theme(Frozen):
    """A theme with the numbers of its tickets in the period, in the one before, and of those in a negative mood.

    ``state`` is only told where the log has a period before; ``negative_share`` is of the period's tickets.
    """

    name: str
    state: Literal["new", "gone", "known"] | None
    feature_request: bool
    count: int
    count_before: int
    negative_share: float | None
    languages: tuple[str, ...]
    tickets: tuple[int, ...]
    tickets_before: tuple[int, ...]
    negative: tuple[int, ...]
    quotes: tuple[Quote, ...] = ()
    issues: tuple[IssueLink, ...] = ()


class Themes(Frozen):
    """The themes, biggest first. ``tickets`` have words to compare, ``tickets_before`` in the period before.

    ``compared`` is false where the log has no such period, ``vectors`` where words alone were compared;
    ``ended_early`` says why there are none although a model is set.
    """

    tickets: int = 0
    tickets_before: int = 0
    compared: bool = False
    vectors: bool = False
    themes: tuple[Theme, ...] = ()
    ended_early: str | None = None


def analysed(settings: Settings, since: float, until: float) -> Analyses:
    """The last analysis of each ticket of a period, by number.

    Left out are tickets whose words were erased, and those that seem to give orders to a program.
    """
    found: Analyses = {}
    for line in ticket_lines(settings, since, until):
        if isinstance(analysis := line.get("analysis"), dict) and isinstance(number := line.get("ticket_id"), int):
            found[number] = analysis
    return {number: each for number, each in found.items() if each.get("summary") and not each.get("suspicious")}


Vectors = Callable[[Sequence[str]], Any]
"""Gives a matrix with a row for each text, or ``None``."""


def find_themes(
    settings: Settings, now: Analyses, before: Analyses, vectors_of: Vectors = lambda _texts: None
) -> list[Theme]:
    """What the tickets of a period and of the one before say, in groups of at least one ticket, without issues."""
    said = {**before, **now}
    numbers = sorted(said)
    texts = [str(leaving_line(str(said[number]["summary"]), LONGEST)) for number in numbers]
    wishes, found = _wishes(said, settings.taxonomy), []
    for group in groups(texts, vectors_of(without_forms(texts))):
        own = [numbers[place] for place in group.places]
        here, there = (tuple(sorted(each.keys() & set(own))) for each in (now, before))
        quotes = {texts[place]: numbers[place] for place in reversed(group.places) if numbers[place] in now}
        negative = tuple(number for number in here if now[number].get("sentiment") == "negative")
        found.append(
            Theme(
                name=group.name or f"theme of ticket {min(own)}",
                state=None if not before else "gone" if not here else "known" if there else "new",
                feature_request=2 * len(wishes.intersection(own)) > len(own),
                count=len(here),
                count_before=len(there),
                negative_share=len(negative) / len(here) if here else None,
                languages=tuple(sorted({str(said[number].get("language") or "und") for number in own})),
                tickets=here,
                tickets_before=there,
                negative=negative,
                quotes=tuple(
                    Quote(ticket_id=number, text=plain_line(text, LONGEST_QUOTE), url=settings.ticket_url(number))
                    for text, number in [*reversed(quotes.items())][:MOST_QUOTES]
                ),
            )
        )
    return found


def shown(found: Iterable[Theme], kept: Sequence[IssueLink]) -> tuple[Theme, ...]:
    """Groups that are themes, or linked to an issue, with their issues; biggest first."""
    themes = []
    for theme in found:
        own = {*theme.tickets, *theme.tickets_before}
        issues = tuple(link for link in kept if link.is_about(theme.name, own))
        if issues or max(theme.count, theme.count_before) >= FEWEST_OF_THEME:
            themes.append(theme.model_copy(update={"issues": issues}))
    return tuple(sorted(themes, key=lambda theme: (-theme.count, -theme.count_before, theme.name)))


def _wishes(said: Analyses, taxonomy: Taxonomy) -> set[int]:
    """Tickets that wish for a feature: by category where the site has one for that, else by the keyword rules."""
    named = {name for name in taxonomy.names if known_name(name) == WISH}
    if named:
        return {number for number, each in said.items() if named & {each.get("category"), each.get("subcategory")}}
    from ..analysis.text.redact import redact  # slow to load

    rules = RulesAnalyser(default_taxonomy())
    return {number for number, each in said.items() if rules.analyse(redact(str(each["summary"]))).category == WISH}


def links(state_folder: Path) -> list[IssueLink]:
    """The issues that are linked to themes, by name. Raises :class:`StateUnusable`."""
    with closing(State.scratch_copy(state_folder / FILE_NAME)) as state:
        rows = state.all("SELECT value FROM facts WHERE substr(name, 1, ?) = ? ORDER BY name", len(_LINK), _LINK)
    return [link for (value,) in rows if (link := _read(value))]


def _read(value: str | None) -> IssueLink | None:
    try:
        return IssueLink.model_validate_json(value) if value else None
    except ValidationError:
        return None


def keep_link(state_folder: Path, link: IssueLink) -> IssueLink:
    """Keep a link; an earlier one of its issue adds tickets and the day of shipping. Raises :class:`StateUnusable`.

    Without a theme the issue is forgotten.
    """
    with closing(State(state_folder / FILE_NAME)) as state, state.transaction():
        if (known := _read(state.fact(_LINK + link.issue))) and known.theme == link.theme:
            more = {"tickets": tuple(sorted({*known.tickets, *link.tickets})), "since": min(known.since, link.since)}
            link = link.model_copy(update={**more, "shipped": known.shipped or link.shipped})
        state.forget(_LINK + link.issue)
        if link.theme:
            state.remember(**{_LINK + link.issue: link.model_dump_json()})
    return link


def theme_tables(found: Themes) -> Iterator[Table]:
    """What was compared, the themes, and what customers said about each."""
    listed = found.themes[:MOST_LISTED]
    grouped, by = sum(theme.count for theme in found.themes), "words and vectors" if found.vectors else "words"
    compared = (
        f"{grouped:,} of {many(found.tickets, 'ticket')} are in {many(len(found.themes), 'theme')} of at least "
        f"{FEWEST_OF_THEME} tickets, by {by}; themes are named by customers' words."
    )
    cut = ((f"The {MOST_LISTED} biggest themes are listed; JSON has all.",),) * (len(found.themes) > MOST_LISTED)
    yield Table("Themes", SENTENCES, ((compared,), *cut))
    rows = tuple(
        (
            theme.name,
            f"{theme.count:,}",
            f"{theme.count_before:,}" if found.compared else NONE,
            percent(theme.negative_share),
            " ".join(theme.languages),
            ", ".join(_notes(theme)),
        )
        for theme in listed
    )
    yield Table("What tickets are about", ("<theme", "tickets", "before", "negative", "<languages", "<notes"), rows)
    quotes = [(theme.name, quote) for theme in listed for quote in theme.quotes]
    at = (WHERE,) * any(quote.url for _, quote in quotes)
    yield Table(
        "In customers' words, redacted",
        ("ticket", "<theme", "<<words", *at),
        tuple((str(quote.ticket_id), name, f"“{quote.text}”", *((quote.url,) * len(at))) for name, quote in quotes),
    )


def _notes(theme: Theme) -> Iterable[str]:
    yield from ("feature request",) * theme.feature_request
    yield from [theme.state] if theme.state in ("new", "gone") else []
    yield from (f"{link.issue} (shipped {link.shipped})" if link.shipped else link.issue for link in theme.issues)
