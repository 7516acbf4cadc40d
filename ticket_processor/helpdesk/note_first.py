"""The common part of two helpdesks on which a note is a separate request, which is sent first.

The state keeps what was sent, so that a note whose request got no answer is looked for before another one is sent.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Generic, TypeVar

from ..core.errors import TicketError, TicketGone, UpdateConflict
from ..core.models import Change, Ticket
from ..state.records import KeptWrite
from ..state.store import State
from .protocol import Fetched, Helpdesk, WithTroubles
from .transport import Transport

LATE_S = 300.0
"""Seconds for which a request without an answer may still take effect. Until then nothing is sent in its place."""


@dataclass(frozen=True)
class SeenTicket:
    """A ticket as it was read. ``since`` is an earlier stamp, if only our own note has come since."""

    ticket: Ticket
    since: str = field(default="", kw_only=True)


ViewT = TypeVar("ViewT", bound=SeenTicket)


class NoteFirstDesk(WithTroubles, Helpdesk, Generic[ViewT]):
    """Reads tickets one by one, and keeps what was read for the write. Without ``state`` it can only read."""

    ended: ClassVar[Collection[str]] = ("deleted",)
    """Statuses in which a ticket takes no write."""

    def __init__(self, transport: Transport, state: State | None) -> None:
        super().__init__()
        self._transport = transport
        self._state = state
        self._viewed: ViewT | None = None

    @abstractmethod
    def _read(self, ticket_id: int) -> ViewT | None:
        """A ticket as it is now; ``None`` where there is none. Raises :class:`TicketError`."""

    def fetch(self, ticket_ids: Sequence[int]) -> Fetched:
        """See :meth:`Helpdesk.fetch`; a request for each ticket."""
        found: Fetched = {}
        for ticket_id in ticket_ids:
            try:
                view = self._view(ticket_id)
            except TicketError as error:
                found[ticket_id] = error
                continue
            if view is not None:
                found[ticket_id] = view.ticket
        return found

    def _view(self, ticket_id: int) -> ViewT | None:
        view = self._read(ticket_id)
        if view is not None:
            self._viewed = view
        return view

    def _seen(self, change: Change, *, reread: bool = False) -> ViewT:
        """The ticket as it was read last, or read again; raises unless it holds what ``change`` was merged from."""
        view = self._viewed
        if reread or view is None or view.ticket.id != change.ticket_id:
            view = self._view(change.ticket_id)
        if view is None or view.ticket.status in self.ended:
            raise TicketGone("deleted" if view is None else view.ticket.status)
        ticket = view.ticket
        merged_from = (frozenset(change.tags_before), change.priority_before, change.group_before)
        same = (frozenset(ticket.tags), ticket.priority, ticket.group) == merged_from
        if not same or not (reread or change.stamp in (ticket.updated_at, view.since)):
            raise UpdateConflict("the ticket changed since it was read")
        return view

    def _writes(self, ticket_id: int) -> tuple[KeptWrite, ...]:
        return () if self._state is None else self._state.kept_writes(ticket_id)

    def _keep(self, write: KeptWrite, **known: object) -> KeptWrite:
        write = write.model_copy(update=known)
        if self._state is not None:
            self._state.keep_write(write)
        return write


def of_people(ticket: Ticket) -> tuple[object, ...]:
    """The values of a ticket that people set and that a decision looks at."""
    return ticket.status, ticket.assignee, ticket.priority, ticket.group, frozenset(ticket.tags), ticket.fields
