"""Tells a fault of one ticket from one that every ticket shares.

A request that fails for one ticket is that ticket's matter: it waits on the retry list, and the others go on. The same
request failing for several different tickets in a row is the helpdesk's matter, or the account's: the run ends, and no
ticket is counted against.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence

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
from ..core.models import Change, Request
from ..helpdesk.protocol import Fetched, Helpdesk, JobStatus, Page
from ..helpdesk.ticket_history import Edit, History

REQUESTS: tuple[Request, ...] = ("update", "audits", "ticket")
"""To the helpdesk, for one ticket each; the first of them that fails for all is what ends a run."""
IN_A_ROW = 3
IN_A_ROW_AFTER_SUCCESS = 10
"""Once a request has succeeded in this run, it takes more failures to say that it does not work any more."""
NAMED = 3


class SharedFaults:
    """Counts which requests work in a run, and which fail for ticket after ticket. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._row: dict[Request, tuple[str, dict[int, None]]] = {}
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

    def failed(self, request: Request, ticket_id: int, error: TicketError) -> None:
        """The request has failed for a ticket; of several different ones in a row no more are asked about."""
        # Refusals are compared by their words; unusable answers differ from each other and count as one.
        fault = str(error) if isinstance(error, UpdateRefused) else error.if_shared.__name__
        with self._lock:
            before, row = self._row.get(request, (fault, {}))
            row = row if before == fault else {}
            row[ticket_id] = None
            self._row[request] = (fault, row)
            if len(row) >= (IN_A_ROW_AFTER_SUCCESS if request in self.worked else IN_A_ROW):
                self._stopped.add(request)
                last = ", ".join(map(str, list(row)[-NAMED:]))
                self._shared[request] = error.if_shared(
                    f"{error}: {len(row)} different tickets in a row, the last of them {last}; nothing is counted "
                    "against them, and they are tried again"
                )

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
    """A helpdesk whose faults with one ticket stay with that ticket; see :class:`SharedFaults`."""

    def __init__(self, desk: Helpdesk, faults: SharedFaults) -> None:
        self._desk = desk
        self._faults = faults

    def pages(self, cursor: str | None, since: float) -> Iterator[Page]:
        """See :meth:`Helpdesk.pages`."""
        for page in self._desk.pages(cursor, since):
            if page.tickets:
                self._faults.succeeded("ticket")
            yield page

    def fetch(self, ticket_ids: Sequence[int]) -> Fetched:
        """See :meth:`Helpdesk.fetch`."""
        tickets = self._desk.fetch(ticket_ids)
        if tickets:
            self._faults.succeeded("ticket")
        for ticket_id, error in tickets.unread.items():
            self._faults.failed("ticket", ticket_id, error)
        return tickets

    def history(self, ticket_id: int) -> History:
        """See :meth:`Helpdesk.history`."""
        if self._faults.stopped("audits"):
            raise RequestSkipped(reasons.RECORD_UNREADABLE)
        try:
            history = self._desk.history(ticket_id)
        except TicketError as error:
            self._faults.failed("audits", ticket_id, error)
            raise
        self._faults.succeeded("audits")
        return history

    def update(self, change: Change) -> Edit | None:
        """See :meth:`Helpdesk.update`. A fault that every ticket shares ends the run: nothing can be written."""
        try:
            edit = self._desk.update(change)
        except (UpdateConflict, TicketGone, PartRefused, WaitForEarlier):
            self._faults.answered("update")
            raise
        except TicketError as error:
            self._faults.failed("update", change.ticket_id, error)
            if self._faults.stopped("update") and (end := self._faults.end("update")) is not None:
                raise end from error
            raise
        self._faults.succeeded("update")
        return edit

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
