"""Distinguishes a fault of one ticket from one that all tickets share.

If a request fails for one ticket, that ticket waits on the retry list, and the others go on. If the same request fails
for several different tickets in a row, a ticket is read again that was read before. If that fails too, the fault is the
helpdesk's or the account's: the run ends, and the failures do not count against the tickets. If it works, the run goes
on to other tickets; if the request works for one of them, or has worked before, each failure counts against its ticket.
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
"""Requests about one ticket each; the first of these that fails for all tickets ends a run."""
IN_A_ROW = 3
IN_A_ROW_AFTER_SUCCESS = 10
"""Failures in a row after which a request that worked before in this run counts as failing for all."""
MOST_IN_A_ROW = 40
PATIENCE_S = 60.0
"""Seconds of failures in a row after which the request is no longer made, although the helpdesk works otherwise."""
NAMED = 3


class SharedFaults:
    """Counts which requests work in a run, and which fail for many tickets in a row. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._row: dict[Request, tuple[str, dict[int, float]]] = {}
        self._shared: dict[Request, CannotRun] = {}
        self._stopped: set[Request] = set()
        self.worked: set[Request] = set()
        """Requests that have succeeded for at least one ticket."""

    def succeeded(self, request: Request) -> None:
        """Note that the request worked for a ticket."""
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
        """Note that the request failed for a ticket, after that many seconds.

        After several different tickets in a row no more are tried, unless the helpdesk ``works``, which is called
        without the lock and may raise :class:`CannotRun`.
        """
        # Refusals are compared by their words; unusable answers vary, so they count as the same.
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
        """Note that the helpdesk refused because of the ticket itself, which ends the row of failures."""
        with self._lock:
            self._row.pop(request, None)

    def tried(self, request: Request) -> bool:
        """True if the request has been made in this run."""
        with self._lock:
            return request in self.worked or request in self._row

    def stopped(self, *requests: Request) -> bool:
        """True if one of these requests should not be tried again for the present tickets."""
        with self._lock:
            return not self._stopped.isdisjoint(requests)

    def look_again(self) -> None:
        """Allow all requests again, for other tickets."""
        with self._lock:
            self._row.clear()
            self._stopped.clear()

    def end(self, *requests: Request) -> CannotRun | None:
        """The error that ends the run if all tickets share a fault of these requests; else ``None``."""
        with self._lock:
            return next((self._shared[request] for request in requests if request in self._shared), None)

    def is_shared(self, request: Request, failed: int) -> bool:
        """True if the failures of ``failed`` different tickets in this run do not count against the tickets."""
        with self._lock:
            return request in self._shared or (failed >= IN_A_ROW and request not in self.worked)


class IsolatingDesk:
    """Wraps a helpdesk so that a fault with one ticket does not affect others; see :class:`SharedFaults`.

    Pages list the tickets of one ``shard`` only; by number every ticket can be read. ``saw`` is called with every
    ticket that is read.
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
        seconds = (self._monotonic() - begun) / max(1, len(ticket_ids))
        shown = [ticket for ticket in tickets.values() if isinstance(ticket, Ticket)]
        for ticket in shown:
            self._saw(ticket)
        for ticket_id, error in tickets.items():
            if isinstance(error, TicketError):
                self._faults.failed("ticket", ticket_id, error, seconds, lambda: bool(shown))
        if shown:
            self._succeeded("ticket", shown[0].id)
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
        """See :meth:`Helpdesk.update`. A fault that all tickets share ends the run, since nothing can be written."""
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
        """True if the helpdesk still shows a record or ticket that it showed earlier in this run."""
        try:
            if request == "audits" and "audits" in self._shown:
                self._desk.history(self._shown["audits"])
                return True
            shown = self._shown.get("ticket")
            return shown is not None and isinstance(self._desk.fetch([shown]).get(shown), Ticket)
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
