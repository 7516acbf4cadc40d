"""The parts of a report beyond counting: what people changed and replied, what is still open, what customers say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from ..analysis.text.outgoing import leaving
from ..core.clock import Deadline, SystemClock, iso, why_ended
from ..core.errors import AnalysisFailed, CannotRun, ConfigError, DeadlineReached, ExitCode
from ..core.text import many
from ..knowledge.sync import BATCH, needs_numpy
from ..learning.collect import CollectedLabels, in_sample_order
from ..learning.overrides import words_of
from ..learning.scoreboard import Scoreboard, scoreboard_of
from ..learning.store import FILE_NAME, LearningStore
from ..reporting.drafts import DraftUse, LoggedNote, read_drafts
from ..reporting.index import LogIndex
from ..reporting.knowledge_gaps import FEWEST_TICKETS, TOPICS, Knowledge, look_up, themes_of, topics_of
from ..reporting.queries import LogSelection, offered_drafts, stamp
from ..reporting.queries import escalated as escalated_of
from ..reporting.sections import escalated_table
from ..reporting.story import ticket_lines
from ..reporting.themes import IssueLink, Themes, analysed, find_themes, keep_link, links, shown
from ..settings.schema import Settings
from ..wiring.desks import OVER, reading
from ..wiring.desks import look_up as look_up_tickets
from ..wiring.knowledge import embedding_model, help_center
from ..wiring.learnt import collect
from .screen import Screen

ASKING_S = 300.0
MOST_ROWS = 34
"""A terminal's table has four lines more."""


@dataclass(frozen=True)
class HelpdeskPart:
    """Asks the helpdesk about a period (Unix seconds), for at most five minutes per part.

    The answer says what went wrong.
    """

    settings: Settings
    index: LogIndex
    clock: SystemClock
    screen: Screen
    since: float
    until: float

    def labels(self, most: int, until: float | None) -> tuple[CollectedLabels, Scoreboard | None]:
        """What people made of labels in the period, with ``most`` more of its settled tickets read; keeps nothing.

        ``until`` is the period's end, and ``None`` where that is now: a label may be settled by this very reading.
        Raises :class:`StateUnusable`.
        """
        settings, now = self.settings, self.clock.now()
        with (
            closing(LearningStore.scratch_copy(settings.state_folder / FILE_NAME)) as store,
            reading(settings, self.clock, ASKING_S, writes=True) as (desk, transport, deadline),
            self.screen.progress("reading what people changed") as advance,
        ):
            done = collect(
                settings, desk, transport, store, deadline, now, since=self.since, most=most, advance=advance
            )
            return done, scoreboard_of(store, self.since, until)

    def knowledge(self) -> Knowledge:
        """Topics of the period, and whether the help centre has articles on them."""
        settings, taxonomy = self.settings, self.settings.taxonomy
        rows = self.index.query(TOPICS, {"first": stamp(self.since), "end": stamp(self.until)})
        topics = topics_of(rows, taxonomy)
        if sum(tickets for category, _, _, tickets in rows if category == taxonomy.fallback) >= FEWEST_TICKETS:
            topics += themes_of(self._summaries())
        with (
            reading(settings, self.clock, ASKING_S) as (_, transport, deadline),
            self.screen.progress("reading the help centre's articles"),
        ):
            found = look_up(topics, taxonomy, help_center(settings, transport), deadline)
            return found.model_copy(update={"requests": sum(transport.counts.values())})

    def replies(self, sample: int) -> DraftUse:
        """What people made of drafts on at most ``sample`` tickets of the period."""
        settings = self.settings
        offered = offered_drafts(self.index, LogSelection(self.since, self.until))
        asked = in_sample_order(offered, set(offered.values()))[:sample]
        if not asked:
            return DraftUse()
        wanted, notes = set(asked), dict[int, LoggedNote]()
        for line in ticket_lines(settings, self.since, self.until):
            change = line.get("change")
            if line.get("ticket_id") in wanted and isinstance(change, dict) and change.get("offered"):
                notes[line["ticket_id"]] = LoggedNote(str(change.get("note")), str(change.get("key")))
        with (
            reading(settings, self.clock, ASKING_S, writes=True) as (desk, transport, deadline),
            self.screen.progress("reading what people replied", len(asked)) as advance,
        ):
            words = words_of(settings.policy, settings.taxonomy)
            found = read_drafts(desk, asked, notes, deadline=deadline, words=words, advance=advance)
            requests = sum(transport.counts.values())
        edits = tuple(one.model_copy(update={"url": settings.ticket_url(one.ticket_id)}) for one in found.edits)
        return found.model_copy(update={"offered": len(offered), "edits": edits, "requests": requests})

    def _summaries(self) -> list[str]:
        """Redacted summaries of tickets without a category of their own."""
        fallback = self.settings.taxonomy.fallback
        said = analysed(self.settings, self.since, self.until).values()
        return [
            str(leaving(str(each["summary"])))
            for each in said
            if each.get("category") == fallback and not each.get("subcategory")
        ]


