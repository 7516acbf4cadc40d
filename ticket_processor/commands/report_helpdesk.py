"""The parts of a report beyond counting, from the helpdesk: what people changed and replied, what is still open."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

from ..analysis.text.outgoing import leaving
from ..audit.files import events
from ..core.clock import Deadline, SystemClock, iso
from ..core.errors import ExitCode
from ..helpdesk.transport import Transport
from ..learning.collect import CollectedLabels, in_sample_order
from ..learning.scoreboard import Scoreboard, scoreboard_of
from ..learning.store import FILE_NAME, LearningStore
from ..reporting.drafts import DraftUse, LoggedNote, read_drafts
from ..reporting.figures import EscalatedLine, LogSelection
from ..reporting.index import LogIndex
from ..reporting.knowledge_gaps import TOPICS, HelpCenter, Knowledge, look_up, themes_of, topics_of, wanted
from ..reporting.queries import escalated as escalated_of
from ..reporting.queries import offered_drafts
from ..reporting.report import Report
from ..reporting.tables import escalated_table, still_open
from ..settings.schema import Settings
from ..wiring.desks import reading_desk
from ..wiring.knowledge import help_center
from ..wiring.learning import collect
from ..wiring.parts import keyring, transport_for
from ..wiring.ticket_subjects import look_up as look_up_tickets
from .screen import Screen

ASKING_S = 300.0
FEWEST_TICKETS = 5
"""A topic has at least so many."""
MOST_SUMMARIES = 10_000
"""Of so many tickets, the newest, summaries are compared."""


class HelpdeskPart:
    """Asks the helpdesk of ``settings`` about a report's period, for at most five minutes per part.

    The answer says what went wrong.
    """

    def __init__(
        self,
        settings: Settings,
        index: LogIndex,
        report: Report,
        *,
        clock: SystemClock,
        screen: Screen,
    ) -> None:
        self._settings = settings
        self._index = index
        self._since = report.since.astimezone(UTC)
        self._until = report.until.astimezone(UTC)
        self._clock = clock
        self._screen = screen

    def labels(self, most: int, until: float | None) -> tuple[CollectedLabels, Scoreboard | None]:
        """What people made of labels in the period, with ``most`` more of its settled tickets read; keeps nothing.

        ``until`` is the period's end, and ``None`` where that is now: a label may be settled by this very reading.
        Raises :class:`StateUnusable`.
        """
        settings, now = self._settings, self._clock.now()
        first, deadline = self._since.timestamp(), Deadline(self._clock, ASKING_S)
        with (
            closing(LearningStore(settings.state_folder / FILE_NAME, read_only=True)) as store,
            self._transport(deadline) as transport,
            reading_desk(settings, transport) as desk,
            self._screen.progress("reading what people changed") as advance,
        ):
            done = collect(settings, desk, transport, store, deadline, now, since=first, most=most, advance=advance)
            return done, scoreboard_of(store, first, until)

    def knowledge(self) -> Knowledge:
        """Topics of at least five tickets of the period, and whether the help centre has articles on them."""
        settings, taxonomy = self._settings, self._settings.taxonomy
        rows = self._index.query(TOPICS, self._limits)
        topics = topics_of(rows, taxonomy)
        if sum(tickets for category, _, _, tickets in rows if category == taxonomy.fallback) >= FEWEST_TICKETS:
            topics += themes_of(*self._summaries(), FEWEST_TICKETS)
        asked = wanted(topics, FEWEST_TICKETS)
        if not asked:
            return Knowledge(at_least=FEWEST_TICKETS)
        deadline = Deadline(self._clock, ASKING_S)
        with self._transport(deadline) as transport:
            with self._screen.progress("searching the knowledge base", len(asked)) as advance:
                found = look_up(
                    asked,
                    taxonomy,
                    HelpCenter(help_center(settings, transport)),
                    at_least=FEWEST_TICKETS,
                    deadline=deadline,
                    advance=advance,
                )
            return found.model_copy(update={"requests": sum(transport.counts.values())})

    def replies(self, sample: int) -> DraftUse:
        """What people made of drafts on at most ``sample`` tickets of the period."""
        settings = self._settings
        offered = offered_drafts(self._index, LogSelection(self._since.timestamp(), self._until.timestamp()))
        asked = in_sample_order(offered, {item.run_id for item in offered})[:sample]
        if not asked:
            return DraftUse()
        notes = self._notes({item.ticket_id for item in asked})
        deadline = Deadline(self._clock, ASKING_S)
        with self._transport(deadline) as transport:
            with (
                reading_desk(settings, transport) as desk,
                self._screen.progress("reading what people replied", len(asked)) as advance,
            ):
                found = read_drafts(desk, asked, notes, deadline=deadline, advance=advance)
            edits = tuple(one.model_copy(update={"url": settings.ticket_url(one.ticket_id)}) for one in found.edits)
            requests = sum(transport.counts.values())
        return found.model_copy(update={"offered": len(offered), "edits": edits, "requests": requests})

    def _notes(self, tickets: Collection[int]) -> dict[int, LoggedNote]:
        """The last notes of these tickets that offered something."""
        found: dict[int, LoggedNote] = {}
        for line in self._lines():
            change = line.get("change")
            if line.get("ticket_id") not in tickets or not isinstance(change, dict):
                continue
            offered, text = change.get("offered"), change.get("note")
            if isinstance(offered, dict) and isinstance(text, str):
                found[line["ticket_id"]] = LoggedNote(text, str(offered.get("draft")), str(change.get("key")))
        return found

    def _lines(self) -> Iterator[dict[str, Any]]:
        """The period's lines about tickets, oldest first."""
        first, end = (iso(moment.timestamp(), milliseconds=True) for moment in (self._since, self._until))
        keys = keyring(self._settings)
        for _, line in events(self._settings.log_dir, first_day=first[:10], last_day=end[:10], keys=keys):
            if line["event"] == "ticket" and not line.get("dry_run") and first <= str(line.get("ts")) < end:
                yield line

    @property
    def _limits(self) -> dict[str, datetime]:
        return {"first": self._since.replace(tzinfo=None), "end": self._until.replace(tzinfo=None)}

    def _summaries(self) -> tuple[list[str], list[str]]:
        """Redacted summaries of tickets without a category of their own, and of others; a ticket's last one counts."""
        latest: dict[object, tuple[bool, str]] = {}
        for line in self._lines():
            analysis, number = line.get("analysis"), line.get("ticket_id")
            if isinstance(analysis, dict):
                own = analysis.get("category") == self._settings.taxonomy.fallback and not analysis.get("subcategory")
                latest.pop(number, None)
                latest[number] = own, str(analysis.get("summary") or "")
                if len(latest) > MOST_SUMMARIES:
                    del latest[next(iter(latest))]
        without, others = (
            [str(leaving(text)) for own, text in latest.values() if own is wish] for wish in (True, False)
        )
        return without, others

    @contextmanager
    def _transport(self, deadline: Deadline) -> Iterator[Transport]:
        settings = self._settings
        share = settings.run.limit_share
        transport = transport_for(settings.desk, self._clock, deadline, share=share, read_only=True)
        with closing(transport):
            yield transport


