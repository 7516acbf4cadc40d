"""The helpdesk of the settings, built here alone, and its tickets' subjects for a person who reads along."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from ..analysis.text.outgoing import subject_line
from ..core.clock import Clock, Deadline
from ..core.errors import CannotRun, DeadlineReached, TicketbotError, TicketError
from ..core.models import Ticket
from ..helpdesk.transport import Transport
from ..settings.schema import Settings
from ..state.store import State
from .parts import opened_state, transport_for
from .vendors import Desk, labels_here, opened_local, vendor_of

if TYPE_CHECKING:
    from ..helpdesk.local_desk import LocalConnection
    from ..helpdesk.local_store import LocalStore


def desk_for(settings: Settings, transport: Transport, state: State | None = None) -> Desk:
    """The client of the chosen helpdesk, see :class:`Vendor`."""
    return vendor_of(settings).desk(settings, transport, state)


@contextmanager
def reading(
    settings: Settings, clock: Clock, seconds: float, *, writes: bool = False
) -> Iterator[tuple[Desk, Transport, Deadline]]:
    """The helpdesk for a command that writes nothing, and its connection, which lasts so many seconds.

    Where the client is to know our ``writes`` and the helpdesk keeps no record, they come from a copy of the state.
    """
    deadline, account = Deadline(clock, seconds), settings.desk
    needs = writes and not vendor_of(settings).record
    copy = opened_state(settings.state_folder, account.base_url, dry_run=True) if needs else nullcontext()
    share = settings.run.limit_share
    with closing(transport_for(account, clock, deadline, share=share, read_only=True)) as transport, copy as state:
        yield desk_for(settings, transport, state), transport, deadline


# The local helpdesk


@contextmanager
def local_store(settings: Settings, *, make: bool = False) -> Iterator[LocalStore]:
    """The store of the settings' local helpdesk; ``make`` where a missing one is to be made.

    Raises :class:`HelpdeskDown`.
    """
    from ..helpdesk.local_store import LocalStore

    with closing(LocalStore(settings.local_account.file, labels=labels_here(settings), make=make)) as store:
        yield store


def tidy_local(settings: Settings, transport: Transport) -> list[str]:
    """Finish erasures that were cut off, close tickets that were resolved long ago; what there is to say of that."""
    days, now = settings.portal.close_after_days, cast("LocalConnection", transport).now()
    store = opened_local(settings, transport)
    lines = finish_erasures(settings, store, now)
    store.forget_browsing(now)
    closed = store.close_resolved(now - days * 86_400.0, now) if days else 0
    return [*lines, *([f"closed: {closed} that had been resolved for {days} days"] if closed else [])]


def finish_erasures(settings: Settings, store: LocalStore, now: float) -> list[str]:
    """Go on with erasures of customers that were cut off; what there is to say of that."""
    from ..helpdesk.local_transfer import MAIL_FOLDER

    lines = []
    try:
        for done in store.finish_erasures(now, settings.state_folder / MAIL_FOLDER):
            tickets = " ".join(f"--ticket {number}" for number in done.tickets)
            log = f"; for the log: ticketbot audit erase {tickets}" if tickets else ""
            lines.append(f"erased: a customer whose erasure was interrupted{log}")
    except TicketbotError as error:
        lines.append(f"a customer's erasure is not finished: {error}")
    return lines


# Subjects for a person who reads along: from memory or on demand, redacted, never kept on a disk

LONGEST = 60
MOST_KEPT = 5_000
"""Of more tickets than a run has under way at a time the oldest are forgotten; they are shown by their numbers."""
_MOST_READ = 500
OVER = ("solved", "closed", "deleted")
"""Statuses of tickets that need no person any more."""
NO_SUBJECT = "(no subject)"


def shown_subject(subject: str, names: Sequence[str] = (), limit: int = LONGEST) -> str:
    """The subject as one plain line of at most ``limit`` characters, without personal data, ``names`` and secrets."""
    return subject_line(subject[:_MOST_READ], names, limit) or NO_SUBJECT


class Subjects:
    """Subjects of the tickets that a run has read. Thread-safe; redacts when asked.

    ``under_way`` says how many tickets the run has begun and not ended, and whether these are the last. ``notice`` is
    given what that person should know at once.
    """

    def __init__(self, notice: Callable[[str], None] = lambda _sentence: None) -> None:
        self.notice = notice
        self.under_way: Callable[[], tuple[int, bool]] = lambda: (0, False)
        self._kept: dict[int, tuple[str, tuple[str, ...]]] = {}

    def saw(self, ticket: Ticket) -> None:
        """Remember the ticket's subject."""
        self._kept[ticket.id] = ticket.subject[:_MOST_READ], ticket.names
        if len(self._kept) > MOST_KEPT:
            with suppress(StopIteration, RuntimeError):  # another thread may be at it
                self._kept.pop(next(iter(self._kept)), None)

    def of(self, ticket_id: int) -> str:
        """The subject as it may be shown; empty where it is not known."""
        kept = self._kept.get(ticket_id)
        return "" if kept is None else shown_subject(*kept)


@dataclass(frozen=True)
class LookedUp:
    """A ticket as the helpdesk has it now. ``status`` is ``deleted`` where it is gone, empty where it is unknown."""

    status: str = ""
    subject: str = ""


def look_up(
    settings: Settings, clock: Clock, ticket_ids: Sequence[int], *, seconds: float = 20.0
) -> tuple[dict[int, LookedUp], str]:
    """Tickets as they are now, a request for each hundred; and in a sentence why some are missing, if so.

    Reads only. Does not raise for a helpdesk that cannot be asked.
    """
    if not settings.desk.named:
        return {}, "the settings name no helpdesk"
    found: dict[int, LookedUp] = {}
    try:
        with reading(settings, clock, seconds) as (desk, *_):
            tickets = desk.fetch(list(ticket_ids))
    except (CannotRun, TicketError, DeadlineReached) as error:
        return found, f"the helpdesk was not asked: {error}"
    for ticket_id in ticket_ids:
        ticket = tickets.get(ticket_id)
        if isinstance(ticket, Ticket):
            found[ticket_id] = LookedUp(ticket.status, shown_subject(ticket.subject, ticket.names))
        elif ticket is None:
            found[ticket_id] = LookedUp("deleted")
    why = next((str(each) for each in tickets.values() if isinstance(each, TicketError)), "")
    return found, f"not every ticket could be read: {why}" if why else ""
