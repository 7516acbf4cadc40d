"""The parts of a report beyond counting, from the helpdesk: what people changed and replied, what is still open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from ..analysis.text.outgoing import leaving
from ..audit.files import events
from ..core.clock import SystemClock, iso
from ..core.errors import ExitCode
from ..core.text import many
from ..learning.collect import CollectedLabels, in_sample_order
from ..learning.scoreboard import Scoreboard, scoreboard_of
from ..learning.store import FILE_NAME, LearningStore
from ..reporting.drafts import DraftUse, LoggedNote, read_drafts
from ..reporting.index import LogIndex
from ..reporting.knowledge_gaps import FEWEST_TICKETS, TOPICS, Knowledge, look_up, themes_of, topics_of
from ..reporting.queries import LogSelection, offered_drafts, stamp
from ..reporting.queries import escalated as escalated_of
from ..reporting.sections import escalated_table
from ..settings.schema import Settings
from ..wiring.desks import OVER, reading
from ..wiring.desks import look_up as look_up_tickets
from ..wiring.knowledge import help_center
from ..wiring.learnt import collect
from ..wiring.parts import keyring
from .screen import Screen

ASKING_S = 300.0
MOST_SUMMARIES = 10_000
"""Of so many tickets, the newest, summaries are compared."""
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
            topics += themes_of(*self._summaries())
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
        for line in self._lines():
            change = line.get("change")
            if line.get("ticket_id") in wanted and isinstance(change, dict) and change.get("offered"):
                notes[line["ticket_id"]] = LoggedNote(str(change.get("note")), str(change.get("key")))
        with (
            reading(settings, self.clock, ASKING_S, writes=True) as (desk, transport, deadline),
            self.screen.progress("reading what people replied", len(asked)) as advance,
        ):
            found = read_drafts(desk, asked, notes, deadline=deadline, advance=advance)
            requests = sum(transport.counts.values())
        edits = tuple(one.model_copy(update={"url": settings.ticket_url(one.ticket_id)}) for one in found.edits)
        return found.model_copy(update={"offered": len(offered), "edits": edits, "requests": requests})

    def _lines(self) -> Iterator[Mapping[str, Any]]:
        """The period's receipts of tickets."""
        first, end = (iso(moment, milliseconds=True) for moment in (self.since, self.until))
        keys = keyring(self.settings)
        for _, line in events(self.settings.log_dir, first_day=first[:10], last_day=end[:10], keys=keys):
            if line["event"] == "ticket" and not line.get("dry_run") and first <= str(line.get("ts")) < end:
                yield line

    def _summaries(self) -> tuple[list[str], list[str]]:
        """Redacted summaries of tickets without a category of their own, and of others; a ticket's last one counts."""
        latest: dict[object, tuple[bool, str]] = {}
        for line in self._lines():
            analysis, number = line.get("analysis"), line.get("ticket_id")
            if isinstance(analysis, dict):
                own = analysis.get("category") == self.settings.taxonomy.fallback and not analysis.get("subcategory")
                latest.pop(number, None)
                latest[number] = own, str(analysis.get("summary") or "")
                if len(latest) > MOST_SUMMARIES:
                    del latest[next(iter(latest))]
        without, others = (
            [str(leaving(text)) for own, text in latest.values() if own is wish] for wish in (True, False)
        )
        return without, others


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