MOST_ROWS = 34
"""A terminal's table has four lines more."""


def list_escalated(
    settings: Settings, index: LogIndex, clock: SystemClock, selection: LogSelection, screen: Screen, *, details: bool
) -> ExitCode:
    """List the selected tickets that were escalated and are still open: the helpdesk says what became of them.

    Prints at most 40 lines without ``details``.
    """
    found = escalated_of(index, selection, url_of=settings.ticket_url)
    tickets, why = look_up_tickets(settings, clock, [one.ticket_id for one in found]) if found else ({}, "")
    shown = still_open(found, tickets)
    if why:
        screen.notices([f"{why}; whether these are still open is not known"])
    table = escalated_table(shown, tickets)
    rows = table.rows if details else table.rows[:MOST_ROWS]
    screen.table(table.names, rows, loud="")
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
                "status": tickets[one.ticket_id].status if one.ticket_id in tickets else None,
                "subject": (tickets[one.ticket_id].subject or None) if one.ticket_id in tickets else None,
                "url": one.url or None,
            }
            for one in shown
        ],
    }
    screen.result(_in_words(found, shown, iso(selection.since)[:10], asked=not why), data)
    return ExitCode.OK


def _in_words(found: Sequence[EscalatedLine], shown: Sequence[EscalatedLine], since: str, *, asked: bool) -> str:
    if not found:
        return f"nothing was escalated since {since}"
    many = f"{len(found)} ticket{'s' * (len(found) != 1)} escalated since {since}"
    return f"{many}, {len(shown)} still open" if asked else many
