"""``ticketbot report --escalated``: lists open escalated tickets, by the log and the helpdesk."""

from __future__ import annotations

from collections.abc import Sequence

from ..core.clock import SystemClock, iso
from ..core.errors import ExitCode
from ..reporting.figures import EscalatedLine, LogSelection
from ..reporting.index import LogIndex
from ..reporting.queries import escalated as escalated_of
from ..reporting.tables import escalated_table, still_open
from ..settings.schema import Settings
from ..wiring.ticket_subjects import look_up
from .screen import Screen

MOST_ROWS = 34
"""A terminal's table has four lines more."""


def list_escalated(
    settings: Settings, index: LogIndex, clock: SystemClock, selection: LogSelection, screen: Screen, *, details: bool
) -> ExitCode:
    """List the selected tickets that were escalated and are still open: the helpdesk says what became of them.

    Prints at most 40 lines without ``details``.
    """
    found = escalated_of(index, selection, url_of=settings.ticket_url)
    tickets, why = look_up(settings, clock, [one.ticket_id for one in found]) if found else ({}, "")
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