def list_escalated(
    settings: Settings, index: LogIndex, clock: SystemClock, selection: LogSelection, screen: Screen, *, details: bool
) -> ExitCode:
    """List the selected tickets that were escalated and are still open: the helpdesk says what became of them.

    Those of which nobody knows are listed as well. Prints at most 40 lines without ``details``.
    """
    found = escalated_of(index, selection, url_of=settings.ticket_url)
    tickets, why = look_up_tickets(settings, clock, [one.ticket_id for one in found]) if found else ({}, "")
    known = {one.ticket_id: tickets.get(one.ticket_id) for one in found}
    shown = [one for one in found if (ticket := known[one.ticket_id]) is None or ticket.status not in OVER]
    if why:
        screen.notices([f"{why}; whether these are still open is not known"])
    table = escalated_table(shown, tickets)
    rows = table.rows if details else table.rows[:MOST_ROWS]
    screen.table(rows)
    if len(rows) < len(table.rows):
        screen.say(f"and {len(table.rows) - len(rows)} more: --details shows them")
    data = {
        "since": iso(selection.since),
        "asked_the_helpdesk": not why,
        "why_not": why or None,
        "escalated": len(found),
        "tickets": [
            {
                "ticket_id": one.ticket_id,
                "at": iso(one.at.timestamp()),
                "reasons": list(one.reasons),
                "status": ticket.status if (ticket := known[one.ticket_id]) else None,
                "subject": ticket.subject or None if ticket else None,
                "url": one.url,
            }
            for one in shown
        ],
    }
    words = f"nothing was escalated since {iso(selection.since)[:10]}"
    if found:
        words = f"{many(len(found), 'ticket')} escalated since {iso(selection.since)[:10]}"
        words += "" if why else f", {len(shown)} still open"
    screen.result(words, data)
    return ExitCode.OK


@dataclass
class ThemesPart:
    """Finds themes with the settings' embedding model, if there is one; ``trouble`` says why it was not used."""

    settings: Settings
    clock: SystemClock
    screen: Screen
    used: bool = False
    trouble: str | None = None

    def vectors(self, texts: Sequence[str]) -> Any:
        """A matrix with a row for each text; ``None`` without a model, or if five minutes are not enough for it."""
        deadline = Deadline(self.clock, ASKING_S)
        try:
            with (
                embedding_model(self.settings, remaining=deadline.remaining) as model,
                self.screen.progress("making vectors", len(texts)) as advance,
            ):
                if model is None or not texts:
                    return None
                numpy, rows = needs_numpy(), list[Sequence[float]]()
                for start in range(0, len(texts), BATCH):
                    deadline.check()
                    batch = [model.passage_prefix + text for text in texts[start : start + BATCH]]
                    rows.extend(model.embed(batch))
                    advance(len(batch))
                matrix = numpy.zeros((len(rows), max(map(len, rows))), dtype="<f4")
                for place, row in enumerate(rows):
                    if len(row) == matrix.shape[1]:  # a text without letters may have none
                        matrix[place] = row
                self.used = True
                return matrix
        except AnalysisFailed as failed:
            self.trouble = failed.in_words
        except (CannotRun, ConfigError, DeadlineReached) as error:
            self.trouble = why_ended(error, deadline)
        return None

    def find(self, since: float, until: float, *, compared: bool, linked: Sequence[str] = ()) -> Themes:
        """The themes of a period; ``linked`` are texts such as ``dark mode=ISSUE-12``, whose issues are kept.

        Raises :class:`ConfigError` for a text that is none or names no theme of the period, and :class:`StateUnusable`.
        """
        wanted = [parted(text) for text in linked]
        begin, folder = 2 * since - until if compared else since, self.settings.state_folder
        now, before = (analysed(self.settings, *each) for each in ((since, until), (begin, since)))
        found = find_themes(self.settings, now, before, self.vectors)
        named = {theme.name: (*theme.tickets, *theme.tickets_before) for theme in shown(found, ())}
        if unknown := [name for name, _ in wanted if name and name not in named]:
            raise ConfigError(f"--link {unknown[0]}=…: there is no such theme; report --themes lists them")
        for name, issue in wanted:
            keep_link(folder, IssueLink(issue=issue, theme=name, tickets=named.get(name, ()), since=begin))
        return Themes(
            tickets=len(now),
            tickets_before=len(before),
            compared=compared,
            vectors=self.used,
            themes=shown(found, links(folder)),
            ended_early=self.trouble,
        )

    def to_tell(self, issue: str) -> ExitCode:
        """List the tickets of the themes that are linked to ``issue``, since it was linked, and keep that it shipped.

        Raises :class:`ConfigError` if no theme is, and :class:`StateUnusable`.
        """
        folder, until = self.settings.state_folder, self.clock.now() + 1
        link = next((link for link in links(folder) if link.issue == issue), None)
        if link is None:
            raise ConfigError("--shipped: no theme is linked to this issue; --themes --link THEME=ISSUE links one")
        said = analysed(self.settings, link.since, until)
        themes = shown(find_themes(self.settings, said, {}, self.vectors), [link])
        numbers = {number for theme in themes if theme.issues for number in theme.tickets}
        tickets = sorted(numbers.union(said.keys() & set(link.tickets)))
        link = keep_link(folder, link.model_copy(update={"shipped": iso(until)[:10]}))
        self.screen.notices([f"themes are merged by words alone: {self.trouble}"] if self.trouble else [])
        rows = [
            (str(number), str(said[number].get("language")), self.settings.ticket_url(number)) for number in tickets
        ]
        self.screen.table(rows)
        told = [{"ticket_id": int(number), "language": lang, "url": url} for number, lang, url in rows]
        data = {**link.model_dump(include={"issue", "theme", "shipped"}), "tickets": told}
        self.screen.result(f"{many(len(rows), 'ticket')} to tell that {issue} has shipped", data)
        return ExitCode.OK


def parted(text: str) -> tuple[str, str]:
    """The theme, which may be empty, and the issue of ``THEME=ISSUE``. Raises :class:`ConfigError`."""
    theme, _, issue = text.partition("=")
    if not re.fullmatch(r"[\w./:#?&=%+@~-]{1,300}", issue.strip()):
        raise ConfigError("--link: write THEME=ISSUE-12 or THEME=https://…; =ISSUE-12 forgets the issue")
    return " ".join(theme.casefold().split()), issue.strip()
