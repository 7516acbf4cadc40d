"""``ticketbot escalated``: lists open escalated tickets, by the log and the helpdesk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from ..core.clock import SystemClock, iso
from ..core.errors import ExitCode
from ..reporting.figures import EscalatedLine, LogSelection
from ..reporting.index import LogIndex, require_duckdb
from ..reporting.queries import escalated as escalated_of
from ..settings.load import load
from ..settings.schema import Settings
from ..wiring.parts import keyring
from ..wiring.ticket_subjects import OVER, LookedUp, look_up
from .options import ConfigOption, JsonOption, VerboseOption
from .parse_time import parse_since
from .report import check_log
from .screen import Screen


def escalated(
    clock: SystemClock,
    since: Annotated[
        str, typer.Option(metavar="WHEN", help="Escalated since: 12h, 7d, 2026-11-01 or a full time (UTC).")
    ] = "7d",
    everything: Annotated[bool, typer.Option("--all", help="Also those that are solved, closed or deleted.")] = False,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """List the tickets that are escalated and still open: from the log, and from the helpdesk what became of them."""
    moment = parse_since(since, clock.now())
    require_duckdb()
    settings = load(config=config, need_helpdesk=False)
    check_log(settings)
    screen = Screen(as_json=as_json)
    found = _of_the_log(settings, clock, moment)
    tickets, why = look_up(settings, clock, [one.ticket_id for one in found]) if found else ({}, "")
    shown = [one for one in found if everything or tickets.get(one.ticket_id, LookedUp()).status not in OVER]
    if why:
        screen.notices([f"{why}; whether these are still open is not known"])
    screen.table(
        ("Ticket", "Escalated (UTC)", "Why", "Status", "Subject", "Where"),
        [_row(settings, one, tickets.get(one.ticket_id, LookedUp())) for one in shown],
        loud="",
    )
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
                "url": settings.ticket_url(one.ticket_id) or None,
            }
            for one in shown
        ],
    }
    screen.result(_in_words(found, shown, iso(moment)[:10], asked=not why, everything=everything), data)
    return ExitCode.OK


def _of_the_log(settings: Settings, clock: SystemClock, since: float) -> list[EscalatedLine]:
    now = clock.now()
    with LogIndex(
        settings.log_dir,
        clock.now,
        keys=keyring(settings),
        review_tag=settings.policy.tag("review"),
        first_day=iso(since)[:10],
        last_day=iso(now)[:10],
    ) as index:
        return escalated_of(index, LogSelection(since, now + 1))


def _row(settings: Settings, one: EscalatedLine, now: LookedUp) -> tuple[str, ...]:
    why = ", ".join(one.reasons).replace("_", " ")
    url = settings.ticket_url(one.ticket_id)
    return str(one.ticket_id), f"{one.at:%Y-%m-%d %H:%M}", why, now.status or "?", now.subject or "-", url


def _in_words(
    found: Sequence[EscalatedLine], shown: Sequence[EscalatedLine], since: str, *, asked: bool, everything: bool
) -> str:
    if not found:
        return f"nothing was escalated since {since}"
    many = f"{len(found)} ticket{'s' * (len(found) != 1)} escalated since {since}"
    return f"{many}, {len(shown)} still open" if asked and not everything else many
