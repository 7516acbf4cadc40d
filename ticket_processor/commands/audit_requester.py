"""Finds the tickets of one requester. Name and address are neither stored nor shown."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from ..core.clock import Deadline, SystemClock
from ..helpdesk.zendesk_users import Requesters
from ..settings.schema import Settings
from ..wiring.parts import transport_for

PATIENCE_S = 1800.0
TicketsOption = Annotated[
    list[int] | None, typer.Option("--ticket", min=1, metavar="ID", help="Only this ticket; may be repeated.")
]
RequesterOption = Annotated[
    str | None,
    typer.Option("--requester", metavar="ID_OR_EMAIL", help="All tickets of this requester; asks the helpdesk."),
]


def tickets_of(settings: Settings, clock: SystemClock, named: str) -> frozenset[int]:
    """The numbers of all tickets of the user with this id or e-mail address; the helpdesk is only read.

    Raises ``ConfigError`` when there is no such user, and ``CannotRun`` when the helpdesk does not answer.
    """
    deadline, share = Deadline(clock, PATIENCE_S), settings.run.limit_share
    with closing(transport_for(settings.zendesk, clock, deadline, share=share, read_only=True)) as transport:
        requesters = Requesters(transport)
        return frozenset(requesters.tickets(requesters.find(named)))
