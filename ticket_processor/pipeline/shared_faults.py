"""Tells a fault of one ticket from one that every ticket shares.

A request that fails for one ticket is that ticket's matter: it waits on the retry list, and the others go on. When the
same request fails for several different tickets in a row, one is asked about that was read before. If the helpdesk does
not show it either, the fault is its own, or the account's: the run ends, and no ticket is counted against. If it does,
the others have their turn too; where the request works for one of them, or has done so before, each fault is its
ticket's.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from ..core import reasons
from ..core.errors import (
    CannotRun,
    PartRefused,
    RequestSkipped,
    TicketError,
    TicketGone,
    UpdateConflict,
    UpdateRefused,
    WaitForEarlier,
)
from ..core.models import Change, Request, Ticket
from ..helpdesk.protocol import Fetched, Helpdesk, JobStatus, Page, Shard
from ..helpdesk.ticket_history import Edit, History

REQUESTS: tuple[Request, ...] = ("update", "audits", "ticket")
"""To the helpdesk, for one ticket each; the first of them that fails for all is what ends a run."""
IN_A_ROW = 3
IN_A_ROW_AFTER_SUCCESS = 10
"""Once a request has succeeded in this run, it takes more failures to say that it does not work any more."""
MOST_IN_A_ROW = 40
PATIENCE_S = 60.0
"""So many failures in a row, or so long, and no more are asked about although the helpdesk works otherwise."""
NAMED = 3


class SharedFaults:
    """Counts which requests work in a run, and which fail for ticket after ticket. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._row: dict[Request, tuple[str, dict[int, float]]] = {}
        self._shared: dict[Request, CannotRun] = {}
        self._stopped: set[Request] = set()
        self.worked: set[Request] = set()
        """Requests that have succeeded for at least one ticket."""

    def succeeded(self, request: Request) -> None:
        """The request has worked for some ticket."""
        with self._lock:
            self.worked.add(request)
            self._shared.pop(request, None)
            self._row.pop(request, None)
            self._stopped.discard(request)

    def failed(
        self,
        request: Request,
        ticket_id: int,
        error: TicketError,
        seconds: float = 0.0,
        works: Callable[[], bool] = lambda: False,
    ) -> None:
        """The request has failed for a ticket, in so many seconds.

        After several different ones in a row no more are asked about, unless the helpdesk ``works``, which is asked
        without the lock and may raise :class:`CannotRun`.
        """
        # Refusals are compared by their words; unusable answers differ from each other and count as one.
        fault = str(error) if isinstance(error, UpdateRefused) else error.if_shared.__name__
        with self._lock:
            before, row = self._row.get(request, (fault, {}))
            row = row if before == fault else {}
            new = ticket_id not in row
            row[ticket_id] = row.get(ticket_id, 0.0) + seconds
            self._row[request] = (fault, row)
            proven = request in self.worked
            enough = IN_A_ROW_AFTER_SUCCESS if proven else IN_A_ROW
            if len(row) < enough:
                return
            last = ", ".join(map(str, list(row)[-NAMED:]))
            self._shared[request] = error.if_shared(
                f"{error}: {len(row)} different tickets in a row, the last of them {last}; nothing is counted "
                "against them, and they are tried again"
            )
            too_many = len(row) >= MOST_IN_A_ROW or sum(row.values()) >= PATIENCE_S
            if too_many:
                self._stopped.add(request)
            if too_many or len(row) > enough or not new:
                return
        if not works():
            with self._lock:
                self._stopped.add(request)
        elif proven:
            self.succeeded(request)

    def answered(self, request: Request) -> None:
        """The helpdesk has looked at a ticket and said what is the matter with that one: the row of failures ends."""
        with self._lock:
            self._row.pop(request, None)

    def tried(self, request: Request) -> bool:
        """Whether the request has been made in this run, with an answer or without."""
        with self._lock:
            return request in self.worked or request in self._row

    def stopped(self, *requests: Request) -> bool:
        """Whether one of these requests is not worth another try with the tickets whose turn it is."""
        with self._lock:
            return not self._stopped.isdisjoint(requests)

    def look_again(self) -> None:
        """Other tickets have their turn: every request is worth a try with them."""
        with self._lock:
            self._row.clear()
            self._stopped.clear()

    def end(self, *requests: Request) -> CannotRun | None:
        """The error that ends the run when every ticket shares a fault; ``None`` where each of ``requests`` works."""
        with self._lock:
            return next((self._shared[request] for request in requests if request in self._shared), None)

    def is_shared(self, request: Request, failed: int) -> bool:
        """Whether the failures of ``failed`` different tickets in this run say nothing against any of them."""
        with self._lock:
            return request in self._shared or (failed >= IN_A_ROW and request not in self.worked)


