"""The helpdesk of the settings: the only place that builds a client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Protocol

from ..core.models import Ticket
from ..freshdesk import Freshdesk
from ..helpdesk import freshdesk_account, zendesk_account
from ..helpdesk.protocol import AccountLabels, Helpdesk, RequesterSearch
from ..helpdesk.transport import Transport
from ..settings.schema import Settings
from ..state.store import State
from ..zendesk import Zendesk
from .parts import opened_state

if TYPE_CHECKING:
    from ..seeding.accounts import SeedAccount


class Desk(Helpdesk, Protocol):
    """A helpdesk that lists its solved tickets too. ``troubles`` are sentences on what it had to do without."""

    troubles: list[str]

    def solved(self, since: float) -> Iterator[tuple[Ticket, ...]]:
        """Solved and closed tickets created since ``since`` (Unix seconds), newest first where it can."""


def desk_for(settings: Settings, transport: Transport, state: State | None = None) -> Desk:
    """The client of the chosen helpdesk.

    Freshdesk keeps no record of who changed what, so its client keeps our own writes in ``state``; without that it
    can only read.
    """
    if settings.helpdesk == "local":
        from . import local

        return local.desk(settings, transport)
    if settings.helpdesk == "freshdesk":
        return Freshdesk(
            transport,
            state,
            marker=settings.policy.marker,
            open_statuses=settings.freshdesk.open_statuses,
        )
    return Zendesk(transport)


@contextmanager
def reading_desk(settings: Settings, transport: Transport) -> Iterator[Desk]:
    """The client for a command that writes nothing; on Freshdesk it knows our writes from a copy of the state."""
    with ExitStack() as stack:
        state = None
        if settings.helpdesk == "freshdesk":
            state = stack.enter_context(opened_state(settings.state_folder, settings.desk.base_url, dry_run=True))
        yield desk_for(settings, transport, state)


def read_labels(settings: Settings, transport: Transport) -> AccountLabels:
    """The words by which the account sorts its tickets; a handful of requests. Raises :class:`CannotRun`."""
    if settings.helpdesk == "local":
        from . import local

        return local.account_labels(settings, transport)
    if settings.helpdesk == "freshdesk":
        return freshdesk_account.read_labels(transport)
    return zendesk_account.read_labels(transport)


def requesters_of(settings: Settings, transport: Transport) -> RequesterSearch:
    """The people of the account."""
    if settings.helpdesk == "local":
        from . import local

        return local.requesters(settings, transport)
    if settings.helpdesk == "freshdesk":
        return freshdesk_account.FreshdeskRequesters(transport)
    return zendesk_account.Requesters(transport)


def seed_target(settings: Settings, transport: Transport) -> SeedAccount:
    """The account as a place for invented tickets."""
    if settings.helpdesk == "local":
        from . import local

        return local.seed_target(settings, transport)
    from ..seeding import accounts

    if settings.helpdesk == "freshdesk":
        return accounts.FreshdeskSeedTarget(transport)
    return accounts.ZendeskSeedTarget(transport)
