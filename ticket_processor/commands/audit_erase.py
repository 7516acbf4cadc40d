"""``ticketbot audit erase``: erases the personal data of some tickets wherever ticketbot keeps it."""

from __future__ import annotations

import sys
from collections.abc import Collection
from contextlib import ExitStack, closing
from typing import Annotated

import typer

from ..analysis.cache import FILE_NAME as ANSWERS
from ..audit.erase import TicketTraces, without_dry_runs
from ..core.clock import Deadline, SystemClock
from ..core.errors import ConfigError, ExitCode
from ..core.text import many
from ..settings.load import load
from ..settings.schema import Settings
from ..state.store import State
from ..wiring.erasing import cut_off, erase_found, find_words
from ..wiring.parts import audit_log, lock, new_run_id, opened_state, transport_for
from ..wiring.vendors import vendor_of
from .options import ConfigOption, DryEraseOption, JsonOption, TicketsOption, YesOption, confirm
from .screen import Screen, harmless

PATIENCE_S = 1800.0
ELSEWHERE = (
    "not reached: the notes on the tickets in the helpdesk, files of 'run --dry-run --out', a classifier trained on "
    "these tickets, what model servers keep, and backups of all of these"
)
ANSWERS_STAY = f"kept answers of models stay, since nothing says whose they are; to be sure, delete {ANSWERS}"


def erase_tickets(
    clock: SystemClock,
    tickets: TicketsOption = None,
    requester: Annotated[
        str | None, typer.Option(metavar="ID_OR_EMAIL", help="All tickets of this requester; asks the helpdesk.")
    ] = None,
    dry_run: DryEraseOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Erase the customers' words of these tickets from log and state folder; the log still verifies.

    One that was cut off is finished with it, or by the next run. Exit code 1: something could not be erased; 75: a
    run or dry run is active.
    """
    named = frozenset(tickets or ())
    if not named and requester is None:
        raise ConfigError("say whose: --ticket ID, which may be repeated, or --requester")
    settings = load(config=config)
    screen = Screen(as_json=as_json)
    wanted = named | (tickets_of(settings, clock, requester) if requester is not None else frozenset())
    if not wanted:
        screen.result(
            "the helpdesk shows no ticket of this requester: name those that were deleted there with --ticket",
            {"tickets": [], "lines": 0, "files": 0},
        )
        return ExitCode.OK
    with ExitStack() as stack:
        if not dry_run:
            stack.enter_context(lock(settings.state_folder))
            stack.enter_context(without_dry_runs(settings.state_folder))
        state = stack.enter_context(opened_state(settings.state_folder, settings.desk.base_url, dry_run=dry_run))
        wanted |= cut_off(state)
        found = find_words(settings, wanted)
        unknown = _unknown(found, state, wanted)
        if dry_run or unknown == wanted:
            text = _text("To be erased", wanted, found, None, [])
            if unknown == wanted:
                text = f"Nothing to erase: neither log nor state knows {many(len(wanted), 'ticket')}\n  {ANSWERS_STAY}"
            screen.result(text, _data(wanted, found, None, [], unknown, dry_run=dry_run))
            return _code([*found.troubles, *_strange(unknown, named)])
        if not yes:
            whose = many(len(wanted), "ticket")
            confirm(f"Take the words of {whose} out of {found.total} lines, and drop all kept answers of models?")
        audit = audit_log(settings, clock, new_run_id(clock))
        stack.callback(audit.close)
        gone, answers, given_up = erase_found(settings, clock, state, audit, wanted, found)
    screen.result(
        _text("Erased", wanted, gone, answers, given_up),
        _data(wanted, gone, answers, given_up, unknown, dry_run=False),
    )
    return _code([*gone.troubles, *_strange(unknown, named)])


def _unknown(found: TicketTraces, state: State, wanted: frozenset[int]) -> frozenset[int]:
    """The tickets that neither the log nor the state folder mentions."""
    if found.troubles or found.leftovers:  # these may concern any ticket
        return frozenset()
    listed = found.known | cut_off(state) | {item.ticket_id for item in state.retries()}
    return frozenset(n for n in wanted - listed if not state.is_done(n) and state.verdict(n) is None)


def _strange(unknown: frozenset[int], named: Collection[int]) -> list[str]:
    """A sentence for each unknown ticket that was named with ``--ticket``; a requester's other tickets get none."""
    return [f"ticket {number}: neither log nor state knows it" for number in sorted(unknown.intersection(named))]


def _code(troubles: Collection[str]) -> int:
    for trouble in troubles:
        sys.stderr.write(f"ticketbot: not erased: {harmless(trouble)}\n")
    return ExitCode.SOME_FAILED if troubles else ExitCode.OK


def _text(first: str, wanted: Collection[int], found: TicketTraces, answers: int | None, given_up: list[int]) -> str:
    files = len(found.lines)
    lines = [f"{first}: the words of {many(len(wanted), 'ticket')}, {found.total} lines in {many(files, 'file')}"]
    if found.leftovers:
        lines.append(f"  with them what crashes left in the log's folder, whosever it is: {len(found.leftovers)} files")
    if found.learnt:
        lines.append(f"  with them what is kept of {many(found.learnt, 'ticket')} from what people changed")
    if answers is None:
        lines.append("  and all kept answers of models, since nothing says whose they are; that costs asking again")
    else:
        lines.append(f"  kept answers of models dropped, since nothing says whose they are: {answers}")
    if given_up:
        lines.append(f"  given up: what was to be put back for people on {', '.join(map(str, given_up))}")
    return "\n".join([*lines, f"  {ELSEWHERE}"])


def _data(
    wanted: Collection[int],
    found: TicketTraces,
    answers: int | None,
    given_up: list[int],
    unknown: Collection[int],
    *,
    dry_run: bool,
) -> dict[str, object]:
    return {
        "dry_run": dry_run,
        "tickets": sorted(wanted),
        "unknown": sorted(unknown),
        "lines": found.total,
        "files": len(found.lines),
        "leftovers": len(found.leftovers),
        "learnt_tickets": found.learnt,
        "answers_dropped": answers,
        "given_up": given_up,
        "troubles": found.troubles,
        "not_reached": ELSEWHERE,
    }


def tickets_of(settings: Settings, clock: SystemClock, named: str) -> frozenset[int]:
    """The numbers of all tickets of the user with this id or e-mail address; the helpdesk is only read.

    Raises ``ConfigError`` when there is no such user, and ``CannotRun`` when the helpdesk does not answer.
    """
    deadline, share = Deadline(clock, PATIENCE_S), settings.run.limit_share
    with closing(transport_for(settings.desk, clock, deadline, share=share, read_only=True)) as transport:
        requesters = vendor_of(settings).requesters(settings, transport)
        return frozenset(requesters.tickets(requesters.find(named)))