class IsolatingDesk:
    """A helpdesk whose faults with one ticket stay with that ticket; see :class:`SharedFaults`.

    Pages list the tickets of one ``shard`` only; those that are asked for by number are all there. ``saw`` hears of
    every ticket that is read.
    """

    def __init__(
        self,
        desk: Helpdesk,
        faults: SharedFaults,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        shard: Shard | None = None,
        saw: Callable[[Ticket], object] = lambda _ticket: None,
    ) -> None:
        self._desk = desk
        self._faults = faults
        self._monotonic = monotonic
        self._shard = shard
        self._saw = saw
        self._shown: dict[Request, int] = {}
        """The last ticket for which a request has worked."""

    def pages(self, cursor: str | None, since: float) -> Iterator[Page]:
        """See :meth:`Helpdesk.pages`."""
        for page in self._desk.pages(cursor, since):
            if (shard := self._shard) is not None:
                tickets = tuple(ticket for ticket in page.tickets if shard.has(ticket.id))
                unread = {number: why for number, why in page.unread.items() if shard.has(number)}
                page = replace(page, tickets=tickets, unread=unread)
            for ticket in page.tickets:
                self._saw(ticket)
            if page.tickets:
                self._succeeded("ticket", page.tickets[-1].id)
            yield page

    def fetch(self, ticket_ids: Sequence[int]) -> Fetched:
        """See :meth:`Helpdesk.fetch`."""
        begun = self._monotonic()
        tickets = self._desk.fetch(ticket_ids)
        for ticket in tickets.values():
            self._saw(ticket)
        seconds = (self._monotonic() - begun) / max(1, len(ticket_ids))
        for ticket_id in tickets.unread:
            self._faults.failed("ticket", ticket_id, tickets.unread[ticket_id], seconds, lambda: bool(tickets))
        if tickets:
            self._succeeded("ticket", next(iter(tickets)))
        return tickets

    def history(self, ticket_id: int) -> History:
        """See :meth:`Helpdesk.history`."""
        if self._faults.stopped("audits"):
            raise RequestSkipped(reasons.RECORD_UNREADABLE)
        begun = self._monotonic()
        try:
            history = self._desk.history(ticket_id)
        except TicketError as error:
            self._failed("audits", ticket_id, error, begun)
            raise
        self._succeeded("audits", ticket_id)
        return history

    def update(self, change: Change) -> Edit | None:
        """See :meth:`Helpdesk.update`. A fault that every ticket shares ends the run: nothing can be written."""
        begun = self._monotonic()
        try:
            edit = self._desk.update(change)
        except (UpdateConflict, TicketGone, PartRefused, WaitForEarlier):
            self._faults.answered("update")
            raise
        except TicketError as error:
            self._failed("update", change.ticket_id, error, begun)
            if self._faults.stopped("update") and (end := self._faults.end("update")) is not None:
                raise end from error
            raise
        self._succeeded("update", change.ticket_id)
        return edit

    def _succeeded(self, request: Request, ticket_id: int) -> None:
        self._shown[request] = ticket_id
        self._faults.succeeded(request)

    def _failed(self, request: Request, ticket_id: int, error: TicketError, begun: float) -> None:
        self._faults.failed(request, ticket_id, error, self._monotonic() - begun, lambda: self._works(request))

    def _works(self, request: Request) -> bool:
        """Whether the helpdesk shows again what it has shown in this run: a record, where one was read, or a ticket."""
        try:
            if request == "audits" and "audits" in self._shown:
                self._desk.history(self._shown["audits"])
                return True
            shown = self._shown.get("ticket")
            return shown is not None and shown in self._desk.fetch([shown])
        except TicketError:
            return False

    def withdraw(self, change: Change) -> None:
        """See :meth:`Helpdesk.withdraw`."""
        self._desk.withdraw(change)

    def update_many(self, changes: Sequence[Change], *, stale: int | None = None) -> str:
        """See :meth:`Helpdesk.update_many`."""
        return self._desk.update_many(changes, stale=stale)

    def jobs(self, job_ids: Sequence[str]) -> Mapping[str, JobStatus]:
        """See :meth:`Helpdesk.jobs`."""
        found = self._desk.jobs(job_ids)
        if any(made for status in found.values() for made in status.results.values()):
            self._faults.succeeded("update")
        return found
