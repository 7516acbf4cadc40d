"""``ticketbot learn pin`` and ``pins``: tickets whose right answer no change of settings may lose."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
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
    config: ConfigOption = None,
) -> int:
    """Pin approved corrections, or a ticket with its right value, as cases that the gate holds changes to."""
    given = [bool(corrections), ticket is not None, every]
    if given.count(True) != 1:
        raise ConfigError("name corrections by their ids, or a ticket with --ticket, or say --all")
    if value is not None and (ticket is None or field is None):
        raise ConfigError("--value goes with --ticket and --field")
    if at_least and value is None:
        raise ConfigError("--at-least goes with --value")
    settings, left = load(config=config, need_helpdesk=value is not None, need_any=True), 0
    bound: Bound = "at_least" if at_least else "is"
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
    screen = Screen()
    screen.say("\n".join(told) or "nothing to pin")
    if left:
        screen.notices(
            [f"{many(left, 'correction')} {'was' if left == 1 else 'were'} left out: such fields cannot be pinned"]
        )
    return ExitCode.OK


def pins(
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Print the pinned cases; as JSON with their redacted texts."""
    with opened_learning(config, read_only=True) as store:
        found = Pins(store).all()
    told = [f"{case.id:>5}  ticket {case.ticket_id}  {case.wanted}" for case in found]
    Screen(as_json=as_json).result("\n".join(told) or "no case is pinned", {"pins": [case.as_row() for case in found]})
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
