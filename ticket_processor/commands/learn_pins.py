"""``ticketbot learn pin`` and ``pins``: tickets whose right answer no change of settings may lose."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from ..core.clock import Deadline, SystemClock
from ..core.errors import ConfigError, ExitCode
from ..core.taxonomy import Taxonomy
from ..core.wording import many, person_at_keyboard
from ..learning.collect import redacted_text
from ..learning.model import CATEGORIES
from ..learning.pins import FIELDS, Bound, PinnedCase, Pins, from_corrections, of_today
from ..learning.store import FILE_NAME, LearningStore
from ..settings.load import load
from ..settings.schema import Settings
from ..wiring.desks import reading_desk
from ..wiring.parts import strictest_redaction, transport_for
from .learn import opened_learning
from .options import ConfigOption, JsonOption
from .out_files import check_out, json_lines, write_text
from .screen import Screen

READ_WITHIN_S = 60.0


def pin(
    clock: SystemClock,
    corrections: Annotated[
        list[int] | None, typer.Argument(metavar="[ID]...", help="Approved corrections.", min=1)
    ] = None,
    ticket: Annotated[
        int | None, typer.Option("--ticket", min=1, metavar="ID", help="All approved corrections of this ticket.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All approved corrections.")] = False,
    field: Annotated[str | None, typer.Option(metavar="FIELD", help="Only this field, such as urgency.")] = None,
    value: Annotated[
        str | None,
        typer.Option(metavar="VALUE", help="With --ticket and --field: the right value; reads the ticket's text."),
    ] = None,
    at_least: Annotated[bool, typer.Option("--at-least", help="A higher value is right as well.")] = False,
    at_most: Annotated[bool, typer.Option("--at-most", help="A lower value is right as well.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Pin approved corrections, or a ticket with its right value, as cases that the gate holds changes to."""
    given = [bool(corrections), ticket is not None, every]
    if given.count(True) != 1:
        raise ConfigError("name corrections by their ids, or a ticket with --ticket, or say --all")
    if value is not None and (ticket is None or field is None):
        raise ConfigError("--value goes with --ticket and --field")
    if (at_least or at_most) and (value is None or (at_least and at_most)):
        raise ConfigError("--at-least or --at-most goes with --value")
    settings, left = load(config=config, need_helpdesk=value is not None, need_any=True), 0
    bound: Bound = "at_least" if at_least else "at_most" if at_most else "is"
    with closing(LearningStore(settings.state_folder / FILE_NAME)) as store:
        if value is not None and ticket is not None and field is not None:
            cases = [PinnedCase(0, ticket, field, bound, value, _text_of(settings, clock, ticket))]
        else:
            known = store.corrections(None if corrections else "approved", field, kept=bool(corrections))
            chosen = [item for item in known if every or item.ticket_id == ticket or item.id in (corrections or ())]
            if strange := sorted(set(corrections or ()) - {item.id for item in chosen}):
                raise ConfigError(*(f"there is no correction {number} to pin" for number in strange))
            usable = chosen if corrections else [item for item in chosen if item.field in FIELDS and item.text]
            cases, left = list(from_corrections(usable)), len(chosen) - len(usable)
        cases = [of_today(case, settings.taxonomy) for case in cases]
        _check(cases, settings.taxonomy)
        found = Pins(store).pin(cases, person_at_keyboard(), clock.now())
    told = [f"pinned {case.id}: ticket {case.ticket_id}, {case.wanted}" for case in found]
    screen = Screen(as_json=as_json)
    screen.result("\n".join(told) or "nothing to pin", {"pinned": [case.as_row() for case in found], "left_out": left})
    if left:
        screen.notices(
            [f"{many(left, 'correction')} {'was' if left == 1 else 'were'} left out: such fields cannot be pinned"]
        )
    return ExitCode.OK


def pins(
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write them as JSON lines, which ticketbot eval reads.")
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Print the pinned cases, or write them to a file with their redacted texts."""
    check_out([out] if out else [], (".jsonl",))
    with opened_learning(config, read_only=True) as store:
        found = Pins(store).all()
    if out is not None:
        write_text(out, json_lines([case.as_row() for case in found]))
    told = [f"{case.id:>5}  ticket {case.ticket_id}  {case.wanted}" for case in found]
    text = f"{many(len(found), 'case')} in {out}" if out is not None else "\n".join(told) or "no case is pinned"
    Screen(as_json=as_json).result(text, {"pins": [case.as_row() for case in found], "out": out and str(out)})
    return ExitCode.OK


def _check(cases: Sequence[PinnedCase], taxonomy: Taxonomy) -> None:
    """Raises :class:`ConfigError` for a category that there is not."""
    strange = {case.value for case in cases if case.field in CATEGORIES and case.value not in taxonomy.names}
    if strange:
        raise ConfigError(f"{', '.join(sorted(strange))} is no category: choose one of {', '.join(taxonomy.names)}")


def _text_of(settings: Settings, clock: SystemClock, ticket_id: int) -> str:
    """The ticket's redacted text; the helpdesk is only read."""
    deadline = Deadline(clock, READ_WITHIN_S)
    share = settings.run.limit_share
    with (
        closing(transport_for(settings.desk, clock, deadline, share=share, read_only=True)) as transport,
        reading_desk(settings, transport) as desk,
    ):
        ticket = desk.fetch([ticket_id]).get(ticket_id)
    if ticket is None:
        raise ConfigError(f"ticket {ticket_id} is not on the helpdesk")
    return redacted_text(ticket, strictest_redaction(settings))
