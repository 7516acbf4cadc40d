"""The helpdesk of the settings: the only place that builds a client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from ..core.models import Ticket
from ..helpdesk.protocol import Helpdesk
from ..helpdesk.transport import Transport
from ..settings.schema import Settings
from ..state.store import State
from ..zendesk import Zendesk


class Desk(Helpdesk, Protocol):
    """A helpdesk that lists its solved tickets too. ``troubles`` are sentences on what it had to do without."""

    troubles: list[str]

    def solved(self, since: float) -> Iterator[tuple[Ticket, ...]]:
        """Solved and closed tickets created since ``since`` (Unix seconds), newest first where it can."""


def desk_for(settings: Settings, transport: Transport, state: State | None = None) -> Desk:
    """The client of the chosen helpdesk.

    Freshdesk keeps no record of who changed what, so its client keeps one of our writes in ``state``; without that it
    can only read.
    """
    if settings.helpdesk == "freshdesk":
        from ..freshdesk import Freshdesk

        return Freshdesk(transport, state, marker=settings.policy.marker)
    zendesk = settings.zendesk
    return Zendesk(transport, source=zendesk.source, search_window_s=zendesk.search_window_hours * 3600)
