"""From settings to the local helpdesk: its store, and the parts that other helpdesks have as well."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, cast

from ..core.clock import Clock, Deadline
from ..core.errors import TicketbotError
from ..helpdesk.local_desk import LocalConnection, LocalDesk, LocalRequesters, labels_of
from ..helpdesk.local_model import Labels
from ..helpdesk.local_people import MAIL_FOLDER
from ..helpdesk.local_store import LocalStore
from ..helpdesk.protocol import AccountLabels
from ..helpdesk.transport import Transport
from ..settings.helpdesks import LocalSettings
from ..settings.schema import Settings

if TYPE_CHECKING:
    from ..seeding.accounts import LocalSeedTarget


@contextmanager
def local_store(settings: Settings, *, make: bool = False) -> Iterator[LocalStore]:
    """The store of the settings' local helpdesk; ``make`` where a missing one is to be made.

    Raises :class:`HelpdeskDown`.
    """
    path = settings.local_account.file
    with closing(LocalStore(path, labels=labels(settings), make=make)) as store:
        yield store


def prepared(settings: Settings, transport: Transport) -> list[str]:
    """Finish erasures that were cut off, close tickets that were resolved long ago; what there is to say of that."""
    days, way = settings.portal.close_after_days, cast(LocalConnection, transport)
    now, store = way.now(), way.opened(labels(settings))
    told = finish_erasures(settings, store, now)
    closed = store.close_resolved(now - days * 86_400.0, now) if days else 0
    return [*told, *([f"closed: {closed} that had been resolved for {days} days"] if closed else [])]


def finish_erasures(settings: Settings, store: LocalStore, now: float) -> list[str]:
    """Go on with erasures of customers that were cut off; what there is to say of that."""
    told = []
    try:
        for done in store.finish_erasures(now, settings.state_folder / MAIL_FOLDER):
            tickets = " ".join(f"--ticket {number}" for number in done.found.tickets)
            log = f"; for the log: ticketbot audit erase {tickets}" if tickets else ""
            told.append(f"erased: a customer whose erasure was interrupted{log}")
    except TicketbotError as error:
        told.append(f"a customer's erasure is not finished: {error}")
    return told


def labels(settings: Settings) -> Labels:
    """The tags of these settings that say category, urgency and sentiment."""
    return Labels.of(settings.policy.tag_prefix, settings.taxonomy)


def connection(account: LocalSettings, clock: Clock, deadline: Deadline, *, read_only: bool) -> LocalConnection:
    """The way to the local helpdesk."""
    return LocalConnection(
        account.file, account.base_url, name=account.vendor, clock=clock, deadline=deadline, read_only=read_only
    )


def desk(settings: Settings, transport: Transport) -> LocalDesk:
    """The local helpdesk as a run sees it."""
    way = cast(LocalConnection, transport)
    return LocalDesk(way.opened(labels(settings)), way.now, read_only=way.read_only, noted=way.noted)


def requesters(settings: Settings, transport: Transport) -> LocalRequesters:
    """Its people."""
    return LocalRequesters(cast(LocalConnection, transport).opened(labels(settings)))


def seed_target(settings: Settings, transport: Transport) -> LocalSeedTarget:
    """The local helpdesk as a place for invented tickets, made where there is none."""
    from ..seeding.accounts import LocalSeedTarget

    way = cast(LocalConnection, transport)
    return LocalSeedTarget(way.opened(labels(settings), make=True), way.now)


def account_labels(settings: Settings, transport: Transport) -> AccountLabels:
    """The words by which its tickets are sorted."""
    return labels_of(cast(LocalConnection, transport).opened(labels(settings)))
