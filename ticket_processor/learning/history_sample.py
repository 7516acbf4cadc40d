"""Reads tickets with their histories, one after another, as long as it is allowed; draws a sample. Reads only.

A request for each hundred tickets (on Freshdesk for each), and those for each history.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

from ..core.clock import Deadline, why_ended
from ..core.errors import CannotRun, DeadlineReached, TicketError
from ..core.models import Ticket
from ..evaluation.solved import MERGED_TAG
from ..helpdesk.protocol import Helpdesk
from ..helpdesk.ticket_history import History

AT_ONCE = 100
REFUSED_AT_FIRST = 3
"""When the first histories cannot be read, none can."""

GONE = "deleted since"
MERGED = "merged into another"
UNREADABLE = "whose history cannot be read"


class OfTicket(Protocol):
    """Something about one ticket."""

    @property
    def ticket_id(self) -> int:
        """The ticket's number."""


Item = TypeVar("Item", bound=OfTicket)


def in_sample_order(written: Iterable[Item], run_ids: Iterable[str]) -> list[Item]:
    """The tickets so that every beginning of the list is a random sample; the same for the same tickets and runs."""
    ordered = sorted(written, key=lambda item: item.ticket_id)
    random.Random("\0".join(sorted(set(run_ids)))).shuffle(ordered)
    return ordered


class HistoryReader:
    """Reads histories from a helpdesk, and counts what it passes over and why (``left_out``), by ticket (``left``).

    ``advance`` is told of each history. ``ended_early`` says why not all was read.
    """

    def __init__(
        self, desk: Helpdesk, deadline: Deadline, advance: Callable[[int], object] = lambda _count: None
    ) -> None:
        self._desk = desk
        self._deadline = deadline
        self._advance = advance
        self.left_out: Counter[str] = Counter()
        self.left: dict[int, str] = {}
        self.histories = 0
        self.ended_early: str | None = None

    def read(
        self, ordered: Sequence[Item], passed_over: Callable[[Ticket], str | None] = lambda _ticket: None
    ) -> Iterator[tuple[Item, Ticket, History]]:
        """The tickets of ``ordered`` with their histories, without those that ``passed_over`` has a reason for.

        Never raises for a helpdesk that gives no answer, forbids it, or takes too long. Raises :class:`Stopping`.
        """
        try:
            for start in range(0, len(ordered), AT_ONCE):
                yield from self._part(ordered[start : start + AT_ONCE], passed_over)
        except _Unreadable as error:
            self.ended_early = f"histories of tickets cannot be read: {error}"
        except (CannotRun, DeadlineReached) as error:
            self.ended_early = why_ended(error, self._deadline)

    def leave(self, ticket_id: int, why: str) -> None:
        """Count a ticket that is passed over."""
        self.left_out[why] += 1
        self.left[ticket_id] = why

    def _part(
        self, part: Sequence[Item], passed_over: Callable[[Ticket], str | None]
    ) -> Iterator[tuple[Item, Ticket, History]]:
        self._deadline.check()
        found = self._desk.fetch([item.ticket_id for item in part])
        for item in part:
            ticket = found.get(item.ticket_id)
            if item.ticket_id in found.unread:
                self.leave(item.ticket_id, UNREADABLE)
            elif ticket is None:
                self.leave(item.ticket_id, GONE)
            elif why := passed_over(ticket) or (MERGED if MERGED_TAG in ticket.tags else None):
                self.leave(ticket.id, why)
            elif (history := self._history(ticket.id)) is not None:
                yield item, ticket, history

    def _history(self, ticket_id: int) -> History | None:
        self._deadline.check()
        try:
            history = self._desk.history(ticket_id)
        except TicketError as error:
            self.leave(ticket_id, UNREADABLE)
            if not self.histories and self.left_out[UNREADABLE] >= REFUSED_AT_FIRST:
                raise _Unreadable(str(error)) from error
            return None
        self.histories += 1
        self._advance(1)
        return history


class _Unreadable(Exception):
    pass
