"""``ticketbot escalated``: lists open escalated tickets, by the log and the helpdesk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from ..core.clock import SystemClock, iso
from ..core.errors import ExitCode
from ..reporting.figures import EscalatedLine, LogSelection
from ..reporting.index import require_duckdb
from ..reporting.queries import escalated as escalated_of
from ..reporting.tables import escalated_table, still_open
from ..settings.load import load
from ..wiring.ticket_subjects import look_up
from .options import ConfigOption, JsonOption, parse_since
from .report import check_log, open_log
from .screen import Screen


def escalated(
    clock: SystemClock,
    since: Annotated[
        str, typer.Option(metavar="WHEN", help="Escalated since: 12h, 7d, 2026-11-01 or a full time (UTC).")
    ] = "7d",
    everything: Annotated[bool, typer.Option("--all", help="Also those that are solved, closed or deleted.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """List the tickets that are escalated and still open: from the log, and from the helpdesk what became of them."""
    moment = parse_since(since, clock.now())
    require_duckdb()
    settings = load(config=config, need_helpdesk=False)
    check_log(settings)
    screen = Screen(as_json=as_json)
    with open_log(settings, clock, moment, clock.now()) as index:
        found = escalated_of(index, LogSelection(moment, clock.now() + 1), url_of=settings.ticket_url)
    tickets, why = look_up(settings, clock, [one.ticket_id for one in found]) if found else ({}, "")
    shown = found if everything else still_open(found, tickets)
    if why:
        screen.notices([f"{why}; whether these are still open is not known"])
    table = escalated_table(shown, tickets)
    screen.table(table.names, table.rows, loud="")
    data = {
        "since": iso(moment),
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
    screen.result(_in_words(found, shown, iso(moment)[:10], asked=not why, everything=everything), data)
    return ExitCode.OK


def _in_words(
    found: Sequence[EscalatedLine], shown: Sequence[EscalatedLine], since: str, *, asked: bool, everything: bool
) -> str:
    if not found:
        return f"nothing was escalated since {since}"
    many = f"{len(found)} ticket{'s' * (len(found) != 1)} escalated since {since}"
    return f"{many}, {len(shown)} still open" if asked and not everything else many
